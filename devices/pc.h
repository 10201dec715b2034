/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest PC: an i440FX/PIIX3 machine put together from the chip models, with the wires between
 * them. pc_init() builds it from a pc_config; nothing in it touches hardware, so it runs hosted too.
 */
#ifndef FARBUS_DEVICES_PC_H
#define FARBUS_DEVICES_PC_H

#include "lib/types.h"

struct pc; /* the whole thing; boot/ allocates pc_size() zeroed bytes for it */
struct block;
struct bus;
struct clock;
struct dma;
struct irq_lines;
struct pci_ops;
struct physmem;
struct pic;

#define PC_DISKS    4 /* primary master and slave, secondary master and slave */
#define PC_FLOPPIES 2
#define PC_SERIALS  2

/* A file that the firmware sees through fw_cfg. */
struct pc_fw_file {
	const char *name;
	const void *data;
	u32 size;
};

/* Where a character device's bytes go; may be absent (NULL functions). */
struct pc_char {
	void (*write)(void *ctx, u8 byte);
	void *ctx;
};

struct pc_config {
	u32 ram_size;		    /* bytes, whole MB */
	struct physmem *mem;	    /* RAM already mapped at 0-9FFFFh and from 1 MB */
	u8 *rom_shadow;		    /* 256 KB host memory: RAM under C0000h-FFFFFh */
	const u8 *firmware;	    /* BIOS image, ends at 4 GB and at 1 MB */
	u32 firmware_size;	    /* 64 KB to 256 KB */
	struct clock *clock;
	struct block *disk[PC_DISKS];	 /* NULL: none */
	struct block *cdrom[PC_DISKS];	 /* ATAPI in that place instead */
	struct { u16 cylinders; u8 heads, sectors; } geometry[PC_DISKS]; /* 0: derived from size */
	struct block *floppy[PC_FLOPPIES];
	struct pc_char serial[PC_SERIALS], parallel, debug; /* debug: ports E9h and 402h */
	const struct pc_fw_file *fw_file; /* extra fw_cfg files (vgaroms/...) */
	unsigned fw_file_count;
	/* The video BIOS as firmware without fw_cfg finds it, at C0000h. NULL: nothing there. */
	const void *vga_rom;
	u32 vga_rom_size;
	char boot_order[4];	    /* of 'c' disk, 'a' floppy, 'd' CD; "" means automatic */
	struct { u16 year; u8 month, day, hour, minute, second; } rtc; /* at power-on */

	/* Host-side wires. */
	void (*intr)(void *ctx, bool level);	/* PIC to CPU */
	void (*reset)(void *ctx);		/* port 92h, 8042, PIIX3 CF9h */
	/*
	 * INIT: the CPU alone, chips and memory stay. Asked for where a guest resets its CPU to
	 * leave protected mode (a shutdown code in CMOS 0Fh). NULL: reset is called instead.
	 */
	void (*cpu_init)(void *ctx);
	void (*power_off)(void *ctx);		/* ACPI S5 */
	void *ctx;
};

size_t pc_size(void);
/* Returns 0, or -1 with a line in the log. */
int pc_init(struct pc *pc, const struct pc_config *config);
/* As a reset line does: every chip to its power-on state, disks' contents stay. */
void pc_reset(struct pc *pc);

struct bus *pc_bus(struct pc *pc);
/* Sources 0-15 of each line are the PC's own devices; 16-31 are for others (passed-through lines). */
struct irq_lines *pc_irqs(struct pc *pc);
struct dma *pc_dma(struct pc *pc);
const struct pic *pc_pic(const struct pc *pc); /* for the monitor to look at */
/*
 * Adds a PCI function (bus 0, devfn = device << 3 | function), such as this PC's own VGA passed
 * through. Returns 0, or -1 when the place is taken. ops and dev stay the caller's.
 */
int pc_add_pci_function(struct pc *pc, u8 devfn, const struct pci_ops *ops, void *dev);
int pc_intack(struct pc *pc);			   /* interrupt acknowledge: the vector */
void pc_ferr(struct pc *pc, bool level);	   /* FERR# from the CPU */
bool pc_ignne(const struct pc *pc);		   /* IGNNE# to the CPU */
void pc_key_scancode(struct pc *pc, u8 scancode);  /* a set-1 byte from the keyboard or console */
unsigned pc_key_space(struct pc *pc);		   /* bytes the keyboard can take now */
void pc_mouse_packet(struct pc *pc, s8 dx, s8 dy, u8 buttons);
void pc_serial_input(struct pc *pc, unsigned n, u8 byte);
unsigned pc_serial_space(struct pc *pc, unsigned n);

#endif
