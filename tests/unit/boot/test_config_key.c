/* SPDX-License-Identifier: BSD-2-Clause */
/* `key` with limits: what a server lets the holders of a key do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "boot/config.h"
#include "lib/str.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define KEY_B "fff102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define KEY_C "aaa102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define PEER  "nic ne2000\npeer b\nexport 0x2f8-0x2ff irq 3 name com2\nexport 0x378 name lpt-1\n"

static struct config c;

static bool have(void *ctx, const char *module)
{
	(void)ctx;
	return !strcmp(module, "visitors.key");
}

static int parse(const char *text)
{
	config_init(&c);
	return config_parse_module(&c, text, strlen(text)) || config_check(&c, have, NULL) ||
			       config_settle_keys(&c)
		       ? -1
		       : 0;
}

static void check_error(const char *text, const char *error)
{
	assert_int_equal(parse(text), -1);
	assert_string_equal(c.error, error);
}

static void limits(void **state)
{
	const struct config_access *a = c.access;

	(void)state;
	assert_int_equal(parse(PEER "key " KEY_A "\n"
				    "key " KEY_B
				    " may com2,lpt-1 ports 0x2f8-0x2fe,0x378 irqs 3,15 "
				    "dma none read-only rate 500\n"
				    "key file visitors.key rate 1 may com2\n"
				    "key " KEY_C " read-only"),
			 0);
	assert_int_equal(c.key, CONFIG_KEY_HEX);
	assert_int_equal(c.key_bytes[1], 1);
	assert_int_equal(c.access_count, 3);
	assert_int_equal(a->source, CONFIG_KEY_HEX);
	assert_int_equal(a->bytes[0], 0xff);
	assert_int_equal(a->names, 2);
	assert_string_equal(a->name[0], "com2");
	assert_string_equal(a->name[1], "lpt-1");
	assert_int_equal(a->ranges, 2);
	assert_int_equal(a->range[0].last, 0x2fe);
	assert_int_equal(a->range[1].first, 0x378);
	assert_int_equal(a->range[1].last, 0x378);
	assert_int_equal(a->no_irqs, 0x7ff7);
	assert_int_equal(a->no_dma, 0xff);
	assert_true(a->read_only);
	assert_int_equal(a->rate, 500);
	assert_int_equal(a[1].source, CONFIG_KEY_MODULE);
	assert_string_equal(a[1].module.module, "visitors.key");
	assert_int_equal(config_take_access_key(&c, 1, KEY_B "\n", 65), 0);
	assert_int_equal(config_settle_keys(&c), -1); /* KEY_B twice */
	assert_int_equal(config_take_access_key(&c, 1, "short", 5), -1);
	assert_string_equal(c.error, "config:7: 'visitors.key': expected a file of 32 bytes or 64 "
				     "hexadecimal digits, not all 0");
	assert_int_equal(a[2].names + a[2].ranges + a[2].no_irqs + a[2].no_dma, 0);
}

/* Without one that has no limits, the server's own is the first of these: never one of zeros. */
static void only_limited(void **state)
{
	(void)state;
	assert_int_equal(parse(PEER "key " KEY_B " read-only"), 0);
	assert_int_equal(c.key, CONFIG_KEY_NONE);
	assert_int_equal(c.key_bytes[0], 0xff);
}

static void mistakes(void **state)
{
	static const char *const bad[] = {"may",
					  "may com2,",
					  "may a,b,c,d,e,f,g,h,i",
					  "may a-name-that-is-too-long",
					  "may a/b",
					  "ports",
					  "ports 5-4",
					  "ports 0x10000",
					  "ports 1,2,3,4,5",
					  "ports 1;2",
					  "irqs",
					  "irqs 16",
					  "irqs 3,",
					  "irqs all",
					  "dma 8",
					  "dma 1 5",
					  "rate 0",
					  "rate 1000000001",
					  "rate",
					  "read-only read-only",
					  "may a may b",
					  "write"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[160] = "key " KEY_A " ";

		memcpy(text + strlen(text), bad[i], strlen(bad[i]) + 1);
		assert_int_equal(parse(text), -1);
		assert_null(__builtin_strstr(c.error, "000102")); /* the key itself is not told */
	}
	check_error("key insecure read-only",
		    "config:1: 'key insecure': expected no limits: whoever is there has no key");
	check_error("nic ne2000\nkey " KEY_A "\nkey " KEY_B " rate 5",
		    "config:3: 'key': expected a peer or offer line as well: only who lends out "
		    "has limits");
	check_error(PEER "key insecure\nkey " KEY_B " rate 5",
		    "config:6: 'key': expected no other key beside 'key insecure'");
	check_error(PEER "key " KEY_B "\nkey " KEY_B " rate 5",
		    "config:6: 'key': expected another key than that of another line");
	check_error(PEER "key " KEY_B " may com2,lpt1",
		    "config:5: 'lpt1': expected the name of an export, or of what is offered");
	assert_int_equal(parse(PEER "offer console\nkey " KEY_B " may console,com2"), 0);
	check_error(PEER "key file nothing rate 5",
		    "config:5: 'nothing': expected the name of a module that the boot loader has "
		    "loaded");
	check_error(PEER "key " KEY_A " rate 1\nkey " KEY_B " rate 1\nkey " KEY_C
			 " rate 1\nkey " KEY_C " rate 2",
		    "config:8: 'key': expected at most 3 keys with limits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
		cmocka_unit_test(only_limited),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
