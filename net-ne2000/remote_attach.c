/* SPDX-License-Identifier: BSD-2-Clause */
/* How a route comes up, is lost, comes back, and is given up. */
#include "lib/fmt.h"
#include "lib/str.h"
#include "net-ne2000/remote_parts.h"

/* --- finding the peer --- */

static void ask_for_lease(struct remote *r, const struct offer *o, unsigned export)
{
	memcpy(r->mac, o->mac, 6);
	memcpy(r->peer, o->name, sizeof(r->peer));
	memcpy(r->export, o->export[export].name, sizeof(r->export));
	r->search.asks = true;
	if (r->state == REMOTE_LOOKING)
		remote_enter(r, REMOTE_LEASING);
	client_lease(&r->c, r->mac, r->export, r->now);
}

static bool searching(const struct remote *r)
{
	return !r->leaving && (r->state == REMOTE_LOOKING || r->state == REMOTE_LEASING ||
			       r->state == REMOTE_LOST);
}

static void on_offer(void *ctx, const struct offer *o)
{
	struct remote *r = ctx;
	int export;

	if (!searching(r) || r->search.asks)
		return;
	export = remote_match(r, o);
	if (export >= 0)
		ask_for_lease(r, o, (unsigned)export);
}

static void start_search(struct remote *r)
{
	struct remote_search *s = &r->search;

	memset(s, 0, sizeof(*s));
	s->discovery.found = on_offer;
	s->discovery.ctx = r;
	s->began = s->next_hello = r->now;
	s->until = r->now + REMOTE_ATTACH_NS;
}

static void forget_device(struct remote *r)
{
	struct profile_state *st = &r->profile;

	memset(st, 0, sizeof(*st));
	memcpy(st->range, r->config.range, sizeof(st->range));
	st->ranges = r->config.ranges;
	remote_ahead_void(r);
	remote_loop_break(r);
}

void remote_attach(struct remote *r, u64 now)
{
	const struct profile *p = r->config.profile;
	const char *expected;

	r->now = now;
	if (r->state != REMOTE_OFF && r->state != REMOTE_FAILED)
		return;
	forget_device(r);
	start_search(r);
	expected = p->attach ? p->attach(&r->profile) : NULL;
	if (expected) {
		remote_obstacle(r, OBSTACLE_LEASE, "profile %s: %s", p->name, expected);
		remote_enter(r, REMOTE_FAILED);
		return;
	}
	remote_enter(r, REMOTE_LOOKING);
	remote_search_poll(r);
}

void remote_search_poll(struct remote *r)
{
	struct remote_search *s = &r->search;

	if (!searching(r))
		return;
	if (r->state != REMOTE_LOST && r->now >= s->until) {
		if (s->asks)
			remote_obstacle(r, OBSTACLE_LEASE, "%s does not answer any more", r->peer);
		remote_explain(r);
		client_abandon(&r->c);
		remote_enter(r, REMOTE_FAILED);
	} else if (!s->asks && r->now >= s->next_hello) {
		s->next_hello =
			r->now + (r->state == REMOTE_LOST ? REMOTE_AGAIN_NS : REMOTE_HELLO_NS);
		discover(&s->discovery, r->e);
	}
}

u64 remote_search_deadline(const struct remote *r)
{
	const struct remote_search *s = &r->search;
	u64 first = ~0ull;

	if (r->leaving)
		return r->leave_until;
	if (!searching(r))
		return first;
	if (!s->asks)
		first = s->next_hello;
	return r->state != REMOTE_LOST && s->until < first ? s->until : first;
}

/* --- the lease --- */

static void unmask(struct remote *r)
{
	static const struct remote_plan plan = {
		.data_at = REMOTE_NO_OP, .peek_at = REMOTE_NO_OP, .drain_at = REMOTE_NO_OP};
	struct proto_op op = {
		.opcode = PROTO_IRQ_UNMASK, .width = 1, .count = 1, .addr = (u32)r->config.irq};

	if (r->config.irq < 0)
		return;
	/* The window is empty. Writes that waited for the peer to come back go first. */
	if (!remote_add(r, &op)) {
		remote_send_posts(r);
		remote_add(r, &op);
	}
	remote_send(r, &plan);
}

static void came_up(struct remote *r)
{
	r->search.asks = false;
	if (!remote_covered(r, &r->c.export)) {
		remote_obstacle(r, OBSTACLE_LEASE, "%s exports other ports than it offered",
				r->peer);
		client_abandon(&r->c);
		return;
	}
	r->search.obstacle = OBSTACLE_SILENCE;
	r->search.why[0] = 0;
	r->said_failed = 0;
	forget_device(r);
	remote_enter(r, REMOTE_UP);
	unmask(r);
	remote_dma_begin(&r->dma);
}

static void no_lease(struct remote *r)
{
	struct remote_search *s = &r->search;

	s->asks = false;
	s->next_hello = r->now + (r->state == REMOTE_LOST ? REMOTE_AGAIN_NS : REMOTE_HELLO_NS);
	if (r->c.why == CLIENT_HELD)
		remote_obstacle(r, OBSTACLE_HELD, "%s of %s is held by another PC", r->export,
				r->peer);
	else if (r->c.why == CLIENT_NO_SUCH_EXPORT)
		remote_obstacle(r, OBSTACLE_PORTS, "%s has no export %s any more", r->peer,
				r->export);
	else
		remote_obstacle(r, OBSTACLE_LEASE, "%s does not answer any more", r->peer);
	if (r->state == REMOTE_LEASING)
		remote_enter(r, REMOTE_LOOKING);
}

void remote_client_changed(struct remote *r, enum client_state state)
{
	if (state == CLIENT_LEASED)
		came_up(r);
	else if (state == CLIENT_FAILED && (r->state == REMOTE_UP || r->state == REMOTE_SUSPECT))
		remote_lose(r, r->c.why == CLIENT_RESTARTED ? "the peer has started anew"
							    : "the peer has ended the lease");
	else if (state == CLIENT_FAILED)
		no_lease(r);
}

/* --- losing it --- */

void remote_lose(struct remote *r, const char *why)
{
	start_search(r);
	fmt(r->search.why, sizeof(r->search.why), "%s", why);
	r->state = REMOTE_LOST; /* before the policy is asked what becomes of what was under way */
	client_abandon(&r->c);
	remote_lower_irq(r);
	remote_dma_lost(&r->dma);
	forget_device(r);
	if (r->config.on_loss != REMOTE_FREEZE)
		remote_drop_posts(r);
	r->hooks->changed(r->ctx);
	r->hooks->wake(r->ctx);
}

/* --- giving it back --- */

void remote_detach(struct remote *r, u64 now)
{
	r->now = now;
	r->leaving = true;
	r->leave_until = now + REMOTE_LEAVE_NS;
	remote_cancel_polls(r);
	remote_ahead_void(r);
	remote_lower_irq(r);
	remote_dma_lost(&r->dma); /* the lease's end stops the channels */
	remote_pump(r);
}

static bool open_requests(const struct remote *r)
{
	return r->next.w.ops || r->c.complete != r->c.requests.next;
}

void remote_leave(struct remote *r)
{
	if (!r->leaving)
		return;
	if (r->c.state == CLIENT_LEASED) {
		remote_send_posts(r);
		if (!open_requests(r))
			client_release(&r->c, r->now);
		else if (r->now >= r->leave_until)
			client_abandon(&r->c);
	} else if (r->c.state != CLIENT_RELEASING || r->now >= r->leave_until) {
		client_abandon(&r->c);
	}
	if (r->c.state != CLIENT_IDLE && r->c.state != CLIENT_FAILED)
		return;
	r->leaving = false;
	remote_drop_posts(r);
	remote_enter(r, REMOTE_OFF);
}

/* --- what to say --- */

void remote_describe(const struct remote *r, char *buf, size_t size)
{
	static const char *const states[] = {[REMOTE_OFF] = "off",
					     [REMOTE_LOOKING] = "looking for it",
					     [REMOTE_LEASING] = "asking for it",
					     [REMOTE_UP] = "up",
					     [REMOTE_SUSPECT] = "no answer for 2 s",
					     [REMOTE_LOST] = "lost",
					     [REMOTE_FAILED] = "failed"};
	const u8 *mac = r->mac;
	size_t len;

	if (r->peer[0])
		len = (size_t)fmt(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x (%s) %s: %s", mac[0],
				  mac[1], mac[2], mac[3], mac[4], mac[5], r->peer, r->export,
				  states[r->state]);
	else
		len = (size_t)fmt(buf, size, "%s", states[r->state]);
	if (r->search.why[0] && len < size &&
	    (r->state == REMOTE_LOST || r->state == REMOTE_FAILED))
		fmt(buf + len, size - len, ": %s", r->search.why);
}
