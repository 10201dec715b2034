/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Common instructions that are copied, for as long as there is nothing but such: most of all code,
 * at a small part of what the others take. One point does for all of a run.
 */
#include "cpu/translate/quick.h"

/* In whole words, the last one with bytes that mean nothing. */
static u8 *copy_words(u8 *to, const u8 *from, u32 count)
{
	for (u32 i = 0; i < count; i += 4) {
		u32 word;

		__builtin_memcpy(&word, from + i, 4);
		__builtin_memcpy(to + i, &word, 4);
	}
	return to + count;
}

/* The instruction at `off` is not for a run. */
static __attribute__((noinline)) bool ends(struct translator *t, const struct translate_unit *u,
					   struct unit_place at)
{
	return faulting_is_call(t, (u->gpa & PAGE_MASK) + at.off) || unit_begins(t, u, &at);
}

void unit_copies(struct translator *t, struct translate_unit *u, const u8 *page,
		 struct unit_place *at)
{
	u32 gpa = u->gpa & PAGE_MASK, first = at->off, off = first, count = at->count;

	while (count < UNIT_INSNS_MAX && off <= PAGE_SIZE - QUICK_BYTES - 3) {
		u32 len = classify_copied(page + off);

		if (!len)
			break;
		if (unlikely(marked(t, gpa + off)) &&
		    ends(t, u, (struct unit_place){at->eip + (off - first), off, count}))
			break;
		off += len;
		count++;
	}
	if (off == first)
		return;
	unit_point(t, u, COPIED, at->eip);
	t->next = copy_words(t->next, page + first, off - first);
	*at = (struct unit_place){at->eip + (off - first), off, count};
	unit_point(t, u, AT, at->eip);
}
