/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be exported. */
#include "lib/str.h"
#include "net-ne2000/server.h"

/* An access by a guest far away to any of these stops or confuses the PC that serves it. */
static const struct port_range vital[] = {
	{0x00, 0x0f},	/* 8237 */
	{0x20, 0x21},	/* 8259A, first */
	{0x40, 0x43},	/* 8254 */
	{0x60, 0x64},	/* keyboard controller (its output port resets the CPU), port 61h */
	{0x70, 0x71},	/* CMOS and the NMI mask */
	{0x80, 0x8f},	/* DMA pages */
	{0x92, 0x92},	/* system control: A20, reset */
	{0xa0, 0xa1},	/* 8259A, second */
	{0xb2, 0xb3},	/* system management */
	{0xc0, 0xdf},	/* 8237, second */
	{0x4d0, 0x4d1}, /* edge and level of the interrupt lines */
	{0xcf8, 0xcff}, /* PCI configuration; CF9h resets */
};

#define VITAL_LINES (BIT(0) | BIT(1) | BIT(2)) /* timer, keyboard, cascade */

static bool overlap(const struct port_range *a, const struct port_range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static bool prohibited(const struct server *s, const struct port_range *r)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vital); i++)
		if (overlap(&vital[i], r))
			return true;
	for (unsigned i = 0; i < s->forbidden_count; i++)
		if (overlap(&s->forbidden[i], r))
			return true;
	return false;
}

static bool taken(const struct port_export *a, const struct port_export *b)
{
	if (!strcmp(a->name, b->name) || a->irqs & b->irqs || a->dma & b->dma)
		return true;
	for (unsigned i = 0; i < a->ranges; i++)
		for (unsigned k = 0; k < b->ranges; k++)
			if (overlap(&a->range[i], &b->range[k]))
				return true;
	return false;
}

enum export_error server_forbid(struct server *s, u16 first, u16 last)
{
	struct port_range r = {first, last};

	if (s->forbidden_count == SERVER_FORBIDDEN)
		return EXPORT_FULL;
	for (unsigned i = 0; i < s->exports; i++)
		for (unsigned k = 0; k < s->export[i].ranges; k++)
			if (overlap(&s->export[i].range[k], &r))
				return EXPORT_TAKEN;
	s->forbidden[s->forbidden_count++] = r;
	return EXPORT_OK;
}

enum export_error server_add(struct server *s, const struct port_export *x)
{
	if (s->exports == SERVER_EXPORTS)
		return EXPORT_FULL;
	if (!x->name[0] || x->ranges == 0 || x->ranges > EXPORT_RANGES)
		return EXPORT_BAD;
	for (unsigned i = 0; i < x->ranges; i++) {
		if (x->range[i].first > x->range[i].last)
			return EXPORT_BAD;
		if (prohibited(s, &x->range[i]))
			return EXPORT_PROHIBITED;
	}
	if (x->irqs & VITAL_LINES)
		return EXPORT_PROHIBITED;
	for (unsigned i = 0; i < s->exports; i++)
		if (taken(&s->export[i], x))
			return EXPORT_TAKEN;
	s->export[s->exports] = *x;
	s->export[s->exports++].held = false;
	return EXPORT_OK;
}
