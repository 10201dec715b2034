/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O bus: 65,536 ports, each routed to a chip model, to this PC's own hardware, to another PC,
 * or to nothing. The table can change between any two accesses.
 */
#ifndef FARBUS_DEVICES_BUS_H
#define FARBUS_DEVICES_BUS_H

#include "lib/types.h"

enum route_kind { ROUTE_ABSENT, ROUTE_VIRTUAL, ROUTE_LOCAL, ROUTE_REMOTE };

struct port_ops {
	/* width 1, 2 or 4; in returns the value zero-extended. */
	u32 (*in)(void *dev, u16 port, unsigned width);
	void (*out)(void *dev, u16 port, unsigned width, u32 value);
	/* REP INS and OUTS as one call, may be NULL: returns elements carried out (may be fewer).
	 */
	u32 (*ins)(void *dev, u16 port, unsigned width, void *buf, u32 count);
	u32 (*outs)(void *dev, u16 port, unsigned width, const void *buf, u32 count);
	/*
	 * Access widths the handler takes, a mask of 1 | 2 | 4. The bus splits a wider access into
	 * narrower ones at consecutive ports (as the ISA bus does), each routed on its own. An
	 * access that is not aligned to its width is split too, so handlers see aligned ones only,
	 * unless they ask for all: real hardware sees the access as the CPU made it.
	 */
	u8 widths;
	bool unaligned;
};

#define BUS_HANDLERS_MAX 128

struct bus_handler {
	const struct port_ops *ops;
	void *dev;
	const char *name;
	enum route_kind kind;
	u64 accesses;
};

/* In registers, where the trace would otherwise cost a slow access some per cent. */
#ifdef __i386__
#define BUS_TRACE_FN __attribute__((regparm(3)))
#else
#define BUS_TRACE_FN
#endif

struct bus;

/*
 * Told of every access after it was carried out: what was done (TRACE_WHAT() of devices/trace.h)
 * and the value; of a block, its bytes and how many elements they are.
 */
struct bus_trace {
	void (*access)(struct bus *b, u32 what, u32 value) BUS_TRACE_FN;
	void (*block)(struct bus *b, u32 what, const void *buf, u32 count);
};

/* A split access that waits for the answer to one of its parts: those before it are done. */
struct bus_split {
	bool open, write;
	u8 width, done; /* bytes */
	u16 port;
	u32 value; /* read so far, or being written */
};

struct bus {
	u8 route[65536]; /* index into handler[]; 0: absent */
	u8 home[65536];	 /* the virtual handler registered for the port, behind any other route */
	struct bus_handler handler[BUS_HANDLERS_MAX];
	unsigned handler_count;
	bool wait; /* set by a handler that has no answer yet: the access is restarted */
	struct bus_split split;
	const struct bus_trace *trace; /* NULL: off */
	u64 absent_accesses;
	u16 last_absent_port;
};

void bus_init(struct bus *b);

/*
 * Registers a handler for [first, last] and routes the ports to it. kind ROUTE_VIRTUAL also makes
 * it the ports' home. Returns the handler's index, or -1 when the table is full (logged).
 */
int bus_register(struct bus *b, u16 first, u16 last, enum route_kind kind,
		 const struct port_ops *ops, void *dev, const char *name);
/* More ports for a handler that bus_register() returned. */
void bus_add_range(struct bus *b, int handler, u16 first, u16 last);
/*
 * For ports that move (PCI I/O BARs): claims those of [first, last] that have no home yet and gives
 * up what the handler holds there. A port routed elsewhere on purpose keeps that route.
 */
void bus_claim(struct bus *b, int handler, u16 first, u16 last);
void bus_release(struct bus *b, int handler, u16 first, u16 last);
/* Whether any port is routed to the handler. */
bool bus_routed(const struct bus *b, int handler);
/* Back to the virtual home (attach/detach in the monitor), or to nothing. */
void bus_restore(struct bus *b, u16 first, u16 last);
void bus_make_absent(struct bus *b, u16 first, u16 last);

/* false: not answered yet, restart the instruction later. */
bool bus_in(struct bus *b, u16 port, unsigned width, u32 *value);
bool bus_out(struct bus *b, u16 port, unsigned width, u32 value);
/* Elements carried out; 0: not answered yet. */
u32 bus_ins(struct bus *b, u16 port, unsigned width, void *buf, u32 count);
u32 bus_outs(struct bus *b, u16 port, unsigned width, const void *buf, u32 count);

#endif
