/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one word and its values a line, from the boot module named `config` and then
 * from the kernel command line (separated by `;`), whose words win. docs/config.md is the
 * reference. Nothing in here touches hardware; a mistake anywhere is one line and the VM is not
 * started.
 */
#ifndef FARBUS_BOOT_CONFIG_H
#define FARBUS_BOOT_CONFIG_H

#include "lib/types.h"

#define CONFIG_NAME_MAX	 48 /* a module's name, with its terminator */
#define CONFIG_ROUTES	 16
#define CONFIG_RANGES	 8 /* port ranges in one route */
#define CONFIG_ERROR_MAX 256

#define CONFIG_DISKS	4
#define CONFIG_FLOPPIES 2
#define CONFIG_SERIALS	2

enum config_cpu { CONFIG_CPU_AUTO, CONFIG_CPU_INTERP };

/* Where a disk's, floppy's or ROM's bytes come from. */
enum config_source {
	CONFIG_NONE,   /* not there (ROMs: the default source) */
	CONFIG_MODULE, /* the boot module called `module` */
	CONFIG_HOST,   /* this PC's disk number host_disk, its partition or all of it; or its ROM */
};

struct config_medium {
	enum config_source source;
	char module[CONFIG_NAME_MAX];
	u8 host_disk; /* 0-3: primary master and slave, secondary master and slave */
	u8 partition; /* 1-4, 0: the whole disk */
	u16 line;     /* where it was configured, for messages; see config.origin */
	u8 origin;
};

struct config_geometry {
	u16 cylinders; /* 0: derived from the size */
	u8 heads, sectors;
};

enum config_route_kind { CONFIG_ROUTE_VIRTUAL, CONFIG_ROUTE_LOCAL, CONFIG_ROUTE_ABSENT };

struct config_range {
	u16 first, last;
};

struct config_route {
	struct config_range range[CONFIG_RANGES];
	u8 range_count;
	s8 irq; /* -1: none */
	enum config_route_kind kind;
	u16 line;
	u8 origin;
};

struct config {
	u32 ram; /* bytes, whole MB */
	enum config_cpu cpu;
	struct config_medium firmware; /* CONFIG_NONE: the module `bios.bin` */
	struct config_medium vgabios;  /* CONFIG_NONE: host, and `vgabios.bin` when it has none */
	struct config_medium disk[CONFIG_DISKS], cdrom[CONFIG_DISKS];
	struct config_medium floppy[CONFIG_FLOPPIES];
	struct config_geometry geometry[CONFIG_DISKS];
	char boot_order[4]; /* of 'c' 'a' 'd'; "": automatic */

	bool rtc_host; /* start from this PC's clock; otherwise from the time below */
	struct {
		u16 year;
		u8 month, day, hour, minute, second;
	} rtc;

	struct config_route route[CONFIG_ROUTES];
	u8 route_count;

	u8 console_com; /* 1, 2, or 0: no console on a serial port */
	u32 console_baud;
	u8 serial_com[CONFIG_SERIALS]; /* the guest's UART n leads to this PC's COM 1 or 2; 0:
					  nowhere */
	bool triple_fault_stop; /* stop in the monitor at the first one instead of resetting */
	bool monitor;		/* the console's hot key opens the monitor */

	char error[CONFIG_ERROR_MAX]; /* the first mistake, one line without its end; "": none */
};

/* Defaults: 64 MB, cpu auto, rtc host, console com1 at 115200, monitor on, triple-fault reset. */
void config_init(struct config *c);

/* Parses the text of the `config` module (len bytes, need not be terminated). 0, or -1 with
 * c->error. */
int config_parse_module(struct config *c, const char *text, size_t len);

/*
 * Parses the kernel command line; a first word with a `/` in it is the kernel's file name, which
 * some loaders put there. 0, or -1 with c->error.
 */
int config_parse_cmdline(struct config *c, const char *text);

/*
 * What can only be judged when everything was read: two drives in one place, a serial port given
 * away twice, modules that `have` does not know. 0, or -1 with c->error.
 */
int config_check(struct config *c, bool (*have)(void *ctx, const char *module), void *ctx);

/*
 * Reads port ranges as in `0x3f8-0x3ff,0x3e8` into r->range (the monitor takes them too). 0, or -1
 * where the word is not of that form.
 */
int config_parse_ranges(const char *word, struct config_route *r);

#endif
