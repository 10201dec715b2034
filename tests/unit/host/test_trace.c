/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace on its way from a PC's ring to a pcapng file and back; damaged, cut off, and any bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "devices/bus.h"
#include "host/pcapng.h"
#include "host/trace_decode.h"

#define RECORDS 64u
#define KHZ	2000u /* two ticks are a microsecond */
#define SEEN	256u
#define NOW	1000000000000ull
#define STAMP	7000u

static struct trace_record record[RECORDS];
static u8 data[4 * TRACE_BLOCK_MAX];
static struct trace trace;
static struct bus bus;
static struct trace_stream stream;
static struct trace_decoder decoder;

static struct {
	unsigned count;
	struct trace_event event[SEEN];
	u8 data[SEEN][TRACE_BLOCK_MAX];
} seen;

static void see(void *ctx, const struct trace_event *e)
{
	struct trace_event *copy = &seen.event[seen.count];

	(void)ctx;
	assert_true(seen.count < SEEN);
	*copy = *e;
	assert_true(e->len <= TRACE_BLOCK_MAX);
	if (e->len)
		memcpy(seen.data[seen.count], e->data, e->len);
	copy->data = seen.data[seen.count++];
}

static u64 now(void)
{
	return NOW;
}

static void put(u64 stamp, u32 what, u32 value)
{
	*trace_next(&trace) = (struct trace_record){
		.stamp = stamp, .eip = 0xc0101234, .value = value, .what = what, .cs_count = 0x10};
}

static void put_block(u64 stamp, u32 what, const u8 *bytes, u32 count)
{
	u32 place = trace_keep(&trace, bytes, count * TRACE_WIDTH(what));

	put(stamp, what, place);
	trace.next[-1].cs_count |= count << 16;
}

static int start(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	bus_init(&bus);
	bus_register(&bus, 0x3f8, 0x3ff, ROUTE_VIRTUAL, NULL, NULL, "com1");
	bus_register(&bus, 0x1f0, 0x1f7, ROUTE_REMOTE, NULL, NULL, "a name that is too long");
	trace_init(&trace, record, RECORDS, data, sizeof(data));
	trace_stream_init(&stream, &trace, &bus, KHZ);
	trace_decoder_init(&decoder, see, NULL);
	decoder.real_ns = now;
	return 0;
}

/* Two accesses, a block, an interrupt. */
static void put_some(void)
{
	u8 bytes[600];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 3);
	put(STAMP + 2000, TRACE_WHAT(TRACE_IN, 1, 0x3fd) | 1u << 24, 0x60);
	put(STAMP + 2002, TRACE_WHAT(TRACE_OUT, 4, 0x1f0) | 2u << 24, 0x89abcdef);
	put_block(STAMP + 4000, TRACE_WHAT(TRACE_INS, 2, 0x1f0) | 2u << 24, bytes, 300);
	put(STAMP - 2000, TRACE_WHAT(TRACE_IRQ, 0, 0x2e), 0);
}

static void check_some(const struct trace_event *e)
{
	assert_int_equal(e[0].ns, NOW + 1000000);
	assert_int_equal(e[0].kind, TRACE_IN);
	assert_int_equal(e[0].width, 1);
	assert_int_equal(e[0].route, ROUTE_VIRTUAL);
	assert_int_equal(e[0].port, 0x3fd);
	assert_int_equal(e[0].cs, 0x10);
	assert_int_equal(e[0].eip, 0xc0101234);
	assert_int_equal(e[0].value, 0x60);
	assert_string_equal(e[0].name, "com1");
	assert_int_equal(e[1].ns, NOW + 1001000);
	assert_int_equal(e[1].kind, TRACE_OUT);
	assert_int_equal(e[1].width, 4);
	assert_int_equal(e[1].value, 0x89abcdef);
	assert_int_equal(e[1].route, ROUTE_REMOTE);
	assert_string_equal(e[1].name, "a name that is ");
	assert_int_equal(e[2].kind, TRACE_INS);
	assert_int_equal(e[2].value, 300);
	assert_int_equal(e[2].len, 600);
	for (unsigned i = 0; i < 600; i++)
		assert_int_equal(e[2].data[i], (u8)(i * 3));
	/* Before the greeting's moment. */
	assert_int_equal(e[3].ns, NOW - 1000000);
	assert_int_equal(e[3].kind, TRACE_IRQ);
	assert_int_equal(e[3].port, 0x2e);
	assert_string_equal(e[3].name, "");
}

static void decoded(void **state)
{
	static u8 out[4 * TRACE_ITEM_MAX];
	u32 len;

	(void)state;
	put_some();
	len = trace_stream_fill(&stream, out, sizeof(out), STAMP);
	for (u32 piece = 1; piece < len; piece = piece * 3 + 1) {
		seen.count = 0;
		for (u32 at = 0; at < len; at += piece)
			trace_decode(&decoder, out + at, piece < len - at ? piece : len - at);
		assert_int_equal(seen.count, 4);
		check_some(seen.event);
	}
	assert_int_equal(decoder.damaged, 0);
}

/* One packet's bytes as they are on the line. */
static u32 packet(u8 *line)
{
	static u8 out[2 * TRACE_ITEM_MAX];

	return trace_frame_pack(line, out, trace_stream_fill(&stream, out, sizeof(out), STAMP));
}

static void damaged(void **state)
{
	static u8 line[TRACE_FRAME_SIZE(2 * TRACE_ITEM_MAX)];
	u32 len;

	(void)state;
	/* Opened in the midst of a packet: nobody knows what it was, and nothing is said. */
	trace_decode_line(&decoder, (const u8 *)"\x05gh", 3);
	trace_decode_line(&decoder, (const u8 *)"", 1);
	put_some();
	len = packet(line);
	trace_decode_line(&decoder, line, len);
	assert_int_equal(seen.count, 4);
	check_some(seen.event);
	assert_int_equal(decoder.damaged, 0);
	/* A byte that is another one: the packet is gone, and that is said. */
	put_some();
	len = packet(line);
	line[len / 2] ^= line[len / 2] == 0x40 ? 0x80 : 0x40;
	trace_decode_line(&decoder, line, len);
	assert_int_equal(decoder.damaged, 1);
	assert_int_equal(seen.count, 5);
	assert_int_equal(seen.event[4].kind, TRACE_LOST);
	assert_int_equal(seen.event[4].value, 0);
	/* More bytes than any packet has. */
	for (unsigned i = 0; i < 3 * sizeof(decoder.line); i++)
		trace_decode_line(&decoder, (const u8 *)"x", 1);
	trace_decode_line(&decoder, (const u8 *)"", 1);
	assert_int_equal(decoder.damaged, 2);
	put_some();
	len = packet(line);
	trace_decode_line(&decoder, line, len);
	assert_int_equal(seen.count, 6 + 4);
	check_some(seen.event + 6);
}

static void overwritten(void **state)
{
	static u8 line[TRACE_FRAME_SIZE(2 * TRACE_ITEM_MAX)];

	(void)state;
	for (unsigned i = 0; i < RECORDS + 9; i++)
		put(STAMP, TRACE_WHAT(TRACE_IN, 1, 0x3fd) | 1u << 24, i);
	trace_decode_line(&decoder, line, packet(line));
	assert_int_equal(seen.count, 1 + RECORDS);
	assert_int_equal(seen.event[0].kind, TRACE_LOST);
	assert_int_equal(seen.event[0].value, 9);
	assert_int_equal(decoder.lost, 9);
	assert_int_equal(decoder.records, RECORDS);
	assert_int_equal(seen.event[1].value, 9);
}

/* --- files --- */

static void reader_of(struct pcapng_reader *r, FILE *f)
{
	memset(r, 0, sizeof(*r));
	r->path = "the test's";
	r->tsresol = 6;
	r->f = f;
	rewind(f);
}

static void written_and_read(void **state)
{
	static u8 out[4 * TRACE_ITEM_MAX];
	static struct pcapng_reader r;
	struct trace_event e, cut = {.kind = TRACE_INS, .width = 2, .port = 0x1f0, .value = 256};
	struct trace_event lost = {.ns = NOW + 5, .kind = TRACE_LOST, .value = 12};
	FILE *f = tmpfile();

	(void)state;
	put_some();
	trace_decode(&decoder, out, trace_stream_fill(&stream, out, sizeof(out), STAMP));
	assert_true(pcapng_begin(f, "pc-a", "0x3f8-0x3ff out"));
	for (unsigned i = 0; i < seen.count; i++)
		assert_true(pcapng_put(f, &seen.event[i]));
	assert_true(pcapng_put(f, &cut));
	assert_true(pcapng_put(f, &lost));
	assert_true(pcapng_end(f, NOW, 5, 12));
	reader_of(&r, f);
	seen.count = 0;
	while (pcapng_next(&r, &e) == 1)
		see(NULL, &e);
	assert_int_equal(r.number, 6);
	assert_int_equal(seen.count, 6);
	check_some(seen.event);
	assert_int_equal(seen.event[4].value, 256);
	assert_int_equal(seen.event[4].len, 0);
	assert_int_equal(seen.event[5].kind, TRACE_LOST);
	assert_int_equal(seen.event[5].value, 12);
	pcapng_close(&r);
}

/* A file's bytes with some of them changed, or cut off: an error at most. */
static void any_file(void **state)
{
	static u8 good[4096], bad[4096];
	static struct pcapng_reader r;
	struct trace_event e;
	FILE *f = tmpfile();
	unsigned whole = 0;
	long len;

	(void)state;
	pcapng_begin(f, "pc-a", "");
	for (unsigned i = 0; i < 20; i++) {
		struct trace_event some = {.kind = i % 6, .width = 1, .port = 0x3f8, .data = good};

		some.len = some.kind == TRACE_INS || some.kind == TRACE_OUTS ? 17 : 0;
		some.value = some.len;
		pcapng_put(f, &some);
	}
	pcapng_end(f, NOW, 20, 0);
	len = ftell(f);
	rewind(f);
	assert_int_equal(fread(good, 1, sizeof(good), f), len);
	fclose(f);
	srand(11);
	for (unsigned turn = 0; turn < 20000; turn++) {
		size_t size = turn % 3 ? (size_t)len : (size_t)rand() % (size_t)len;
		int got;

		memcpy(bad, good, sizeof(bad));
		for (unsigned n = (unsigned)rand() % 4; n; n--)
			bad[rand() % len] = turn % 2 ? (u8)rand() : 0xff;
		reader_of(&r, fmemopen(bad, size ? size : 1, "rb"));
		while ((got = pcapng_next(&r, &e)) == 1)
			assert_true(e.len <= TRACE_BLOCK_MAX);
		whole += got == 0;
		fclose(r.f);
	}
	assert_true(whole > 100 && whole < 19900);
}

static void any_bytes(void **state)
{
	static u8 out[8192];

	(void)state;
	srand(3);
	for (unsigned turn = 0; turn < 3000; turn++) {
		u32 len = (u32)rand() % sizeof(out);

		seen.count = 0;
		put_some();
		trace_stream_greet(&stream);
		for (u32 i = 0; i < len; i++)
			out[i] = turn % 2 ? (u8)rand() : (u8)(rand() % 3);
		if (turn % 5 == 0) {
			len = trace_stream_fill(&stream, out, sizeof(out), STAMP);
			out[(u32)rand() % len] ^= (u8)(1 + rand() % 255);
		}
		for (u32 at = 0; at < len && seen.count < SEEN / 2; at += 97)
			trace_decode(&decoder, out + at, len - at < 97 ? len - at : 97);
		seen.count = 0;
		for (u32 at = 0; at < len && seen.count < SEEN / 2; at += 97)
			trace_decode_line(&decoder, out + at, len - at < 97 ? len - at : 97);
	}
	assert_true(decoder.damaged > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(decoded, start),
		cmocka_unit_test_setup(damaged, start),
		cmocka_unit_test_setup(overwritten, start),
		cmocka_unit_test_setup(written_and_read, start),
		cmocka_unit_test_setup(any_file, start),
		cmocka_unit_test_setup(any_bytes, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
