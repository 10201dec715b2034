/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paging (SDM vol. 3, ch. 4): faults with their error codes and CR2, rights at both levels, WP,
 * accessed and dirty bits, for 4 KB, 4 MB and PAE tables, INVLPG and global pages.
 */
#include "tests/guests/rt/rt.h"

#define PD     0x80000u /* page directory, or PAE's pointer table */
#define PT     0x81000u /* its first page table */
#define PAE_PD 0x82000u
#define VIRT   0x00300000u /* the linear page under test: entry 300h of the first table */
#define PHYS   0x48000u	   /* what it is mapped to */
#define OTHER  0x49000u
#define CODE   0x4a000u

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };

SNIPPET(read, "mov (%esi), %eax");
SNIPPET(write, "mov %eax, (%esi)");
SNIPPET(modify, "addl $1, (%esi)");
SNIPPET(fetch, "jmp *%esi");
SNIPPET(push_there, "lea 4(%esi), %esp\n push %eax");
SNIPPET(string_write, "mov %esi, %edi\n mov $4, %ecx\n cld\n rep stosl");
SNIPPET(cross_write, "mov %eax, -2(%esi)");
SNIPPET(cross_read, "mov -2(%esi), %eax");
SNIPPET(cmpxchg_fail, "mov $0x77, %eax\n cmpxchg %ebx, (%esi)");
SNIPPET(test_only, "testl $1, (%esi)");
SNIPPET(bts_far, "mov $32, %eax\n bts %eax, -4(%esi)");

static volatile u32 *const pd = (u32 *)PD;
static volatile u32 *const pt = (u32 *)PT;

static void flush(void)
{
	write_cr3(read_cr3());
}

static void show(const char *label, unsigned cpl, u32 pde, u32 pte)
{
	const struct trap *t = &trap_frame;

	print("%s cpl %u: ", label, cpl);
	if (t->vector == 14)
		print("#PF err=%x cr2=%08x eax=%x esp=%x ecx=%x", t->error, t->cr2, t->eax,
		      t->cs & 3 ? t->esp : 0, t->ecx);
	else
		print("vec=%u err=%x", t->vector, t->error);
	print(" pde=%03x pte=%03x\n", pde & 0xfff, pte & 0xfff);
}

static void access(const char *label, unsigned cpl, const void *snippet)
{
	struct regs r = regs_for(cpl, snippet);

	r.esi = VIRT;
	r.eax = 0x1234;
	r.ebx = 0x4321;
	*(u32 *)PHYS = 0x80cd80cd; /* INT 80h, for fetches */
	flush();
	run(&r);
	show(label, cpl, pd[0], pt[VIRT >> 12]);
}

static void all_accesses(void)
{
	static const struct {
		const char *label;
		const void *snippet;
	} list[] = {
		{"read", read},
		{"write", write},
		{"modify", modify},
		{"fetch", fetch},
		{"push", push_there},
		{"string", string_write},
		{"cross write", cross_write},
		{"cross read", cross_read},
		{"cmpxchg", cmpxchg_fail},
		{"test", test_only},
		{"bts", bts_far},
	};
	u32 pde = pd[0], pte = pt[VIRT >> 12];

	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		for (unsigned cpl = 0; cpl < 4; cpl += 3) {
			if (list[i].snippet == push_there && cpl == 0)
				continue; /* its fault would be pushed on the same page */
			pd[0] = pde;
			pt[VIRT >> 12] = pte;
			pt[(VIRT >> 12) - 1] = OTHER | P | W | U;
			access(list[i].label, cpl, list[i].snippet);
		}
	}
}

static void identity_map(u32 rights)
{
	memset((void *)PD, 0, 0x4000);
	pd[0] = PT | rights;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i << 12 | P | W | U;
}

static void four_kb(void)
{
	static const u32 rights[] = {
		0, P, P | W, P | U, P | W | U, P | W | U | A, P | W | U | A | D, P | U | A | D};

	identity_map(P | W | U);
	write_cr3(PD);
	for (unsigned wp = 0; wp < 2; wp++) {
		write_cr0((read_cr0() & ~BIT(16)) | BIT(31) | wp << 16);
		for (unsigned i = 0; i < ARRAY_SIZE(rights); i++) {
			print("WP %u, page rights %02x\n", wp, rights[i]);
			pd[0] = PT | P | W | U;
			pt[VIRT >> 12] = PHYS | rights[i];
			all_accesses();
		}
	}
}

/* The directory's own rights count too; this page is in another directory entry. */
static void directory_rights(void)
{
	static const u32 rights[] = {0, P, P | W, P | U, P | W | U};
	volatile u32 *second = (u32 *)0x83000;

	for (unsigned i = 0; i < ARRAY_SIZE(rights); i++) {
		for (unsigned cpl = 0; cpl < 4; cpl += 3) {
			static const void *const snippets[] = {read, write};

			for (unsigned k = 0; k < 2; k++) {
				struct regs r = regs_for(cpl, snippets[k]);

				second[0] = PHYS | P | W | U;
				pd[1] = 0x83000 | rights[i];
				flush();
				r.esi = 0x400000;
				r.eax = 1;
				run(&r);
				print("directory rights %x ", rights[i]);
				show(k ? "write" : "read", cpl, pd[1], second[0]);
			}
		}
	}
	pd[1] = 0;
}

static void four_mb(void)
{
	static const u32 rights[] = {P, P | W, P | U, P | W | U};

	write_cr4(read_cr4() | BIT(4));
	for (unsigned i = 0; i < ARRAY_SIZE(rights); i++) {
		for (unsigned k = 0; k < 4; k++) {
			struct regs r = regs_for(k & 1 ? 3 : 0, k & 2 ? write : read);

			pd[2] = rights[i] | PS; /* 4 MB at 0 */
			flush();
			r.esi = 0x800000 + PHYS;
			r.eax = 1;
			run(&r);
			print("4 MB rights %x ", rights[i]);
			show(k & 2 ? "write" : "read", k & 1 ? 3 : 0, pd[2], 0);
		}
	}
	pd[2] = P | W | PS | 0x200000; /* a reserved bit */
	flush();
	access("table page", 0, read);
	{
		struct regs r = regs_for(0, read);

		r.esi = 0x800000;
		run(&r);
		show("reserved bit", 0, pd[2], 0);
	}
	write_cr4(read_cr4() & ~BIT(4));
	pd[2] = 0;
	flush();
}

/* A changed entry is not seen before INVLPG where the old one was cached; global ones outlive CR3.
 */
static void invlpg(void)
{
	volatile u32 *at = (u32 *)VIRT;

	pt[VIRT >> 12] = PHYS | P | W;
	flush();
	*(u32 *)PHYS = 0x11111111;
	*(u32 *)OTHER = 0x22222222;
	(void)*at;
	pt[VIRT >> 12] = OTHER | P | W;
	__asm__ volatile("invlpg (%0)" ::"r"(VIRT) : "memory");
	print("after INVLPG %x\n", *at);
	write_cr4(read_cr4() | BIT(7));
	pt[VIRT >> 12] = PHYS | P | W | G;
	__asm__ volatile("invlpg (%0)" ::"r"(VIRT) : "memory");
	(void)*at;
	pt[VIRT >> 12] = OTHER | P | W | G;
	__asm__ volatile("invlpg (%0)" ::"r"(VIRT) : "memory");
	print("global after INVLPG %x\n", *at);
	pt[VIRT >> 12] = PHYS | P | W;
	write_cr4(read_cr4() & ~BIT(7));
	print("after PGE off %x\n", *at);
	write_cr0(read_cr0() & ~BIT(31));
	print("paging off %x\n", *(volatile u32 *)PHYS);
	write_cr0(read_cr0() | BIT(31));
}

#define FETCHES 6u

/* Code that has run before sets A like any other. Another CPL between, and nothing printed: some of
 * Farbus's ways from one page of code to another outlast neither. */
static void fetched(const char *label, volatile u32 *entry, u32 lin)
{
	struct regs other = regs_for(3, read);
	u32 seen[FETCHES];

	other.esi = SCRATCH;
	run(&other);
	for (unsigned i = 0; i < FETCHES; i++) {
		*entry &= ~(u32)A;
		if (i % 2)
			flush();
		else
			__asm__ volatile("invlpg (%0)" ::"r"(lin) : "memory");
		__asm__ volatile("call *%0" ::"r"(lin) : "memory");
		seen[i] = *entry & 0xfff;
	}
	for (unsigned i = 0; i < FETCHES; i++)
		print("%s fetched: %03x\n", label, seen[i]);
}

static void fetches(void)
{
	volatile u32 *second = (u32 *)0x83000;

	*(u8 *)CODE = 0xc3; /* RET */
	pt[VIRT >> 12] = CODE | P | W;
	fetched("page", &pt[VIRT >> 12], VIRT);
	second[0] = CODE | P | W;
	pd[1] = 0x83000 | P | W;
	fetched("table", &pd[1], 0x400000);
	write_cr4(read_cr4() | BIT(4));
	pd[2] = P | W | PS;
	fetched("4 MB", &pd[2], 0x800000 + CODE);
	write_cr4(read_cr4() & ~BIT(4));
	pd[1] = pd[2] = 0;
	flush();
}

static void pae(void)
{
	volatile u64 *pdpt = (u64 *)PD, *pae_pd = (u64 *)PAE_PD, *pae_pt = (u64 *)PT;
	static const u64 entry[] = {0,
				    P,
				    P | W,
				    P | U,
				    P | W | U,
				    P | W | U | A | D,
				    P | W | U | 1ull << 40,
				    P | W | U | 1ull << 63};

	write_cr0(read_cr0() & ~BIT(31));
	memset((void *)PD, 0, 0x4000);
	pdpt[0] = PAE_PD | P;
	pae_pd[0] = P | W | U | PS; /* 2 MB at 0 */
	pae_pd[1] = PT | P | W | U;
	write_cr4(read_cr4() | BIT(5));
	write_cr3(PD);
	write_cr0(read_cr0() | BIT(31) | BIT(16));
	for (unsigned i = 0; i < ARRAY_SIZE(entry); i++) {
		for (unsigned k = 0; k < 4; k++) {
			struct regs r = regs_for(k & 1 ? 3 : 0, k & 2 ? write : read);

			pae_pt[0x100] = PHYS | entry[i];
			flush();
			r.esi = VIRT;
			r.eax = 1;
			run(&r);
			print("PAE %x%08x ", (u32)(entry[i] >> 32), (u32)entry[i]);
			show(k & 2 ? "write" : "read", k & 1 ? 3 : 0, (u32)pae_pd[1],
			     (u32)pae_pt[0x100]);
		}
	}
	for (unsigned k = 0; k < 4; k++) {
		struct regs r = regs_for(k & 1 ? 3 : 0, k & 2 ? write : read);

		pae_pd[2] = P | W | PS | (k & 1 ? U : 0);
		flush();
		r.esi = 0x400000 + PHYS;
		run(&r);
		show("2 MB", k & 1 ? 3 : 0, (u32)pae_pd[2], 0);
	}
	{
		struct regs r = regs_for(0, read);

		r.esi = 0x40000000; /* the second pointer is not present */
		run(&r);
		show("no directory", 0, (u32)pdpt[0], (u32)pdpt[1]);
	}
}

SNIPPET(load_bad_pdpte, "mov %ebx, %cr3");

static void pae_pointers(void)
{
	struct regs r = regs_for(0, load_bad_pdpte);
	u64 *bad = (u64 *)0x85000;

	memset(bad, 0, 32);
	bad[0] = PAE_PD | P;
	bad[1] = PAE_PD | P | W; /* reserved in a pointer */
	r.ebx = 0x85000;
	run(&r);
	show("reserved bit in a pointer", 0, 0, 0);
	print("cr3 %x\n", read_cr3());
}

int main(void)
{
	rt_init("paging");
	four_kb();
	directory_rights();
	four_mb();
	invlpg();
	fetches();
	pae();
	pae_pointers();
	print("[end]\n");
	return 0;
}
