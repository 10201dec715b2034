/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server lends out under a name (a device's ports, memory, lines), and its form on the wire.
 */
#ifndef FARBUS_NET_EXPORT_H
#define FARBUS_NET_EXPORT_H

#include "lib/types.h"
#include "net-ne2000/proto.h"

#define EXPORT_NAME	 16u /* bytes on the wire, filled up with zeros */
#define EXPORT_RANGES	 4u
#define EXPORT_MEMORY	 2u
#define EXPORT_FUNCTIONS 2u
#define EXPORT_FIXED	 24u /* bytes of a record without its ranges */

struct port_range {
	u16 first, last;
};

struct memory_range {
	u32 first, last; /* physical */
};

struct port_export {
	char name[EXPORT_NAME + 1];
	struct port_range range[EXPORT_RANGES];
	u8 ranges;
	struct memory_range memory[EXPORT_MEMORY];
	u8 memories;
	u16 function[EXPORT_FUNCTIONS]; /* of PCI: bus << 8 | device << 3 | function */
	u8 functions;
	u8 dma;	  /* channels, a bit each */
	u16 irqs; /* lines, a bit each */
	bool held;
};

/* Pads a name to EXPORT_NAME bytes. What is longer is cut. */
void export_put_name(u8 out[EXPORT_NAME], const char *name);
/* Of its record on the wire. */
u32 export_bytes(const struct port_export *x);
/* False: no room. */
bool export_put(struct proto_writer *w, const struct port_export *x);
/* Bytes taken from the front of p, 0: malformed. */
u32 export_get(const u8 *p, u32 len, struct port_export *x);
/* Every port of an access of that width lies in one of the ranges. */
bool ports_cover(const struct port_range *range, unsigned ranges, u32 port, unsigned width);
bool export_covers(const struct port_export *x, u32 port, unsigned width);
/* All of the bytes from addr on (at least one) lie in one memory range. */
bool export_covers_memory(const struct port_export *x, u32 addr, u32 bytes);
/*
 * addr as in port CF8h, but with bits 0 and 1 for the byte, and without bit 31: a register of one
 * of the functions, within an aligned dword.
 */
bool export_covers_pci(const struct port_export *x, u32 addr, unsigned width);

#endif
