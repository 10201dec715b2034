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
	assert_true(c.translate);
	assert_int_equal(c.shadow_pool, 0);
	assert_int_equal(c.console_com, 1);
	assert_int_equal(c.console_baud, 115200);
	assert_true(c.rtc_host);
	assert_true(c.monitor);
	assert_false(c.triple_fault_stop);
	assert_int_equal(c.disk[0].source, CONFIG_NONE);
	assert_string_equal(c.boot_order, "");
	assert_int_equal(c.nic.kind, CONFIG_NIC_NONE);
	assert_false(c.peer.on);
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
			       "monitor off\n"
			       "translate off\n"
			       "shadow-pool 260K"),
			 0);
	assert_int_equal(c.ram, 16 * MB);
	assert_int_equal(c.cpu, CONFIG_CPU_INTERP);
	assert_false(c.translate);
	assert_int_equal(c.shadow_pool, 260 * KB);
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
	assert_int_equal(config_parse_cmdline(&c, "cpu lockstep"), 0);
	assert_int_equal(c.cpu, CONFIG_CPU_LOCKSTEP);
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
	check_error("cpu fast", "config:1: 'fast': expected 'auto', 'interp', 'direct' or "
				"'lockstep'");
	check_error("cpu", "config:1: 'cpu': expected 'auto', 'interp', 'direct' or 'lockstep'");
	check_error("shadow-pool 255K", "config:1: '255K': expected a size from 256K to 62M, as in "
					"'shadow-pool 4M'");
	check_error_begins("shadow-pool 0M", "config:1: '0M': expected a size ");
	check_error_begins("shadow-pool 63M", "config:1: '63M': expected a size ");
	check_error_begins("shadow-pool 1G", "config:1: '1G': expected a size ");
	check_error_begins("shadow-pool 300", "config:1: '300': expected a size ");
	check_error_begins("shadow-pool", "config:1: 'shadow-pool': expected a size ");
	check_error("translate yes", "config:1: 'yes': expected 'on' or 'off'");
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

/* The monitor's attach, detach and route. */
static void route_line(void **state)
{
	struct config_route r;

	(void)state;
	config_init(&c);
	assert_int_equal(
		config_parse_route(&c, "route 0x2f8-0x2ff irq 3 remote pc-b profile uart", &r), 0);
	assert_int_equal(r.kind, CONFIG_ROUTE_REMOTE);
	assert_int_equal(r.irq, 3);
	assert_string_equal(r.profile, "uart");
	assert_int_equal(c.route_count, 0);
	assert_int_equal(config_parse_route(&c, "attach 0x2f8 local now", &r), -1);
	assert_string_equal(c.error, "config:1: 'now': expected nothing more on this line");
	assert_int_equal(config_parse_route(&c, "route", &r), -1);
	assert_int_equal(config_parse_route(&c, "", &r), -1);
}

static void bad_routes(void **state)
{
	static const char *const bad[] = {
		"route",
		"route local",
		"route 0x3f8",
		"route 0x3f8 dma 1 local",
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
	static const char *const piece[] = {
		"ram",	 "disk0",  "route", "module", "host",	"irq",	"0x3f8",  "-",
		",",	 " ",	   "\n",    "#",      "64M",	"\x01", "\xff",	  "com1",
		"local", "rtc",	   "T",	    ":",      "999999", "nic",	"ne2000", "pci",
		"key",	 "export", "name",  "peer",   "remote", "dma",	"profile"};
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

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

static void network_words(void **state)
{
	static const u8 mac[6] = {0x52, 0x54, 0, 0xab, 0xCD, 0xef};

	(void)state;
	assert_int_equal(parse("nic ne2000 0x300 irq 10\n"
			       "frames ether2\n"
			       "key " KEY_A "\n"
			       "route 0x170-0x177,0x376 irq 15 remote 52:54:00:ab:CD:ef profile "
			       "ata on-loss error\n"
			       "route 0x220-0x22f irq 5 dma 1 dma 5 remote pc-b\n"
			       "route 0x378-0x37a remote lpt1 on-loss float"),
			 0);
	assert_int_equal(c.nic.kind, CONFIG_NIC_ISA);
	assert_int_equal(c.nic.port, 0x300);
	assert_int_equal(c.nic.irq, 10);
	assert_int_equal(c.nic.form, 2);
	assert_int_equal(c.key, CONFIG_KEY_HEX);
	for (unsigned i = 0; i < CONFIG_KEY; i++)
		assert_int_equal(c.key_bytes[i], i);
	assert_int_equal(c.route[0].kind, CONFIG_ROUTE_REMOTE);
	assert_memory_equal(c.route[0].mac, mac, 6);
	assert_string_equal(c.route[0].peer, "");
	assert_string_equal(c.route[0].profile, "ata");
	assert_int_equal(c.route[0].on_loss, CONFIG_LOSS_ERROR);
	assert_int_equal(c.route[0].dma, 0);
	assert_int_equal(c.route[1].irq, 5);
	assert_int_equal(c.route[1].dma, 1 << 1 | 1 << 5);
	assert_string_equal(c.route[1].peer, "pc-b");
	assert_string_equal(c.route[1].profile, "strict");
	assert_int_equal(c.route[1].on_loss, CONFIG_LOSS_FREEZE);
	assert_int_equal(c.route[2].on_loss, CONFIG_LOSS_FLOAT);
	assert_int_equal(config_check(&c, have_disks, NULL), 0);

	assert_int_equal(parse("frames raw\nnic ne2000 irq 5\nkey insecure"), 0);
	assert_int_equal(c.nic.kind, CONFIG_NIC_PROBE);
	assert_int_equal(c.nic.irq, 5);
	assert_int_equal(c.nic.form, 1); /* in whatever order */
	assert_int_equal(c.key, CONFIG_KEY_INSECURE);
	assert_int_equal(parse("nic ne2000 0x300 irq 5\nnic ne2000 pci"), 0);
	assert_int_equal(c.nic.kind, CONFIG_NIC_PCI);
	assert_int_equal(c.nic.irq, -1);
}

static void peer_words(void **state)
{
	(void)state;
	assert_int_equal(parse("nic ne2000 pci\nkey file disk.key\npeer pc-b\n"
			       "export 0x2f8-0x2ff irq 3 name com2\n"
			       "export 0x220-0x22f,0x388-0x38b irq 5 dma 1 dma 5 name sb16\n"
			       "export 0x280-0x28f mem 0xc8000-0xcbfff mem 0xfebf0000-0xffefffff "
			       "pci 00:05.0 pci f0:1f.7 irq 11 name card\n"
			       "route 1 remote x"), /* a guest's word: there is none */
			 0);
	assert_true(c.peer.on);
	assert_string_equal(c.peer.name, "pc-b");
	assert_int_equal(c.export_count, 3);
	assert_int_equal(c.export[0].memory_count, 0);
	assert_int_equal(c.export[2].memory_count, 2);
	assert_int_equal(c.export[2].memory[0].last, 0xcbfff);
	assert_true(c.export[2].memory[1].first == 0xfebf0000);
	assert_int_equal(c.export[2].function_count, 2);
	assert_int_equal(c.export[2].function[0], 5 << 3);
	assert_int_equal(c.export[2].function[1], 0xf0ff);
	assert_int_equal(c.export[2].irqs, 1 << 11);
	assert_int_equal(c.export[0].range_count, 1);
	assert_int_equal(c.export[0].irqs, 1 << 3);
	assert_int_equal(c.export[0].dma, 0);
	assert_int_equal(c.export[1].range[1].first, 0x388);
	assert_int_equal(c.export[1].dma, 1 << 1 | 1 << 5);
	assert_string_equal(c.export[1].name, "sb16");
	assert_int_equal(config_check(&c, have_disks, NULL), 0);
	assert_int_equal(parse("peer"), 0);
	assert_string_equal(c.peer.name, "farbus");
}

static void offer_words(void **state)
{
	(void)state;
	assert_int_equal(parse("nic ne2000\nkey insecure\noffer console"), 0);
	assert_true(c.offer.on && c.offer.console && !c.offer.named);
	assert_string_equal(c.offer.name, "farbus");
	assert_int_equal(config_check(&c, have_disks, NULL), 0);
	assert_int_equal(parse("nic ne2000\nkey insecure\noffer console as pc-a"), 0);
	assert_string_equal(c.offer.name, "pc-a");
	assert_int_equal(config_check(&c, have_disks, NULL), 0);
	assert_int_equal(parse("offer console"), 0);
	assert_int_equal(config_check(&c, have_disks, NULL), -1);
	assert_string_equal(c.error, "config:1: 'offer': expected a nic line as well, as in 'nic "
				     "ne2000 0x300 irq 10'");
	assert_int_equal(parse("nic ne2000\nkey insecure\npeer pc-b\n"
			       "export 0x2f8-0x2ff name com2\noffer console as pc-a"),
			 0);
	assert_int_equal(config_check(&c, have_disks, NULL), -1);
	assert_string_equal(c.error,
			    "config:5: 'as': expected no name here: the peer line says it");
}

static void network_mistakes(void **state)
{
	static const char *const bad[] = {
		"nic",
		"nic 3c509",
		"offer",
		"offer disk",
		"offer as pc-a",
		"offer console as",
		"offer console as a/b",
		"offer console as a b",
		"nic ne2000 0x301",
		"nic ne2000 0x20",
		"nic ne2000 0x10000",
		"nic ne2000 isa",
		"nic ne2000 irq 2",
		"nic ne2000 irq",
		"nic ne2000 0x300 irq 12",
		"nic ne2000 pci irq 10",
		"frames novell",
		"frames",
		"key",
		"key file",
		"key 0102",
		"key secret",
		"key 0000000000000000000000000000000000000000000000000000000000000000",
		"key g000000000000000000000000000000000000000000000000000000000000000",
		"peer a-name-of-more-than-16",
		"peer a/b",
		"export",
		"export 0x2f8-0x2ff",
		"export name com2",
		"export 0x2f8-0x2ff irq 3 com2",
		"export 0x2f8-0x2ff name",
		"export 0x2f8-0x2ff irq 16 name x",
		"export 0x2f8-0x2ff dma 4 name x",
		"export 1 mem name x",
		"export 1 mem 0xd0000 name x",
		"export 1 mem 2-1 name x",
		"export 1 mem 1-0x100000000 name x",
		"export 1 mem 1-2 mem 3-4 mem 5-6 name x",
		"export 1 pci 5 name x",
		"export 1 pci 00:20.0 name x",
		"export 1 pci 00:05.8 name x",
		"export 1 pci 0:05.0 name x",
		"export 1 pci 00:01.0 pci 00:02.0 pci 00:03.0 name x",
		"export 1 irq 5 mem 1-2 name x",
		"export 1,2,3,4,5 name x",
		"route 1 remote",
		"route 1,2,3,4,5 remote b",
		"route 1 remote 52:54:00:12:34",
		"route 1 remote 53:54:00:12:34:56",
		"route 1 remote 00:00:00:00:00:00",
		"route 1 remote 52:54:00:12:34:5g",
		"route 1 remote b profile ide",
		"route 1 remote b profile",
		"route 1 remote b on-loss reset",
		"route 1 remote b on-loss",
		"route 1 remote b now",
		"route 1 dma 8 remote b",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		check_error_begins(bad[i], "config:1: '");
	check_error("key 0102", "config:1: 'key': expected 'file NAME', 64 hexadecimal digits that "
				"are not all 0, or 'insecure'");
	check_error("route 1 dma 1 absent", "config:1: 'dma': expected it only in a remote route");
	check_error("route 1 remote b profile ide",
		    "config:1: 'ide': expected 'strict', 'ata', 'uart', 'lpt' or 'sb16'");
	check_error("export 1 name a\nexport 2 name b\nexport 3 name c\nexport 4 name d\n"
		    "export 5 name e\nexport 6 name f\nexport 7 name g\nexport 8 name h\n"
		    "export 9 name i",
		    "config:9: 'export': expected at most 8 exports");
}

static void check_whole(const char *text, const char *error)
{
	assert_int_equal(parse(text), 0);
	assert_int_equal(config_check(&c, have_disks, NULL), -1);
	assert_string_equal(c.error, error);
}

static void whole_network(void **state)
{
#define CARD "nic ne2000 0x300\nkey insecure\n"
	(void)state;
	check_whole("nic ne2000",
		    "config:1: 'nic': expected a key line: 'key file NAME', 'key HEX' "
		    "or 'key insecure'");
	check_whole("key file nothing\nnic ne2000",
		    "config:1: 'nothing': expected the name of a module that the boot loader has "
		    "loaded");
	check_whole("ram 8M\nroute 1 remote b", "config:2: 'remote': expected a nic line as well, "
						"as in 'nic ne2000 0x300 irq 10'");
	check_whole("peer",
		    "config:1: 'peer': expected a nic line as well, as in 'nic ne2000 0x300 "
		    "irq 10'");
	check_whole(CARD "peer", "config:3: 'peer': expected an export line as well, as in 'export "
				 "0x2f8-0x2ff irq 3 name com2'");
	check_whole(CARD "export 1 name a",
		    "config:3: 'export': expected a peer line as well: only a peer exports");
	check_whole(CARD "peer\nexport 1 name a\nexport 2 name a",
		    "config:5: 'a': expected another name than that of export 'a'");
	check_whole(CARD "peer\nexport 1,5-9 name a\nexport 2,9-10 name b",
		    "config:5: 'b': expected other ports than that of export 'a'");
	check_whole(CARD "peer\nexport 1 mem 1-9 name a\nexport 2 mem 9-9 name b",
		    "config:5: 'b': expected other memory than that of export 'a'");
	check_whole(CARD "peer\nexport 1 pci 00:05.0 name a\nexport 2 pci 00:05.0 name b",
		    "config:5: 'b': expected another PCI function than that of export 'a'");
	check_whole(CARD "peer\nexport 1 irq 3 name a\nexport 2 irq 3 name b",
		    "config:5: 'b': expected another interrupt line than that of export 'a'");
	check_whole(CARD "peer\nexport 1 dma 3 name a\nexport 2 dma 3 name b",
		    "config:5: 'b': expected another DMA channel than that of export 'a'");
	check_whole("nic ne2000 irq 4\nkey insecure",
		    "config:1: 'irq 4': expected another line than that of com1, which is in use");
	assert_int_equal(parse("nic ne2000 irq 3\nkey insecure"), 0);
	assert_int_equal(config_check(&c, have_disks, NULL), 0);
}

static void key_files(void **state)
{
	static const u8 zeros[CONFIG_KEY], key[CONFIG_KEY] = {1, 2, 3};
	static const char *const bad[] = {"",
					  "00",
					  KEY_A "00",
					  KEY_A "\n ",
					  " " KEY_A,
					  "0000000000000000000000000000000000000000000000000000000"
					  "000000000"};

	(void)state;
	assert_int_equal(parse("key file disk.key"), 0);
	assert_string_equal(c.key_module.module, "disk.key");
	assert_int_equal(config_take_key(&c, key, sizeof(key)), 0);
	assert_memory_equal(c.key_bytes, key, sizeof(key));
	assert_int_equal(config_take_key(&c, KEY_A "\r\n", 66), 0);
	assert_int_equal(c.key_bytes[31], 31);
	assert_int_equal(config_take_key(&c, KEY_A, 64), 0);
	assert_int_equal(config_take_key(&c, zeros, sizeof(zeros)), -1);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(config_take_key(&c, bad[i], strlen(bad[i])), -1);
	assert_string_equal(c.error, "config:1: 'disk.key': expected a file of 32 bytes or 64 "
				     "hexadecimal digits, not all 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_word),
		cmocka_unit_test(later_words_win),
		cmocka_unit_test(command_line),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(bad_sizes_and_times),
		cmocka_unit_test(route_line),
		cmocka_unit_test(bad_routes),
		cmocka_unit_test(whole_configuration),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(random_text),
		cmocka_unit_test(network_words),
		cmocka_unit_test(peer_words),
		cmocka_unit_test(offer_words),
		cmocka_unit_test(network_mistakes),
		cmocka_unit_test(whole_network),
		cmocka_unit_test(key_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
