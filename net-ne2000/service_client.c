/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/service_client.h"

#include "lib/str.h"

/* Elements of one INS or OUTS: with their descriptor and one more operation they fit in a frame. */
#define PART 1440u
/* From one look at a service without room to the next. */
#define ROOM_NS 50000000ull

enum { ASK_ID, ASK_COUNT, ASK_DATA, ASK_ROOM, SAY }; /* cookies */

static void add(struct proto_writer *w, u8 opcode, unsigned width, u32 addr, u16 count,
		const u8 *data)
{
	struct proto_op op = {
		.opcode = opcode, .width = (u8)width, .count = count, .addr = addr, .data = data};

	op.data_len = proto_data_len(opcode, op.width, count, false);
	proto_add(w, &op);
}

static void add_in(struct service_client *s, struct proto_writer *w, enum service_port port)
{
	add(w, PROTO_IN, 4, s->port + port, 1, NULL);
}

/* --- requests --- */

static void greet(struct service_client *s)
{
	struct proto_writer *w = client_begin(&s->c);

	add_in(s, w, SERVICE_ID);
	add_in(s, w, SERVICE_STATE);
	add(w, PROTO_IRQ_UNMASK, 1, s->line, 0, NULL);
	client_submit(&s->c, ASK_ID, s->now);
}

static void ask_count(struct service_client *s)
{
	struct proto_writer *w = client_begin(&s->c);

	add_in(s, w, SERVICE_STATE);
	add_in(s, w, SERVICE_WAITING);
	s->counting = true;
	client_submit(&s->c, ASK_COUNT, s->now);
}

/* The last part takes the interrupt's end along: what has come since makes the line fire again. */
static void ask_data(struct service_client *s)
{
	struct proto_writer *w = client_begin(&s->c);
	u32 len = s->waiting < PART ? s->waiting : PART;

	if (len)
		add(w, PROTO_INS, 1, s->port + SERVICE_DATA, (u16)len, NULL);
	s->waiting -= len;
	if (!s->waiting) {
		add(w, PROTO_IRQ_EOI, 1, s->line, s->generation, NULL);
		s->told = s->counted = false;
	}
	client_submit(&s->c, ASK_DATA, s->now);
}

static void ask_room(struct service_client *s)
{
	struct proto_writer *w = client_begin(&s->c);

	add_in(s, w, SERVICE_ROOM);
	s->asking_room = true;
	client_submit(&s->c, ASK_ROOM, s->now);
}

static void send_out(struct service_client *s)
{
	struct proto_writer *w = client_begin(&s->c);
	u32 len = service_unsent(s);
	u8 part[PART];

	len = len < s->room ? len : s->room;
	len = len < PART ? len : PART;
	for (u32 i = 0; i < len; i++)
		part[i] = s->out[s->tail++ % SERVICE_OUT];
	add(w, PROTO_OUTS, 1, s->port + SERVICE_DATA, (u16)len, part);
	s->room -= len;
	client_submit(&s->c, SAY, s->now);
}

static bool wants_room(const struct service_client *s)
{
	return service_unsent(s) && !s->room && !s->asking_room && s->now >= s->room_at;
}

/* One request that is due and has a place. False: none. */
static bool next_request(struct service_client *s)
{
	if (!s->up || !client_has_room(&s->c))
		return false;
	if (s->told && !s->counted && !s->counting)
		ask_count(s);
	else if (s->told && s->counted)
		ask_data(s);
	else if (service_unsent(s) && s->room)
		send_out(s);
	else if (wants_room(s))
		ask_room(s);
	else
		return false;
	return true;
}

static void advance(struct service_client *s)
{
	while (next_request(s))
		;
}

/* --- answers --- */

/* The n-th operation's value, or 0 when it has none. */
static u32 value_of(const struct proto_header *h, const u8 *body, unsigned n)
{
	struct proto_op op;
	u32 at = 0;

	while (proto_next(body, h, true, &at, &op) == 1)
		if (!n--)
			return op.note == PROTO_OK && op.data_len == 4 ? proto_get32(op.data) : 0;
	return 0;
}

static bool was_refused(const struct proto_header *h, const u8 *body)
{
	struct proto_op op;
	u32 at = 0;

	while (proto_next(body, h, true, &at, &op) == 1)
		if (op.note != PROTO_OK)
			return true;
	return false;
}

static void take_data(struct service_client *s, const struct proto_header *h, const u8 *body)
{
	struct proto_op op;
	u32 at = 0;

	while (proto_next(body, h, true, &at, &op) == 1)
		if (op.opcode == PROTO_INS && op.note == PROTO_OK && op.data_len)
			s->hooks->data(s->ctx, op.data, op.data_len);
}

static void take_id(struct service_client *s, const struct proto_header *h, const u8 *body)
{
	s->up = value_of(h, body, 0) == SERVICE_ID_NOW;
	s->foreign = !s->up;
	if (!s->up)
		return;
	s->hooks->state(s->ctx, value_of(h, body, 1));
	s->hooks->changed(s->ctx, CLIENT_LEASED);
}

/* Nothing more is sent: it would be refused as well. */
static void note_refusal(struct service_client *s)
{
	s->refused = true;
	s->tail = s->head;
}

static void on_done(void *ctx, u32 cookie, enum client_outcome outcome,
		    const struct proto_header *h, const u8 *body)
{
	struct service_client *s = ctx;

	if (outcome == CLIENT_UNKNOWN)
		return;
	switch (cookie) {
	case ASK_ID:
		take_id(s, h, body);
		break;
	case ASK_COUNT:
		s->hooks->state(s->ctx, value_of(h, body, 0));
		s->waiting = value_of(h, body, 1);
		s->counting = false;
		s->counted = true;
		break;
	case ASK_DATA:
		take_data(s, h, body);
		break;
	case ASK_ROOM:
		s->room = value_of(h, body, 0);
		s->asking_room = false;
		s->room_at = s->now + ROOM_NS;
		break;
	default:
		if (was_refused(h, body))
			note_refusal(s);
		break;
	}
	advance(s);
}

static void on_irq(void *ctx, unsigned line, u16 generation)
{
	struct service_client *s = ctx;

	if (line != s->line)
		return;
	s->told = true;
	s->counted = s->counting = false;
	s->generation = generation;
	advance(s);
}

static void forget(struct service_client *s)
{
	s->up = s->foreign = s->refused = s->told = s->counting = s->counted = false;
	s->asking_room = false;
	s->waiting = s->room = 0;
	s->room_at = 0;
	s->tail = s->head;
}

static u8 first_line(u16 lines)
{
	u8 line = 0;

	while (line < CLIENT_LINES - 1 && !(lines & BIT(line)))
		line++;
	return line;
}

static void on_changed(void *ctx, enum client_state state)
{
	struct service_client *s = ctx;

	forget(s);
	if (state != CLIENT_LEASED) {
		s->hooks->changed(s->ctx, state);
		return;
	}
	s->port = s->c.export.range[0].first;
	s->line = first_line(s->c.export.irqs);
	greet(s);
}

/* --- from outside --- */

void service_client_init(struct service_client *s, struct endpoint *e,
			 const struct service_client_hooks *hooks, void *ctx)
{
	static const struct client_hooks own = {
		.done = on_done, .irq = on_irq, .changed = on_changed};

	memset(s, 0, sizeof(*s));
	s->hooks = hooks;
	s->ctx = ctx;
	client_init(&s->c, e, &own, s);
}

bool service_lease(struct service_client *s, const u8 server[6], const char *name, u64 now)
{
	s->now = now;
	return client_lease(&s->c, server, name, now);
}

bool service_end(struct service_client *s, u64 now)
{
	s->now = now;
	s->up = false; /* no more requests */
	return client_release(&s->c, now);
}

u32 service_write(struct service_client *s, const u8 *data, u32 len, u64 now)
{
	u32 n = 0;

	s->now = now;
	while (n < len && service_space(s) && s->up && !s->refused)
		s->out[s->head++ % SERVICE_OUT] = data[n++];
	advance(s);
	return n;
}

bool service_receive(struct service_client *s, const struct packet *p, u64 now)
{
	s->now = now;
	return client_receive(&s->c, p, now);
}

void service_poll(struct service_client *s, u64 now)
{
	s->now = now;
	client_poll(&s->c, now);
	advance(s);
}

u64 service_deadline(const struct service_client *s)
{
	u64 first = client_deadline(&s->c);

	/* With a full window the next answer is what it waits for. */
	if (s->up && service_unsent(s) && !s->room && !s->asking_room && s->room_at < first &&
	    client_has_room(&s->c))
		return s->room_at;
	return first;
}
