/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's parts put together: terminals, mirrors of the screen, key strokes, hot key. */
#include "boot/console.h"
#include "boot/console_keys.h"
#include "boot/console_screen.h"
#include "boot/host.h"
#include "boot/monitor.h"
#include "boot/net.h"
#include "boot/offer.h"
#include "boot/remote.h"
#include "boot/terminal.h"
#include "boot/vga.h"
#include "boot/vm.h"
#include "lib/log.h"
#include "lib/str.h"

#define MS 1000000ull

/*
 * How often the screen is looked at; sooner while it scrolls so fast that lines might be missed,
 * half as often where so many looks have found nothing.
 */
#define SCAN_NS	     (20 * MS)
#define SCAN_FAST_NS (5 * MS)
#define SCANS_QUIET  8
/* Looks that have to agree on the mode: setting one takes many writes. */
#define SCANS_ALIKE 3
/*
 * From one key stroke to the next: a hundred a second. A BIOS keeps 15 of them, and a pasted line
 * has to find the guest reading.
 */
#define KEY_NS (10 * MS)
/* Keys in the guest's BIOS buffer that leave room for more, and how long to wait for that. */
#define BIOS_KEYS    8
#define BIOS_WAIT_NS (5000 * MS)
/* A terminal that takes nothing for so long has nobody behind it. */
#define STUCK_NS (200 * MS)
/* Lines that may pass before the console has to look: fewer than text memory holds. */
#define LINES_AHEAD 100

#define HOT_KEY 0x1d /* Ctrl-] */
#define CTRL_C	0x03

#define TERMINALS 3u

struct console {
	struct terminal *terminal[TERMINALS]; /* NULL: no such one */
	struct screen_view last;	      /* the mode of the last look */
	unsigned alike;			      /* looks that saw this mode, up to SCANS_ALIKE */
	struct keys keys;
	struct key_stroke stroke; /* being sent to the guest, from code `at` on */
	unsigned at;
	unsigned quiet; /* looks in a row that found nothing, up to SCANS_QUIET */
	u64 next_scan, next_key;
	u16 bios_head;	 /* where the guest's BIOS last took a key from its buffer */
	u64 bios_since;	 /* when that was seen to change */
	bool in_monitor; /* the terminals are the monitor's, also while the guest does single steps
			  */
};

/* --- starting --- */

static struct terminal *offered(const struct service_ops *ops, bool types)
{
	struct terminal *t = terminal_remote(types);

	if (!t)
		log_warn("offer: no memory for %s", ops->name);
	return t && offer_add(ops, t) ? t : NULL;
}

struct console *console_create(struct vm *vm)
{
	const struct config *config = &vm->config;
	struct console *c = host_alloc(sizeof(*c));

	if (!c) {
		log_warn("no memory for the console");
		return NULL;
	}
	if (config->console_com)
		c->terminal[0] = terminal_serial(config->console_com, config->console_baud);
	if (config->offer.console && net_up()) {
		c->terminal[1] = offered(&terminal_console, true);
		c->terminal[2] = offered(&terminal_screen, false);
	}
	keys_init(&c->keys);
	return c->terminal[0] || c->terminal[1] || c->terminal[2] ? c : NULL;
}

/* The first one from n on that somebody may see; NULL: no more. */
static struct terminal *next_terminal(struct console *c, unsigned *n)
{
	while (*n < TERMINALS) {
		struct terminal *t = c->terminal[(*n)++];

		if (t && t->on)
			return t;
	}
	return NULL;
}

/* --- output --- */

/* Whether so many looks have seen this mode that it is no half-set one. */
static bool mode_settled(struct console *c, const struct screen_view *v)
{
	const struct screen_view *l = &c->last;
	bool same = v->text == l->text && v->width == l->width && v->height == l->height &&
		    v->depth == l->depth && v->columns == l->columns && v->rows == l->rows;

	if (!same)
		c->alike = 0;
	else if (c->alike < SCANS_ALIKE)
		c->alike++;
	c->last = *v;
	return c->alike == SCANS_ALIKE;
}

static void scan(struct console *c, u64 now)
{
	struct screen_view view;
	struct terminal *t;
	bool changed = false;

	c->next_scan = now + (c->quiet < SCANS_QUIET ? SCAN_NS : 2 * SCAN_NS);
	vga_view(&view);
	if (!mode_settled(c, &view))
		return;
	for (unsigned n = 0; (t = next_terminal(c, &n)) != NULL;) {
		changed |= screen_update(&t->mirror, &view);
		if (t->mirror.scrolled > view.rows / 2u)
			c->next_scan = now + SCAN_FAST_NS;
	}
	if (changed)
		c->quiet = 0;
	else if (c->quiet < SCANS_QUIET)
		c->quiet++;
}

/* Whether lines that this terminal has not seen would go out of text memory. */
static bool would_miss(const struct terminal *t, const struct screen_view *old, u16 next)
{
	u16 ahead = (u16)(next - t->mirror.start) & old->cell_mask;

	return t->mirror.text && (ahead % old->pitch || ahead / old->pitch > LINES_AHEAD);
}

void console_before_scroll(struct vm *vm, const struct screen_view *old, u16 next)
{
	struct console *c = vm->console;
	struct terminal *t;

	if (!c || c->in_monitor || c->alike < SCANS_ALIKE || !old->pitch)
		return;
	for (unsigned n = 0; (t = next_terminal(c, &n)) != NULL;) {
		if (!would_miss(t, old, next))
			continue;
		screen_update(&t->mirror, old);
		terminal_drain(t);
	}
}

/*
 * Until a terminal's bytes are few enough or it takes no more of them: a serial port's go by
 * themselves, one far away takes them by frames. False: it takes none.
 */
static bool wait_for(struct vm *vm, struct terminal *t, u32 few)
{
	const u32 *tail = &t->mirror.ansi.tail;
	u64 last = host_ns();

	while (t->on && terminal_waiting(t) > few) {
		terminal_drain(t);
		if (!t->port)
			remote_route_poll(vm, host_ns());
		if (*tail != t->stuck_at) {
			t->stuck_at = *tail;
			t->stuck = false;
			last = host_ns();
		}
		t->stuck |= host_ns() - last > STUCK_NS;
		if (t->stuck)
			return false;
	}
	return true;
}

static void flush(struct vm *vm, struct terminal *t, const struct screen_view *view)
{
	bool more = true;

	for (unsigned turn = 0; turn < 8 && more; turn++) {
		more = screen_update(&t->mirror, view);
		wait_for(vm, t, 0);
	}
	ansi_release(&t->mirror.ansi);
	wait_for(vm, t, 0);
	if (t->port)
		serial_flush(t->port);
}

void console_flush(struct vm *vm)
{
	struct screen_view view;
	struct terminal *t;

	if (!vm->console)
		return;
	vga_view(&view);
	for (unsigned n = 0; (t = next_terminal(vm->console, &n)) != NULL;)
		flush(vm, t, &view);
}

static void print(struct vm *vm, struct terminal *t, const char *text)
{
	while (*text) {
		char part[128];
		unsigned n = 0;

		for (; *text && n < sizeof(part) - 2; text++) {
			if (*text == '\n')
				part[n++] = '\r';
			part[n++] = *text;
		}
		part[n] = 0;
		if (!wait_for(vm, t, ANSI_RING / 2))
			return;
		ansi_text(&t->mirror.ansi, part);
		terminal_drain(t);
	}
}

void console_print(struct vm *vm, const char *text)
{
	struct terminal *t;

	for (unsigned n = 0; vm->console && (t = next_terminal(vm->console, &n)) != NULL;)
		print(vm, t, text);
}

static void set_in_monitor(struct console *c, bool in_monitor)
{
	c->in_monitor = in_monitor;
	for (unsigned n = 0; n < TERMINALS; n++)
		if (c->terminal[n])
			c->terminal[n]->in_monitor = in_monitor;
}

void console_open_monitor(struct vm *vm)
{
	struct terminal *t;

	if (!vm->console)
		return;
	set_in_monitor(vm->console, true);
	for (unsigned n = 0; (t = next_terminal(vm->console, &n)) != NULL;)
		ansi_release(&t->mirror.ansi);
}

void console_close_monitor(struct vm *vm)
{
	struct terminal *t;

	if (!vm->console)
		return;
	set_in_monitor(vm->console, false);
	for (unsigned n = 0; (t = next_terminal(vm->console, &n)) != NULL;)
		screen_redraw(&t->mirror);
}

/* Who comes while the monitor is open sees that, and its prompt. */
static void greet(struct vm *vm, struct terminal *t)
{
	t->began = false;
	if (!vm->console->in_monitor)
		return;
	ansi_release(&t->mirror.ansi);
	print(vm, t, "Farbus monitor: it is open ('help' lists the commands)\nfarbus> ");
}

/* --- input --- */

/* Between two single steps only the keys that end them count; what else was typed waits. */
static void take_break(struct vm *vm, struct terminal *t, int byte)
{
	if (byte == HOT_KEY || byte == CTRL_C)
		vm_request(vm, VM_REQ_MONITOR);
	else
		t->held = byte;
}

static void take_typed(struct vm *vm, struct terminal *t, u64 now)
{
	struct console *c = vm->console;

	while (keys_space(&c->keys)) {
		int byte = terminal_getc(t);

		if (byte < 0)
			return;
		if (vm->stopped) {
			monitor_input(vm, (u8)byte);
		} else if (c->in_monitor) {
			take_break(vm, t, byte);
			return;
		} else if (byte == HOT_KEY && vm->config.monitor) {
			/* What follows is for the monitor, once the run loop has stopped the guest.
			 */
			vm_request(vm, VM_REQ_MONITOR);
			return;
		} else {
			keys_add(&c->keys, (u8)byte, now);
		}
	}
}

/*
 * Whether the guest's BIOS has room for a key: it drops what does not fit into its buffer of 15
 * (IBM BIOS data area, 40:1A head and 40:1C tail). A guest that has the keyboard to itself leaves
 * these words alone, so a buffer in which nothing moves does not hold keys back for ever.
 */
static bool bios_has_room(struct vm *vm, u64 now)
{
	struct console *c = vm->console;
	u16 at[2]; /* head, tail */

	if (!vcpu_real_segments(&vm->vcpu))
		return true;
	physmem_read(&vm->mem, 0x41a, at, sizeof(at));
	if (at[0] < 0x1e || at[0] > 0x3c || at[1] < 0x1e || at[1] > 0x3c)
		return true;
	if (((unsigned)(at[1] - at[0]) / 2 & 15) < BIOS_KEYS)
		return true;
	if (c->bios_head != at[0]) {
		c->bios_head = at[0];
		c->bios_since = now;
	}
	return now - c->bios_since > BIOS_WAIT_NS;
}

static void send_keys(struct vm *vm, u64 now)
{
	struct console *c = vm->console;

	if (c->at == c->stroke.count && now >= c->next_key && bios_has_room(vm, now)) {
		if (!keys_next(&c->keys, now, &c->stroke))
			return;
		c->at = 0;
		c->next_key = now + KEY_NS;
	}
	while (c->at < c->stroke.count && pc_key_space(vm->pc))
		pc_key_scancode(vm->pc, c->stroke.code[c->at++]);
}

void console_type(struct vm *vm, u8 byte)
{
	if (vm->console)
		keys_add(&vm->console->keys, byte, host_ns());
}

bool console_press(struct vm *vm, const char *key)
{
	struct key_stroke stroke;

	if (!keys_named(key, &stroke))
		return false;
	for (unsigned i = 0; i < stroke.count; i++)
		if (pc_key_space(vm->pc))
			pc_key_scancode(vm->pc, stroke.code[i]);
	return true;
}

u64 console_poll(struct vm *vm, u64 now)
{
	struct console *c = vm->console;
	struct terminal *t;
	bool any = false;
	u64 next;

	if (!c)
		return TIMER_NEVER;
	for (unsigned n = 0; n < TERMINALS; n++)
		if (c->terminal[n])
			take_typed(vm, c->terminal[n], now);
	for (unsigned n = 0; (t = next_terminal(c, &n)) != NULL; any = true)
		if (t->began)
			greet(vm, t);
	if (!vm->stopped && !c->in_monitor) {
		send_keys(vm, now);
		if (any && now >= c->next_scan)
			scan(c, now);
	}
	for (unsigned n = 0; (t = next_terminal(c, &n)) != NULL;)
		terminal_drain(t);
	next = any ? c->next_scan : TIMER_NEVER;
	if (c->keys.head != c->keys.tail && c->next_key < next)
		next = c->next_key > now ? c->next_key : now + MS;
	return any && (vm->stopped || c->in_monitor) ? now + SCAN_NS : next;
}
