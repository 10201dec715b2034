/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/config.c: each word's values, and one clear line for each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "boot/config.h"
#include "lib/str.h"

static struct config c;

static int parse(const char *text)
{
	config_init(&c);
	return config_parse_module(&c, text, strlen(text));
}

static void check_error(const char *text, const char *error)
{
	assert_int_equal(parse(text), -1);
	assert_string_equal(c.error, error);
}

/* The message's begin is enough where the rest is a list. */
static void check_error_begins(const char *text, const char *begin)
{
	assert_int_equal(parse(text), -1);
	assert_memory_equal(c.error, begin, strlen(begin));
	assert_null(strchr(c.error, '\n'));
}

static bool have_disks(void *ctx, const char *module)
{
	(void)ctx;
	return !strncmp(module, "disk", 4);
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(c.ram, 64 * MB);
	assert_int_equal(c.cpu, CONFIG_CPU_AUTO);
	assert_int_equal(c.console_com, 1);
	assert_int_equal(c.console_baud, 115200);
	assert_true(c.rtc_host);
	assert_true(c.monitor);
	assert_false(c.triple_fault_stop);
	assert_int_equal(c.disk[0].source, CONFIG_NONE);
	assert_string_equal(c.boot_order, "");
	assert_int_equal(config_check(&c, have_disks, NULL), 0);
}

static void every_word(void **state)
{
	(void)state;
	assert_int_equal(parse("# a comment\n"
			       "\n"
			       "ram 16M\n"
			       "cpu interp\r\n"
			       "firmware module my.bin\n"
			       "vgabios module vga.bin\n"
			       "disk0 module dlx.img   # the guest\n"
			       "disk1 host 2 partition 3\n"
			       "disk2 host 0\n"
			       "\tcdrom3 module cd.iso\n"
			       "floppy1 module f.img\n"
			       "geometry disk0 306/4/17\n"
			       "boot cad\n"
			       "rtc 1996-02-29T23:59:58\n"
			       "route 0x3f8-0x3ff,1000 irq 4 local\n"
			       "route 0x378 absent\n"
			       "console com2 9600\n"
			       "serial0 host com1\n"
			       "serial1 null\n"
			       "parallel0 null\n"
			       "triple-fault stop\n"
			       "monitor off"),
			 0);
	assert_int_equal(c.ram, 16 * MB);
	assert_int_equal(c.cpu, CONFIG_CPU_INTERP);
	assert_string_equal(c.firmware.module, "my.bin");
	assert_int_equal(c.vgabios.source, CONFIG_MODULE);
	assert_string_equal(c.disk[0].module, "dlx.img");
	assert_int_equal(c.disk[0].line, 7);
	assert_int_equal(c.disk[1].source, CONFIG_HOST);
	assert_int_equal(c.disk[1].host_disk, 2);
	assert_int_equal(c.disk[1].partition, 3);
	assert_int_equal(c.disk[2].partition, 0);
	assert_string_equal(c.cdrom[3].module, "cd.iso");
	assert_string_equal(c.floppy[1].module, "f.img");
	assert_int_equal(c.geometry[0].cylinders, 306);
	assert_int_equal(c.geometry[0].heads, 4);
	assert_int_equal(c.geometry[0].sectors, 17);
	assert_string_equal(c.boot_order, "cad");
	assert_false(c.rtc_host);
	assert_int_equal(c.rtc.year, 1996);
	assert_int_equal(c.rtc.month, 2);
	assert_int_equal(c.rtc.day, 29);
	assert_int_equal(c.rtc.second, 58);
	assert_int_equal(c.route_count, 2);
	assert_int_equal(c.route[0].range_count, 2);
	assert_int_equal(c.route[0].range[0].first, 0x3f8);
	assert_int_equal(c.route[0].range[0].last, 0x3ff);
	assert_int_equal(c.route[0].range[1].first, 1000);
	assert_int_equal(c.route[0].irq, 4);
	assert_int_equal(c.route[0].kind, CONFIG_ROUTE_LOCAL);
	assert_int_equal(c.route[1].irq, -1);
	assert_int_equal(c.route[1].kind, CONFIG_ROUTE_ABSENT);
	assert_int_equal(c.console_com, 2);
	assert_int_equal(c.console_baud, 9600);
	assert_int_equal(c.serial_com[0], 1);
	assert_true(c.triple_fault_stop);
	assert_false(c.monitor);
}

static void later_words_win(void **state)
{
	(void)state;
	assert_int_equal(parse("ram 32M\ndisk0 module a.img\nram 8M\ndisk0 none\n"), 0);
	assert_int_equal(c.ram, 8 * MB);
	assert_int_equal(c.disk[0].source, CONFIG_NONE);
	assert_int_equal(config_parse_cmdline(&c, "ram 4M; console none"), 0);
	assert_int_equal(c.ram, 4 * MB);
	assert_int_equal(c.console_com, 0);
}

static void command_line(void **state)
{
	(void)state;
	config_init(&c);
	assert_int_equal(config_parse_cmdline(&c, ""), 0);
	assert_int_equal(config_parse_cmdline(&c, "/boot/farbus.elf"), 0);
	assert_int_equal(config_parse_cmdline(&c, "/boot/farbus.elf ram 8M;cpu interp"), 0);
	assert_int_equal(c.ram, 8 * MB);
	assert_int_equal(c.cpu, CONFIG_CPU_INTERP);
	assert_int_equal(config_parse_cmdline(&c, "ram 8M; ram x"), -1);
	assert_string_equal(c.error, "command line:2: 'x': expected a size from 1M to 2048M, as in "
				     "'ram 64M'");
}

static void mistakes(void **state)
{
	(void)state;
	check_error_begins("dsk0 module a", "config:1: 'dsk0': expected ram, cpu, ");
	check_error_begins("\n\ndisk4 module a", "config:3: 'disk4': expected ram, ");
	check_error_begins("ram0 1M", "config:1: 'ram0': expected ram, ");
	check_error("cpu fast", "config:1: 'fast': expected 'auto' or 'interp'");
	check_error("cpu", "config:1: 'cpu': expected 'auto' or 'interp'");
	check_error("cpu auto auto", "config:1: 'auto': expected nothing more on this line");
	check_error("disk0", "config:1: 'disk0': expected 'module NAME', 'host M [partition P]' or "
			     "'none'");
	check_error("disk0 module", "config:1: 'disk0': expected a module's name of at most 47 "
				    "characters");
	check_error("disk0 host 4", "config:1: '4': expected the number of this PC's disk, 0 to 3");
	check_error("disk0 host 0 partition 5",
		    "config:1: '5': expected a primary partition's number, 1 to 4");
	check_error("cdrom0 host 0", "config:1: 'host': expected 'module NAME' or 'none'");
	check_error("geometry disk0 306/4", "config:1: '306/4': expected cylinders/heads/sectors, "
					    "at most 16383/16/63, as in '306/4/17'");
	check_error_begins("geometry disk0 1/17/1", "config:1: '1/17/1': expected ");
	check_error_begins("geometry floppy0 1/1/1", "config:1: 'floppy0': expected 'disk0'");
	check_error_begins("boot cc", "config:1: 'cc': expected one to three");
	check_error_begins("boot x", "config:1: 'x': expected one to three");
	check_error_begins("console com3", "config:1: 'com3': expected 'com1'");
	check_error_begins("console com1 100000", "config:1: '100000': expected a baud rate");
	check_error_begins("serial0 com1", "config:1: 'com1': expected 'null' or");
	check_error_begins("monitor", "config:1: 'monitor': expected 'on' or 'off'");
	check_error_begins("triple-fault maybe", "config:1: 'maybe': expected 'reset' or");
	check_error_begins("parallel1 null", "config:1: 'parallel1': expected ram,");
}

static void bad_sizes_and_times(void **state)
{
	static const char *const bad[] = {
		"ram 64",
		"ram 0M",
		"ram 4G",
		"ram 2049M",
		"ram 64MB",
		"ram 99999999999999999999M",
		"ram",
		"ram M",
		"rtc 1996-02-30T00:00:00",
		"rtc 1996-02-29",
		"rtc 1979-01-01T00:00:00",
		"rtc 1996-00-01T00:00:00",
		"rtc 96-1-1T1:1:1",
		"rtc 1996-01-01T24:00:00",
		"rtc 1996-01-01T00:00:60",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		check_error_begins(bad[i], "config:1: '");
	assert_int_equal(parse("ram 2G\nrtc 2000-02-29T00:00:00"), 0);
	assert_int_equal(c.ram, 2048u * MB);
}

static void bad_routes(void **state)
{
	static const char *const bad[] = {
		"route",
		"route local",
		"route 0x3f8",
		"route 0x3f8 remote",
		"route 0x3ff-0x3f8 local",
		"route 0x10000 local",
		"route 1,2,3,4,5,6,7,8,9 local",
		"route 1, local",
		"route 1 irq 16 local",
		"route 1 irq local",
		"route 0x local",
	};
	char many[1024];
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		check_error_begins(bad[i], "config:1: '");
	for (unsigned i = 0; i <= CONFIG_ROUTES; i++)
		at += (size_t)snprintf(many + at, sizeof(many) - at, "route %u local\n", i);
	check_error(many, "config:17: 'route': expected at most 16 routes");
}

static void whole_configuration(void **state)
{
	(void)state;
	assert_int_equal(parse("disk0 module disk0.img\n\ncdrom0 module disk.iso"), 0);
	assert_int_equal(config_check(&c, have_disks, NULL), -1);
	assert_string_equal(c.error, "config:3: 'cdrom0': expected a place where there is no disk");
	assert_int_equal(parse("disk1 module nothing.img"), 0);
	assert_int_equal(config_check(&c, have_disks, NULL), -1);
	assert_string_equal(c.error, "config:1: 'nothing.img': expected the name of a module that "
				     "the boot loader has loaded");
	assert_int_equal(parse("serial0 host com1"), 0);
	assert_int_equal(config_check(&c, have_disks, NULL), -1);
	assert_int_equal(parse("console none\nserial0 host com1\nserial1 host com1"), 0);
	assert_int_equal(config_check(&c, have_disks, NULL), -1);
	assert_int_equal(parse("console com2\nserial0 host com1"), 0);
	assert_int_equal(config_check(&c, have_disks, NULL), 0);
}

static void long_lines(void **state)
{
	char text[4096];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = 0;
	check_error_begins(text, "config:1: 'aaaa");
	memcpy(text, "ram 8M #", 8); /* a comment may be as long as it likes */
	assert_int_equal(parse(text), 0);
	for (unsigned i = 0; i < 200; i++)
		memcpy(text + 2 * i, "a ", 2);
	text[400] = 0;
	check_error_begins(text, "config:1: 'a': expected ");
}

/* Whatever the text is: an answer, a message within its bounds, and no line end in it. */
static void random_text(void **state)
{
	static const char *const piece[] = {"ram",   "disk0", "route", "module", "host",  "irq",
					    "0x3f8", "-",     ",",     " ",	 "\n",	  "#",
					    "64M",   "\x01",  "\xff",  "com1",	 "local", "rtc",
					    "T",     ":",     "999999"};
	char text[400];

	(void)state;
	srand(1);
	for (unsigned turn = 0; turn < 20000; turn++) {
		size_t at = 0;

		while (at < sizeof(text) - 10) {
			const char *p = piece[(unsigned)rand() % ARRAY_SIZE(piece)];

			memcpy(text + at, p, strlen(p));
			at += strlen(p);
			if (rand() % 2)
				text[at++] = ' ';
		}
		config_init(&c);
		if (config_parse_module(&c, text, at)) {
			assert_true(strlen(c.error) > 10 && strlen(c.error) < CONFIG_ERROR_MAX - 1);
			assert_null(strchr(c.error, '\n'));
			assert_null(strchr(c.error, '\x01'));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	   cmocka_unit_test(every_word),
		cmocka_unit_test(later_words_win), cmocka_unit_test(command_line),
		cmocka_unit_test(mistakes),	   cmocka_unit_test(bad_sizes_and_times),
		cmocka_unit_test(bad_routes),	   cmocka_unit_test(whole_configuration),
		cmocka_unit_test(long_lines),	   cmocka_unit_test(random_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
