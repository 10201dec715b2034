/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be exported. */
#include "lib/str.h"
#include "net-ne2000/greet.h"
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

static const struct memory_range vital_memory[] = {
	{0x00000000, 0x0009ffff}, /* RAM */
	{0xfec00000, 0xfeefffff}, /* I/O and local APICs */
	{0xfff00000, 0xffffffff}, /* firmware, which may be flash */
};

#define PCI_CLASS	 0x0b
#define PCI_CLASS_BRIDGE 0x06
#define PCI_HEADER_TYPE	 0x0e /* bits 0 to 6: 0 for a device, 1 and 2 for bridges to a bus */

#define VITAL_LINES    (BIT(0) | BIT(1) | BIT(2)) /* timer, keyboard, cascade */
#define VITAL_CHANNELS BIT(4)			  /* the cascade */

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

static bool memory_overlap(const struct memory_range *a, const struct memory_range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static bool memory_prohibited(const struct server *s, const struct memory_range *r)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vital_memory); i++)
		if (memory_overlap(&vital_memory[i], r))
			return true;
	for (unsigned i = 0; i < s->forbidden_memories; i++)
		if (memory_overlap(&s->forbidden_memory[i], r))
			return true;
	return !s->backend->mem_read || !s->backend->mem_write;
}

static bool function_prohibited(const struct server *s, u16 function)
{
	const struct server_backend *b = s->backend;

	u32 at = (u32)function << 8;

	if (!b->pci_read || !b->pci_write)
		return true;
	return (b->pci_read(s->ctx, at | PCI_HEADER_TYPE, 1) & 0x7f) != 0 ||
	       b->pci_read(s->ctx, at | PCI_CLASS, 1) == PCI_CLASS_BRIDGE;
}

static bool memory_taken(const struct port_export *a, const struct port_export *b)
{
	for (unsigned i = 0; i < a->memories; i++)
		for (unsigned k = 0; k < b->memories; k++)
			if (memory_overlap(&a->memory[i], &b->memory[k]))
				return true;
	for (unsigned i = 0; i < a->functions; i++)
		for (unsigned k = 0; k < b->functions; k++)
			if (a->function[i] == b->function[k])
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
	return memory_taken(a, b);
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

enum export_error server_forbid_memory(struct server *s, u32 first, u32 last)
{
	struct memory_range r = {first, last};

	if (s->forbidden_memories == SERVER_FORBIDDEN)
		return EXPORT_FULL;
	for (unsigned i = 0; i < s->exports; i++)
		for (unsigned k = 0; k < s->export[i].memories; k++)
			if (memory_overlap(&s->export[i].memory[k], &r))
				return EXPORT_TAKEN;
	s->forbidden_memory[s->forbidden_memories++] = r;
	return EXPORT_OK;
}

static bool makes_sense(const struct port_export *x)
{
	if (!x->name[0] || x->ranges + x->memories + x->functions == 0 ||
	    x->ranges > EXPORT_RANGES || x->memories > EXPORT_MEMORY ||
	    x->functions > EXPORT_FUNCTIONS)
		return false;
	for (unsigned i = 0; i < x->ranges; i++)
		if (x->range[i].first > x->range[i].last)
			return false;
	for (unsigned i = 0; i < x->memories; i++)
		if (x->memory[i].first > x->memory[i].last)
			return false;
	return true;
}

static bool any_prohibited(const struct server *s, const struct port_export *x)
{
	for (unsigned i = 0; i < x->ranges; i++)
		if (prohibited(s, &x->range[i]))
			return true;
	for (unsigned i = 0; i < x->memories; i++)
		if (memory_prohibited(s, &x->memory[i]))
			return true;
	for (unsigned i = 0; i < x->functions; i++)
		if (function_prohibited(s, x->function[i]))
			return true;
	return x->irqs & SERVER_VITAL_LINES || x->dma & VITAL_CHANNELS ||
	       (x->dma && !s->backend->dma_arm);
}

void server_remove(struct server *s, unsigned i)
{
	if (i >= s->exports)
		return;
	server_revoke(s, i);
	memset(&s->export[i], 0, sizeof(s->export[i]));
}

/* That of an export that was taken back, or one behind the last. */
static unsigned free_place(const struct server *s)
{
	unsigned i = 0;

	while (i < s->exports && s->export[i].name[0])
		i++;
	return i;
}

/* All records go into one OFFER. */
static bool offer_fits(const struct server *s, const struct port_export *x)
{
	u32 bytes = OFFER_FIXED + export_bytes(x);

	for (unsigned i = 0; i < s->exports; i++)
		if (s->export[i].name[0])
			bytes += export_bytes(&s->export[i]);
	return bytes <= PROTO_OPS_MAX;
}

enum export_error server_add(struct server *s, const struct port_export *x)
{
	unsigned place = free_place(s);

	if (!makes_sense(x))
		return EXPORT_BAD;
	if (any_prohibited(s, x))
		return EXPORT_PROHIBITED;
	if (place == s->places || !offer_fits(s, x))
		return EXPORT_FULL;
	for (unsigned i = 0; i < s->exports; i++)
		if (taken(&s->export[i], x))
			return EXPORT_TAKEN;
	s->export[place] = *x;
	s->export[place].held = false;
	if (place == s->exports)
		s->exports++;
	return EXPORT_OK;
}
