/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every state that client, server and a link that loses, repeats and reorders can reach, with the
 * real link.c at both ends: no number is ever carried out twice or out of order, none is answered
 * that was not carried out, what came early runs in its turn, and from every state the whole can
 * still be completed.
 *
 * Time is left out: a retransmission may come at any moment. The link holds up to COPIES copies of
 * each message, in no order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"
#include "net-ne2000/link.h"

#define MESSAGES 5u
#define WINDOW	 2u
#define COPIES	 2u
#define TABLE	 (1u << 22)

struct state {
	struct link_sender sender;
	struct link_receiver receiver;
	u32 cache[WINDOW]; /* seq + 1 of the answer kept in each slot, 0: none; no room to spare */
	u32 store[WINDOW]; /* the same of the request that runs or waits for its turn */
	u8 executed[MESSAGES];
	u8 answered[MESSAGES];
	u8 request[MESSAGES], reply[MESSAGES]; /* copies under way */
	u32 running;			       /* seq being carried out */
};

static struct state *states;
static u32 *table; /* index + 1 */
static u32 count, limit;
static struct edge {
	u32 from, to;
} * edges;
static size_t edge_count, edge_limit;
static unsigned failures, kept_runs;

static void check(bool ok, const char *what, const struct state *s)
{
	if (ok)
		return;
	if (failures++ < 5)
		printf("%s: next %u expected %u\n", what, s->sender.next, s->receiver.expected);
}

/* Times, estimates and counters do not matter to what is explored. */
static void canonical(struct state *s)
{
	s->sender.srtt = s->sender.rttvar = s->sender.rto = s->sender.heard = 0;
	s->sender.retransmissions = 0;
	s->receiver.duplicates = s->receiver.stray = 0;
	for (unsigned i = 0; i < LINK_WINDOW; i++) {
		struct link_slot *slot = &s->sender.slot[i];

		memset(slot->sent, 0, sizeof(slot->sent));
		slot->tries = 0;
		slot->deadline = 0;
		if (!slot->open) {
			slot->seq = 0;
			slot->pending = false;
		}
	}
}

static u32 hash_of(const struct state *s)
{
	const u8 *p = (const u8 *)s;
	u32 h = 2166136261u;

	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static u32 intern(const struct state *s)
{
	u32 at = hash_of(s) & (TABLE - 1);

	for (; table[at]; at = (at + 1) & (TABLE - 1))
		if (!memcmp(&states[table[at] - 1], s, sizeof(*s)))
			return table[at] - 1;
	if (count == limit) {
		limit = limit ? limit * 2 : 4096;
		states = realloc(states, limit * sizeof(*states));
	}
	if (!states || count > TABLE / 2) {
		printf("the model outgrew its table\n");
		exit(1);
	}
	states[count] = *s;
	table[at] = count + 1;
	return count++;
}

static void step_to(u32 from, struct state *s)
{
	canonical(s);
	if (edge_count == edge_limit) {
		edge_limit = edge_limit ? edge_limit * 2 : 16384;
		edges = realloc(edges, edge_limit * sizeof(*edges));
		if (!edges)
			exit(1);
	}
	edges[edge_count++] = (struct edge){from, intern(s)};
}

static void put_on_link(u8 *copies)
{
	if (*copies < COPIES)
		++*copies;
}

static void store(struct state *s, u32 seq)
{
	check(!s->store[seq % WINDOW], "a request that is still needed was overwritten", s);
	s->store[seq % WINDOW] = seq + 1;
}

static void execute(struct state *s, u32 seq)
{
	check(s->store[seq % WINDOW] == seq + 1, "carried out but not there", s);
	check(!s->executed[seq], "carried out twice", s);
	check(seq == 0 || s->executed[seq - 1], "carried out before its predecessor", s);
	s->executed[seq] = 1;
	s->running = seq;
}

static void request_arrives(struct state *s, u32 seq)
{
	switch (link_received(&s->receiver, seq)) {
	case LINK_RUN:
		store(s, seq);
		execute(s, seq);
		break;
	case LINK_KEEP:
		store(s, seq);
		break;
	case LINK_REPEAT:
		/* The cache must still hold what the client waits for. */
		if (s->cache[seq % WINDOW] == seq + 1)
			put_on_link(&s->reply[seq]);
		else
			check(s->answered[seq], "an answer that is still needed was lost", s);
		break;
	case LINK_BUSY:
	case LINK_DROP:
		break;
	}
}

static void reply_arrives(struct state *s, u32 seq)
{
	if (link_answered(&s->sender, seq, 0, 0) < 0) {
		check(s->answered[seq], "an answer to an open number was refused", s);
		return;
	}
	check(s->executed[seq], "answered but not carried out", s);
	check(!s->answered[seq], "answered twice", s);
	s->answered[seq] = 1;
}

static void end_of_running(struct state *s)
{
	u32 seq = s->running;

	s->cache[seq % WINDOW] = seq + 1;
	s->store[seq % WINDOW] = 0;
	put_on_link(&s->reply[seq]);
	s->running = 0;
	link_done(&s->receiver);
	if (link_next(&s->receiver, &seq)) {
		kept_runs++;
		execute(s, seq);
	}
}

static void moves_of_ends(u32 from)
{
	struct state s = states[from];
	int slot;

	if (s.sender.next < MESSAGES && link_can_send(&s.sender)) {
		put_on_link(&s.request[s.sender.next]);
		link_send(&s.sender, 0);
		step_to(from, &s);
	}
	s = states[from];
	if (s.receiver.running) {
		end_of_running(&s);
		step_to(from, &s);
	}
	for (unsigned i = 0; i < LINK_WINDOW; i++) { /* a retransmission of any open number */
		s = states[from];
		if (!s.sender.slot[i].open)
			continue;
		for (unsigned k = 0; k < LINK_WINDOW; k++)
			s.sender.slot[k].deadline = k == i ? 0 : 1;
		slot = link_due(&s.sender, 0);
		check(slot == (int)i, "the slot that is due is not named", &s);
		put_on_link(&s.request[s.sender.slot[i].seq]);
		step_to(from, &s);
	}
}

static void moves_of_link(u32 from)
{
	for (u32 seq = 0; seq < MESSAGES; seq++) {
		for (unsigned kind = 0; kind < 4; kind++) {
			struct state s = states[from];
			u8 *copies = kind & 1 ? &s.reply[seq] : &s.request[seq];

			if (!*copies)
				continue;
			--*copies; /* delivered, or (kinds 2 and 3) lost */
			if (kind == 0)
				request_arrives(&s, seq);
			else if (kind == 1)
				reply_arrives(&s, seq);
			step_to(from, &s);
		}
	}
}

/* Marks backwards from the end: whatever is not marked can never be completed. */
static u32 stuck_states(void)
{
	u8 *good = calloc(count, 1);
	bool more = true;
	u32 stuck = 0;

	if (!good)
		exit(1);
	for (u32 i = 0; i < count; i++) {
		good[i] = 1;
		for (u32 seq = 0; seq < MESSAGES; seq++)
			good[i] &= states[i].answered[seq];
	}
	while (more) {
		more = false;
		for (size_t e = edge_count; e-- > 0;)
			if (good[edges[e].to] && !good[edges[e].from])
				good[edges[e].from] = more = true;
	}
	for (u32 i = 0; i < count; i++)
		stuck += !good[i];
	free(good);
	return stuck;
}

int main(void)
{
	struct state first;
	u32 stuck;

	memset(&first, 0, sizeof(first));
	table = calloc(TABLE, sizeof(*table));
	if (!table)
		return 1;
	link_sender_init(&first.sender, WINDOW, 0);
	link_receiver_init(&first.receiver);
	canonical(&first);
	intern(&first);
	for (u32 i = 0; i < count && !failures; i++) {
		moves_of_ends(i);
		moves_of_link(i);
	}
	if (!kept_runs)
		failures++;
	stuck = stuck_states();
	printf("%u states, %zu steps (%u to a request that was kept), %u that cannot be "
	       "completed\n",
	       count, edge_count, kept_runs, stuck);
	printf("%u passed, %u failed\n", !failures && !stuck, failures + (stuck != 0));
	return failures || stuck;
}
