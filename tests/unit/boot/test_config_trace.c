/* SPDX-License-Identifier: BSD-2-Clause */
/* The word `trace` and what it must not get in the way of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boot/config.h"
#include "devices/bus.h"
#include "lib/str.h"

static struct config c;

static int parse(const char *text)
{
	config_init(&c);
	return config_parse_module(&c, text, strlen(text));
}

static bool have_none(void *ctx, const char *module)
{
	(void)ctx;
	(void)module;
	return false;
}

static int check(const char *text)
{
	assert_int_equal(parse(text), 0);
	return config_check(&c, have_none, NULL);
}

static void words(void **state)
{
	const struct config_trace *t = &c.trace;

	(void)state;
	assert_int_equal(parse(""), 0);
	assert_false(t->on);
	assert_int_equal(t->ring, 256 * KB);
	assert_int_equal(t->com, 0);

	assert_int_equal(parse("trace 0x3f8-0x3ff,97 out virtual remote to com2 ring 4M"), 0);
	assert_true(t->on);
	assert_int_equal(t->filter.ranges, 2);
	assert_int_equal(t->filter.range[0].first, 0x3f8);
	assert_int_equal(t->filter.range[0].last, 0x3ff);
	assert_int_equal(t->filter.range[1].first, 97);
	assert_int_equal(t->filter.writes, 2);
	assert_int_equal(t->filter.routes, BIT(ROUTE_VIRTUAL) | BIT(ROUTE_REMOTE));
	assert_false(t->filter.events);
	assert_int_equal(t->com, 2);
	assert_int_equal(t->ring, 4 * MB);

	/* A later line counts; the ring's size stays unless it says another. */
	assert_int_equal(parse("trace 0x60 ring 64K\ntrace all events"), 0);
	assert_true(t->on);
	assert_int_equal(t->filter.ranges, 0);
	assert_true(t->filter.events);
	assert_int_equal(t->ring, 64 * KB);
	assert_int_equal(parse("trace off ring 64M"), 0);
	assert_false(t->on);
	assert_int_equal(t->ring, 64 * MB);
}

static void mistakes(void **state)
{
	static const char *const bad[][2] = {
		{"trace", "config:1: 'trace': expected off, to comN, ring SIZE, all, events,"},
		{"trace some", "config:1: 'some': expected off, to comN, ring SIZE, all,"},
		{"trace 0x3f8-", "config:1: '0x3f8-': expected off"},
		{"trace 1,2,3,4,5,6,7,8,9", "config:1: '1,2,3,4,5,6,7,8,9': expected off"},
		{"trace all to", "config:1: 'trace': expected 'com1' or 'com2'"},
		{"trace all to com3", "config:1: 'com3': expected 'com1' or 'com2'"},
		{"trace all ring", "config:1: 'trace': expected a size from 64K to 64M"},
		{"trace all ring 63K", "config:1: '63K': expected a size from 64K to 64M"},
		{"trace all ring 65M", "config:1: '65M': expected a size from 64K to 64M"},
		{"trace all ring 1G", "config:1: '1G': expected a size from 64K to 64M"},
		{"trace all ring 1000000M",
		 "config:1: '1000000M': expected a size from 64K to 64M"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse(bad[i][0]), -1);
		assert_memory_equal(c.error, bad[i][1], strlen(bad[i][1]));
		assert_null(strchr(c.error, '\n'));
	}
}

static void ports_in_use(void **state)
{
	(void)state;
	assert_int_equal(check("trace all to com2"), 0);
	assert_int_equal(check("trace all to com1\nconsole com2"), 0);
	assert_int_equal(check("console com2"), 0);
	assert_int_equal(check("ram 32M\ntrace all to com1"), -1);
	assert_string_equal(c.error, "config:2: 'com1': expected a port that neither the console "
				     "nor a serialN uses");
	assert_int_equal(check("trace all to com2\nserial0 host com2"), -1);
	assert_int_equal(check("nic ne2000 0x300 irq 3\nkey insecure\ntrace all to com2"), -1);
	assert_int_equal(check("nic ne2000 0x300 irq 3\nkey insecure\ntrace all"), 0);
	assert_int_equal(check("nic ne2000 0x300 irq 10\nkey insecure\noffer trace as a"), 0);
	assert_true(c.offer.trace);
	assert_int_equal(check("nic ne2000 0x300 irq 10\nkey insecure\npeer b\n"
			       "export 0x378-0x37a name lpt1\noffer trace"),
			 -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(ports_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
