/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and PCI configuration space of an export: what is reached, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support.h"

static struct proto_op answer;
static u8 answer_data[64];

static void note_answer(struct station *st, u32 cookie, enum client_outcome outcome,
			const struct proto_header *h, const u8 *body)
{
	u32 at = 0;

	(void)st;
	(void)cookie;
	assert_int_equal(outcome, CLIENT_DONE);
	assert_int_equal(proto_next(body, h, true, &at, &answer), 1);
	assert_true(answer.data_len <= sizeof(answer_data));
	memcpy(answer_data, answer.data, answer.data_len);
}

static struct world *leased(void)
{
	struct world *w = world_new(41);

	assert_true(world_lease(w, 1, 1000 * MS));
	w->station[1].on_done = note_answer;
	return w;
}

/* One operation; its status. */
static unsigned carry_out(struct world *w, u8 opcode, u8 width, u16 count, u32 addr, const u8 *data)
{
	struct station *st = &w->station[1];
	struct proto_writer *pw = client_begin(&st->c);
	struct proto_op op = {.opcode = opcode,
			      .width = width,
			      .count = count,
			      .addr = addr,
			      .data = data,
			      .data_len = proto_data_len(opcode, width, count, false)};
	u32 done = st->done;

	assert_non_null(proto_add(pw, &op));
	assert_true(client_submit(&st->c, 0, w->now));
	world_run(w, MS);
	assert_int_equal(st->done, done + 1);
	assert_int_equal(answer.opcode, opcode);
	return answer.note;
}

static void memory(void **state)
{
	static const u8 bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	struct world *w = leased();
	u32 end = DEVICE_MEMORY + 0x100;

	(void)state;
	assert_int_equal(carry_out(w, PROTO_MMIO_WRITE, 2, 8, DEVICE_MEMORY + 32, bytes), PROTO_OK);
	assert_memory_equal(w->memory + 32, bytes, 16);
	assert_int_equal(carry_out(w, PROTO_MMIO_READ, 4, 3, DEVICE_MEMORY + 36, NULL), PROTO_OK);
	assert_int_equal(answer.data_len, 12);
	assert_memory_equal(answer_data, bytes + 4, 12);
	assert_int_equal(carry_out(w, PROTO_MMIO_WRITE, 4, 4, end - 16, bytes), PROTO_OK);
	/* One byte beyond, one before, around the whole range, around all addresses, nothing */
	assert_int_equal(carry_out(w, PROTO_MMIO_READ, 1, 17, end - 16, NULL), PROTO_REFUSED);
	assert_int_equal(answer.data_len, 0);
	assert_int_equal(carry_out(w, PROTO_MMIO_READ, 2, 1, end - 1, NULL), PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_MMIO_WRITE, 1, 1, DEVICE_MEMORY - 1, bytes),
			 PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_MMIO_READ, 4, 128, DEVICE_MEMORY - 4, NULL),
			 PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_MMIO_READ, 4, 4, 0xfffffff8, NULL), PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_MMIO_READ, 4, 0, DEVICE_MEMORY, NULL), PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_MMIO_READ, 1, 1, 0, NULL), PROTO_REFUSED);
	assert_int_equal(w->outside, 0);
	world_free(w);
}

static u32 config(u32 offset)
{
	return (u32)DEVICE_FUNCTION << 8 | offset;
}

static void configuration(void **state)
{
	static const u8 ones[4] = {0xff, 0xff, 0xff, 0xff};
	static const u8 id[4] = {0xec, 0x10, 0x29, 0x80};
	struct world *w = leased();

	(void)state;
	memcpy(w->pci, id, 4);
	assert_int_equal(carry_out(w, PROTO_PCI_READ, 4, 1, config(0), NULL), PROTO_OK);
	assert_memory_equal(answer_data, id, 4);
	assert_int_equal(carry_out(w, PROTO_PCI_READ, 1, 1, config(2), NULL), PROTO_OK);
	assert_int_equal(answer_data[0], 0x29);
	assert_int_equal(carry_out(w, PROTO_PCI_WRITE, 1, 1, config(0x3c), ones), PROTO_OK);
	assert_int_equal(w->pci[0x3c], 0xff);
	assert_int_equal(w->pci[0x3d], 0);
	for (u8 width = 1; width <= 4; width = (u8)(width * 2)) { /* never a bus master */
		w->pci[4] = 0;
		assert_int_equal(carry_out(w, PROTO_PCI_WRITE, width, 1, config(4), ones),
				 PROTO_OK);
		assert_int_equal(w->pci[4], 0xfb);
	}
	assert_int_equal(carry_out(w, PROTO_PCI_WRITE, 1, 1, config(5), ones), PROTO_OK);
	assert_int_equal(w->pci[5], 0xff);
	for (u32 offset = 0x10; offset < 0x28; offset++) /* its ranges stay where they are */
		assert_int_equal(carry_out(w, PROTO_PCI_WRITE, 1, 1, config(offset), ones),
				 PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_PCI_WRITE, 4, 1, config(0x30), ones), PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_PCI_WRITE, 4, 1, config(0x28), ones), PROTO_OK);
	assert_int_equal(carry_out(w, PROTO_PCI_READ, 4, 1, config(0x10), NULL), PROTO_OK);
	/* Across a dword, another function, another bus, beyond all buses */
	assert_int_equal(carry_out(w, PROTO_PCI_WRITE, 2, 1, config(3), ones), PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_PCI_READ, 4, 1, config(0x100), NULL), PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_PCI_READ, 4, 1, config(0) | 1 << 16, NULL),
			 PROTO_REFUSED);
	assert_int_equal(carry_out(w, PROTO_PCI_READ, 4, 1, config(0) | 1u << 31, NULL),
			 PROTO_REFUSED);
	assert_int_equal(w->outside, 0);
	world_free(w);
}

static void forbidden(void **state)
{
	static const struct memory_range vital[] = {{0x9fc00, 0xa0fff},
						    {0xfee00000, 0xfee00fff},
						    {0xfffffffe, 0xffffffff},
						    {0xd8000, 0x100000}};
	struct world *w = world_new(42);
	struct server_backend ports_only = world_device;
	struct port_export x = {.name = "card", .memory = {{0xc8000, 0xcbfff}}, .memories = 1};
	struct port_export bad = x;

	(void)state;
	assert_int_equal(server_forbid_memory(&w->server, 0x100000, 0x7ffffff), EXPORT_OK);
	assert_int_equal(server_forbid_memory(&w->server, DEVICE_MEMORY + 1, DEVICE_MEMORY + 1),
			 EXPORT_TAKEN);
	for (unsigned i = 0; i < ARRAY_SIZE(vital); i++) {
		bad.memory[0] = vital[i];
		assert_int_equal(server_add(&w->server, &bad), EXPORT_PROHIBITED);
	}
	bad.memory[0] = (struct memory_range){0xcffff, DEVICE_MEMORY};
	assert_int_equal(server_add(&w->server, &bad), EXPORT_TAKEN);
	bad.memory[0] = (struct memory_range){0xcbfff, 0xc8000};
	assert_int_equal(server_add(&w->server, &bad), EXPORT_BAD);
	bad = (struct port_export){.name = "f", .function = {DEVICE_FUNCTION}, .functions = 1};
	assert_int_equal(server_add(&w->server, &bad), EXPORT_TAKEN);
	bad.function[0] = BRIDGE_FUNCTION;
	assert_int_equal(server_add(&w->server, &bad), EXPORT_PROHIBITED);
	bad.function[0] = ISA_BRIDGE_FUNCTION;
	assert_int_equal(server_add(&w->server, &bad), EXPORT_PROHIBITED);
	bad.functions = 0;
	assert_int_equal(server_add(&w->server, &bad), EXPORT_BAD);
	assert_int_equal(server_add(&w->server, &x), EXPORT_OK);
	ports_only.mem_read = NULL;
	ports_only.pci_write = NULL;
	w->server.backend = &ports_only;
	x = (struct port_export){.name = "y", .memory = {{0xcc000, 0xccfff}}, .memories = 1};
	assert_int_equal(server_add(&w->server, &x), EXPORT_PROHIBITED);
	x = (struct port_export){.name = "z", .function = {0x30}, .functions = 1};
	assert_int_equal(server_add(&w->server, &x), EXPORT_PROHIBITED);
	world_free(w);
}

static void record(void **state)
{
	static struct port_export x = {.name = "all of it",
				       .range = {{1, 2}, {3, 4}, {5, 6}, {0xffff, 0xffff}},
				       .ranges = 4,
				       .memory = {{0xd0000, 0xd3fff}, {0xfebf0000, 0xfebfffff}},
				       .memories = 2,
				       .function = {0x28, 0x1ff},
				       .functions = 2,
				       .dma = 0x22,
				       .irqs = 0x8010,
				       .held = true};
	struct port_export back;
	u8 buf[PROTO_HEADER + 128];
	struct proto_writer pw;

	(void)state;
	proto_begin(&pw, buf, 128);
	assert_true(export_put(&pw, &x));
	assert_int_equal(pw.len, 24 + 16 + 16 + 8);
	assert_int_equal(export_get(buf + PROTO_HEADER, pw.len, &back), pw.len);
	assert_memory_equal(&back, &x, sizeof(x));
	for (u32 len = 0; len < pw.len; len++)
		assert_int_equal(export_get(buf + PROTO_HEADER, len, &back), 0);
	for (unsigned at = 19; at <= 22; at += at == 19 ? 2 : 1) { /* more than there may be */
		u8 was = buf[PROTO_HEADER + at];

		buf[PROTO_HEADER + at] = 5;
		assert_int_equal(export_get(buf + PROTO_HEADER, pw.len, &back), 0);
		buf[PROTO_HEADER + at] = was;
	}
	buf[PROTO_HEADER + 40] = 0xff; /* the first memory range now ends before it begins */
	buf[PROTO_HEADER + 42] = 0xff;
	assert_int_equal(export_get(buf + PROTO_HEADER, pw.len, &back), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory),
		cmocka_unit_test(configuration),
		cmocka_unit_test(forbidden),
		cmocka_unit_test(record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
