/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O bus: looks the port up in a flat table and calls the handler. Splits what a handler does
 * not take as one access. Slot 0 of the handler table is "absent": it reads as all ones, as an ISA
 * bus with nothing driving it, and ignores writes.
 */
#include "devices/bus.h"
#include "devices/trace.h"
#include "lib/log.h"
#include "lib/str.h"

#define ABSENT 0

static u32 ones(unsigned width)
{
	return width == 4 ? ~0u : (1u << (width * 8)) - 1;
}

static u32 absent_in(void *dev, u16 port, unsigned width)
{
	struct bus *b = dev;

	b->absent_accesses++;
	b->last_absent_port = port;
	return ones(width);
}

static void absent_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct bus *b = dev;

	(void)width;
	(void)value;
	b->absent_accesses++;
	b->last_absent_port = port;
}

static const struct port_ops absent_ops = {
	.in = absent_in,
	.out = absent_out,
	.widths = 1,
};

void bus_init(struct bus *b)
{
	memset(b, 0, sizeof(*b));
	b->handler[ABSENT] = (struct bus_handler){&absent_ops, b, "absent", ROUTE_ABSENT, 0};
	b->handler_count = 1;
}

int bus_register(struct bus *b, u16 first, u16 last, enum route_kind kind,
		 const struct port_ops *ops, void *dev, const char *name)
{
	unsigned i = b->handler_count;

	if (i >= BUS_HANDLERS_MAX) {
		log_error("bus: no room for '%s': at most %d handlers", name, BUS_HANDLERS_MAX - 1);
		return -1;
	}
	b->handler[i] = (struct bus_handler){ops, dev, name, kind, 0};
	b->handler_count = i + 1;
	bus_add_range(b, (int)i, first, last);
	return (int)i;
}

void bus_add_range(struct bus *b, int handler, u16 first, u16 last)
{
	for (u32 port = first; port <= last; port++) {
		b->route[port] = (u8)handler;
		if (b->handler[handler].kind == ROUTE_VIRTUAL)
			b->home[port] = (u8)handler;
	}
}

void bus_claim(struct bus *b, int handler, u16 first, u16 last)
{
	for (u32 port = first; port <= last; port++) {
		if (b->home[port] != ABSENT)
			continue;
		b->home[port] = (u8)handler;
		if (b->route[port] == ABSENT)
			b->route[port] = (u8)handler;
	}
}

void bus_release(struct bus *b, int handler, u16 first, u16 last)
{
	for (u32 port = first; port <= last; port++) {
		if (b->home[port] == (u8)handler)
			b->home[port] = ABSENT;
		if (b->route[port] == (u8)handler)
			b->route[port] = ABSENT;
	}
}

bool bus_routed(const struct bus *b, int handler)
{
	for (u32 port = 0; port < 0x10000; port++)
		if (b->route[port] == (u8)handler)
			return true;
	return false;
}

void bus_restore(struct bus *b, u16 first, u16 last)
{
	for (u32 port = first; port <= last; port++)
		b->route[port] = b->home[port];
}

void bus_make_absent(struct bus *b, u16 first, u16 last)
{
	memset(b->route + first, ABSENT, last < first ? 0 : (size_t)last - first + 1);
}

/* One access that its handler takes as it is, or one byte of a split access. */
static inline __attribute__((always_inline)) u32 handler_in(struct bus *b, struct bus_handler *h,
							    u16 port, unsigned width)
{
	u32 value;

	h->accesses++;
	if (unlikely(!(h->ops->widths & width)) || unlikely(!h->ops->in))
		return ones(width);
	value = h->ops->in(h->dev, port, width);
	if (unlikely(b->wait))
		h->accesses--; /* it comes again */
	else if (unlikely(b->trace != NULL))
		b->trace->access(b, TRACE_WHAT(TRACE_IN, width, port), value);
	return value;
}

static inline __attribute__((always_inline)) void handler_out(struct bus *b, struct bus_handler *h,
							      u16 port, unsigned width, u32 value)
{
	h->accesses++;
	if (unlikely(!(h->ops->widths & width)) || unlikely(!h->ops->out))
		return;
	h->ops->out(h->dev, port, width, value);
	if (unlikely(b->wait))
		h->accesses--;
	else if (unlikely(b->trace != NULL))
		b->trace->access(b, TRACE_WHAT(TRACE_OUT, width, port), value);
}

/*
 * Whether an access reaches the handler of its first port in one piece. A byte that it does not
 * take is not split.
 */
static bool in_one_piece(const struct bus *b, u16 port, unsigned width)
{
	const struct bus_handler *h = &b->handler[b->route[port]];

	return likely(width == 1) ||
	       ((h->ops->widths & width) && (!(port & (width - 1)) || h->ops->unaligned));
}

/* The widest part of a split access that can begin `done` bytes into it. */
static unsigned part_width(const struct bus *b, u16 port, unsigned width, unsigned done)
{
	unsigned part = width / 2;

	while (done & (part - 1) || !in_one_piece(b, (u16)(port + done), part))
		part /= 2;
	return part;
}

/*
 * One part after the other. When one has no answer yet, the whole instruction is restarted: those
 * before it must not be carried out again.
 */
static void split(struct bus *b, bool write, u16 port, unsigned width, u32 *value)
{
	struct bus_split s = {true, write, (u8)width, 0, port, write ? *value : 0};
	const struct bus_split *open = &b->split;

	if (open->open && open->write == write && open->width == width && open->port == port &&
	    (!write || open->value == *value))
		s = *open;
	while (s.done < width) {
		u16 at = (u16)(port + s.done);
		unsigned part = part_width(b, port, width, s.done);
		struct bus_handler *h = &b->handler[b->route[at]];
		u32 got = 0;

		if (write)
			handler_out(b, h, at, part, s.value >> (s.done * 8) & ones(part));
		else
			got = handler_in(b, h, at, part);
		if (b->wait) {
			b->split = s;
			return;
		}
		if (!write)
			s.value |= got << (s.done * 8);
		s.done = (u8)(s.done + part);
	}
	b->split.open = false;
	*value = s.value;
}

bool bus_in(struct bus *b, u16 port, unsigned width, u32 *value)
{
	if (likely(in_one_piece(b, port, width)))
		*value = handler_in(b, &b->handler[b->route[port]], port, width);
	else
		split(b, false, port, width, value);
	if (likely(!b->wait))
		return true;
	b->wait = false;
	return false;
}

bool bus_out(struct bus *b, u16 port, unsigned width, u32 value)
{
	if (likely(in_one_piece(b, port, width)))
		handler_out(b, &b->handler[b->route[port]], port, width, value & ones(width));
	else
		split(b, true, port, width, &value);
	if (likely(!b->wait))
		return true;
	b->wait = false;
	return false;
}

static void store(void *buf, u32 index, unsigned width, u32 value)
{
	memcpy((u8 *)buf + (size_t)index * width, &value, width);
}

static u32 load(const void *buf, u32 index, unsigned width)
{
	u32 value = 0;

	memcpy(&value, (const u8 *)buf + (size_t)index * width, width);
	return value;
}

/* The trace sees a block as one, also where the handler takes it element by element. */
static void trace_block(struct bus *b, u32 what, const void *buf, u32 count)
{
	if (b->trace && count)
		b->trace->block(b, what, buf, count);
}

static u32 elements_in(struct bus *b, u16 port, unsigned width, void *buf, u32 count)
{
	const struct bus_trace *trace = b->trace;
	u32 done, value;

	b->trace = NULL;
	for (done = 0; done < count; done++) {
		if (!bus_in(b, port, width, &value))
			break;
		store(buf, done, width, value);
	}
	b->trace = trace;
	return done;
}

static u32 elements_out(struct bus *b, u16 port, unsigned width, const void *buf, u32 count)
{
	const struct bus_trace *trace = b->trace;
	u32 done;

	b->trace = NULL;
	for (done = 0; done < count; done++)
		if (!bus_out(b, port, width, load(buf, done, width)))
			break;
	b->trace = trace;
	return done;
}

u32 bus_ins(struct bus *b, u16 port, unsigned width, void *buf, u32 count)
{
	struct bus_handler *h = &b->handler[b->route[port]];
	u32 done;

	if (h->ops->ins && (h->ops->widths & width) && in_one_piece(b, port, width)) {
		done = h->ops->ins(h->dev, port, width, buf, count);
		b->wait = false;
		h->accesses += done;
	} else {
		done = elements_in(b, port, width, buf, count);
	}
	trace_block(b, TRACE_WHAT(TRACE_INS, width, port), buf, done);
	return done;
}

u32 bus_outs(struct bus *b, u16 port, unsigned width, const void *buf, u32 count)
{
	struct bus_handler *h = &b->handler[b->route[port]];
	u32 done;

	if (h->ops->outs && (h->ops->widths & width) && in_one_piece(b, port, width)) {
		done = h->ops->outs(h->dev, port, width, buf, count);
		b->wait = false;
		h->accesses += done;
	} else {
		done = elements_out(b, port, width, buf, count);
	}
	trace_block(b, TRACE_WHAT(TRACE_OUTS, width, port), buf, done);
	return done;
}
