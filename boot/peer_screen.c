/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/peer_screen.h"
#include "boot/host.h"
#include "boot/log.h"
#include "boot/net.h"
#include "boot/peer_backend.h"
#include "boot/peer_device.h"
#include "boot/port.h"
#include "boot/relocate.h"
#include "boot/terminal.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define MS 1000000ull

#define DRAW_NS	  (250 * MS)
#define DRAIN_NS  (20 * MS)
#define SECOND	  (1000 * MS)
#define VGA_TEXT  0xb8000u
#define COLUMNS	  80u
#define ROWS	  25u
#define CELLS	  2048u /* the mirror wants a power of two */
#define LINE_MAX  256u
#define TERMINALS 3u /* serial, and far away: console, screen */

#define CRTC_INDEX	  0x3d4
#define CRTC_DATA	  0x3d5
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_OFF	  BIT(5)

#define NORMAL	0x07
#define BRIGHT	0x0f
#define DIM	0x08
#define WARNING 0x0e
#define TITLE	0x1f

static struct {
	const struct config *config;
	const struct services *services;
	struct terminal *terminal[TERMINALS]; /* NULL: no such one */
	u64 started, next_draw;
	u32 log_seen;
	unsigned y; /* the next row to write */
	char latest[ROWS][COLUMNS + 1];
	unsigned latest_at;
	u16 cell[CELLS] __attribute__((aligned(4)));
	u16 shown[COLUMNS * ROWS]; /* on the VGA */
} screen;

/* --- rows --- */

static void __attribute__((format(printf, 2, 3))) row(u8 attr, const char *format, ...)
{
	u16 *cells = screen.cell + screen.y * COLUMNS;
	char text[LINE_MAX];
	const char *s = text;
	va_list ap;

	if (screen.y == ROWS)
		return;
	va_start(ap, format);
	fmt_va(text, sizeof(text), format, ap);
	va_end(ap);
	for (unsigned x = 0; x < COLUMNS; x++)
		cells[x] = (u16)(attr << 8 | (u8)(*s ? *s++ : ' '));
	screen.y++;
}

/* h:mm:ss */
static void put_time(char *buf, size_t size, u64 ns)
{
	u32 seconds = (u32)(ns / SECOND);

	fmt(buf, size, "%u:%02u:%02u", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static void put_ranges(char *buf, size_t size, const struct port_export *x)
{
	size_t n = 0;

	for (unsigned i = 0; i < x->ranges && n < size; i++) {
		const struct port_range *r = &x->range[i];

		n += (size_t)fmt(buf + n, size - n, r->first == r->last ? "%s%x" : "%s%x-%x",
				 i ? "," : "", r->first, r->last);
	}
}

/* The numbers of the bits that are set, or "-". */
static void put_bits(char *buf, size_t size, u32 bits)
{
	size_t n = 0;

	fmt(buf, size, "-");
	for (unsigned bit = 0; bits && n < size; bit++, bits >>= 1)
		if (bits & 1)
			n += (size_t)fmt(buf + n, size - n, n ? ",%u" : "%u", bit);
}

static u64 interrupts_of(const struct port_export *x)
{
	u64 count = 0;

	for (unsigned line = 0; line < SERVER_LINES; line++)
		if (x->irqs & BIT(line))
			count += peer_interrupts(line);
	return count;
}

static void draw_holder(const struct server_lease *l, u64 since, u64 now)
{
	static const char *const health[] = {"good", "suspect", "lost"};
	char mac[NET_MAC_TEXT], age[16];
	u64 left = l->expires > now ? l->expires - now : 0;

	if (!l->active) {
		row(DIM, "  free");
		return;
	}
	net_mac_text(mac, l->mac);
	put_time(age, sizeof(age), now - since);
	row(BRIGHT, "  %s for %s: %llu operations, %llu refused, silent %llu s, %s", mac, age,
	    l->operations, l->refused, (SERVER_LEASE_NS - left) / SECOND,
	    health[link_health(&l->events, now)]);
}

static void draw_export(const struct port_export *x)
{
	char ports[64], irqs[24], dma[16];

	put_ranges(ports, sizeof(ports), x);
	put_bits(irqs, sizeof(irqs), x->irqs);
	put_bits(dma, sizeof(dma), x->dma);
	row(NORMAL, "%-16s %-7s %-28s %-8s %-6s %llu", x->name, peer_device_name(x), ports, irqs,
	    dma, interrupts_of(x));
}

static void draw_exports(const struct server *s, const u64 *since, u64 now)
{
	row(NORMAL, "%-16s %-7s %-28s %-8s %-6s %s", "Export", "Device", "Ports", "IRQ", "DMA",
	    "Interrupts");
	for (unsigned i = 0; i < s->exports; i++) {
		/* The console is of interest only when somebody has it. */
		if (services_has(screen.services, i) && !s->lease[i].active)
			continue;
		draw_export(&s->export[i]);
		draw_holder(&s->lease[i], since[i], now);
	}
}

/* --- the lower half --- */

/* The reasons for which frames were dropped, as many rows as they take. */
static void draw_drops(const struct endpoint *e)
{
	char text[COLUMNS + 1] = "Dropped:";
	size_t n = strlen(text), first = n;

	for (unsigned i = 0; i < DROPS; i++) {
		char one[40];
		size_t len;

		if (!e->drops[i])
			continue;
		len = (size_t)fmt(one, sizeof(one), " %s %llu", drop_name((enum drop)i),
				  e->drops[i]);
		if (n + len > COLUMNS) {
			row(WARNING, "%s", text);
			n = (size_t)fmt(text, sizeof(text), "        ");
		}
		n += (size_t)fmt(text + n, sizeof(text) - n, "%s", one);
	}
	row(n > first ? WARNING : NORMAL, "%s%s", text, n > first ? "" : " none");
}

static void draw_counters(const struct server *s)
{
	char card[LINE_MAX];

	row(NORMAL, "Frames: %llu in, %llu out, %llu not sent; %llu NAKs, %llu leases run out",
	    s->e.received, s->e.sent, s->e.unsent, s->naks, s->expired);
	draw_drops(&s->e);
	net_describe(card, sizeof(card));
	row(net_up() ? NORMAL : WARNING, "Card: %s", card);
}

static void keep_line(void *ctx, const char *line)
{
	char *to = screen.latest[screen.latest_at++ % ROWS];
	size_t len = strlen(line);

	(void)ctx;
	if (!strncmp(line, "farbus: ", 8)) {
		line += 8;
		len -= 8;
	}
	if (len > COLUMNS)
		len = COLUMNS;
	memcpy(to, line, len);
	to[len] = 0;
}

static void draw_log(void)
{
	unsigned rows = ROWS - screen.y;

	if (screen.log_seen != log_count()) {
		screen.log_seen = log_count();
		memset(screen.latest, 0, sizeof(screen.latest));
		screen.latest_at = ROWS; /* from a full turn on, none is before the first */
		log_each(keep_line, NULL);
	}
	for (unsigned i = rows; i; i--)
		row(NORMAL, "%s", screen.latest[(screen.latest_at - i) % ROWS]);
}

static void compose(const struct server *s, const u64 *since, u64 now)
{
	char up[16], card[LINE_MAX];

	screen.y = 0;
	put_time(up, sizeof(up), now - screen.started);
	row(TITLE, " Farbus peer %-52s up %10s ", s->name, up);
	net_describe_card(card, sizeof(card));
	row(net_up() ? NORMAL : WARNING, "%s", card);
	row(screen.config->key == CONFIG_KEY_INSECURE ? WARNING : NORMAL, "%s",
	    screen.config->key == CONFIG_KEY_INSECURE
		    ? "No key: whoever is on the segment may use these devices"
		    : "Frames are signed with the shared key");
	row(NORMAL, " ");
	draw_exports(s, since, now);
	row(NORMAL, " ");
	draw_counters(s);
	row(NORMAL, " ");
	draw_log();
}

/* --- out --- */

static void show_on_vga(void)
{
	volatile u16 *vga = phys_ptr(VGA_TEXT);

	for (unsigned i = 0; i < COLUMNS * ROWS; i++)
		if (screen.shown[i] != screen.cell[i])
			vga[i] = screen.shown[i] = screen.cell[i];
}

static void show_on(struct terminal *t)
{
	const struct screen_view view = {
		.text = true,
		.columns = COLUMNS,
		.rows = ROWS,
		.pitch = COLUMNS,
		.cells = screen.cell,
		.cell_mask = CELLS - 1,
	};

	screen_update(&t->mirror, &view);
	t->began = false;
}

/* Whoever has just connected a serial terminal presses a key and sees it all. */
static void take_keys(struct terminal *t)
{
	bool any = false;

	while (terminal_getc(t) >= 0)
		any = true;
	if (any)
		screen_redraw(&t->mirror);
}

static bool look_at_terminals(bool drawn)
{
	bool more = false;

	for (unsigned i = 0; i < TERMINALS; i++) {
		struct terminal *t = screen.terminal[i];

		if (!t || !t->on)
			continue;
		take_keys(t);
		if (drawn || t->began)
			show_on(t);
		terminal_drain(t);
		more |= t->port && terminal_waiting(t);
	}
	return more;
}

static struct terminal *remote_terminal(struct services *v, const struct service_ops *ops)
{
	struct terminal *t = terminal_remote(ops == &terminal_console);

	if (!t)
		boot_fail("boot: out of memory: offer %s", ops->name);
	if (services_add(v, ops, t) != EXPORT_OK)
		boot_fail("config: offer: no place for %s: expected exports without ports from "
			  "0x%x to 0x%x and a free interrupt line",
			  ops->name, SERVICE_FIRST, SERVICE_FIRST + SERVICES * SERVICE_PORTS - 1);
	return t;
}

void peer_screen_init(const struct config *c, struct services *v)
{
	screen.config = c;
	screen.services = v;
	screen.started = host_ns();
	log_leave_screen();
	outb(CRTC_INDEX, CRTC_CURSOR_START);
	outb(CRTC_DATA, CRTC_CURSOR_OFF);
	if (c->console_com)
		screen.terminal[0] = terminal_serial(c->console_com, c->console_baud);
	if (c->offer.console) {
		screen.terminal[1] = remote_terminal(v, &terminal_console);
		screen.terminal[2] = remote_terminal(v, &terminal_screen);
	}
}

u64 peer_screen_poll(const struct server *s, const u64 *since, u64 now)
{
	bool draw = now >= screen.next_draw;

	while (host_keyboard_get() >= 0)
		;
	if (draw) {
		screen.next_draw = now + DRAW_NS;
		compose(s, since, now);
		show_on_vga();
	}
	return look_at_terminals(draw) ? now + DRAIN_NS : screen.next_draw;
}
