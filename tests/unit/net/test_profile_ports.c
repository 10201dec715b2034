/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a UART and of a parallel port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net-ne2000/profile.h"

#define UART 0x2f8
#define LPT  0x378

static struct profile_state uart = {.range = {{UART, UART + 7}}, .ranges = 1};
static struct profile_state lpt = {.range = {{LPT, LPT + 7}, {0x778, 0x77a}}, .ranges = 2};

static bool polls(const struct profile *p, struct profile_state *st, u16 port, u32 repeats,
		  u32 last)
{
	struct profile_poll poll;

	if (!p->poll(st, port, 1, repeats, last, &poll))
		return false;
	/* Any change ends it: whatever the guest waits for, it sees. */
	assert_int_equal(poll.mask, 0xff);
	assert_int_equal(poll.value, last);
	assert_true(poll.unequal);
	assert_int_equal(poll.max_us, 50000);
	return true;
}

static void uart_waits(void **state)
{
	(void)state;
	for (u16 reg = 0; reg < 8; reg++) {
		bool status = reg == 5 || reg == 6;

		assert_false(polls(&profile_uart, &uart, UART + reg, 0, 0));
		assert_false(polls(&profile_uart, &uart, UART + reg, 1, 0x60));
		/* Never the data register: the next byte may be the same again. */
		assert_int_equal(polls(&profile_uart, &uart, UART + reg, 2, 0x60), status);
		assert_int_equal(polls(&profile_uart, &uart, UART + reg, 2000, 0), status);
		assert_true(profile_uart.posts(&uart, UART + reg, 1, 0));
	}
	assert_false(profile_uart.posts(&uart, UART, 2, 0));
}

/* Linux: "while (!(lsr & THRE))" ends, nothing is received, no interrupt is pending. */
static void uart_lost(void **state)
{
	(void)state;
	assert_int_equal(profile_uart.error(&uart, UART + 5, 1), 0x60);
	assert_int_equal(profile_uart.error(&uart, UART + 2, 1), 0x01);
	assert_int_equal(profile_uart.error(&uart, UART + 6, 1), 0);
	assert_int_equal(profile_uart.error(&uart, UART, 2), 0xffff);
}

static void uart_ranges(void **state)
{
	struct profile_state seven = {.range = {{UART, UART + 6}}, .ranges = 1};

	(void)state;
	assert_null(profile_uart.attach(&uart));
	assert_non_null(profile_uart.attach(&seven));
	assert_non_null(profile_uart.attach(&lpt));
}

/* The pulse that follows a strobe is there for the first look at a printer that is ready again. */
static void lpt_acknowledges(void)
{
	u8 on = 0x0d, off = 0x0c, status = 0x58;

	profile_lpt.wrote(&lpt, LPT + 2, 1, &on, 1);
	profile_lpt.read(&lpt, LPT + 1, 1, &status, 1);
	assert_int_equal(status, 0x58);
	profile_lpt.wrote(&lpt, LPT + 2, 1, &off, 1);
	profile_lpt.read(&lpt, LPT + 1, 1, &status, 1); /* still busy */
	assert_int_equal(status, 0x58);
	status = 0xd8;
	profile_lpt.read(&lpt, LPT + 1, 1, &status, 1);
	assert_int_equal(status, 0x98);
	status = 0xd8;
	profile_lpt.read(&lpt, LPT + 1, 1, &status, 1);
	assert_int_equal(status, 0xd8);
}

static void printer(void **state)
{
	struct profile_state two = {.range = {{LPT, LPT + 1}}, .ranges = 1};

	(void)state;
	assert_null(profile_lpt.attach(&lpt));
	assert_non_null(profile_lpt.attach(&two));
	assert_true(profile_lpt.timed); /* a strobe has a length */
	for (u16 port = LPT; port < LPT + 8; port++) {
		assert_int_equal(profile_lpt.posts(&lpt, port, 1, 0),
				 port == LPT || port == LPT + 2);
		assert_int_equal(polls(&profile_lpt, &lpt, port, 2, 0x5f), port == LPT + 1);
		assert_false(polls(&profile_lpt, &lpt, port, 1, 0x5f));
	}
	/* The ECP's registers, of which nothing is known. */
	assert_false(profile_lpt.posts(&lpt, 0x77a, 1, 0));
	assert_false(polls(&profile_lpt, &lpt, 0x779, 2, 0x5f));
	lpt_acknowledges();
	/* lost: not busy (80h), not selected (10h), error (08h low) */
	assert_int_equal(profile_lpt.error(&lpt, LPT + 1, 1) & 0x98, 0x80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uart_waits),
		cmocka_unit_test(uart_lost),
		cmocka_unit_test(uart_ranges),
		cmocka_unit_test(printer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
