/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that fault again and again, because they write to page tables that are watched, or
 * reach devices: after a few faults they become calls, which cost a third. One that no longer does
 * any of that is translated again, or memory that a function like memcpy() once reached would make
 * it slow for good. A small table by the instruction's place; what shares an entry takes turns.
 */
#include "cpu/translate/private.h"
#include "cpu/vcpu.h"

#define FAULTS_LAST 16u /* several units may have it */
#define QUIET_MAX   100u

/* REP, and string instructions: the more they move, the less a fault costs. */
static bool is_string(u8 opcode)
{
	return (opcode & 0xfe) == 0xf2 || (opcode & 0xfe) == 0xa4 || (opcode & 0xfe) == 0xaa;
}

void faulting_forget(struct translator *t, u32 page_gpa)
{
	for (u32 n = 0; n < FAULTING_MAX; n++) {
		if (!((t->faulting[n].gpa ^ page_gpa) & PAGE_MASK))
			t->faulting[n] = (struct faulting){0};
	}
}

void faulting_mark(struct translator *t)
{
	for (u32 n = 0; n < FAULTING_MAX; n++) {
		if (t->faulting[n].faults >= FAULTS_MAX)
			mark(t, t->faulting[n].gpa);
	}
}

bool translate_faulted(struct translator *t, u32 native, u32 eip)
{
	struct translate_unit *u = unit_of(t, native);
	struct faulting *f;
	u32 gpa;

	if (!u || is_string(*(const u8 *)(uintptr_t)native) || !u->listed || u->next_gpa != NO_PAGE)
		return false;
	gpa = u->gpa + (eip - u->eip);
	f = faulting_entry(t, gpa);
	if (f->gpa != gpa)
		*f = (struct faulting){.gpa = gpa};
	if (f->faults == FAULTS_LAST)
		return false; /* it is not made a call: part of a sequence */
	if (++f->faults < FAULTS_MAX)
		return false;
	mark(t, gpa);
	t->stats.called++;
	unit_drop(t, u);
	return true;
}

bool translate_call_done(struct translator *t, const struct translate_call *c, bool quiet)
{
	const struct exit *e = (const void *)c; /* its first member */
	u32 gpa = e->from->gpa + (c->eip - e->from->eip);
	struct faulting *f = faulting_entry(t, gpa);

	if (f->gpa != gpa) /* another has taken its place */
		f = NULL;
	else
		f->quiet = quiet ? (u8)(f->quiet + 1) : 0;
	if (!quiet || (f && f->quiet < QUIET_MAX))
		return false;
	if (f)
		*f = (struct faulting){0};
	t->stats.uncalled++;
	unit_drop(t, e->from);
	return true;
}
