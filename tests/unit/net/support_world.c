/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_sound.h"

const u8 world_key[SESSION_KEY] = "a key that both sides have read";

u32 world_random(struct world *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (u32)(w->random >> 16);
}

void node_mac(u8 mac[6], unsigned node)
{
	static const u8 base[6] = {0x52, 0x54, 0, 0, 0, 1};

	memcpy(mac, base, 6);
	mac[5] = (u8)(mac[5] + node);
}

/* --- the segment --- */

static void launch(struct world *w, unsigned to, const u8 *frame, u32 len, u64 at)
{
	for (unsigned i = 0; i < FLYING; i++) {
		struct flying *f = &w->flying[i];

		if (f->used)
			continue;
		*f = (struct flying){.used = true, .at = at, .to = to, .len = len};
		memcpy(f->bytes, frame, len);
		if (w->damage && world_random(w) % 1000 < w->damage)
			f->bytes[world_random(w) % len] ^= (u8)(1 << world_random(w) % 8);
		return;
	}
	w->overflow++;
}

static void note(struct world *w, unsigned to, const u8 *frame, u32 len)
{
	struct flying *f;

	if (!w->record || w->recorded == RECORDED)
		return;
	f = &w->recording[w->recorded++];
	f->to = to;
	f->len = len;
	memcpy(f->bytes, frame, len);
}

static void carry(struct world *w, unsigned from, unsigned to, const u8 *frame, u32 len)
{
	note(w, to, frame, len);
	if (w->cut[from] || w->cut[to])
		return;
	for (unsigned copies = 1 + (world_random(w) % 1000 < w->twice); copies > 0; copies--) {
		u64 late = w->delay ? world_random(w) % w->delay : 0;

		if (world_random(w) % 1000 >= w->loss)
			launch(w, to, frame, len, w->now + 50000 + late);
	}
}

void world_inject(struct world *w, unsigned node, const u8 *frame, u32 len)
{
	launch(w, node, frame, len, w->now);
}

static bool transmit(struct world *w, unsigned from, const u8 *frame, u32 len)
{
	for (unsigned to = 0; to < NODES; to++) {
		u8 mac[6];

		node_mac(mac, to);
		if (to != from && (frame[0] & 1 || !memcmp(mac, frame, 6)))
			carry(w, from, to, frame, len);
	}
	return true;
}

static bool server_send(void *ctx, const u8 *frame, u32 len)
{
	struct world *w = ctx;
	struct frame_view view;

	if (w->mute && frame_parse(frame, len, &view) && view.payload[3] == PROTO_REP)
		return true;
	return transmit(w, 0, frame, len);
}

static bool client_send(void *ctx, const u8 *frame, u32 len)
{
	struct station *st = ctx;

	return transmit(st->w, st->node, frame, len);
}

static void fill(struct world *w, u8 *buf, u32 len)
{
	while (len-- > 0)
		*buf++ = (u8)world_random(w);
}

static void server_random(void *ctx, u8 *buf, u32 len)
{
	fill(ctx, buf, len);
}

static void client_random(void *ctx, u8 *buf, u32 len)
{
	fill(((struct station *)ctx)->w, buf, len);
}

static const struct endpoint_hooks server_hooks = {server_send, server_random};
static const struct endpoint_hooks client_endpoint = {client_send, client_random};

/* --- the ends --- */

static void start_server(struct world *w)
{
	static const struct port_export exports[] = {
		{.name = "device",
		 .range = {{DEVICE_PORT, 0x307}, {0x308, DEVICE_LAST}},
		 .ranges = 2,
		 .memory = {{DEVICE_MEMORY, DEVICE_MEMORY + 0xff}},
		 .memories = 1,
		 .function = {DEVICE_FUNCTION},
		 .functions = 1,
		 .irqs = BIT(DEVICE_LINE)},
		{.name = "other",
		 .range = {{OTHER_PORT, OTHER_PORT + 7}},
		 .ranges = 1,
		 .irqs = BIT(4)},
	};
	u8 mac[6];

	node_mac(mac, 0);
	w->masked = true;
	endpoint_init(&w->server.e, true, mac, ++w->epoch, world_key, &server_hooks, w);
	server_init(&w->server, "peer", &world_device, w);
	server_places(&w->server, w->lease, WORLD_EXPORTS);
	for (unsigned i = 0; i < ARRAY_SIZE(exports); i++)
		if (server_add(&w->server, &exports[i]) != EXPORT_OK)
			abort();
}

void world_restart_server(struct world *w)
{
	start_server(w);
	w->dirty = false;
}

static void on_done(void *ctx, u32 cookie, enum client_outcome outcome,
		    const struct proto_header *h, const u8 *body)
{
	struct station *st = ctx;
	struct proto_op op;
	u32 at = 0;

	if (st->player && cookie & REMOTE_DMA_COOKIE) {
		remote_dma_done(&st->player->remote, cookie, outcome, h, body, st->w->now);
		return;
	}
	st->last_cookie = cookie;
	if (outcome == CLIENT_UNKNOWN) {
		st->unknown++;
	} else {
		st->done++;
		while (proto_next(body, h, true, &at, &op) == 1)
			st->last_status = op.note;
	}
	if (st->on_done)
		st->on_done(st, cookie, outcome, h, body);
}

static void on_irq(void *ctx, unsigned line, u16 generation)
{
	struct station *st = ctx;

	st->interrupts++;
	st->generation = generation;
	if (st->on_irq)
		st->on_irq(st);
	if (!st->no_eoi)
		client_eoi(&st->c, line, generation, st->w->now);
}

static void on_changed(void *ctx, enum client_state state)
{
	struct station *st = ctx;

	st->changes[state]++;
	if (st->player && state != CLIENT_LEASED)
		remote_dma_lost(&st->player->remote);
}

static void on_dma(void *ctx, unsigned channel, u16 arming, const u8 *data, u32 len)
{
	struct station *st = ctx;

	if (st->player)
		remote_dma_moved(&st->player->remote, channel, arming, data, len, st->w->now);
}

static const struct client_hooks client_hooks = {on_done, on_irq, on_changed, on_dma};

struct world *world_new(u64 seed)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w || !(w->recording = calloc(RECORDED, sizeof(*w->recording))))
		abort();
	w->random = seed * 0x9e3779b97f4a7c15ull | 1;
	w->now = 1000 * MS;
	w->epoch = 100;
	for (unsigned n = 1; n < NODES; n++) {
		struct station *st = &w->station[n];
		u8 mac[6];

		node_mac(mac, n);
		st->w = w;
		st->node = n;
		endpoint_init(&st->e, false, mac, n, world_key, &client_endpoint, st);
		client_init(&st->c, &st->e, &client_hooks, st);
	}
	start_server(w);
	return w;
}

void world_free(struct world *w)
{
	free(w->recording);
	free(w->sound);
	free(w);
}

void world_hostile(struct world *w)
{
	w->loss = w->twice = 100;
	w->damage = 10;
	w->delay = 50 * MS;
}

void world_peaceful(struct world *w)
{
	w->loss = w->twice = w->damage = 0;
	w->delay = 0;
}

static void arrive(struct world *w, struct flying *from)
{
	struct flying f = *from; /* its place may be taken by an answer */
	struct station *st = &w->station[f.to];
	struct packet p;
	bool taken = false;

	from->used = false;
	if (f.to == 0) {
		server_receive(&w->server, f.bytes, f.len, w->now);
		if (w->services)
			services_poll(w->services, w->now);
		return;
	}
	if (!endpoint_open(&st->e, f.bytes, f.len, &p))
		return;
	for (unsigned i = 0; i < ROUTES && !taken; i++)
		taken = st->remote[i] && remote_receive(st->remote[i], &p, w->now);
	if (!taken && st->service)
		taken = service_receive(st->service, &p, w->now);
	if (!taken && !client_receive(&st->c, &p, w->now))
		endpoint_drop(&st->e, DROP_SESSION);
}

static u64 earlier(u64 a, u64 b)
{
	return a < b ? a : b;
}

static u64 station_deadline(const struct station *st)
{
	u64 first = client_deadline(&st->c);

	for (unsigned i = 0; i < ROUTES; i++)
		if (st->remote[i])
			first = earlier(first, remote_deadline(st->remote[i]));
	if (st->service)
		first = earlier(first, service_deadline(st->service));
	return st->player ? earlier(first, remote_dma_deadline(&st->player->remote)) : first;
}

static void station_poll(struct station *st, u64 now)
{
	client_poll(&st->c, now);
	for (unsigned i = 0; i < ROUTES; i++)
		if (st->remote[i])
			remote_poll(st->remote[i], now);
	if (st->service)
		service_poll(st->service, now);
	if (st->player)
		remote_dma_poll(&st->player->remote, now);
}

bool world_step(struct world *w, u64 until)
{
	struct flying *first = NULL;
	u64 next = earlier(server_deadline(&w->server), sound_deadline(w));

	for (unsigned n = 1; n < NODES; n++)
		next = earlier(next, station_deadline(&w->station[n]));
	for (unsigned i = 0; i < FLYING; i++)
		if (w->flying[i].used && (!first || w->flying[i].at < first->at))
			first = &w->flying[i];
	if (first && first->at <= next) {
		if (first->at > until) {
			w->now = until;
			return false;
		}
		w->now = first->at > w->now ? first->at : w->now;
		arrive(w, first);
		return true;
	}
	if (next > until) {
		w->now = until;
		return false;
	}
	w->now = next > w->now ? next : w->now;
	sound_poll(w);
	server_poll(&w->server, w->now);
	for (unsigned n = 1; n < NODES; n++)
		station_poll(&w->station[n], w->now);
	return true;
}

void world_run(struct world *w, u64 ns)
{
	u64 until = w->now + ns;

	while (world_step(w, until))
		;
}

bool world_lease(struct world *w, unsigned n, u64 ns)
{
	struct client *c = &w->station[n].c;
	u64 until = w->now + ns;
	u8 mac[6];

	node_mac(mac, 0);
	do {
		if (c->state == CLIENT_IDLE || c->state == CLIENT_FAILED)
			client_lease(c, mac, "device", w->now);
		if (c->state == CLIENT_LEASED)
			return true;
	} while (world_step(w, until));
	return false;
}

bool ask(struct station *st, u8 opcode, u32 addr, u16 count, u32 value, u32 cookie)
{
	struct proto_writer *pw = client_begin(&st->c);
	struct proto_op op = {.opcode = opcode, .width = 4, .count = count, .addr = addr};
	u8 data[8];

	if (opcode != PROTO_IN && opcode != PROTO_OUT && opcode != PROTO_INS)
		op.width = 1;
	proto_put32(data, value);
	proto_put32(data + 4, value);
	op.data_len = proto_data_len(opcode, op.width, count, false);
	op.data = data;
	return pw && op.data_len <= sizeof(data) && proto_add(pw, &op) &&
	       client_submit(&st->c, cookie, st->w->now);
}
