/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random page tables and accesses. Any of a few pages may be data, page table and code at the same
 * time, because each word in them is an entry that leads to one of them, and may be a RET too; and
 * directories may be tables. The TLB is flushed before each access, and no access goes by what it
 * has written itself. What is printed goes over how each one ended and over all of these words, A
 * and D bits included.
 */
#include "tests/guests/rt/rt.h"

#define IDENTITY  0x81000u /* the page table of the first 4 MB */
#define FIRST	  0x48u	   /* frame; and index of an entry, in directories and tables */
#define POOL	  8u	   /* frames, entries */
#define TABLES	  3u	   /* the first of them, as a rule; others are data that nobody watches */
#define REGIONS	  2u	   /* of 4 MB that accesses go to */
#define ROUNDS	  2500u
#define EACH	  100u /* rounds between lines */
#define RET	  0xc3u
#define RET_ENTRY 0x4c300u /* its second byte, which A and D leave alone */

#define CR0_PG	BIT(31)
#define CR0_WP	BIT(16)
#define CR4_PSE BIT(4)
#define CR4_PGE BIT(7)

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
enum { NOT_PRESENT, DIRECTORY, WORD };

SNIPPET(read, "mov (%esi), %eax");
SNIPPET(write, "mov %eax, (%esi)");
SNIPPET(modify, "orl $1, (%esi)");
SNIPPET(push_there, "lea 4(%esi), %esp\n push %eax");
SNIPPET(string_write, "mov %esi, %edi\n mov $1, %ecx\n cld\n rep stosl");
SNIPPET(string_move, "mov %ebx, %edi\n mov $1, %ecx\n cld\n rep movsl");
/* What becomes of the words on both sides is not used as an entry. */
SNIPPET(cross_write, "and $-4096, %esi\n mov $0x80270004, %eax\n mov %eax, -2(%esi)");
SNIPPET(cross_read, "and $-4096, %esi\n mov -2(%esi), %eax");
SNIPPET(cmpxchg_fail, "mov $0x77, %eax\n cmpxchg %ebx, (%esi)");
SNIPPET(test_only, "testl $1, (%esi)");
SNIPPET(call_there, "inc %esi\n call *%esi");

static const u32 directory[] = {0x80000, 0x82000};
static u32 state = 20261122, hash, large, global;

static u32 random_value(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static u32 random_below(u32 n)
{
	return (random_value() >> 7) % n;
}

static u32 random_entry(u32 frames)
{
	u32 entry = (FIRST + random_below(frames)) << 12 | A | D | P | W | U;

	for (u32 n = random_below(3); n--;)
		entry ^= 1u << random_below(7) & (P | W | U | A | D);
	if (frames == POOL && !random_below(3))
		entry = (entry & 0xff) | RET_ENTRY;
	if (!random_below(6))
		entry |= G;
	return entry;
}

static volatile u32 *word(u32 frame, u32 n)
{
	return (volatile u32 *)(frame << 12) + n;
}

static u32 random_lin(void)
{
	return (FIRST + random_below(REGIONS)) << 22 | (FIRST + random_below(POOL)) << 12 |
	       (FIRST + random_below(POOL)) << 2;
}

static void change(void)
{
	u32 frame = FIRST + random_below(POOL), entry = random_entry(POOL);

	if (!random_below(8)) {
		frame = directory[random_below(2)] >> 12;
		entry = random_entry(TABLES);
		if (!random_below(6))
			entry = directory[random_below(2)] | (entry & 0xfff);
		if (!random_below(6)) /* a large page, of the first 4 MB */
			entry = (entry & 0x7f) | PS;
	}
	*word(frame, FIRST + random_below(POOL)) = entry;
}

/* What lin leads to, by the tables and without a look at the rights. */
static unsigned target(u32 lin, volatile u32 **at)
{
	u32 entry = *word(read_cr3() >> 12, lin >> 22);

	if (!(entry & P))
		return NOT_PRESENT;
	if (large && (entry & PS)) {
		*at = (volatile u32 *)(lin & 0x3fffff);
		return WORD;
	}
	entry = *word(entry >> 12, lin >> 12 & 1023);
	if (!(entry & P))
		return NOT_PRESENT;
	*at = (volatile u32 *)((entry & 0xfffff000) | (lin & 0xffc));
	return (entry >> 12) - FIRST < POOL ? WORD : DIRECTORY;
}

static void flush(void)
{
	switch (random_below(100)) {
	case 0:
		large ^= CR4_PSE;
		break;
	case 1:
		global ^= CR4_PGE;
		break;
	case 2:
		write_cr0(read_cr0() ^ CR0_WP);
		return;
	case 3 ... 15:
		if (!global) {
			write_cr3(directory[random_below(2)]);
			return;
		}
		break;
	default:
		if (!global) {
			write_cr3(read_cr3());
			return;
		}
		break;
	}
	write_cr4((read_cr4() & ~(CR4_PSE | CR4_PGE)) | large | (global ^ CR4_PGE));
	write_cr4((read_cr4() & ~CR4_PGE) | global);
}

static void take(u32 value)
{
	hash = (hash ^ value) * 16777619;
}

static void take_all(void)
{
	const struct trap *t = &trap_frame;

	take(t->vector);
	if (t->vector == 14) {
		take(t->error);
		take(t->cr2);
	}
	take(t->eax);
	take(t->ecx);
	for (u32 f = 0; f < POOL; f++) {
		for (u32 n = 0; n < POOL; n++)
			take(*word(FIRST + f, FIRST + n));
		take(*word(FIRST + f, 0));
		take(*word(FIRST + f, 1023));
	}
	for (u32 f = 0; f < 2; f++)
		for (u32 n = 0; n < POOL; n++)
			take(*word(directory[f] >> 12, FIRST + n));
}

static void access(void)
{
	static const void *const snippets[] = {read,	     write,	  modify,      push_there,
					       string_write, string_move, cross_write, cross_read,
					       cmpxchg_fail, test_only,	  call_there,  call_there,
					       call_there};
	const void *snippet = snippets[random_below(ARRAY_SIZE(snippets))];
	unsigned cpl = random_below(2) ? 3 : 0;
	struct regs r = regs_for(cpl, snippet);
	volatile u32 *at;

	r.esi = random_lin();
	r.eax = random_entry(POOL);
	r.ebx = random_lin();
	if (snippet == string_move)
		r.ebx = (r.ebx & ~0x1fu) | 0x120;
	if (snippet == push_there && cpl == 0)
		return; /* its fault would be pushed there, too */
	flush();
	if (snippet == cross_write && target(r.esi & ~0xfffu, &at) == DIRECTORY)
		return; /* it would change what leads to this program */
	if (snippet == call_there && target(r.esi, &at) != NOT_PRESENT && (*at >> 8 & 0xff) != RET)
		return;
	run(&r);
	take_all();
}

int main(void)
{
	rt_init("paging_random");
	memset((void *)0x80000, 0, 0x3000);
	for (u32 i = 0; i < 1024; i++)
		*word(IDENTITY >> 12, i) = i << 12 | P | W | U;
	*word(0x80, 0) = *word(0x82, 0) = IDENTITY | P | W | U;
	for (u32 f = 0; f < POOL; f++) {
		for (u32 n = 0; n < 1024; n++)
			*word(FIRST + f, n) = 0x48003;
		for (u32 n = 0; n < POOL; n++)
			*word(FIRST + f, FIRST + n) = random_entry(POOL);
	}
	for (u32 n = 0; n < POOL; n++)
		*word(0x80, FIRST + n) = *word(0x82, FIRST + n) = random_entry(TABLES);
	write_cr3(directory[0]);
	write_cr0(read_cr0() | CR0_PG);
	for (u32 round = 0; round < ROUNDS; round++) {
		if (!random_below(3))
			change();
		access();
		if (round % EACH == EACH - 1)
			print("%u: %x\n", round, hash);
	}
	print("[end]\n");
	return 0;
}
