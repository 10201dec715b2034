/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/export.h"

#include "lib/str.h"

void export_put_name(u8 out[EXPORT_NAME], const char *name)
{
	size_t len = strlen(name);

	memset(out, 0, EXPORT_NAME);
	memcpy(out, name, len < EXPORT_NAME ? len : EXPORT_NAME);
}

bool export_put(struct proto_writer *w, const struct port_export *x)
{
	u8 record[EXPORT_FIXED + 4 * EXPORT_RANGES] = {0};

	export_put_name(record, x->name);
	proto_put16(record + 16, x->irqs);
	record[18] = x->dma;
	record[19] = x->ranges;
	record[20] = x->held;
	for (unsigned i = 0; i < x->ranges; i++) {
		proto_put16(record + EXPORT_FIXED + 4 * i, x->range[i].first);
		proto_put16(record + EXPORT_FIXED + 4 * i + 2, x->range[i].last);
	}
	return proto_add_bytes(w, record, EXPORT_FIXED + 4u * x->ranges);
}

u32 export_get(const u8 *p, u32 len, struct port_export *x)
{
	memset(x, 0, sizeof(*x));
	if (len < EXPORT_FIXED || p[19] > EXPORT_RANGES || len < EXPORT_FIXED + 4u * p[19])
		return 0;
	memcpy(x->name, p, EXPORT_NAME);
	x->irqs = proto_get16(p + 16);
	x->dma = p[18];
	x->ranges = p[19];
	x->held = p[20] != 0;
	for (unsigned i = 0; i < x->ranges; i++) {
		x->range[i].first = proto_get16(p + EXPORT_FIXED + 4 * i);
		x->range[i].last = proto_get16(p + EXPORT_FIXED + 4 * i + 2);
		if (x->range[i].first > x->range[i].last)
			return 0;
	}
	return EXPORT_FIXED + 4u * x->ranges;
}

static bool covers_port(const struct port_export *x, u32 port)
{
	for (unsigned i = 0; i < x->ranges; i++)
		if (port >= x->range[i].first && port <= x->range[i].last)
			return true;
	return false;
}

bool export_covers(const struct port_export *x, u32 port, unsigned width)
{
	if (port > 0x10000u - width)
		return false;
	for (unsigned i = 0; i < width; i++)
		if (!covers_port(x, port + i))
			return false;
	return true;
}
