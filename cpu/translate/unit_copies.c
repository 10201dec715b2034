/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Common instructions that are copied, for as long as there is nothing but such: most of all code,
 * at a quarter of what the others take.
 */
#include "cpu/translate/private.h"

bool unit_begins(const struct translator *t, const struct translate_unit *u,
		 const struct unit_place *at)
{
	return at->count && may_start(t, at->eip) &&
	       translate_find(t, at->eip, (u->gpa & PAGE_MASK) + at->off);
}

#define COPY_BYTES 16u
_Static_assert(COPY_BYTES >= QUICK_BYTES && COPY_BYTES % 4 == 0, "whole words of all of it");

static void copy_words(u8 *to, const u8 *from)
{
	for (u32 i = 0; i < COPY_BYTES; i += 4) {
		u32 word;

		__builtin_memcpy(&word, from + i, 4);
		__builtin_memcpy(to + i, &word, 4);
	}
}

void unit_copies(struct translator *t, struct translate_unit *u, const u8 *page,
		 struct unit_place *at)
{
	struct point *p = &t->point[u->first_point + u->points];
	u32 gpa = u->gpa & PAGE_MASK, first = at->count, len;

	while (at->count < UNIT_INSNS_MAX && at->off <= PAGE_SIZE - COPY_BYTES) {
		len = classify_copied(page + at->off);
		if (!len || unit_begins(t, u, at) || faulting_is_call(t, gpa + at->off))
			break;
		copy_words(t->next, page + at->off);
		t->next += len;
		at->eip += len;
		at->off += len;
		at->count++;
		*p++ = (struct point){
			.off = (u16)(t->next - u->code), .recovery = AT, .eip = at->eip};
	}
	u->points += at->count - first;
	t->stats.insns += at->count - first;
	if (at->count > first)
		u->source = at->off - (u->gpa & ~PAGE_MASK);
}
