/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops that wait for a port: the guest reads it over and over from one instruction. The peer does
 * that better; and when nothing has come about there for t us, the guest is given as many reads of
 * 1 us at once, as it may count them to find out that it has waited for long enough.
 */
#include "net-ne2000/remote_parts.h"

static bool same_place(const struct remote_loop *l, const struct remote_key *k, u16 port,
		       unsigned width)
{
	return l->repeats && l->eip == k->eip && l->cr3 == k->cr3 && l->port == port &&
	       l->width == width;
}

/* And nothing else done since. */
static bool goes_on(const struct remote_loop *l, const struct remote_key *k, u16 port,
		    unsigned width)
{
	return same_place(l, k, port, width) && k->nth == l->nth + 1;
}

bool remote_loop_credit(struct remote *r, const struct remote_key *k, u16 port, unsigned width,
			u32 *value)
{
	struct remote_loop *l = &r->loop;

	/* Interrupt handlers may have done something elsewhere, as they do while a loop waits. */
	if (!l->credit || !same_place(l, k, port, width) || r->now >= l->credit_until)
		return false;
	l->credit--;
	l->repeats++;
	l->nth = k->nth;
	*value = l->value;
	return true;
}

bool remote_loop_polls(struct remote *r, const struct remote_key *k, u16 port, unsigned width,
		       struct profile_poll *poll)
{
	const struct profile *p = r->config.profile;
	struct remote_loop *l = &r->loop;
	bool on = goes_on(l, k, port, width);

	l->credit = 0;
	*poll = (struct profile_poll){0};
	return p->poll &&
	       p->poll(&r->profile, port, width, on ? l->repeats : 0, on ? l->value : 0, poll);
}

void remote_loop_read(struct remote *r, const struct remote_key *k, const struct remote_access *a)
{
	struct remote_loop *l = &r->loop;
	bool again = goes_on(l, k, a->port, a->width) && a->value == l->value;

	l->repeats = again ? l->repeats + 1 : 1;
	l->eip = k->eip;
	l->cr3 = k->cr3;
	l->port = a->port;
	l->width = a->width;
	l->value = a->value;
	l->nth = k->nth;
	l->credit = a->timed_out ? a->polled_us : 0;
	l->credit_until = r->now + 1000ull * l->credit;
}

void remote_loop_break(struct remote *r)
{
	r->loop.repeats = 0;
	r->loop.credit = 0;
}
