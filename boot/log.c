/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/log.h"
#include "boot/host.h"
#include "boot/port.h"
#include "boot/relocate.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define LINE_MAX  256
#define RING_SIZE (16 * KB)
#define PORT_E9	  0xe9
#define COM1	  0x3f8

#define SCREEN	     0xb8000u
#define SCREEN_COLS  80u
#define SCREEN_ROWS  25u
#define SCREEN_COLOR 0x0700

/* The last RING_SIZE characters, lines ended by '\n'. */
static char ring[RING_SIZE];
static u32 ring_next;
static bool ring_wrapped;
static u32 lines;

static bool has_e9, on_screen;
static unsigned screen_row;

static void clear_screen(void)
{
	u16 *cells = phys_ptr(SCREEN);

	for (unsigned i = 0; i < SCREEN_COLS * SCREEN_ROWS; i++)
		cells[i] = SCREEN_COLOR | ' ';
	screen_row = 0;
}

/* QEMU's debugcon and Bochs's port_e9_hack answer a read with the port's own number. */
void log_init(void)
{
	has_e9 = inb(PORT_E9) == PORT_E9;
	on_screen = true;
	clear_screen();
}

void log_leave_screen(void)
{
	/* Our own lines are no part of what the guest shows, on a mirror of its screen neither. */
	clear_screen();
	on_screen = false;
}

static void ring_put(char c)
{
	ring[ring_next] = c;
	ring_next = (ring_next + 1) % RING_SIZE;
	ring_wrapped |= ring_next == 0;
}

static void screen_line(const char *line)
{
	u16 *cells = phys_ptr(SCREEN);

	while (*line) {
		if (screen_row == SCREEN_ROWS) {
			memmove(cells, cells + SCREEN_COLS,
				(SCREEN_ROWS - 1) * SCREEN_COLS * sizeof(*cells));
			screen_row--;
		}
		u16 *row = cells + screen_row * SCREEN_COLS;
		for (unsigned x = 0; x < SCREEN_COLS; x++)
			row[x] = SCREEN_COLOR | (u8)(*line ? *line++ : ' ');
		screen_row++;
	}
}

static void line_out(const char *line)
{
	for (const char *c = line; *c; c++) {
		ring_put(*c);
		if (has_e9)
			outb(PORT_E9, (u8)*c);
	}
	ring_put('\n');
	lines++;
	if (has_e9)
		outb(PORT_E9, '\n');
	if (on_screen)
		screen_line(line);
}

static void line_va(const char *prefix, const char *format, va_list ap, bool com1)
{
	char line[LINE_MAX];
	int n = fmt(line, sizeof(line), "%s", prefix);

	fmt_va(line + n, sizeof(line) - (size_t)n, format, ap);
	line_out(line);
	if (com1)
		log_com1(line);
}

void log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line_va("farbus: ", format, ap, false);
	va_end(ap);
}

void log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line_va("farbus: warning: ", format, ap, false);
	va_end(ap);
}

/* Until the guest starts COM1 is nobody's, and whoever watches it wants to know. */
void log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line_va("farbus: error: ", format, ap, on_screen);
	va_end(ap);
}

u32 log_count(void)
{
	return lines;
}

void log_each(void (*fn)(void *ctx, const char *line), void *ctx)
{
	char line[LINE_MAX];
	u32 n = 0, at = ring_wrapped ? ring_next : 0, left = ring_wrapped ? RING_SIZE : ring_next;
	bool whole = !ring_wrapped; /* the oldest line may have lost its start */

	for (; left--; at = (at + 1) % RING_SIZE) {
		if (ring[at] != '\n') {
			if (n < sizeof(line) - 1)
				line[n++] = ring[at];
			continue;
		}
		line[n] = 0;
		if (whole)
			fn(ctx, line);
		whole = true;
		n = 0;
	}
}

static void com1_byte(u8 byte)
{
	for (u32 wait = 0; wait < 0x10000 && !(inb(COM1 + 5) & 0x20); wait++)
		;
	outb(COM1, byte);
}

void log_com1(const char *line)
{
	if (inb(COM1 + 5) == 0xff)
		return;
	outb(COM1 + 1, 0);    /* no interrupts */
	outb(COM1 + 3, 0x80); /* divisor latch: 115200 baud */
	outb(COM1, 1);
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 3); /* 8N1 */
	while (*line)
		com1_byte((u8)*line++);
	com1_byte('\r');
	com1_byte('\n');
}

/* Farbus has come to its end: on the screen and on COM1 too, whoever owned them. */
static _Noreturn void stop_with(const char *prefix, const char *format, va_list ap)
{
	irq_save();
	if (!on_screen)
		log_com1("");
	on_screen = true;
	line_va(prefix, format, ap, true);
	host_halt();
}

void boot_fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	stop_with("farbus: error: ", format, ap);
}

void panic(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	stop_with("farbus: panic: ", format, ap);
}

void host_halt(void)
{
	for (;;)
		asm volatile("cli; hlt");
}
