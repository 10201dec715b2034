/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/devices/support.h"
#include "lib/log.h"
#include <stdio.h>
#include <stdlib.h>

static unsigned errors;

static void line(const char *level, const char *format, va_list ap)
{
	fprintf(stderr, "%s: ", level);
	vfprintf(stderr, format, ap);
	fprintf(stderr, "\n");
}

void log_info(const char *format, ...)
{
	(void)format;
}

void log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line("warning", format, ap);
	va_end(ap);
	errors++;
}

void log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line("error", format, ap);
	va_end(ap);
	errors++;
}

void panic(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line("panic", format, ap);
	va_end(ap);
	abort();
}

unsigned logged_errors(void)
{
	unsigned n = errors;

	errors = 0;
	return n;
}

static u64 read_clock(void *ctx)
{
	struct board *b = ctx;

	return b->now;
}

static bool irq_served(void *ctx, unsigned line)
{
	return ((struct board *)ctx)->in_service[line];
}

static void irq_changed(void *ctx, unsigned line, bool level)
{
	struct board *b = ctx;

	b->irq[line] = level;
	b->rises[line] += level;
}

struct board *board_new(void)
{
	struct board *b = calloc(1, sizeof(*b));
	struct phys_region ram = {.first = 0, .last = BOARD_RAM - 1};

	b->ram = calloc(1, BOARD_RAM);
	ram.rd = ram.wr = b->ram;
	bus_init(&b->bus);
	b->irqs.changed = irq_changed;
	b->irqs.in_service = irq_served;
	b->irqs.ctx = b;
	b->clock.read = read_clock;
	b->clock.ctx = b;
	physmem_init(&b->mem, BOARD_RAM, b->page_flags, ARRAY_SIZE(b->page_flags));
	physmem_map(&b->mem, &ram);
	return b;
}

void board_free(struct board *b)
{
	free(b->ram);
	free(b);
}

void board_run(struct board *b, u64 ns)
{
	u64 end = b->now + ns;

	while (b->clock.first && b->clock.first->deadline <= end) {
		if (b->clock.first->deadline > b->now)
			b->now = b->clock.first->deadline;
		clock_run(&b->clock);
	}
	b->now = end;
}

struct irq_pin board_pin(struct board *b, u8 line)
{
	return (struct irq_pin){&b->irqs, line, 0};
}

u32 in32(struct board *b, u16 port)
{
	u32 value = 0;

	assert_true(bus_in(&b->bus, port, 4, &value));
	return value;
}

u16 in16(struct board *b, u16 port)
{
	u32 value = 0;

	assert_true(bus_in(&b->bus, port, 2, &value));
	return (u16)value;
}

u8 in8(struct board *b, u16 port)
{
	u32 value = 0;

	assert_true(bus_in(&b->bus, port, 1, &value));
	return (u8)value;
}

void out8(struct board *b, u16 port, u8 value)
{
	assert_true(bus_out(&b->bus, port, 1, value));
}

void out16(struct board *b, u16 port, u16 value)
{
	assert_true(bus_out(&b->bus, port, 2, value));
}

void out32(struct board *b, u16 port, u32 value)
{
	assert_true(bus_out(&b->bus, port, 4, value));
}
