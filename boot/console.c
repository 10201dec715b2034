/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's parts put together: serial port, mirror of the screen, key strokes, hot key. */
#include "boot/console.h"
#include "boot/console_keys.h"
#include "boot/console_screen.h"
#include "boot/host.h"
#include "boot/monitor.h"
#include "boot/vga.h"
#include "boot/vm.h"
#include "lib/log.h"
#include "lib/str.h"

#define MS 1000000ull

/* How often the screen is looked at; sooner while it scrolls so fast that lines might be missed. */
#define SCAN_NS	     (20 * MS)
#define SCAN_FAST_NS (5 * MS)
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
/* Bytes that wait in the serial port's own ring; more would only be older. */
#define BACKLOG 4096u
/* A port that takes nothing for so long has nobody behind it. */
#define STUCK_NS (200 * MS)
/* Lines that may pass before the console has to look: fewer than text memory holds. */
#define LINES_AHEAD 100

#define HOT_KEY 0x1d /* Ctrl-] */
#define CTRL_C	0x03

struct console {
	struct host_serial *port;
	unsigned port_size;
	struct screen_mirror mirror;
	struct screen_view last; /* the mode of the last look */
	unsigned alike;		 /* looks that saw this mode, up to SCANS_ALIKE */
	struct keys keys;
	struct key_stroke stroke; /* being sent to the guest, from code `at` on */
	unsigned at;
	u64 next_scan, next_key;
	u16 bios_head;	 /* where the guest's BIOS last took a key from its buffer */
	u64 bios_since;	 /* when that was seen to change */
	bool in_monitor; /* the terminal is the monitor's, also while the guest does single steps */
	int held;	 /* a byte that came in during those, -1: none */
};

struct console *console_create(struct vm *vm)
{
	unsigned com = vm->config.console_com;
	struct console *c;

	if (!com)
		return NULL;
	c = host_alloc(sizeof(*c));
	if (!c) {
		log_warn("no memory for the console");
		return NULL;
	}
	c->port = host_serial_open(com, vm->config.console_baud);
	if (!c->port) {
		log_warn("console: this PC has no com%u: no console", com);
		return NULL;
	}
	c->port_size = serial_space(c->port);
	screen_init(&c->mirror);
	keys_init(&c->keys);
	c->held = -1;
	return c;
}

/* --- output --- */

static void drain(struct console *c)
{
	u8 byte;

	while (c->port_size - serial_space(c->port) < BACKLOG &&
	       ansi_take(&c->mirror.ansi, &byte, 1))
		serial_putc(c->port, byte);
}

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

	c->next_scan = now + SCAN_NS;
	vga_view(&view);
	if (!mode_settled(c, &view))
		return;
	screen_update(&c->mirror, &view);
	if (c->mirror.scrolled > view.rows / 2u)
		c->next_scan = now + SCAN_FAST_NS;
}

void console_before_scroll(struct vm *vm, const struct screen_view *old, u16 next)
{
	struct console *c = vm->console;
	u16 ahead;

	if (!c || c->in_monitor || !c->mirror.text || c->alike < SCANS_ALIKE || !old->pitch)
		return;
	ahead = (u16)(next - c->mirror.start) & old->cell_mask;
	if (ahead % old->pitch == 0 && ahead / old->pitch <= LINES_AHEAD)
		return;
	screen_update(&c->mirror, old);
	drain(c);
}

void console_flush(struct vm *vm)
{
	struct console *c = vm->console;
	struct screen_view view;

	if (!c)
		return;
	vga_view(&view);
	for (unsigned turn = 0; turn < 8; turn++) {
		bool more = screen_update(&c->mirror, &view);

		drain(c);
		serial_flush(c->port);
		if (!more)
			break;
	}
	ansi_release(&c->mirror.ansi);
	drain(c);
	serial_flush(c->port);
}

/* Waits until there is room for another line of text, as long as the port goes on taking bytes. */
static bool wait_for_space(struct console *c)
{
	u64 last = host_ns();
	u32 tail = c->mirror.ansi.tail;

	while (ansi_space(&c->mirror.ansi) < ANSI_RING / 2) {
		drain(c);
		if (tail != c->mirror.ansi.tail) {
			tail = c->mirror.ansi.tail;
			last = host_ns();
		}
		if (host_ns() - last > STUCK_NS)
			return false;
	}
	return true;
}

void console_print(struct vm *vm, const char *text)
{
	struct console *c = vm->console;

	while (c && *text) {
		char part[128];
		unsigned n = 0;

		for (; *text && n < sizeof(part) - 2; text++) {
			if (*text == '\n')
				part[n++] = '\r';
			part[n++] = *text;
		}
		part[n] = 0;
		if (!wait_for_space(c))
			return;
		ansi_text(&c->mirror.ansi, part);
		drain(c);
	}
}

void console_open_monitor(struct vm *vm)
{
	if (!vm->console)
		return;
	vm->console->in_monitor = true;
	ansi_release(&vm->console->mirror.ansi);
}

void console_close_monitor(struct vm *vm)
{
	if (!vm->console)
		return;
	vm->console->in_monitor = false;
	screen_redraw(&vm->console->mirror);
}

/* --- input --- */

static int next_received(struct console *c)
{
	int byte = c->held;

	c->held = -1;
	return byte >= 0 ? byte : serial_getc(c->port);
}

/* Between two single steps only the keys that end them count; what else was typed waits. */
static void take_break(struct vm *vm, int byte)
{
	if (byte == HOT_KEY || byte == CTRL_C)
		vm_request(vm, VM_REQ_MONITOR);
	else
		vm->console->held = byte;
}

static void take_received(struct vm *vm, u64 now)
{
	struct console *c = vm->console;

	while (keys_space(&c->keys)) {
		int byte = next_received(c);

		if (byte < 0)
			return;
		if (vm->stopped) {
			monitor_input(vm, (u8)byte);
		} else if (c->in_monitor) {
			take_break(vm, byte);
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
	u64 next;

	if (!c)
		return TIMER_NEVER;
	take_received(vm, now);
	if (!vm->stopped && !c->in_monitor) {
		send_keys(vm, now);
		if (now >= c->next_scan)
			scan(c, now);
	}
	drain(c);
	next = c->next_scan;
	if (c->keys.head != c->keys.tail && c->next_key < next)
		next = c->next_key > now ? c->next_key : now + MS;
	return vm->stopped || c->in_monitor ? now + SCAN_NS : next;
}
