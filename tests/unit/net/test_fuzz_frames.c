/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutated and invented frames at a server and a client in the middle of a session. Most of them get
 * a good tag again, so that bodies are read, too; those may be carried out, but only as they say,
 * each once and inside the lease (support_ledger.h). The others must change nothing. Each frame is
 * handled or counted as dropped. The number of frames is the argument, a million without one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support.h"
#include "tests/unit/net/support_ledger.h"
#include "tests/unit/net/support_sound.h"

#define FRAMES	1000000u
#define PAYLOAD 22u /* its place in a recorded frame, which is SNAP */
#define COOKIES 64u

static unsigned failures;
static u32 cookies[COOKIES], asked, answered; /* requests in their order */

static void check(bool ok, const char *what)
{
	if (!ok && failures++ < 5)
		printf("%s\n", what);
}

/* A little of everything, recorded. */
static void record_session(struct world *w)
{
	struct station *st = &w->station[1];
	struct discovery d = {0};

	w->record = true;
	discover(&d, &w->station[1].e);
	check(world_lease(w, 1, 1000 * MS), "no lease");
	ask(st, PROTO_IRQ_UNMASK, DEVICE_LINE, 1, 0, 0);
	for (u32 i = 0; i < 40; i++) {
		ask(st, PROTO_IN, DEVICE_PORT, 1, 0, i);
		ask(st, PROTO_INS, DEVICE_PORT, (u16)(i * 9), 0, i);
		ask(st, PROTO_OUT, DEVICE_FIRE, 1, 0, i);
		ask(st, PROTO_POLL, DEVICE_READY, 200, 0x80, i);
		ask(st, PROTO_DELAY, 0, 60000, 0, i);
		client_cancel(&st->c, i, w->now);
		world_run(w, 20 * MS);
	}
	world_run(w, 5000 * MS);
	check(client_release(&st->c, w->now), "requests are open");
	world_run(w, 1000 * MS);
	w->record = false;
}

/* Mostly the number that comes next, or one shortly after it. */
static u32 near_number(struct world *w, u32 next)
{
	return next + world_random(w) % (world_random(w) % 4 ? 2 : 10);
}

/* What anyone with the key could sign: not for forgery, but to reach what lies behind the tag. */
static void sign(struct world *w, struct flying *f)
{
	struct station *st = &w->station[1];
	const struct session_keys *keys = &st->c.keys;
	struct proto_header h;
	struct proto_writer pw;
	u8 dst[6], src[6];

	if (f->len < PAYLOAD + PROTO_HEADER + PROTO_TAG ||
	    proto_peek(f->bytes + PAYLOAD, f->len - PAYLOAD, &h) != PROTO_GOOD)
		return;
	if (h.type <= PROTO_AUTH2 || h.type == PROTO_NAK)
		keys = &st->e.greeting;
	if (h.type == PROTO_REQ && world_random(w) % 8)
		h.seq = near_number(w, w->server.lease[0].requests.expected);
	if (h.type == PROTO_CANCEL && world_random(w) % 2)
		h.seq = w->server.lease[0].requests.expected - 1;
	if (h.type == PROTO_REP && world_random(w) % 8)
		h.seq = near_number(w, st->c.complete);
	if (h.type == PROTO_EVT && world_random(w) % 8)
		h.seq = near_number(w, st->c.events.expected);
	if (h.type == PROTO_RENEW && world_random(w) % 2)
		h.seq = w->server.lease[0].renewals + 1;
	if (world_random(w) % 16)
		h.session = st->c.session;
	memcpy(dst, f->bytes, 6);
	memcpy(src, f->bytes + 6, 6);
	proto_begin(&pw, f->bytes + PAYLOAD, PROTO_OPS_MAX);
	pw.len = h.length;
	pw.ops = h.ops;
	f->len = proto_seal(&pw, &h, f->to ? keys->to_client : keys->to_server, dst, src);
	if (f->to)
		f->bytes[PAYLOAD + 2] |= PROTO_FROM_SERVER;
	f->len = frame_finish(f->bytes, FRAME_SNAP_FORM, dst, src, f->len);
}

/* A good number in a good session, and the tag of another frame. */
static void forge(struct world *w, struct flying *f)
{
	struct station *st = &w->station[1];

	if (f->len < PAYLOAD + PROTO_HEADER + PROTO_TAG)
		return;
	proto_put16(f->bytes + PAYLOAD + 4, st->c.session);
	proto_put32(f->bytes + PAYLOAD + 8,
		    f->to ? st->c.complete : w->server.lease[0].requests.expected);
}

static void mutate(struct world *w, struct flying *f, u32 start)
{
	start = start < f->len ? start : 0;
	for (u32 n = 1 + world_random(w) % 4; n > 0; n--) {
		u32 at = start + world_random(w) % (f->len - start);

		switch (world_random(w) % 4) {
		case 0:
			f->bytes[at] ^= (u8)(1 << world_random(w) % 8);
			break;
		case 1:
			f->bytes[at] = (u8)world_random(w);
			break;
		case 2:
			f->bytes[at] = world_random(w) % 2 ? 0xff : 0;
			break;
		default:
			if (world_random(w) % 8 == 0)
				f->len = 1 + world_random(w) % f->len;
			start = start < f->len ? start : 0;
			break;
		}
	}
}

/* Mostly of the arming that is on. */
static u32 channel_address(struct world *w)
{
	unsigned channel =
		world_random(w) % 8 ? (world_random(w) % 2 ? 1 : 5) : world_random(w) % 9;

	return proto_dma_addr(
		channel, (u16)(w->server.dma[channel & 7].arming + (world_random(w) % 8 ? 0 : 1)));
}

static u32 invented_address(struct world *w, u8 opcode)
{
	static const u32 near[] = {DEVICE_PORT, DEVICE_PORT, DEVICE_LAST - 3, DEVICE_READY,
				   0x2ff,	0x310,	     OTHER_PORT,      0xfffe,
				   0x10300,	DEVICE_FIRE};

	switch (opcode) {
	case PROTO_MMIO_READ:
	case PROTO_MMIO_WRITE:
		return DEVICE_MEMORY - 4 + world_random(w) % 0x108;
	case PROTO_PCI_READ:
	case PROTO_PCI_WRITE:
		return (u32)(DEVICE_FUNCTION - 1 + world_random(w) % 3) << 8 |
		       world_random(w) % 256;
	case PROTO_IRQ_MASK:
	case PROTO_IRQ_UNMASK:
	case PROTO_IRQ_EOI:
		return world_random(w) % 4 ? DEVICE_LINE : world_random(w) % 20;
	case PROTO_DMA_ARM:
	case PROTO_DMA_DATA:
	case PROTO_DMA_STOP:
	case PROTO_DMA_TAKEN:
	case PROTO_DMA_GIVEN:
		return channel_address(w);
	default:
		return near[world_random(w) % ARRAY_SIZE(near)];
	}
}

/* Data of DMA operations with some sense in it, or nothing would ever be armed. */
static void invent_dma_data(struct world *w, const struct proto_op *op, u8 *data)
{
	static const u8 modes[] = {0x58, 0x54, 0x48, 0x44, 0x40, 0x4c, 0xc8};

	if (op->opcode == PROTO_DMA_ARM) {
		proto_put32(data, 2 + world_random(w) % (world_random(w) % 8 ? 4096 : 0x21000));
		proto_put32(data + 4, modes[world_random(w) % ARRAY_SIZE(modes)]);
	} else if (op->opcode == PROTO_DMA_DATA) {
		const struct server_dma *d = &w->server.dma[op->addr & 7];
		u32 near = world_random(w) % 64 - 32;

		proto_put32(data, (u32)d->filled + (world_random(w) % 2 ? near : 0));
	}
}

/* Operations that go together as they come: lengths are right, the sense is not. */
static void invent(struct world *w, struct flying *f)
{
	static const u16 counts[] = {0, 1, 2, 5, 64, 182, 365, 1400, 0xffff};
	bool reply = f->bytes[PAYLOAD + 3] == PROTO_REP;
	struct proto_writer pw;

	proto_begin(&pw, f->bytes + PAYLOAD, PROTO_OPS_MAX);
	for (u32 n = 1 + world_random(w) % 6; n > 0; n--) {
		struct proto_op op = {.opcode = (u8)(1 + world_random(w) % (PROTO_OPCODES - 1)),
				      .width = (u8)(1 << world_random(w) % 3),
				      .note = (u8)(world_random(w) % 8 ? 0 : world_random(w) % 6),
				      .count = counts[world_random(w) % ARRAY_SIZE(counts)]};
		u8 *data;

		if ((op.opcode == PROTO_POLL || op.opcode == PROTO_DELAY) && world_random(w) % 64)
			op.count %= 400; /* or nothing else would be carried out */
		op.addr = invented_address(w, op.opcode);
		op.data_len = proto_data_len(op.opcode, op.width, op.count, reply);
		data = proto_add(&pw, &op);
		for (u32 i = 0; data && i < op.data_len; i++)
			data[i] = (u8)world_random(w);
		if (data)
			invent_dma_data(w, &op, data);
	}
	proto_put16(f->bytes + PAYLOAD + 6, (u16)pw.len);
	f->bytes[PAYLOAD + 18] = pw.ops;
	f->len = PAYLOAD + PROTO_HEADER + pw.len + PROTO_TAG;
}

/* Only padding may have been hit, or nothing. */
static bool has_good_tag(struct world *w, const struct flying *f)
{
	struct station *st = &w->station[1];
	struct frame_view view;
	struct proto_header h;

	if (!frame_parse(f->bytes, f->len, &view) ||
	    proto_peek(view.payload, view.len, &h) != PROTO_GOOD)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		const struct session_keys *keys = i ? &st->c.keys : &st->e.greeting;

		if (proto_check(view.payload, &h, f->to ? keys->to_client : keys->to_server,
				view.dst, view.src) == PROTO_GOOD)
			return true;
	}
	return false;
}

static void offer_to_ledger(const struct world *w, const struct flying *f)
{
	struct frame_view view;
	struct proto_header h;

	if (frame_parse(f->bytes, f->len, &view) &&
	    proto_peek(view.payload, view.len, &h) == PROTO_GOOD && h.type == PROTO_REQ &&
	    h.session == w->server.lease[0].session)
		ledger_offer(h.seq, proto_body(view.payload), h.length);
}

static u64 dropped(const struct endpoint *e)
{
	u64 all = 0;

	for (unsigned i = 0; i < DROPS; i++)
		all += e->drops[i];
	return all;
}

/* In a buffer of just its length, so that a sanitizer sees any byte read beyond. True: handled. */
static bool arrive(struct world *w, const struct flying *f)
{
	struct station *st = &w->station[1];
	const struct endpoint *e = f->to ? &st->e : &w->server.e;
	u64 before = dropped(e), received = e->received;
	struct packet p;
	u8 *exact = malloc(f->len);

	if (!exact)
		exit(1);
	memcpy(exact, f->bytes, f->len);
	if (f->to == 0)
		server_receive(&w->server, exact, f->len, w->now);
	else if (endpoint_open(&st->e, exact, f->len, &p) && !client_receive(&st->c, &p, w->now))
		endpoint_drop(&st->e, DROP_SESSION);
	free(exact);
	check(e->received == received + 1 && dropped(e) - before <= 1, "a frame is counted twice");
	return dropped(e) == before;
}

static void drain(struct world *w)
{
	for (unsigned i = 0; i < FLYING; i++)
		w->flying[i].used = false;
}

static void choose(struct world *w, struct flying *f)
{
	unsigned to = world_random(w) % 2;

	do
		*f = w->recording[world_random(w) % w->recorded];
	while (f->to != to);
	switch (world_random(w) % 8) {
	case 0:
		mutate(w, f, 0);
		break;
	case 1:
		mutate(w, f, PAYLOAD);
		forge(w, f);
		break;
	case 2:
		forge(w, f);
		break;
	case 3: /* header and body, signed */
		mutate(w, f, PAYLOAD);
		sign(w, f);
		break;
	case 4:
	case 5: /* body alone, signed */
		mutate(w, f, PAYLOAD + PROTO_HEADER);
		sign(w, f);
		break;
	default:
		f->bytes[PAYLOAD + 3] = to == 0		      ? PROTO_REQ
					: world_random(w) % 2 ? PROTO_REP
							      : PROTO_EVT;
		invent(w, f);
		sign(w, f);
		break;
	}
}

/* True: handled. */
static bool one(struct world *w, struct flying *f)
{
	struct station *st = &w->station[1];
	u64 accesses = ledger_accesses();
	u32 done = st->done, unknown = st->unknown, interrupts = st->interrupts;
	bool good, handled;

	choose(w, f);
	good = has_good_tag(w, f);
	if (f->to == 0 && good)
		offer_to_ledger(w, f);
	handled = arrive(w, f);
	ledger_settle(handled);
	if (!good)
		check(!handled && ledger_accesses() == accesses && st->done == done &&
			      st->unknown == unknown && st->interrupts == interrupts,
		      "a frame without a good tag did something");
	check(w->outside == 0, "an access outside of the lease");
	check(!ledger_wrong(), ledger_wrong());
	drain(w);
	return handled;
}

/* Each request is answered once and in order, also when the answer is that nobody knows. */
static void on_done(struct station *st, u32 cookie, enum client_outcome outcome,
		    const struct proto_header *h, const u8 *body)
{
	(void)st;
	(void)outcome;
	(void)h;
	(void)body;
	check(answered != asked && cookies[answered++ % COOKIES] == cookie,
	      "answers are not in the order of the requests");
}

/* "device" has DMA channels, too, and something plays or records on one of them. */
static void give_channels(struct world *w)
{
	w->sound = calloc(1, sizeof(*w->sound));
	if (!w->sound)
		exit(1);
	w->sound->rate = 100000;
	w->sound->burst = MS;
	w->sound->masked = true;
	w->server.export[0].dma = BIT(1) | BIT(5);
}

/* What the frames broke off begins anew. */
static void new_session(struct world *w)
{
	struct station *st = &w->station[1];
	u32 flags = (world_random(w) % 4) * SOUND_16BIT; /* 8 or 16 bits, plays or records */

	client_init(&st->c, &st->e, st->c.hooks, st);
	answered = asked;
	check(world_lease(w, 1, 20000 * MS), "no lease any more");
	sound_out(w, SOUND_PORT, 64 | flags | SOUND_AGAIN);
	ledger_follow();
}

/* Time goes on, and there is always something open at either end. */
static void keep_open(struct world *w, u32 cookie)
{
	w->now += MS;
	sound_poll(w);
	server_poll(&w->server, w->now);
	ledger_follow();
	if (ask(&w->station[1], PROTO_IN, DEVICE_PORT, 1, 0, cookie))
		cookies[asked++ % COOKIES] = cookie;
	drain(w);
}

static void report(const struct world *w, u32 frames, u32 handled, u32 sessions)
{
	const struct station *st = &w->station[1];

	for (unsigned i = 0; i < DROPS; i++)
		printf("%-10s %u at the server, %u at the client\n", drop_name((enum drop)i),
		       (u32)w->server.e.drops[i], (u32)st->e.drops[i]);
	printf("%u frames: %u handled, %u dropped; %u sessions, %u accesses, %u bytes by "
	       "DMA, %u answers\n",
	       frames, handled, frames - handled, sessions, (u32)ledger_accesses(), w->sound->moved,
	       st->done);
}

int main(int argc, char **argv)
{
	u32 frames = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : FRAMES;
	struct world *w = world_new(21);
	struct station *st = &w->station[1];
	struct flying f;
	u32 sessions = 0, handled = 0;
	u64 counted = 0;

	record_session(w);
	ledger_attach(w);
	give_channels(w);
	st->on_done = on_done;
	for (u32 i = 0; i < frames && !failures; i++) {
		u64 before;

		if (i % 4096 == 0 ||
		    (i % 16 == 0 && (st->c.state != CLIENT_LEASED || !w->server.lease[0].active))) {
			new_session(w);
			sessions++;
		}
		if (i % 16 == 0)
			keep_open(w, i);
		before = dropped(&w->server.e) + dropped(&st->e);
		handled += one(w, &f);
		counted += dropped(&w->server.e) + dropped(&st->e) - before;
	}
	report(w, frames, handled, sessions);
	check(failures || frames == handled + counted, "sent is not handled and dropped together");
	check(ledger_accesses() > frames / 100, "too few were carried out");
	check(st->done > frames / 1000, "too few were answered");
	check(w->sound->moved > frames / 100, "too little DMA");
	printf("%u passed, %u failed\n", !failures, failures);
	world_free(w);
	return failures != 0;
}
