/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads what host/pcapng.c writes, also when another program has cut or sorted it. */
#include <errno.h>
#include <string.h>

#include "host/pcapng.h"
#include "lib/log.h"

enum { BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPT_END = 0, IF_TSRESOL = 9 };
#define BLOCK_SECTION 0x0a0d0d0au
#define BYTE_ORDER    0x1a2b3c4du
#define BLOCK_MAX     (1u << 24)
#define NANOSECONDS   9u

static u32 get16(const u8 *p)
{
	return p[0] | (u32)p[1] << 8;
}

static u32 get32(const u8 *p)
{
	return get16(p) | get16(p + 2) << 16;
}

static int fail(const struct pcapng_reader *r, const char *expected)
{
	log_error("%s: block %llu: expected %s", r->path, (unsigned long long)r->block, expected);
	return -1;
}

bool pcapng_open(struct pcapng_reader *r, const char *path)
{
	memset(r, 0, sizeof(*r));
	r->path = path;
	r->tsresol = 6;
	r->f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!r->f)
		log_error("%s: %s", path, strerror(errno));
	return r->f != NULL;
}

void pcapng_close(struct pcapng_reader *r)
{
	if (r->f && r->f != stdin)
		fclose(r->f);
	r->f = NULL;
}

static bool read_all(struct pcapng_reader *r, void *to, u32 len)
{
	return fread(to, 1, len, r->f) == len;
}

/* The body of a block into data[], as much as there is room for; its end is skipped. */
static bool read_body(struct pcapng_reader *r, u32 len)
{
	u32 kept = len < sizeof(r->data) ? len : (u32)sizeof(r->data);
	u8 rest[256];

	memset(r->data, 0, sizeof(r->data));
	if (!read_all(r, r->data, kept))
		return false;
	for (len = len - kept + 4; len;) {
		u32 part = len < sizeof(rest) ? len : (u32)sizeof(rest);

		if (!read_all(r, rest, part))
			return false;
		len -= part;
	}
	return true;
}

static int take_interface(struct pcapng_reader *r, u32 len)
{
	u32 at = 8;

	if (r->linktype)
		return fail(r, "one interface only");
	r->linktype = get16(r->data);
	if (r->linktype != PCAPNG_LINKTYPE)
		return fail(r, "a trace that 'farbus trace -w' wrote (link type USER0, 147)");
	while (at + 4 <= len && at + 4 < sizeof(r->data) && get16(r->data + at) != OPT_END) {
		if (get16(r->data + at) == IF_TSRESOL)
			r->tsresol = r->data[at + 4];
		at += 4 + (get16(r->data + at + 2) + 3) / 4 * 4;
	}
	return r->tsresol == NANOSECONDS ? 1 : fail(r, "time stamps in nanoseconds");
}

static int take_packet(struct pcapng_reader *r, struct trace_event *e, u32 len)
{
	const u8 *p = r->data + 20;
	u32 kept = get32(r->data + 12);
	bool block;

	r->number++;
	if (!r->linktype)
		return fail(r, "an interface before its packets");
	if (len < 20 || kept < PCAPNG_RECORD || kept > len - 20 ||
	    kept > PCAPNG_RECORD + TRACE_BLOCK_MAX || p[0] != 1)
		return fail(r, "a record of the trace's version 1");
	memset(e, 0, sizeof(*e));
	e->ns = (u64)get32(r->data + 4) << 32 | get32(r->data + 8);
	e->kind = p[1];
	e->width = p[2];
	e->route = p[3];
	e->port = (u16)get16(p + 4);
	e->cs = (u16)get16(p + 6);
	e->eip = get32(p + 8);
	e->value = get32(p + 12);
	memcpy(e->name, p + 16, TRACE_NAME_MAX);
	e->data = p + PCAPNG_RECORD;
	e->len = kept - PCAPNG_RECORD;
	block = e->kind == TRACE_INS || e->kind == TRACE_OUTS;
	if (e->kind >= TRACE_KINDS && e->kind != TRACE_LOST)
		return fail(r, "a kind of record that there is");
	if (block && ((u64)e->value * e->width > TRACE_BLOCK_MAX || e->len > e->value * e->width))
		return fail(r, "a block of at most 4096 bytes");
	if (e->kind < TRACE_IRQ && e->width != 1 && e->width != 2 && e->width != 4)
		return fail(r, "a width of 1, 2 or 4");
	return 1;
}

static int take_section(struct pcapng_reader *r)
{
	r->linktype = 0;
	if (get32(r->data) != BYTE_ORDER)
		return fail(r, "a pcapng file, little-endian");
	return 1;
}

/* The next block's type into *type, its body into data[], the body's length into *len. */
static int next_block(struct pcapng_reader *r, u32 *type, u32 *len)
{
	u8 head[8];
	size_t got = fread(head, 1, sizeof(head), r->f);

	if (!got && !ferror(r->f))
		return r->block ? 0 : fail(r, "a pcapng file, not an empty one");
	r->block++;
	*type = get32(head);
	*len = get32(head + 4);
	if (r->block == 1 && (got < sizeof(head) || *type != BLOCK_SECTION))
		return fail(r, "a pcapng file");
	if (got < sizeof(head) || *len < 12 || *len % 4 || *len > BLOCK_MAX)
		return fail(r, "a whole block");
	*len -= 12;
	return read_body(r, *len) ? 1 : fail(r, "a whole block");
}

int pcapng_next(struct pcapng_reader *r, struct trace_event *e)
{
	u32 type, len;
	int got;

	while ((got = next_block(r, &type, &len)) > 0) {
		if (type == BLOCK_PACKET)
			return take_packet(r, e, len);
		if (type == BLOCK_SECTION)
			got = take_section(r);
		else if (type == BLOCK_INTERFACE)
			got = take_interface(r, len);
		if (got < 0)
			break;
	}
	return got;
}
