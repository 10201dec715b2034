/* SPDX-License-Identifier: BSD-2-Clause */
/* Several shared keys at one server, each with limits of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_fuzz.h"

static const struct server_access guest_key = {
	.shared = "a key for whoever visits us", .name = {"other", "device"}, .names = 1};

/* Station 2 has the visitors' key. */
static struct world *two_keys(u64 seed, const struct server_access *a)
{
	struct world *w = world_new(seed);
	struct endpoint *e = &w->station[2].e;
	u8 mac[6];

	node_mac(mac, 2);
	assert_true(server_set_access(&w->server, a));
	endpoint_init(e, false, mac, 9, a->shared, e->hooks, e->ctx);
	return w;
}

static struct offer offered;
static unsigned offers;

static void found(void *ctx, const struct offer *o)
{
	(void)ctx;
	offered = *o;
	offers++;
}

static void ask_around(struct world *w, unsigned node)
{
	struct discovery d = {.found = found};
	struct endpoint *e = &w->station[node].e;
	struct packet p;

	offers = 0;
	w->recorded = 0;
	w->record = true;
	discover(&d, e);
	world_run(w, 100 * MS);
	w->record = false;
	for (u32 i = 0; i < w->recorded; i++)
		if (w->recording[i].to == node &&
		    endpoint_open(e, w->recording[i].bytes, w->recording[i].len, &p))
			discover_receive(&d, e, &p);
	assert_int_equal(offers, 1);
}

static enum client_state lease(struct world *w, unsigned node, const char *name)
{
	struct client *c = &w->station[node].c;
	u8 mac[6];

	node_mac(mac, 0);
	client_lease(c, mac, name, w->now);
	world_run(w, 100 * MS);
	return c->state;
}

static void exports_by_key(void **state)
{
	struct world *w = two_keys(51, &guest_key);
	struct client *visitor = &w->station[2].c;

	(void)state;
	ask_around(w, 1);
	assert_int_equal(offered.exports, 2);
	ask_around(w, 2);
	assert_int_equal(offered.exports, 1);
	assert_string_equal(offered.export[0].name, "other");
	assert_int_equal(lease(w, 2, "device"), CLIENT_FAILED);
	assert_int_equal(visitor->why, CLIENT_NO_SUCH_EXPORT);
	assert_int_equal(lease(w, 2, "other"), CLIENT_LEASED);
	assert_int_equal(lease(w, 1, "device"), CLIENT_LEASED);
	world_run(w, 30000 * MS); /* renewals under either key */
	assert_int_equal(visitor->state, CLIENT_LEASED);
	world_restart_server(w); /* which knows one key again, so the visitor's means nothing */
	assert_true(server_set_access(&w->server, &guest_key));
	world_run(w, 5000 * MS);
	assert_int_equal(visitor->why, CLIENT_RESTARTED); /* NAK under its key */
	assert_int_equal(w->station[1].c.why, CLIENT_RESTARTED);
	world_free(w);
}

/* Whoever has a key and takes the address of a lease's holder does not get the lease. */
static void other_key_same_address(void **state)
{
	struct server_access all = guest_key;
	struct world *w;
	u8 mac[6];

	(void)state;
	all.names = 0;
	w = two_keys(52, &all);
	assert_int_equal(lease(w, 1, "device"), CLIENT_LEASED);
	node_mac(mac, 1);
	w->cut[1] = true;
	memcpy(w->station[2].e.mac, mac, 6);
	w->record = true;
	lease(w, 2, "device");
	/* The answers go to the holder's address: the thief hears them all the same. */
	for (u32 i = 0; i < w->recorded; i++) {
		struct flying *f = &w->recording[i];
		struct packet p;

		if (f->to == 1 && endpoint_open(&w->station[2].e, f->bytes, f->len, &p))
			client_receive(&w->station[2].c, &p, w->now);
		if (f->to == 1)
			world_run(w, MS);
	}
	assert_int_equal(w->station[2].c.state, CLIENT_FAILED);
	assert_int_equal(w->station[2].c.why, CLIENT_HELD);
	w->cut[1] = false;
	world_run(w, 5000 * MS);
	assert_int_equal(w->station[1].c.state, CLIENT_LEASED);
	world_free(w);
}

static void read_only(void **state)
{
	static const struct {
		u8 opcode;
		u32 addr;
		u32 status;
	} cases[] = {
		{PROTO_IN, DEVICE_PORT, PROTO_OK},
		{PROTO_OUT, DEVICE_PORT, PROTO_REFUSED},
		{PROTO_INS, DEVICE_PORT, PROTO_OK},
		{PROTO_OUTS, DEVICE_PORT, PROTO_REFUSED},
		{PROTO_MMIO_READ, DEVICE_MEMORY, PROTO_OK},
		{PROTO_MMIO_WRITE, DEVICE_MEMORY, PROTO_REFUSED},
		{PROTO_PCI_READ, DEVICE_FUNCTION << 8, PROTO_OK},
		{PROTO_PCI_WRITE, DEVICE_FUNCTION << 8, PROTO_REFUSED},
		{PROTO_IRQ_UNMASK, DEVICE_LINE, PROTO_OK},
		{PROTO_RESET, 0, PROTO_REFUSED},
		{PROTO_QUIESCE, 0, PROTO_REFUSED},
	};
	struct server_access looker = guest_key;
	struct station *st;
	struct world *w;

	(void)state;
	looker.names = 2;
	looker.read_only = true;
	w = two_keys(53, &looker);
	st = &w->station[2];
	assert_int_equal(lease(w, 2, "device"), CLIENT_LEASED);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(ask(st, cases[i].opcode, cases[i].addr, 1, 0, i));
		world_run(w, 10 * MS);
		assert_int_equal(st->done, i + 1);
		assert_int_equal(st->last_status, cases[i].status);
	}
	assert_int_equal(w->series, 2);
	assert_int_equal(w->wrong + w->resets + w->quiesced, 0);
	world_free(w);
}

/* Ports, lines and channels of a key: what is not in its lists is refused, and not offered. */
static void lists(void **state)
{
	static const struct {
		u8 opcode;
		u32 addr;
		u32 status;
	} cases[] = {
		{PROTO_IN, DEVICE_PORT, PROTO_OK}, /* 4 bytes, as all here */
		{PROTO_IN, DEVICE_PORT + 1, PROTO_REFUSED},
		{PROTO_IN, OTHER_PORT, PROTO_REFUSED}, /* in the list, but not in the lease */
		{PROTO_OUT, DEVICE_FIRE, PROTO_REFUSED},
		{PROTO_INS, DEVICE_PORT + 4, PROTO_REFUSED},
		{PROTO_POLL, DEVICE_READY, PROTO_REFUSED},
		{PROTO_IRQ_UNMASK, DEVICE_LINE, PROTO_REFUSED},
		{PROTO_IRQ_EOI, DEVICE_LINE, PROTO_REFUSED},
		{PROTO_DMA_STOP, 1, PROTO_REFUSED},
		{PROTO_DMA_STOP, 5, PROTO_OK},
		{PROTO_DMA_STOP, 0x10001, PROTO_REFUSED}, /* an arming's number hides no channel */
	};
	struct server_access little = guest_key;
	struct station *st;
	struct world *w;

	(void)state;
	little.names = 2;
	little.range[0] = (struct port_range){DEVICE_PORT, DEVICE_PORT + 3};
	little.range[1] = (struct port_range){OTHER_PORT, OTHER_PORT + 7};
	little.ranges = 2;
	little.no_irqs = BIT(DEVICE_LINE);
	little.no_dma = BIT(1);
	w = two_keys(56, &little);
	fuzz_channels(w);
	st = &w->station[2];
	ask_around(w, 2);
	assert_int_equal(offered.export[0].irqs, 0);
	assert_int_equal(offered.export[0].dma, BIT(5));
	ask_around(w, 1);
	assert_int_equal(offered.export[0].irqs, BIT(DEVICE_LINE));
	assert_int_equal(lease(w, 2, "device"), CLIENT_LEASED);
	assert_int_equal(st->c.export.irqs, 0);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(ask(st, cases[i].opcode, cases[i].addr, 1, 0, i));
		world_run(w, 10 * MS);
		assert_int_equal(st->done, i + 1);
		assert_int_equal(st->last_status, cases[i].status);
	}
	server_irq(&w->server, DEVICE_LINE, w->now); /* a line that fires is not told of */
	world_run(w, 10 * MS);
	assert_int_equal(st->interrupts, 0);
	assert_int_equal(w->wrong + w->outside + w->fired, 0);
	world_free(w);
}

/* As many leases as there is memory for, as many exports as one OFFER holds. */
static void places(void **state)
{
	static struct server_lease lease[SERVER_EXPORTS];
	struct world *w = world_new(57);
	struct port_export big = {.name = "big", .ranges = 4, .memories = 2, .functions = 2};
	enum export_error error = EXPORT_OK;
	unsigned added = 0;

	(void)state;
	server_places(&w->server, lease, SERVER_EXPORTS);
	while (error == EXPORT_OK) {
		u16 base = (u16)(0x1000 + 0x100 * added);

		big.name[0] = (char)('a' + added++);
		for (u16 i = 0; i < 4; i++)
			big.range[i] = (struct port_range){base + i, base + i};
		for (u32 i = 0; i < 2; i++)
			big.memory[i] =
				(struct memory_range){base * 0x10000u + i, base * 0x10000u + i};
		for (u16 i = 0; i < 2; i++)
			big.function[i] = (u16)(0x1000 + 2 * added + i);
		error = server_add(&w->server, &big);
	}
	assert_int_equal(error, EXPORT_FULL);
	/* 40 bytes and the two exports of the world, 44 and 28; each other one 64. */
	assert_int_equal(added - 1, (1464 - 40 - 44 - 28) / 64);
	ask_around(w, 1);
	assert_int_equal(offered.exports, w->server.exports);
	server_places(&w->server, lease, 2);
	big.ranges = 1;
	big.memories = big.functions = 0;
	assert_int_equal(server_add(&w->server, &big), EXPORT_FULL);
	world_free(w);
}

/* Beyond a tenth of a second at once, a limited key's accesses come at its rate, and nothing else
 * happens to them. */
static void rate(void **state)
{
	struct server_access slow = guest_key;
	struct station *st;
	struct world *w;
	u64 began;

	(void)state;
	slow.names = 2;
	slow.rate = 1000;
	w = two_keys(54, &slow);
	st = &w->station[2];
	assert_int_equal(lease(w, 2, "device"), CLIENT_LEASED);
	began = w->now;
	for (u32 i = 0; i < 100; i++) {
		while (!ask(st, PROTO_INS, DEVICE_PORT, 50, 0, i)) /* 5000 accesses: 5 s */
			world_step(w, w->now + 1000 * MS);
		assert_true(w->series <= (w->now - began) / MS + 150);
	}
	while (st->done < 100)
		world_step(w, w->now + 1000 * MS);
	assert_int_equal(w->series, 5000);
	assert_in_range((u32)((w->now - began) / MS), 4800, 5100);
	assert_int_equal(st->last_status, PROTO_OK);
	assert_int_equal(client_health(&st->c, w->now), LINK_GOOD);
	assert_int_equal(lease(w, 1, "other"), CLIENT_LEASED); /* others are not held up */
	world_free(w);
}

/* Two leases of one key share its rate, and neither waits for ever. */
static void shared_rate(void **state)
{
	struct server_access slow = guest_key;
	struct world *w;
	struct station *a, *b;
	u8 mac[6];

	(void)state;
	slow.names = 2;
	slow.rate = 1000;
	w = two_keys(58, &slow);
	a = &w->station[1];
	b = &w->station[2];
	node_mac(mac, 1);
	endpoint_init(&a->e, false, mac, 9, slow.shared, a->e.hooks, a->e.ctx);
	assert_int_equal(lease(w, 1, "device"), CLIENT_LEASED);
	assert_int_equal(lease(w, 2, "other"), CLIENT_LEASED);
	for (u64 end = w->now + 4000 * MS; w->now < end; world_step(w, end)) {
		while (ask(a, PROTO_IN, DEVICE_PORT, 1, 0, 0))
			;
		while (ask(b, PROTO_IN, OTHER_PORT, 1, 0, 0))
			;
	}
	assert_in_range(a->done + b->done, 3900, 4150);
	assert_in_range(a->done, 1900, 2150);
	world_free(w);
}

static void limits_of_the_list(void **state)
{
	struct world *w = world_new(55);
	struct server_access a = {.rate = 7};

	(void)state;
	memcpy(a.shared, world_key, SESSION_KEY);
	assert_true(server_set_access(&w->server, &a)); /* the server's own */
	assert_int_equal(w->server.keys, 1);
	assert_int_equal(w->server.key[0].access.rate, 7);
	for (unsigned k = 1; k < SERVER_KEYS; k++) {
		a.shared[0] = (u8)k;
		assert_true(server_set_access(&w->server, &a));
	}
	a.shared[0] = SERVER_KEYS;
	assert_false(server_set_access(&w->server, &a));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exports_by_key),     cmocka_unit_test(other_key_same_address),
		cmocka_unit_test(read_only),	      cmocka_unit_test(rate),
		cmocka_unit_test(limits_of_the_list), cmocka_unit_test(lists),
		cmocka_unit_test(shared_rate),	      cmocka_unit_test(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
