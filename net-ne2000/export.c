/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/export.h"

#include "lib/str.h"

void export_put_name(u8 out[EXPORT_NAME], const char *name)
{
	size_t len = strlen(name);

	memset(out, 0, EXPORT_NAME);
	memcpy(out, name, len < EXPORT_NAME ? len : EXPORT_NAME);
}

static u32 record_bytes(unsigned ranges, unsigned memories, unsigned functions)
{
	return EXPORT_FIXED + 4 * ranges + 8 * memories + 4 * functions;
}

u32 export_bytes(const struct port_export *x)
{
	return record_bytes(x->ranges, x->memories, x->functions);
}

bool export_put(struct proto_writer *w, const struct port_export *x)
{
	u8 record[EXPORT_FIXED + 4 * EXPORT_RANGES + 8 * EXPORT_MEMORY + 4 * EXPORT_FUNCTIONS] = {
		0};
	u8 *p = record + EXPORT_FIXED;

	export_put_name(record, x->name);
	proto_put16(record + 16, x->irqs);
	record[18] = x->dma;
	record[19] = x->ranges;
	record[20] = x->held;
	record[21] = x->memories;
	record[22] = x->functions;
	for (unsigned i = 0; i < x->ranges; i++, p += 4) {
		proto_put16(p, x->range[i].first);
		proto_put16(p + 2, x->range[i].last);
	}
	for (unsigned i = 0; i < x->memories; i++, p += 8) {
		proto_put32(p, x->memory[i].first);
		proto_put32(p + 4, x->memory[i].last);
	}
	for (unsigned i = 0; i < x->functions; i++, p += 4)
		proto_put16(p, x->function[i]);
	return proto_add_bytes(w, record, (u32)(p - record));
}

static bool get_ranges(const u8 *p, struct port_export *x)
{
	for (unsigned i = 0; i < x->ranges; i++, p += 4) {
		x->range[i].first = proto_get16(p);
		x->range[i].last = proto_get16(p + 2);
		if (x->range[i].first > x->range[i].last)
			return false;
	}
	for (unsigned i = 0; i < x->memories; i++, p += 8) {
		x->memory[i].first = proto_get32(p);
		x->memory[i].last = proto_get32(p + 4);
		if (x->memory[i].first > x->memory[i].last)
			return false;
	}
	for (unsigned i = 0; i < x->functions; i++, p += 4)
		x->function[i] = proto_get16(p);
	return true;
}

u32 export_get(const u8 *p, u32 len, struct port_export *x)
{
	u32 bytes;

	memset(x, 0, sizeof(*x));
	if (len < EXPORT_FIXED || p[19] > EXPORT_RANGES || p[21] > EXPORT_MEMORY ||
	    p[22] > EXPORT_FUNCTIONS)
		return 0;
	bytes = record_bytes(p[19], p[21], p[22]);
	if (len < bytes)
		return 0;
	memcpy(x->name, p, EXPORT_NAME);
	x->irqs = proto_get16(p + 16);
	x->dma = p[18];
	x->ranges = p[19];
	x->held = p[20] != 0;
	x->memories = p[21];
	x->functions = p[22];
	return get_ranges(p + EXPORT_FIXED, x) ? bytes : 0;
}

static bool covers_port(const struct port_range *range, unsigned ranges, u32 port)
{
	for (unsigned i = 0; i < ranges; i++)
		if (port >= range[i].first && port <= range[i].last)
			return true;
	return false;
}

bool ports_cover(const struct port_range *range, unsigned ranges, u32 port, unsigned width)
{
	if (port > 0x10000u - width)
		return false;
	for (unsigned i = 0; i < width; i++)
		if (!covers_port(range, ranges, port + i))
			return false;
	return true;
}

bool export_covers(const struct port_export *x, u32 port, unsigned width)
{
	return ports_cover(x->range, x->ranges, port, width);
}

bool export_covers_memory(const struct port_export *x, u32 addr, u32 bytes)
{
	for (unsigned i = 0; i < x->memories; i++) {
		const struct memory_range *r = &x->memory[i];

		if (addr >= r->first && addr <= r->last && bytes - 1 <= r->last - addr)
			return true;
	}
	return false;
}

bool export_covers_pci(const struct port_export *x, u32 addr, unsigned width)
{
	if (addr > 0xffffff || (addr & 3) + width > 4)
		return false;
	for (unsigned i = 0; i < x->functions; i++)
		if (x->function[i] == addr >> 8)
			return true;
	return false;
}
