/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/lease.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/log.h"

#define FIND_NS	 1000000000ull /* for servers to answer */
#define AGAIN_NS 250000000ull  /* between two questions */
#define TURN_NS	 200000000ull  /* a signal that comes just before poll(2) is seen by then */
#define END_NS	 2000000000ull /* for what is open, and the answer to RELEASE */

/* --- what the client tells --- */

static void done(void *ctx, u32 cookie, enum client_outcome outcome, const struct proto_header *h,
		 const u8 *body)
{
	struct lease *l = ctx;

	(void)cookie;
	l->over = true;
	l->outcome = outcome;
	if (outcome != CLIENT_DONE)
		return;
	l->answer_len = h->length;
	memcpy(l->answer, body, h->length);
}

static void irq(void *ctx, unsigned line, u16 generation)
{
	struct lease *l = ctx;

	l->fired |= (u16)BIT(line);
	l->generation[line] = generation;
}

/* Whoever waits looks at the state itself. */
static void changed(void *ctx, enum client_state state)
{
	(void)ctx;
	(void)state;
}

static const struct client_hooks hooks = {.done = done, .irq = irq, .changed = changed};

static bool has_export(const struct lease *l, const struct offer *offer)
{
	for (unsigned i = 0; i < offer->exports; i++)
		if (!strcmp(offer->export[i].name, l->export))
			return !l->peer || !strcmp(offer->name, l->peer);
	return false;
}

static void found(void *ctx, const struct offer *offer)
{
	struct lease *l = ctx;

	if (l->found || !has_export(l, offer))
		return;
	l->found = true;
	l->offer = *offer;
}

/* --- waiting --- */

/* False: the interface is gone, which is logged. */
static bool take_frames(struct lease *l)
{
	u8 frame[FRAME_MAX];
	struct packet p;
	int len;

	while ((len = wire_receive(&l->wire, frame)) > 0) {
		if (!endpoint_open(&l->e, frame, (u32)len, &p))
			continue;
		if (!client_receive(&l->c, &p, wire_now()))
			discover_receive(&l->d, &l->e, &p);
	}
	if (len < 0)
		log_error("%s: %s: %s", l->what, l->wire.name, strerror(errno));
	return len == 0;
}

/* Until something comes or `until`, whatever is first. */
static bool turn(struct lease *l, u64 until)
{
	struct pollfd fd = {.fd = l->wire.fd, .events = POLLIN};
	u64 now = wire_now(), due = client_deadline(&l->c);

	if (l->stop && *l->stop && !l->ending) {
		log_warn("%s: interrupted", l->what);
		return false;
	}
	due = due < until ? due : until;
	due = due < now + TURN_NS ? due : now + TURN_NS;
	if (due > now)
		poll(&fd, 1, (int)((due - now) / 1000000) + 1);
	if (!take_frames(l))
		return false;
	client_poll(&l->c, wire_now());
	return true;
}

/* --- the lease --- */

bool lease_open(struct lease *l, const char *what, const char *interface, const u8 key[SESSION_KEY])
{
	memset(l, 0, sizeof(*l));
	l->what = what;
	if (!wire_open(&l->wire, interface))
		return false;
	wire_endpoint(&l->wire, &l->e, false, key, FRAME_SNAP_FORM);
	l->d.found = found;
	l->d.ctx = l;
	client_init(&l->c, &l->e, &hooks, l);
	return true;
}

void lease_close(struct lease *l)
{
	lease_end(l);
	wire_close(&l->wire);
}

static bool find(struct lease *l)
{
	u64 now = wire_now(), end = now + FIND_NS, next = now;

	l->found = false;
	while (!l->found && (now = wire_now()) < end) {
		if (now >= next) {
			discover(&l->d, &l->e);
			next = now + AGAIN_NS;
		}
		if (!turn(l, next < end ? next : end))
			return false;
	}
	if (!l->found)
		log_error("%s: no '%s'%s%s with this key on %s", l->what, l->export,
			  l->peer ? " of " : "", l->peer ? l->peer : "", l->wire.name);
	return l->found;
}

static const char *why_not(const struct client *c)
{
	static const char *const why[] = {
		[CLIENT_NO_ANSWER] = "it does not answer",
		[CLIENT_NO_SUCH_EXPORT] = "it has no such export for this key",
		[CLIENT_HELD] = "another client has it",
		[CLIENT_RESTARTED] = "it has started anew",
		[CLIENT_EXPIRED] = "out of reach for too long, or taken away"};

	return why[c->why];
}

static void say_lost(struct lease *l)
{
	log_error("%s: %s of %s: %s", l->what, l->export, l->offer.name, why_not(&l->c));
}

bool lease_begin(struct lease *l, const char *export, const char *peer)
{
	lease_end(l);
	l->ending = false;
	l->export = export;
	l->peer = peer;
	l->fired = 0;
	if (!find(l))
		return false;
	client_lease(&l->c, l->offer.mac, export, wire_now());
	while (l->c.state == CLIENT_CALLING || l->c.state == CLIENT_ASKING)
		if (!turn(l, ~0ull))
			return false;
	if (l->c.state == CLIENT_LEASED)
		return true;
	say_lost(l);
	return false;
}

void lease_end(struct lease *l)
{
	u64 end = wire_now() + END_NS;

	l->ending = true;
	while (l->c.state == CLIENT_LEASED && !client_release(&l->c, wire_now()) &&
	       wire_now() < end)
		if (!turn(l, end))
			return;
	while (l->c.state == CLIENT_RELEASING && wire_now() < end)
		if (!turn(l, end))
			return;
	client_abandon(&l->c);
}

/* --- operations --- */

static unsigned submit(struct lease *l, const struct proto_op *op)
{
	struct proto_writer *w = client_begin(&l->c);

	l->over = false;
	if (!w || !proto_add(w, op) || !client_submit(&l->c, 0, wire_now()))
		return PROTO_FAULT; /* more than a frame holds */
	return PROTO_OK;
}

unsigned lease_run(struct lease *l, const struct proto_op *op, struct proto_op *answer)
{
	struct proto_header h;
	u32 at = 0;

	/* An end of interrupt may take the window's last place for a moment. */
	while (l->c.state == CLIENT_LEASED && !client_has_room(&l->c))
		if (!turn(l, ~0ull))
			return LEASE_LOST;
	if (l->c.state == CLIENT_LEASED && submit(l, op) != PROTO_OK)
		return PROTO_FAULT;
	while (l->c.state == CLIENT_LEASED && !l->over)
		if (!turn(l, ~0ull))
			return LEASE_LOST;
	if (!l->over || l->outcome != CLIENT_DONE) {
		say_lost(l);
		return LEASE_LOST;
	}
	h = (struct proto_header){.length = (u16)l->answer_len};
	return proto_next(l->answer, &h, true, &at, answer) == 1 ? answer->note : PROTO_FAULT;
}

enum lease_wait lease_await_irq(struct lease *l, unsigned line, u64 ns)
{
	u64 end = wire_now() + ns;

	while (l->c.state == CLIENT_LEASED && !(l->fired & BIT(line)) && wire_now() < end)
		if (!turn(l, end))
			return LEASE_OVER;
	if (l->c.state != CLIENT_LEASED) {
		say_lost(l);
		return LEASE_OVER;
	}
	if (!(l->fired & BIT(line)))
		return LEASE_SILENT;
	l->fired &= (u16)~BIT(line);
	return LEASE_FIRED;
}

void lease_eoi(struct lease *l, unsigned line)
{
	client_eoi(&l->c, line, l->generation[line], wire_now());
}
