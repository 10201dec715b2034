/* SPDX-License-Identifier: BSD-2-Clause */
/* Services: both streams are whole whatever the segment does, and any access finds them sane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support.h"

/* A stream of counting bytes in each direction. */
struct counter {
	u32 produced, taken;	/* by the service's device; by the client */
	u32 given, room, wrong; /* what has come in; how much more may */
	u32 begun, ended;
};

struct fixture {
	struct world *w;
	struct services v;
	struct counter a, b;
	struct service_client client[2];
	u32 got[2], wrong, states;
	enum client_state state[2];
};

/* --- the services --- */

static void begin(void *ctx)
{
	((struct counter *)ctx)->begun++;
}

static u32 waiting(void *ctx)
{
	const struct counter *c = ctx;

	return c->produced - c->taken;
}

static void take(void *ctx, u8 *buf, u32 len)
{
	struct counter *c = ctx;

	assert_true(len <= c->produced - c->taken);
	while (len-- > 0)
		*buf++ = (u8)c->taken++;
}

static u32 room(void *ctx)
{
	return ((struct counter *)ctx)->room;
}

static void give(void *ctx, const u8 *buf, u32 len)
{
	struct counter *c = ctx;

	assert_true(len <= c->room);
	c->room -= len;
	while (len-- > 0)
		c->wrong += *buf++ != (u8)c->given++;
}

static u32 state(void *ctx)
{
	return ((struct counter *)ctx)->begun;
}

static void end(void *ctx)
{
	((struct counter *)ctx)->ended++;
}

static const struct service_ops console = {"console", begin, waiting, take, room, give, state, end};
static const struct service_ops screen = {"screen", begin, waiting, take, room, give, state, end};

/* --- the clients --- */

static struct fixture *current;

static unsigned index_of(const void *client)
{
	return client == &current->client[1];
}

static void on_data(void *ctx, const u8 *data, u32 len)
{
	u32 *got = &current->got[index_of(ctx)];

	while (len-- > 0)
		current->wrong += *data++ != (u8)(*got)++;
}

static void on_state(void *ctx, u32 value)
{
	(void)ctx;
	current->states += value != 0;
}

static void on_changed(void *ctx, enum client_state new)
{
	current->state[index_of(ctx)] = new;
}

static const struct service_client_hooks hooks = {on_data, on_state, on_changed};

static struct fixture *start(u64 seed)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct world *w = f->w = world_new(seed);

	current = f;
	services_init(&f->v, &w->server, NULL);
	server_init(&w->server, "pc", &f->v.backend, &f->v);
	server_places(&w->server, w->lease, 2);
	assert_int_equal(services_add(&f->v, &console, &f->a), EXPORT_OK);
	assert_int_equal(services_add(&f->v, &screen, &f->b), EXPORT_OK);
	w->services = &f->v;
	for (unsigned n = 0; n < 2; n++) {
		service_client_init(&f->client[n], &w->station[n + 1].e, &hooks, &f->client[n]);
		w->station[n + 1].service = &f->client[n];
	}
	return f;
}

static void finish(struct fixture *f)
{
	world_free(f->w);
	test_free(f);
}

static void lease(struct fixture *f, unsigned n, const char *name, u64 ns)
{
	u8 mac[6];

	node_mac(mac, 0);
	assert_true(service_lease(&f->client[n], mac, name, f->w->now));
	world_run(f->w, ns);
}

static void produce(struct fixture *f, struct counter *c, u32 bytes)
{
	c->produced += bytes;
	services_poll(&f->v, f->w->now);
}

/* --- tests --- */

static void both_ways(void **data)
{
	struct fixture *f = start(1);
	u8 bytes[100];

	(void)data;
	lease(f, 0, "console", 100 * MS);
	lease(f, 1, "screen", 100 * MS);
	assert_int_equal(f->state[0], CLIENT_LEASED);
	assert_int_equal(f->state[1], CLIENT_LEASED);
	assert_int_equal(f->a.begun, 1);
	produce(f, &f->a, 5000);
	produce(f, &f->b, 3);
	world_run(f->w, 100 * MS);
	assert_int_equal(f->got[0], 5000);
	assert_int_equal(f->got[1], 3);
	assert_int_equal(f->wrong, 0);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)i;
	f->a.room = 30;
	assert_int_equal(service_write(&f->client[0], bytes, sizeof(bytes), f->w->now), 100);
	world_run(f->w, 1000 * MS);
	assert_int_equal(f->a.given, 30);
	assert_int_equal(service_unsent(&f->client[0]), 70);
	f->a.room = 1000;
	world_run(f->w, 1000 * MS);
	assert_int_equal(f->a.given, 100);
	assert_int_equal(f->a.wrong, 0);
	assert_true(service_end(&f->client[0], f->w->now));
	world_run(f->w, 100 * MS);
	assert_int_equal(f->state[0], CLIENT_IDLE);
	assert_true(f->a.ended > 0);
	finish(f);
}

/* A tenth lost, a tenth twice, damage, delays up to 50 ms. */
static void hostile_segment(void **data)
{
	struct fixture *f = start(2);
	u32 sent = 0;

	(void)data;
	world_hostile(f->w);
	lease(f, 0, "console", 5000 * MS);
	assert_int_equal(f->state[0], CLIENT_LEASED);
	for (unsigned turn = 0; turn < 300; turn++) {
		u8 byte = (u8)sent;

		f->a.room += world_random(f->w) % 3;
		sent += service_write(&f->client[0], &byte, 1, f->w->now);
		produce(f, &f->a, world_random(f->w) % 3000);
		world_run(f->w, 20 * MS);
	}
	f->a.room += 1000;
	world_peaceful(f->w);
	world_run(f->w, 5000 * MS);
	assert_int_equal(f->got[0], f->a.produced);
	assert_int_equal(f->a.given, sent);
	assert_int_equal(f->wrong + f->a.wrong, 0);
	assert_int_equal(sent, 300);
	finish(f);
}

static void no_writes(void **data)
{
	struct server_access a = {.read_only = true};
	struct fixture *f = start(3);

	(void)data;
	memcpy(a.shared, world_key, sizeof(a.shared));
	assert_true(server_set_access(&f->w->server, &a));
	lease(f, 0, "console", 100 * MS);
	produce(f, &f->a, 100);
	f->a.room = 10;
	assert_int_equal(service_write(&f->client[0], (const u8 *)"a", 1, f->w->now), 1);
	world_run(f->w, 200 * MS);
	assert_int_equal(f->got[0], 100);
	assert_int_equal(f->a.given, 0);
	assert_true(f->client[0].refused);
	assert_int_equal(service_write(&f->client[0], (const u8 *)"a", 1, f->w->now), 0);
	finish(f);
}

/* An export of another kind under the name of one. */
static void no_service(void **data)
{
	struct world *w = world_new(4);
	struct fixture *f = test_calloc(1, sizeof(*f));

	(void)data;
	current = f;
	f->w = w;
	service_client_init(&f->client[0], &w->station[1].e, &hooks, &f->client[0]);
	w->station[1].service = &f->client[0];
	lease(f, 0, "device", 100 * MS);
	assert_true(f->client[0].foreign);
	assert_int_equal(f->state[0], CLIENT_ASKING);
	finish(f);
}

static void after_a_restart(void **data)
{
	struct fixture *f = start(5);

	(void)data;
	lease(f, 0, "console", 100 * MS);
	produce(f, &f->a, 10);
	world_run(f->w, 100 * MS);
	f->w->services = NULL;
	world_restart_server(f->w);
	world_run(f->w, 5000 * MS);
	assert_int_equal(f->state[0], CLIENT_FAILED);
	assert_int_equal(f->client[0].c.why, CLIENT_RESTARTED);
	assert_int_equal(f->got[0], 10);
	finish(f);
}

/* Any accesses of any width to any of its ports, and lines that are not its own. */
static void any_access(void **data)
{
	struct fixture *f = start(6);
	struct client *c = &f->client[0].c;
	static const u8 zeros[PROTO_OPS_MAX];
	u64 before = 0;

	(void)data;
	lease(f, 0, "console", 100 * MS);
	for (unsigned turn = 0; turn < 20000; turn++) {
		struct world *w = f->w;
		struct proto_writer *writer = client_begin(c);
		struct proto_op op = {.opcode = (u8)(1 + world_random(w) % 20),
				      .width = (u8)(1 << world_random(w) % 3),
				      .count = (u16)(world_random(w) % 300),
				      .addr = SERVICE_FIRST - 4 + world_random(w) % 0x48,
				      .data = zeros};

		if (op.opcode == PROTO_DELAY || op.opcode == PROTO_POLL)
			op.count %= 10;
		op.data_len = proto_data_len(op.opcode, op.width, op.count, false);
		f->a.produced += world_random(w) % 10;
		f->a.room += world_random(w) % 10;
		if (writer && proto_add(writer, &op))
			client_submit(c, 4 /* an answer nobody waits for */, w->now);
		before = c->operations;
		world_run(w, MS);
	}
	assert_true(before > 10000);
	assert_int_equal(c->state, CLIENT_LEASED);
	assert_true(f->w->server.lease[0].operations > 1000);
	assert_true(f->w->server.lease[0].refused > 1000);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),	   cmocka_unit_test(hostile_segment),
		cmocka_unit_test(no_writes),	   cmocka_unit_test(no_service),
		cmocka_unit_test(after_a_restart), cmocka_unit_test(any_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
