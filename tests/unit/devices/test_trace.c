/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace's ring, its filters, what the bus tells it, its stream and its packets on a line. */
#include "devices/trace.h"
#include "devices/trace_frame.h"
#include "devices/trace_stream.h"
#include "tests/unit/devices/support.h"
#include <stdlib.h>
#include <string.h>

#define RECORDS 8u
#define DATA	TRACE_BLOCK_MAX
#define KHZ	1000u

static struct trace_record record[RECORDS];
static u8 data[DATA];
static struct trace trace;
static struct trace_stream stream;
static u8 out[16 * TRACE_ITEM_MAX];

/* As the kernel's, with the number of the record as time stamp. */
static void access(struct bus *b, u32 what, u32 value)
{
	u64 stamp = trace_head(&trace);

	if (trace_wants(&trace, b, what))
		*trace_next(&trace) =
			(struct trace_record){.stamp = stamp,
					      .eip = 0x1000,
					      .value = value,
					      .what = what | (u32)b->route[TRACE_PORT(what)] << 24,
					      .cs_count = 0x10};
}

static void block(struct bus *b, u32 what, const void *buf, u32 count)
{
	u32 place = trace_keep(&trace, buf, count * TRACE_WIDTH(what));

	*trace_next(&trace) =
		(struct trace_record){.value = place,
				      .what = what | (u32)b->route[TRACE_PORT(what)] << 24,
				      .cs_count = 0x10 | count << 16};
}

static const struct bus_trace hooks = {.access = access, .block = block};

static u32 chip_in(void *dev, u16 port, unsigned width)
{
	(void)dev;
	(void)width;
	return port & 0xff;
}

static void chip_out(void *dev, u16 port, unsigned width, u32 value)
{
	(void)dev;
	(void)port;
	(void)width;
	(void)value;
}

static const struct port_ops bytes = {.in = chip_in, .out = chip_out, .widths = 1};

static struct board *traced_board(const char *filter)
{
	struct trace_filter f = {.ranges = 0};
	struct board *b = board_new();

	assert_true(trace_filter_word(&f, filter));
	trace_init(&trace, record, RECORDS, data, DATA);
	trace_set_filter(&trace, &f);
	bus_register(&b->bus, 0x300, 0x307, ROUTE_VIRTUAL, &bytes, b, "chip");
	b->bus.trace = &hooks;
	trace_stream_init(&stream, &trace, &b->bus, KHZ);
	return b;
}

static u32 get32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static void bus_tells(void **state)
{
	struct board *b = traced_board("all");
	u8 buf[6] = {1, 2, 3, 4, 5, 6}, kept[6];

	(void)state;
	assert_int_equal(in8(b, 0x301), 0x01);
	out8(b, 0x302, 0x55);
	assert_int_equal(trace_head(&trace), 2);
	assert_int_equal(record[0].what, TRACE_WHAT(TRACE_IN, 1, 0x301) | 1u << 24);
	assert_int_equal(record[0].value, 0x01);
	assert_int_equal(record[1].what, TRACE_WHAT(TRACE_OUT, 1, 0x302) | 1u << 24);
	assert_int_equal(record[1].value, 0x55);
	/* A word that the chip takes as two bytes is two records. */
	assert_int_equal(in16(b, 0x304), 0x0504);
	assert_int_equal(trace_head(&trace), 4);
	assert_int_equal(TRACE_PORT(record[3].what), 0x305);
	/* A block is one, though the chip takes it element by element. */
	assert_int_equal(bus_outs(&b->bus, 0x300, 2, buf, 3), 3);
	assert_int_equal(trace_head(&trace), 5);
	assert_int_equal(TRACE_KIND(record[4].what), TRACE_OUTS);
	assert_int_equal(TRACE_COUNT(&record[4]), 3);
	assert_true(trace_data(&trace, record[4].value, kept, 6));
	assert_memory_equal(kept, buf, 6);
	b->bus.trace = NULL;
	in8(b, 0x301);
	assert_int_equal(trace_head(&trace), 5);
	board_free(b);
}

static void filters(void **state)
{
	static const char *const bad[] = {"",	    "0x10000", "5-4", "0x3f8-", "0x3f8,",
					  "serial", "1x",      "0x",  "-1",	"0x3f8 "};
	static const char nine[] = "1,2,3,4,5,6,7,8,9";
	struct trace_filter f = {.ranges = 0}, before;
	struct board *b;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(trace_filter_word(&f, bad[i]));
	before = f;
	assert_false(trace_filter_word(&f, nine));
	assert_memory_equal(&f, &before, sizeof(f));
	assert_true(trace_filter_word(&f, "0x300-0x303,773"));
	assert_true(trace_filter_word(&f, "out"));
	assert_true(trace_filter_word(&f, "virtual"));
	b = traced_board("all");
	trace_set_filter(&trace, &f);
	in8(b, 0x300);
	out8(b, 0x304, 1);
	out8(b, 0x80, 1);
	assert_int_equal(trace_head(&trace), 0);
	out8(b, 0x303, 1);
	out8(b, 773, 1);
	assert_int_equal(trace_head(&trace), 2);
	bus_make_absent(&b->bus, 0x303, 0x303);
	out8(b, 0x303, 1);
	assert_int_equal(trace_head(&trace), 2);
	assert_false(trace_wants_event(&trace));
	assert_true(trace_filter_word(&f, "events"));
	trace_set_filter(&trace, &f);
	assert_true(trace_wants_event(&trace));
	/* The same question without the bus. */
	assert_true(trace_filter_wants(&f, TRACE_WHAT(TRACE_OUTS, 2, 0x302), ROUTE_VIRTUAL));
	assert_false(trace_filter_wants(&f, TRACE_WHAT(TRACE_OUTS, 2, 0x302), ROUTE_REMOTE));
	assert_false(trace_filter_wants(&f, TRACE_WHAT(TRACE_INS, 2, 0x302), ROUTE_VIRTUAL));
	board_free(b);
}

/* The greeting and the two handlers' names. */
static u32 skip_greeting(void)
{
	u32 len = trace_stream_fill(&stream, out, sizeof(out), 77);

	assert_true(len >= 3 * TRACE_ITEM);
	assert_int_equal(TRACE_KIND(get32(out + 16)), TRACE_HELLO);
	assert_int_equal(get32(out), 77);
	assert_int_equal(get32(out + 8), KHZ);
	assert_int_equal(get32(out + 12), TRACE_VERSION);
	assert_int_equal(TRACE_KIND(get32(out + 24 + 16)), TRACE_NAME);
	assert_string_equal((char *)out + 24, "absent");
	assert_string_equal((char *)out + 48, "chip");
	assert_int_equal(get32(out + 48 + 16), TRACE_WHAT(TRACE_NAME, 0, ROUTE_VIRTUAL) | 1u << 24);
	return len - 3 * TRACE_ITEM;
}

static void overwritten(void **state)
{
	struct board *b = traced_board("all");
	const u8 *item = out + 3 * TRACE_ITEM;

	(void)state;
	for (unsigned i = 0; i < 3 * RECORDS + 3; i++)
		out8(b, 0x300, (u8)i);
	/* Each of what is left, behind how many are not. */
	assert_int_equal(skip_greeting(), (1 + RECORDS) * TRACE_ITEM);
	assert_int_equal(TRACE_KIND(get32(item + 16)), TRACE_LOST);
	assert_int_equal(get32(item + 12), 2 * RECORDS + 3);
	for (unsigned i = 0; i < RECORDS; i++) {
		item += TRACE_ITEM;
		assert_int_equal(get32(item), 2 * RECORDS + 3 + i);
		assert_int_equal(get32(item + 12), 2 * RECORDS + 3 + i);
	}
	assert_int_equal(stream.lost, 2 * RECORDS + 3);
	assert_false(trace_stream_pending(&stream));
	assert_int_equal(trace_stream_fill(&stream, out, sizeof(out), 0), 0);
	/* As many as there is room for are not lost. */
	for (unsigned i = 0; i < RECORDS; i++)
		out8(b, 0x300, (u8)i);
	assert_int_equal(trace_stream_fill(&stream, out, sizeof(out), 0), RECORDS * TRACE_ITEM);
	assert_int_equal(stream.lost, 2 * RECORDS + 3);
	/* And all that is kept comes once more for who wants it. */
	trace_stream_rewind(&stream);
	assert_int_equal(trace_stream_fill(&stream, out, sizeof(out), 0), RECORDS * TRACE_ITEM);
	assert_int_equal(stream.lost, 2 * RECORDS + 3);
	board_free(b);
}

static void blocks_in_stream(void **state)
{
	struct board *b = traced_board("all");
	static u8 buf[TRACE_BLOCK_MAX];
	const u8 *item = out + 3 * TRACE_ITEM;

	(void)state;
	for (unsigned i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)(i * 7);
	bus_outs(&b->bus, 0x300, 1, buf, 5);
	bus_outs(&b->bus, 0x300, 1, buf + 100, TRACE_BLOCK_MAX);
	/* The second has taken the place of the first's bytes. */
	assert_int_equal(skip_greeting(), 2 * TRACE_ITEM + TRACE_BLOCK_MAX);
	assert_int_equal(get32(item + 16) & 0xffffff, TRACE_WHAT(TRACE_OUTS, 1, 0x300) | TRACE_CUT);
	assert_int_equal(get32(item + 12), 5);
	item += TRACE_ITEM;
	assert_int_equal(get32(item + 16) & 0xffffff, TRACE_WHAT(TRACE_OUTS, 1, 0x300));
	assert_int_equal(get32(item + 12), TRACE_BLOCK_MAX);
	assert_int_equal(get32(item + 20), 0x10 | TRACE_BLOCK_MAX << 16);
	assert_memory_equal(item + TRACE_ITEM, buf + 100, TRACE_BLOCK_MAX - 100);
	/* Whole items only. */
	bus_outs(&b->bus, 0x300, 1, buf, 5);
	assert_int_equal(trace_stream_fill(&stream, out, TRACE_ITEM_MAX - 1, 0), 0);
	assert_int_equal(trace_stream_fill(&stream, out, TRACE_ITEM_MAX, 0), TRACE_ITEM + 5);
	board_free(b);
}

static void frames(void **state)
{
	static u8 packet[3000], line[TRACE_FRAME_SIZE(sizeof(packet))];

	(void)state;
	srand(5);
	for (u32 len = 0; len < sizeof(packet); len += len < 800 ? 1 : 97) {
		u32 packed, hurt;

		/* Long runs without a zero, and many zeros. */
		for (u32 i = 0; i < len; i++)
			packet[i] = len % 3 ? (u8)(rand() % 255 + 1) : (u8)(rand() % 3);
		packed = trace_frame_pack(line, packet, len);
		assert_true(packed <= TRACE_FRAME_SIZE(len));
		assert_ptr_equal(memchr(line, 0, packed), line + packed - 1);
		hurt = (u32)rand() % (packed - 1);
		assert_int_equal(trace_frame_unpack(line, packed - 1), len);
		assert_memory_equal(line, packet, len);
		packed = trace_frame_pack(line, packet, len);
		line[hurt] = line[hurt] == 1 ? 2 : 1;
		assert_int_equal(trace_frame_unpack(line, packed - 1), -1);
		packed = trace_frame_pack(line, packet, len);
		assert_int_equal(trace_frame_unpack(line, packed / 2), -1);
	}
	assert_int_equal(trace_frame_unpack(line, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bus_tells),   cmocka_unit_test(filters),
		cmocka_unit_test(overwritten), cmocka_unit_test(blocks_in_stream),
		cmocka_unit_test(frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
