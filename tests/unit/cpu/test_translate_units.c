// SPDX-License-Identifier: BSD-2-Clause
/*
 * How units share their code and find each other: parts of units, exits that wait for a unit in
 * their page, and what goes when bytes change. Nothing that is made here is run.
 */
#include <stdlib.h>
#include <string.h>
#include "cpu/translate/private.h"
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support.h"
#include "tests/unit/cpu/support_check.h"

#define CODE_BYTES (64u * KB)
#define GPA	   0x5000u
#define EIP	   0xc0005000u

static struct translate_state state;
static struct translator *t;
static u8 page[PAGE_SIZE];

static struct translate_unit *make(u32 off)
{
	return translate_make(t, EIP + off, GPA + off, page);
}

static struct translate_unit *find(u32 off)
{
	return translate_find(t, EIP + off, GPA + off);
}

/* mov eax, 90909090h; inc eax; jne +10h; add ecx, [ebp + 8]; ret; and 20h bytes on: hlt. */
static void begin(void)
{
	static const u8 code[] = {0xb8, 0x90, 0x90, 0x90, 0x90, 0x40,
				  0x75, 0x18, 0x03, 0x4d, 0x08, 0xc3};

	memset(page, 0, sizeof(page));
	memcpy(page, code, sizeof(code));
	page[0x20] = 0xf4;
	translate_flush(t);
}

static bool is_part(const struct translate_unit *u, const struct translate_unit *whole, u32 at)
{
	return u->whole == whole && u->entry == whole->code + at && !u->size;
}

static void test_parts(void)
{
	struct translate_unit *whole;

	begin();
	whole = make(0);
	report(is_part(make(5), whole, 5), "a part that begins in a run");
	report(is_part(make(8), whole, 12), "a part that begins behind a branch");
	report(make(2)->size != 0, "a unit in the middle of an instruction is no part");
	report(find(5) && find(8) && find(2), "all of them are found");
	translate_drop_range(t, GPA, 1);
	report(!find(0) && !find(5) && !find(8) && find(2), "parts go with the whole");
	translate_drop_range(t, GPA + 3, 1);
	report(!find(2), "a unit goes with its own bytes");
}

/* One that keeps faulting in a part is in the whole. */
static void test_faulting_part(void)
{
	struct translate_unit *whole, *part;

	begin();
	whole = make(0);
	part = make(8);
	for (u32 n = 0; n < FAULTS_MAX; n++)
		translate_faulted(t, (u32)(uintptr_t)part->entry, EIP + 8);
	report(!find(0) && !find(8) && !whole->listed && !part->listed,
	       "a faulting instruction drops the whole and its parts");
	report(make(8)->exits > part->exits, "... and is a call then");
}

/* call +0: where it leads is behind it, where the code of the call leads nowhere else. */
static void test_call_to_next(void)
{
	struct translate_unit *whole, *part;

	begin();
	memcpy(page, "\xe8\0\0\0\0\x58\xc3", 7);
	whole = make(0);
	part = make(5);
	report(whole->exits && t->exit[whole->first_exit].to == part, "the call is linked");
	report(part->entry > t->exit[whole->first_exit].site, "to the code behind it");
}

static void test_waiting(void)
{
	struct translate_unit *from, *to;
	struct exit *e;

	begin();
	from = make(0);
	e = &t->exit[from->first_exit];
	report(e->call.eip == EIP + 0x20 && e->waits && !e->to, "the branch waits");
	to = make(0x20);
	report(!e->waits && e->to == to, "its target is there: it is linked");
	translate_drop_range(t, GPA + 0x20, 1);
	report(e->waits && !e->to, "it is gone: it waits again");
	to = make(0x20);
	report(e->to == to, "it is there again");
	translate_drop_range(t, GPA, 1);
	report(!find(0) && find(0x20) == to && !to->in, "the branch is gone");
	translate_drop_range(t, GPA + 0x20, 1);
	make(0x20);
	report(!e->to, "what is gone is not linked");
	from = make(0);
	report(t->exit[from->first_exit].to == find(0x20), "a branch to what is there");
}

/* The other context's units are not for this one. */
static void test_contexts(void)
{
	struct translate_context flat = {.limit = ~0u}, small = {.limit = 0xcfffffff};
	struct translate_unit *from, *to;

	begin();
	from = make(0);
	translate_context(t, &small);
	to = make(0x20);
	report(!t->exit[from->first_exit].to && !to->in, "a unit of another context");
	report(!make(5)->whole, "a part of another context's");
	translate_context(t, &flat);
	report(make(0x20)->in == &t->exit[from->first_exit], "a unit of the same");
}

int main(void)
{
	struct translate_host host = {.code = malloc(CODE_BYTES),
				      .code_size = CODE_BYTES,
				      .state = &state,
				      .state_disp = 0x1000,
				      .state_prefix = 0x65};

	t = translate_init(calloc(1, translate_arena_size(CODE_BYTES)), &host);
	test_parts();
	test_faulting_part();
	test_call_to_next();
	test_waiting();
	test_contexts();
	return check_done();
}
