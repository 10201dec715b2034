/* SPDX-License-Identifier: BSD-2-Clause */
/* Routing, splitting, moving ports, waiting handlers, block transfers; timers and IRQ lines. */
#include "tests/unit/devices/support.h"
#include <stdio.h>
#include <string.h>

struct probe {
	struct board *board;
	char log[256];
	u32 next;
	unsigned blocked; /* so many accesses still have no answer */
};

static void note(struct probe *p, char kind, u16 port, unsigned width, u32 value)
{
	size_t n = strlen(p->log);

	snprintf(p->log + n, sizeof(p->log) - n, "%c%u:%x=%x ", kind, width, port, value);
}

static u32 probe_in(void *dev, u16 port, unsigned width)
{
	struct probe *p = dev;

	if (p->blocked) {
		p->blocked--;
		p->board->bus.wait = true;
		return 0;
	}
	note(p, 'r', port, width, p->next);
	return p->next++;
}

static void probe_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct probe *p = dev;

	if (p->blocked) {
		p->blocked--;
		p->board->bus.wait = true;
		return;
	}
	note(dev, 'w', port, width, value);
}

static const struct port_ops bytes = {.in = probe_in, .out = probe_out, .widths = 1};
static const struct port_ops words = {.in = probe_in, .out = probe_out, .widths = 1 | 2};

static void absent(void **state)
{
	struct board *b = board_new();

	(void)state;
	assert_int_equal(in8(b, 0x300), 0xff);
	assert_int_equal(in16(b, 0x300), 0xffff);
	assert_int_equal(in32(b, 0xffff), 0xffffffff);
	out32(b, 0x1234, 5);
	assert_int_equal(b->bus.absent_accesses, 1 + 2 + 4 + 4);
	assert_int_equal(b->bus.last_absent_port, 0x1237);
	board_free(b);
}

static void splitting(void **state)
{
	struct board *b = board_new();
	struct probe p = {.board = b, .next = 0x11};

	(void)state;
	bus_register(&b->bus, 0x100, 0x101, ROUTE_VIRTUAL, &words, &p, "words");
	bus_register(&b->bus, 0x102, 0x103, ROUTE_VIRTUAL, &bytes, &p, "bytes");
	assert_int_equal(in32(b, 0x100), 0x13120011);
	assert_string_equal(p.log, "r2:100=11 r1:102=12 r1:103=13 ");
	p.log[0] = 0;
	out16(b, 0x101, 0xaabb); /* not aligned: two bytes */
	assert_string_equal(p.log, "w1:101=bb w1:102=aa ");
	p.log[0] = 0;
	out16(b, 0x100, 0xccdd);
	assert_string_equal(p.log, "w2:100=ccdd ");
	board_free(b);
}

static void routes(void **state)
{
	struct board *b = board_new();
	struct probe p = {.board = b}, local = {.board = b, .next = 0x77};
	int h;

	(void)state;
	bus_register(&b->bus, 0x3f8, 0x3ff, ROUTE_VIRTUAL, &bytes, &p, "uart");
	h = bus_register(&b->bus, 0x3f8, 0x3ff, ROUTE_LOCAL, &bytes, &local, "local");
	assert_int_equal(in8(b, 0x3f8), 0x77);
	bus_restore(&b->bus, 0x3f8, 0x3ff);
	assert_int_equal(in8(b, 0x3f8), 0x00);
	bus_make_absent(&b->bus, 0x3f8, 0x3f9);
	assert_int_equal(in8(b, 0x3f9), 0xff);
	assert_int_equal(in8(b, 0x3fa), 0x01);
	bus_add_range(&b->bus, h, 0xfffe, 0xffff); /* the end of the table */
	assert_int_equal(in8(b, 0xffff), 0x78);
	board_free(b);
}

static void moving_ports(void **state)
{
	struct board *b = board_new();
	struct probe fixed = {.board = b, .next = 0xf0}, moving = {.board = b, .next = 0x10};
	int h;

	(void)state;
	bus_register(&b->bus, 0x40, 0x43, ROUTE_VIRTUAL, &bytes, &fixed, "fixed");
	h = bus_register(&b->bus, 1, 0, ROUTE_VIRTUAL, &bytes, &moving, "moving");
	bus_claim(&b->bus, h, 0x40, 0x4f); /* a guest puts a BAR over a chip: the chip stays */
	assert_int_equal(in8(b, 0x43), 0xf0);
	assert_int_equal(in8(b, 0x44), 0x10);
	bus_release(&b->bus, h, 0x40, 0x4f);
	assert_int_equal(in8(b, 0x43), 0xf1);
	assert_int_equal(in8(b, 0x44), 0xff);
	bus_claim(&b->bus, h, 0xfff0, 0xffff);
	assert_int_equal(in8(b, 0xffff), 0x11);
	bus_release(&b->bus, h, 0xfff0, 0xffff);
	board_free(b);
}

static void waiting(void **state)
{
	struct board *b = board_new();
	struct probe p = {.board = b, .next = 1, .blocked = 2};
	u8 buf[4];
	u32 value;

	(void)state;
	bus_register(&b->bus, 0x100, 0x101, ROUTE_VIRTUAL, &bytes, &p, "remote");
	assert_false(bus_in(&b->bus, 0x100, 1, &value));
	assert_int_equal(bus_ins(&b->bus, 0x100, 1, buf, 4), 0);
	assert_int_equal(bus_ins(&b->bus, 0x100, 1, buf, 4), 4);
	assert_memory_equal(buf, "\1\2\3\4", 4);
	p.blocked = 1;
	assert_false(bus_in(&b->bus, 0x100, 2, &value)); /* in the first half of a split access */
	assert_true(bus_in(&b->bus, 0x100, 2, &value));
	assert_int_equal(value, 0x0605);
	board_free(b);
}

/* A restarted access does not repeat the parts that are done: they may have had side effects. */
static void split_waits(void **state)
{
	struct board *b = board_new();
	struct probe low = {.board = b, .next = 0x11}, high = {.board = b, .next = 0x22};
	u32 value = 0;

	(void)state;
	bus_register(&b->bus, 0x100, 0x100, ROUTE_VIRTUAL, &bytes, &low, "low");
	bus_register(&b->bus, 0x101, 0x101, ROUTE_REMOTE, &bytes, &high, "high");
	high.blocked = 2;
	assert_false(bus_in(&b->bus, 0x100, 2, &value));
	assert_true(bus_in(&b->bus, 0x100, 1, &value)); /* an interrupt handler's */
	assert_int_equal(value, 0x12);
	assert_false(bus_in(&b->bus, 0x100, 2, &value));
	assert_true(bus_in(&b->bus, 0x100, 2, &value));
	assert_int_equal(value, 0x2211);
	assert_true(bus_in(&b->bus, 0x100, 2, &value)); /* the next one is a whole one again */
	assert_int_equal(value, 0x2313);

	low.log[0] = 0;
	high.blocked = 1;
	assert_false(bus_out(&b->bus, 0x100, 2, 0xbbaa));
	assert_true(bus_out(&b->bus, 0x100, 2, 0xbbaa));
	assert_string_equal(low.log, "w1:100=aa ");
	assert_int_equal(b->bus.handler[b->bus.route[0x101]].accesses, 3);
	board_free(b);
}

static void too_many(void **state)
{
	struct board *b = board_new();
	struct probe p = {.board = b};

	(void)state;
	for (unsigned i = 1; i < BUS_HANDLERS_MAX; i++)
		assert_true(bus_register(&b->bus, 0, 0, ROUTE_VIRTUAL, &bytes, &p, "x") > 0);
	assert_int_equal(bus_register(&b->bus, 0, 0, ROUTE_VIRTUAL, &bytes, &p, "x"), -1);
	assert_int_equal(logged_errors(), 1);
	board_free(b);
}

static void wired_or(void **state)
{
	struct board *b = board_new();
	struct irq_pin one = {&b->irqs, 5, 0}, two = {&b->irqs, 5, 31};

	(void)state;
	irq_set(&one, true);
	irq_set(&two, true);
	irq_set(&one, false);
	assert_true(b->irq[5]);
	irq_set(&two, false);
	assert_false(b->irq[5]);
	assert_int_equal(b->rises[5], 1);
	board_free(b);
}

struct ticker {
	struct board *board;
	struct timer timer;
	unsigned fired;
	u64 again;
};

static void tick(void *ctx)
{
	struct ticker *t = ctx;

	t->fired++;
	if (t->again)
		timer_arm(&t->board->clock, &t->timer, t->board->now + t->again);
}

static void timers(void **state)
{
	struct board *b = board_new();
	struct ticker t[3] = {{.board = b}, {.board = b, .again = 10}, {.board = b}};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		timer_init(&t[i].timer, tick, &t[i]);
	timer_arm(&b->clock, &t[0].timer, 50);
	timer_arm(&b->clock, &t[1].timer, 10);
	timer_arm(&b->clock, &t[2].timer, 30);
	timer_arm(&b->clock, &t[2].timer, 70); /* re-armed */
	board_run(b, 60);
	assert_int_equal(t[0].fired, 1);
	assert_int_equal(t[1].fired, 6);
	assert_int_equal(t[2].fired, 0);
	timer_cancel(&b->clock, &t[2].timer);
	timer_cancel(&b->clock, &t[1].timer);
	assert_null(b->clock.first);
	assert_true(clock_run(&b->clock) == TIMER_NEVER);
	t[1].again = 0;
	timer_arm(&b->clock, &t[1].timer, 0); /* in the past: due now */
	clock_run(&b->clock);
	assert_int_equal(t[1].fired, 7);
	board_free(b);
}

static void scaling(void **state)
{
	(void)state;
	assert_true(mul_hi64(~0ull, ~0ull) == ~0ull - 1);
	assert_true(mul_hi64(1ull << 63, 2) == 1);
	assert_true(mul_hi64(0x123456789abcdef0ull, 1ull << 32) == 0x12345678ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent),   cmocka_unit_test(splitting),
		cmocka_unit_test(routes),   cmocka_unit_test(moving_ports),
		cmocka_unit_test(waiting),  cmocka_unit_test(split_waits),
		cmocka_unit_test(too_many), cmocka_unit_test(wired_or),
		cmocka_unit_test(timers),   cmocka_unit_test(scaling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
