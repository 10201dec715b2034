/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways between units: an exit that leads on is a jump to its stub or, linked, to a unit. Those
 * to the page of their unit are linked as soon as both ends are there.
 */
#include "cpu/translate/emit.h"

/* Whether a way between them stays right wherever other pages lie. */
static bool same_page(const struct translate_unit *a, const struct translate_unit *b)
{
	return !((a->gpa ^ b->gpa) & PAGE_MASK) && a->next_gpa == NO_PAGE && b->next_gpa == NO_PAGE;
}

/* Where e leads in the page of its unit; or NO_PAGE. */
static u32 near_target(const struct exit *e)
{
	u32 gpa = e->from->gpa + (e->call.eip - e->from->eip);

	if (!e->site || e->recovery != AT || (gpa ^ e->from->gpa) & PAGE_MASK ||
	    e->from->next_gpa != NO_PAGE)
		return NO_PAGE;
	return gpa;
}

static struct exit **waiting_for(struct translator *t, u32 eip)
{
	return &t->waiting[(eip ^ eip >> 12) % WAITING];
}

/* Until there is a unit where it leads. */
static void wait(struct translator *t, struct exit *e)
{
	struct exit **head = waiting_for(t, e->call.eip);

	e->waits = true;
	e->next = *head;
	*head = e;
}

static void wait_no_more(struct translator *t, struct exit *e)
{
	struct exit **link = waiting_for(t, e->call.eip);

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	e->waits = false;
}

void exit_link(struct translator *t, struct exit *e, struct translate_unit *to)
{
	if (e->waits)
		wait_no_more(t, e);
	e->to = to;
	e->next = to->in;
	to->in = e;
	patch(e->site, to->entry);
	t->stats.links++;
}

void exit_unlink(struct translator *t, struct exit *e)
{
	struct exit **link = &e->to->in;

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	e->to = NULL;
	patch(e->site, (const u8 *)(uintptr_t)e->call.native);
	t->stats.unlinks++;
	if (e->from->listed && near_target(e) != NO_PAGE)
		wait(t, e);
}

void exits_unlink_far(struct translator *t)
{
	for (u32 n = 0; n < t->exits; n++) {
		struct exit *e = &t->exit[n];

		if (e->to && !same_page(e->from, e->to))
			exit_unlink(t, e);
	}
}

/* The exits of u to its own page lead to the units there, or wait for them. */
static void link_own(struct translator *t, struct translate_unit *u)
{
	for (u32 n = u->first_exit; n < u->first_exit + u->exits; n++) {
		struct exit *e = &t->exit[n];
		struct translate_unit *to = NULL;
		u32 gpa = near_target(e);

		if (gpa == NO_PAGE)
			continue;
		if (marked(t, gpa))
			to = translate_find(t, e->call.eip, gpa);
		if (to && same_page(u, to))
			exit_link(t, e, to);
		else
			wait(t, e);
	}
}

/* Those that have waited for u lead to it. */
static void link_waiting(struct translator *t, struct translate_unit *u)
{
	struct exit **link = waiting_for(t, u->eip), *e;

	while ((e = *link)) {
		if (!e->from->listed) {
			*link = e->next;
			e->waits = false;
		} else if (e->call.eip == u->eip && near_target(e) == u->gpa &&
			   e->from->context == u->context) {
			exit_link(t, e, u); /* takes it from the list */
		} else {
			link = &e->next;
		}
	}
}

void exits_link_near(struct translator *t, struct translate_unit *u)
{
	link_waiting(t, u);
	link_own(t, u);
}
