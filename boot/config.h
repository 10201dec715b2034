/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: what docs/config.md describes, parsed and checked word by word, with defaults
 * filled in. Whether a named module exists and fits is checked by whoever builds the VM.
 */
#ifndef FARBUS_BOOT_CONFIG_H
#define FARBUS_BOOT_CONFIG_H

#include "devices/bus.h"
#include "devices/pc.h"
#include "lib/types.h"

#define CONFIG_NAME_MAX	  64 /* a module's name, with its NUL */
#define CONFIG_APPEND_MAX 1024
#define CONFIG_ROUTES_MAX 32
#define CONFIG_RANGES_MAX 8 /* port ranges in one route */
#define CONFIG_ERROR_MAX  160

enum media_kind { MEDIA_NONE, MEDIA_MODULE, MEDIA_HOST };

/* Where the sectors of a disk, a floppy or a CD come from. */
struct config_media {
	enum media_kind kind;
	char module[CONFIG_NAME_MAX];
	u8 host_disk;	   /* MEDIA_HOST: this PC's disk 0-3 */
	u8 host_partition; /* 1-4, or 0 for the whole disk */
	unsigned line;	   /* of the configuration, for later messages; 0: the command line */
};

struct config_route {
	struct {
		u16 first, last;
	} range[CONFIG_RANGES_MAX];
	unsigned range_count;
	s8 irq; /* -1: none */
	enum route_kind kind;
	unsigned line;
};

enum config_cpu { CONFIG_CPU_AUTO, CONFIG_CPU_INTERP };
enum config_serial { SERIAL_NULL, SERIAL_HOST };

struct config {
	u32 ram_mb; /* default 16 */
	unsigned ram_line;
	enum config_cpu cpu;
	char firmware[CONFIG_NAME_MAX]; /* module, default "bios.bin" */
	bool vgabios_host;		/* copy this PC's C0000h ROM; default true */
	char vgabios[CONFIG_NAME_MAX];	/* module otherwise, default "vgabios.bin" */
	struct config_media disk[PC_DISKS], cdrom[PC_DISKS], floppy[PC_FLOPPIES];
	struct {
		u16 cylinders;
		u8 heads, sectors;
	} geometry[PC_DISKS];
	char boot_order[4]; /* "" : automatic */
	char kernel[CONFIG_NAME_MAX],
		initrd[CONFIG_NAME_MAX]; /* modules: a Linux kernel; "" none */
	char append[CONFIG_APPEND_MAX];
	bool rtc_host; /* default true: start from this PC's clock */
	struct {
		u16 year;
		u8 month, day, hour, minute, second;
	} rtc;
	struct config_route route[CONFIG_ROUTES_MAX];
	unsigned route_count;
	int console;	  /* 1: COM1, 2: COM2, 0: none */
	u32 console_baud; /* default 115200 */
	struct {
		enum config_serial kind;
		u8 com;
	} serial[PC_SERIALS];	/* com: 1-4 of this PC */
	bool triple_fault_stop; /* default false: reset */
	bool monitor;		/* the hot key opens the monitor; default true */
};

void config_defaults(struct config *c);

/*
 * Parses `len` bytes of configuration words, lines ended by `separator` ('\n' for the module, ';'
 * for the kernel command line), over what c holds. `origin` names the text in messages. Returns 0,
 * or -1 with one line "ORIGIN:LINE: 'word': expected ..." in error.
 */
int config_parse(struct config *c, const char *origin, const char *text, size_t len, char separator,
		 char error[CONFIG_ERROR_MAX]);

#endif
