/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/link.h"

#include "lib/str.h"

void link_sender_init(struct link_sender *s, u32 window, u64 now)
{
	memset(s, 0, sizeof(*s));
	s->window = window < 1 ? 1 : window > LINK_WINDOW ? LINK_WINDOW : window;
	s->rto = 10 * LINK_RTO_MIN_NS;
	s->heard = now;
}

static u32 open_count(const struct link_sender *s)
{
	u32 count = 0;

	for (unsigned i = 0; i < LINK_WINDOW; i++)
		count += s->slot[i].open;
	return count;
}

/*
 * The window is counted from the oldest open number, not by how many are open: the receiver's cache
 * of answers reaches back from the newest number it has run.
 */
bool link_can_send(const struct link_sender *s)
{
	for (u32 back = s->window; back <= LINK_WINDOW; back++) {
		const struct link_slot *old = &s->slot[(s->next - back) % LINK_WINDOW];

		if (old->open && s->next - old->seq >= s->window)
			return false;
	}
	return true;
}

static void arm(struct link_sender *s, struct link_slot *slot, u64 now)
{
	u64 wait = s->rto;

	for (unsigned i = 0; i < slot->tries && wait < LINK_RTO_MAX_NS; i++)
		wait *= 2;
	slot->sent[slot->tries & 3] = now;
	slot->deadline = now + (wait < LINK_RTO_MAX_NS ? wait : LINK_RTO_MAX_NS);
}

unsigned link_send(struct link_sender *s, u64 now)
{
	unsigned index = s->next % LINK_WINDOW;
	struct link_slot *slot = &s->slot[index];

	if (link_idle(s))
		s->heard = now; /* silence counts from when an answer is owed */
	slot->open = true;
	slot->pending = false;
	slot->tries = 0;
	slot->seq = s->next++;
	arm(s, slot, now);
	return index;
}

int link_due(struct link_sender *s, u64 now)
{
	for (u32 i = 0; i < LINK_WINDOW; i++) {
		unsigned index = (s->next + i) % LINK_WINDOW; /* oldest first */
		struct link_slot *slot = &s->slot[index];

		if (!slot->open || slot->deadline > now)
			continue;
		if (slot->tries < 255)
			slot->tries++;
		slot->pending = false;
		s->retransmissions++;
		arm(s, slot, now);
		return (int)index;
	}
	return -1;
}

u64 link_deadline(const struct link_sender *s)
{
	u64 first = ~0ull;

	for (unsigned i = 0; i < LINK_WINDOW; i++)
		if (s->slot[i].open && s->slot[i].deadline < first)
			first = s->slot[i].deadline;
	return first;
}

/* Jacobson's estimate: rto = srtt + 4 * rttvar, within its bounds. */
static void sample(struct link_sender *s, u64 rtt)
{
	u64 error;

	if (!s->srtt) {
		s->srtt = rtt;
		s->rttvar = rtt / 2;
	} else {
		error = rtt > s->srtt ? rtt - s->srtt : s->srtt - rtt;
		s->rttvar = (3 * s->rttvar + error) / 4;
		s->srtt = (7 * s->srtt + rtt) / 8;
	}
	s->rto = s->srtt + 4 * s->rttvar;
	if (s->rto < LINK_RTO_MIN_NS)
		s->rto = LINK_RTO_MIN_NS;
	if (s->rto > LINK_RTO_MAX_NS)
		s->rto = LINK_RTO_MAX_NS;
}

static struct link_slot *open_slot(struct link_sender *s, u32 seq)
{
	struct link_slot *slot = &s->slot[seq % LINK_WINDOW];

	return slot->open && slot->seq == seq ? slot : NULL;
}

int link_answered(struct link_sender *s, u32 seq, u8 tries, u64 now)
{
	struct link_slot *slot = open_slot(s, seq);

	if (!slot)
		return -1;
	/* An echo of a try that is too old to remember, or was never made, is no sample. */
	if (!slot->pending && tries <= slot->tries && slot->tries - tries < 4)
		sample(s, now - slot->sent[tries & 3]);
	slot->open = false;
	link_heard(s, now);
	return (int)(seq % LINK_WINDOW);
}

bool link_is_pending(struct link_sender *s, u32 seq, u64 now)
{
	struct link_slot *slot = open_slot(s, seq);

	if (!slot)
		return false;
	slot->pending = true;
	/* The peer repeats PENDING; only its silence makes us ask again. */
	slot->deadline = now + 3 * LINK_PENDING_EVERY;
	link_heard(s, now);
	return true;
}

void link_heard(struct link_sender *s, u64 now)
{
	s->heard = now;
}

bool link_idle(const struct link_sender *s)
{
	return open_count(s) == 0;
}

enum link_health link_health(const struct link_sender *s, u64 now)
{
	u64 silence = now - s->heard;

	if (link_idle(s) || silence < LINK_SUSPECT_NS)
		return LINK_GOOD;
	return silence < LINK_LOST_NS ? LINK_SUSPECT : LINK_LOST;
}

void link_receiver_init(struct link_receiver *r)
{
	memset(r, 0, sizeof(*r));
}

static u8 kept_bit(u32 seq)
{
	return (u8)BIT(seq % LINK_WINDOW);
}

static void run_expected(struct link_receiver *r)
{
	r->kept &= (u8)~kept_bit(r->expected);
	r->expected++;
	r->running = true;
}

bool link_is_kept(const struct link_receiver *r, u32 seq)
{
	return seq - r->expected < LINK_WINDOW && (r->kept & kept_bit(seq));
}

/* `ahead` of the expected number. The one that runs has its slot for as long as it does. */
static enum link_verdict early(struct link_receiver *r, u32 seq, u32 ahead)
{
	if (ahead + r->running >= LINK_WINDOW) {
		r->stray++;
		return LINK_DROP;
	}
	if (r->kept & kept_bit(seq)) {
		r->duplicates++;
		return LINK_DROP;
	}
	r->kept |= kept_bit(seq);
	return LINK_KEEP;
}

enum link_verdict link_received(struct link_receiver *r, u32 seq)
{
	u32 behind = r->expected - seq;

	if (behind == 0 && !r->running) {
		run_expected(r);
		return LINK_RUN;
	}
	if (seq - r->expected < LINK_WINDOW)
		return early(r, seq, seq - r->expected);
	if (behind > LINK_WINDOW) {
		r->stray++;
		return LINK_DROP;
	}
	r->duplicates++;
	return r->running && behind == 1 ? LINK_BUSY : LINK_REPEAT;
}

void link_done(struct link_receiver *r)
{
	r->running = false;
}

bool link_next(struct link_receiver *r, u32 *seq)
{
	if (r->running || !link_is_kept(r, r->expected))
		return false;
	*seq = r->expected;
	run_expected(r);
	return true;
}
