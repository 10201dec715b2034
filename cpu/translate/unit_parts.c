/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Units that begin in the middle of others, most often because a branch leads back there: nothing
 * has to be made for them.
 */
#include "cpu/translate/private.h"

#define BLOCK_SHIFT 6

/* The unit that was last made of bytes near gpa. */
static struct translate_unit **cover(struct translator *t, u32 gpa)
{
	return &t->covers[(gpa >> BLOCK_SHIFT) % COVERS];
}

void unit_cover(struct translator *t, struct translate_unit *u)
{
	u32 last = (u->gpa + u->source - 1) >> BLOCK_SHIFT;

	for (u32 block = u->gpa >> BLOCK_SHIFT; block <= last; block++)
		*cover(t, block << BLOCK_SHIFT) = u;
}

struct translate_unit *unit_make_part(struct translator *t, u32 eip, u32 gpa)
{
	struct translate_unit *whole = *cover(t, gpa), *u;
	u8 *entry;

	if (!whole || !whole->listed || whole->context != t->current ||
	    gpa - whole->gpa >= whole->source || gpa - whole->gpa != eip - whole->eip)
		return NULL;
	entry = state_place(t, whole, 0, 0, whole->points, eip, false);
	if (!entry)
		return NULL;
	u = unit_new(t, eip, gpa);
	u->source = whole->gpa + whole->source - gpa;
	u->entry = entry;
	u->whole = whole;
	u->part_next = whole->parts;
	whole->parts = u;
	t->stats.parts++;
	return u;
}
