/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one word and its values a line, from the boot module named `config` and then
 * from the kernel command line (separated by `;`), whose words win. docs/config.md is the
 * reference. Nothing in here touches hardware; a mistake anywhere is one line and the VM is not
 * started.
 */
#ifndef FARBUS_BOOT_CONFIG_H
#define FARBUS_BOOT_CONFIG_H

#include "devices/trace.h"
#include "lib/types.h"

#define CONFIG_NAME_MAX	 48 /* a module's name, with its terminator */
#define CONFIG_ROUTES	 16
#define CONFIG_RANGES	 8 /* port ranges in one route */
#define CONFIG_ERROR_MAX 288

#define CONFIG_DISKS	4
#define CONFIG_FLOPPIES 2
#define CONFIG_SERIALS	2

#define CONFIG_PEER_MAX		17 /* a peer's, export's or profile's name, with its terminator */
#define CONFIG_EXPORTS		8
#define CONFIG_EXPORT_RANGES	4
#define CONFIG_EXPORT_MEMORY	2
#define CONFIG_EXPORT_FUNCTIONS 2
#define CONFIG_KEY		32 /* bytes of a shared key */
#define CONFIG_ACCESSES		3  /* keys with limits */
#define CONFIG_ACCESS_NAMES	8
#define CONFIG_ACCESS_RANGES	4

enum config_cpu { CONFIG_CPU_AUTO, CONFIG_CPU_INTERP, CONFIG_CPU_DIRECT, CONFIG_CPU_LOCKSTEP };

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

enum config_route_kind {
	CONFIG_ROUTE_VIRTUAL,
	CONFIG_ROUTE_LOCAL,
	CONFIG_ROUTE_ABSENT,
	CONFIG_ROUTE_REMOTE,
};

/* What a guest sees of a remote device whose peer is lost. */
enum config_loss { CONFIG_LOSS_FREEZE, CONFIG_LOSS_FLOAT, CONFIG_LOSS_ERROR };

/* Where the key that both PCs share comes from. */
enum config_key { CONFIG_KEY_NONE, CONFIG_KEY_INSECURE, CONFIG_KEY_HEX, CONFIG_KEY_MODULE };

struct config_range {
	u16 first, last;
};

struct config_route {
	struct config_range range[CONFIG_RANGES];
	u8 range_count;
	s8 irq; /* -1: none */
	enum config_route_kind kind;
	/* CONFIG_ROUTE_REMOTE */
	u8 dma;			    /* channels, a bit each */
	char peer[CONFIG_PEER_MAX]; /* a peer's or an export's name; "": by mac */
	u8 mac[6];
	char profile[CONFIG_PEER_MAX]; /* a name that profile_find() knows */
	enum config_loss on_loss;
	u16 line;
	u8 origin;
};

/* `nic`: where this PC's network card is. */
struct config_nic {
	enum { CONFIG_NIC_NONE, CONFIG_NIC_PROBE, CONFIG_NIC_ISA, CONFIG_NIC_PCI } kind;
	u16 port; /* CONFIG_NIC_ISA; 0: probed */
	s8 irq;	  /* -1: none, it is polled; a PCI card's own line comes from its configuration */
	u8 form;  /* enum frame_form of what is sent */
	u16 line;
	u8 origin;
};

/* `key` with limits: what a server lets whoever has that key do. */
struct config_access {
	enum config_key source;
	u8 bytes[CONFIG_KEY];
	struct config_medium module;
	char name[CONFIG_ACCESS_NAMES][CONFIG_PEER_MAX]; /* exports that it may lease */
	u8 names;					 /* 0: all */
	struct config_range range[CONFIG_ACCESS_RANGES]; /* of their ports */
	u8 ranges;					 /* 0: all */
	u16 no_irqs;					 /* lines that it may not use, a bit each */
	u8 no_dma;					 /* channels, likewise */
	bool read_only;
	u32 rate; /* accesses a second, 0: any */
	u16 line;
	u8 origin;
};

/* `peer`: no guest, this PC lends out its devices. */
struct config_peer {
	bool on;
	char name[CONFIG_PEER_MAX];
	u16 line;
	u8 origin;
};

/* `offer`: what a PC lets clients on the wire use that is no device. */
struct config_offer {
	bool on, console, trace;
	bool named;
	char name[CONFIG_PEER_MAX]; /* of a PC with a guest; a peer has its own */
	u16 line;
	u8 origin;
};

struct config_memory {
	u32 first, last; /* physical */
};

/* `export`, in peer mode: what this PC lends out. */
struct config_export {
	struct config_range range[CONFIG_EXPORT_RANGES];
	u8 range_count;
	struct config_memory memory[CONFIG_EXPORT_MEMORY];
	u8 memory_count;
	u16 function[CONFIG_EXPORT_FUNCTIONS]; /* PCI: bus << 8 | device << 3 | function */
	u8 function_count;
	u16 irqs; /* lines, a bit each */
	u8 dma;	  /* channels, a bit each */
	char name[CONFIG_PEER_MAX];
	u16 line;
	u8 origin;
};

/* `trace`: port accesses that are kept from the guest's start on. */
struct config_trace {
	bool on;
	struct trace_filter filter;
	u8 com;	  /* where they are sent; 0: nowhere */
	u32 ring; /* bytes for the last ones */
	u16 line;
	u8 origin;
};

struct config {
	u32 ram; /* bytes, whole MB */
	enum config_cpu cpu;
	bool translate;		       /* CPL 0, where cpu is not CONFIG_CPU_INTERP */
	u32 shadow_pool;	       /* with CONFIG_CPU_DIRECT: bytes, whole pages; 0: by ram */
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
	struct config_trace trace;

	struct config_nic nic;
	enum config_key key;
	u8 key_bytes[CONFIG_KEY]; /* all zero: insecure; a module's come by config_take_key() */
	struct config_medium key_module;
	struct config_access access[CONFIG_ACCESSES];
	u8 access_count;
	struct config_peer peer;
	struct config_export export[CONFIG_EXPORTS];
	u8 export_count;
	struct config_offer offer;

	char error[CONFIG_ERROR_MAX]; /* the first mistake, one line without its end; "": none */
};

/* Defaults: 64 MB, cpu auto, translate on, shadow-pool by ram, rtc host, console com1 at 115200,
 * monitor on, triple-fault reset. */
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
 * The contents of the module c->key_module: 32 bytes, or 64 hexadecimal digits and a line end. 0,
 * or -1 with c->error.
 */
int config_take_key(struct config *c, const void *data, size_t size);
/* The same of c->access[i].module. */
int config_take_access_key(struct config *c, unsigned i, const void *data, size_t size);
/*
 * When all modules' keys were taken: no two are the same. A server without a key that has no limits
 * gets the first one that has as its own. 0, or -1 with c->error.
 */
int config_settle_keys(struct config *c);

/* Writes c->error for the line where `word` stands ("expected" goes before `expected`). Gives -1.
 */
int config_fail_at(struct config *c, unsigned origin, unsigned line, const char *word,
		   const char *expected);

/*
 * One `route` line of its own, as the monitor takes it. 0, or -1 with c->error, which begins with
 * "config:1: " as that of a module's first line does.
 */
int config_parse_route(struct config *c, const char *line, struct config_route *r);

/*
 * Reads port ranges as in `0x3f8-0x3ff,0x3e8` into r->range (the monitor takes them too). 0, or -1
 * where the word is not of that form.
 */
int config_parse_ranges(const char *word, struct config_route *r);

#endif
