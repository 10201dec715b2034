/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/pcapng.h"

#include <stdio.h>
#include <string.h>

#define VERSION 1u /* of the records */

enum { BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6 };
#define BLOCK_SECTION 0x0a0d0d0au
#define BYTE_ORDER    0x1a2b3c4du

enum { OPT_END = 0, OPT_COMMENT = 1 };
enum { SHB_APPLICATION = 4 };
enum { IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9, IF_FILTER = 11 };
enum { ISB_RECEIVED = 4, ISB_DROPPED = 5 };

/* A block being put together: all of ours are small but for the bytes of a record. */
struct block {
	u32 len;
	u8 byte[TRACE_BLOCK_MAX + 512];
};

static void put(struct block *b, const void *bytes, u32 len)
{
	memcpy(b->byte + b->len, bytes, len);
	b->len += len;
	while (b->len % 4)
		b->byte[b->len++] = 0;
}

static void put32(struct block *b, u32 value)
{
	u8 byte[4] = {(u8)value, (u8)(value >> 8), (u8)(value >> 16), (u8)(value >> 24)};

	put(b, byte, 4);
}

static void put_time(struct block *b, u64 ns)
{
	put32(b, (u32)(ns >> 32));
	put32(b, (u32)ns);
}

static void put_option(struct block *b, u32 code, const void *bytes, size_t len)
{
	put32(b, code | (u32)len << 16);
	put(b, bytes, (u32)len);
}

static void put_count(struct block *b, u32 code, u64 count)
{
	u8 byte[8];

	for (unsigned i = 0; i < 8; i++)
		byte[i] = (u8)(count >> (i * 8));
	put_option(b, code, byte, sizeof(byte));
}

static void put_text(struct block *b, u32 code, const char *text)
{
	if (*text)
		put_option(b, code, text, strnlen(text, 256));
}

static void begin(struct block *b, u32 type)
{
	b->len = 0;
	put32(b, type);
	put32(b, 0); /* the length, in front and at the end */
}

static bool end(struct block *b, FILE *f)
{
	u32 total = b->len + 4;

	put32(b, total);
	memcpy(b->byte + 4, b->byte + b->len - 4, 4);
	return fwrite(b->byte, 1, b->len, f) == b->len;
}

bool pcapng_begin(FILE *f, const char *name, const char *filter)
{
	static const u8 nanoseconds = 9;
	struct block b;

	begin(&b, BLOCK_SECTION);
	put32(&b, BYTE_ORDER);
	put32(&b, 1); /* version 1.0 */
	put32(&b, ~0u);
	put32(&b, ~0u); /* the section's length is not known */
	put_text(&b, SHB_APPLICATION, "farbus trace");
	put32(&b, OPT_END);
	if (!end(&b, f))
		return false;
	begin(&b, BLOCK_INTERFACE);
	put32(&b, PCAPNG_LINKTYPE);
	put32(&b, 0); /* no limit of a packet's length */
	put_text(&b, IF_NAME, name);
	put_text(&b, IF_DESCRIPTION, "port accesses of a guest under Farbus");
	put_option(&b, IF_TSRESOL, &nanoseconds, 1);
	if (*filter) {
		char text[200];

		/* A leading 0: the filter is a string. */
		text[0] = 0;
		put_option(&b, IF_FILTER, text,
			   1 + (size_t)snprintf(text + 1, sizeof(text) - 1, "%.190s", filter));
	}
	put32(&b, OPT_END);
	return end(&b, f);
}

static void put_record(u8 r[PCAPNG_RECORD], const struct trace_event *e)
{
	const u32 words[] = {VERSION | (u32)e->kind << 8 | (u32)e->width << 16 |
				     (u32)e->route << 24,
			     e->port | (u32)e->cs << 16, e->eip, e->value};

	for (unsigned i = 0; i < 16; i++)
		r[i] = (u8)(words[i / 4] >> (i % 4 * 8));
	memcpy(r + 16, e->name, 16);
}

static u32 whole_length(const struct trace_event *e)
{
	bool block = e->kind == TRACE_INS || e->kind == TRACE_OUTS;

	return PCAPNG_RECORD + (block ? e->value * e->width : e->len);
}

static void comment(struct block *b, const struct trace_event *e)
{
	char text[80];

	if (e->kind == TRACE_LOST && e->value)
		snprintf(text, sizeof(text), "%u records were overwritten before they were sent",
			 e->value);
	else if (e->kind == TRACE_LOST)
		snprintf(text, sizeof(text), "a damaged packet: records are missing here");
	else if (PCAPNG_RECORD + e->len < whole_length(e))
		snprintf(text, sizeof(text), "the block's bytes were overwritten before");
	else
		return;
	put_text(b, OPT_COMMENT, text);
	put32(b, OPT_END);
}

bool pcapng_put(FILE *f, const struct trace_event *e)
{
	u8 record[PCAPNG_RECORD + TRACE_BLOCK_MAX];
	struct block b;

	put_record(record, e);
	if (e->len)
		memcpy(record + PCAPNG_RECORD, e->data, e->len);
	begin(&b, BLOCK_PACKET);
	put32(&b, 0); /* interface */
	put_time(&b, e->ns);
	put32(&b, PCAPNG_RECORD + e->len);
	put32(&b, whole_length(e));
	put(&b, record, PCAPNG_RECORD + e->len);
	comment(&b, e);
	return end(&b, f);
}

bool pcapng_end(FILE *f, u64 ns, u64 records, u64 lost)
{
	struct block b;

	begin(&b, BLOCK_STATISTICS);
	put32(&b, 0);
	put_time(&b, ns);
	put_count(&b, ISB_RECEIVED, records + lost);
	put_count(&b, ISB_DROPPED, lost);
	put32(&b, OPT_END);
	return end(&b, f);
}
