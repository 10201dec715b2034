/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables, tasks and page tables: those that a round needs, and random ones. */
#include "lib/str.h"
#include "tests/guests/hostile/hostile.h"

enum { P = 1, W = 2, U = 4, PS = 0x80, G = 0x100 };

#define RANDOM_SEGMENTS 64u /* of GDT and LDT */
#define RANDOM_ENTRIES	32u /* of page tables */

static u64 descriptor(u32 base, u32 limit, u32 access, u32 flags)
{
	u32 low = (limit & 0xffff) | base << 16;
	u32 high = (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 |
		   (base & 0xff000000);

	return (u64)high << 32 | low;
}

static u64 gate(u32 sel, u32 off, u32 access, u32 params)
{
	return (u64)((off & 0xffff0000) | access << 8 | params) << 32 | (off & 0xffff) | sel << 16;
}

static u64 random_descriptor(void)
{
	u32 dpl = random_below(4) << 5;

	switch (random_below(6)) {
	case 0: /* data around the slot */
		return descriptor(slot_address(), random_value() & 0xfffff, 0x92 | dpl, 0xc);
	case 1: /* expand-down and odd ones */
		return descriptor(one_in(2) ? 0 : address(), random_value() & 0xfffff,
				  0x90 | dpl | random_below(16), random_below(16) & ~2u);
	case 2: /* call, interrupt, trap and task gates */
		return gate(one_in(2) ? SEL_CODE0 : selector(), address(),
			    0x80 | dpl |
				    (one_in(3)	 ? 5
				     : one_in(2) ? 0xc
						 : 0xe),
			    random_below(32));
	case 3: /* TSSs and LDTs */
		return descriptor(address(), 0x67 + random_below(0x100),
				  0x80 | dpl |
					  (one_in(2)   ? 9
					   : one_in(2) ? 2
						       : random_below(16)),
				  random_below(4) ? 0 : 8);
	case 4:
		return descriptor(0, 0xfffff, (one_in(2) ? 0x9a : 0x92) | dpl, 0xc);
	default:
		return (u64)random_value() << 32 | random_value();
	}
}

void make_segments(void)
{
	u64 *gdt = (u64 *)GDT_AT, *ldt = (u64 *)LDT_AT, *idt = (u64 *)IDT_AT;

	for (u32 i = 0; i < RANDOM_SEGMENTS; i++) {
		gdt[GDT_FIXED + i] = random_descriptor();
		ldt[i] = random_descriptor();
		idt[34 + random_below(222)] = random_descriptor();
	}
	for (u32 cpl = 0; cpl < 4; cpl++) {
		gdt[1 + 2 * cpl] = descriptor(0, 0xfffff, 0x9b | cpl << 5, 0xc);
		gdt[2 + 2 * cpl] = descriptor(0, 0xfffff, 0x93 | cpl << 5, 0xc);
		gdt[SEL_CODE16 / 8 + cpl] = descriptor(code_at, 0xffff, 0x9b | cpl << 5, 0);
		gdt[SEL_DATA16 / 8 + cpl] = descriptor(DATA_AT, 0xffff, 0x93 | cpl << 5, 0);
	}
	gdt[0] = 0;
	gdt[SEL_TSS / 8] = descriptor(TSS_AT, 0x167, 0x89, 0);
	gdt[SEL_FAULT / 8] = descriptor(TSS_FAULT_AT, 0x67, 0x89, 0);
	gdt[SEL_LDT / 8] = descriptor(LDT_AT, 0x7ff, 0x82, 0);
	gdt[12] = descriptor(0xf0000, 0xffff, 0x9b, 0); /* real mode's way in: entry.asm */
	gdt[13] = descriptor(0, 0xffff, 0x93, 0);
	memcpy(idt, (const void *)rom->idt, 34 * 8); /* the others: what there may be */
}

void make_tasks(void)
{
	u32 *main_tss = (u32 *)TSS_AT, *fault = (u32 *)TSS_FAULT_AT;

	memset(main_tss, 0, 0x100);
	memset(fault, 0, 0x100);
	for (u32 cpl = 0; cpl < 3; cpl++) {
		main_tss[1 + 2 * cpl] = cpl ? DATA_AT + 0x8000 : STACK_AT;
		main_tss[2 + 2 * cpl] = SEL_DATA0 + cpl * 0x11;
	}
	main_tss[25] = (one_in(2) ? 0x68u : 0x168u) << 16;
	fault[7] = PD_AT;
	fault[8] = (u32)end_round;
	fault[9] = 2;
	fault[14] = STACK_AT - 0x400;
	fault[18] = SEL_DATA0;
	fault[19] = SEL_CODE0;
	fault[20] = SEL_DATA0;
	fault[21] = SEL_DATA0;
	fault[25] = 0x68u << 16;
}

static u32 random_entry(void)
{
	u32 bits = (random_value() & 0xfff) | (one_in(4) ? 0 : P | W | U);

	return (address() & 0xfff000) | (one_in(8) ? random_value() & 0xff000000 : 0) |
	       (bits & ~(u32)(one_in(8) ? 0 : PS));
}

/* The VGA's memory is not mapped: Bochs ends where code is fetched from there. */
static bool is_vga(u32 page)
{
	return page >= 0xa0 && page < 0xc0;
}

/* What the guest has at Farbus's addresses itself: seldom something, as code of CPL 0 is translated
 * only where that is nothing. */
static u32 slot_entry(void)
{
	u32 *pt = (u32 *)PT_SLOT_AT;

	switch (random_below(16)) {
	case 0:
		memset(pt, 0, 4096);
		for (u32 i = 0; i < 4 * RANDOM_ENTRIES; i++)
			pt[random_below(1024)] = random_entry();
		return PT_SLOT_AT | P | W | U;
	case 1:
		return 0x800000 | PS | P | W | U;
	case 2:
		return PD_AT | P | W | U;
	case 3:
		return PT_LOW_AT | P | (random_value() & (W | U | G | PS));
	default:
		return 0;
	}
}

void make_pages(bool attacks)
{
	u32 *pd = (u32 *)PD_AT, *pt = (u32 *)PT_LOW_AT;

	for (u32 i = 0; i < 1024; i++) {
		pt[i] = is_vga(i) ? 0 : i << 12 | P | W | U;
		pd[i] = 0;
	}
	for (u32 i = 0; i < RANDOM_ENTRIES && attacks; i++) {
		pt[(DATA_AT >> 12) + random_below(0x20)] = random_entry();
		pt[0x20 + random_below(0x50)] &= one_in(2) ? ~(u32)U : ~(u32)W;
		pd[random_below(1024)] = random_entry();
	}
	for (u32 i = 1; i < 4; i++)
		pd[i] = i << 22 | PS | P | W | U;
	pd[0] = PT_LOW_AT | P | W | U;
	pd[SLOT >> 22] = attacks ? slot_entry() : 0;
}

void make_pae_pages(bool attacks)
{
	u64 *pdpt = (u64 *)PDPT_AT, *low = (u64 *)PAE_LOW_AT, *high = (u64 *)PAE_HIGH_AT;
	u64 *pt = (u64 *)PAE_PT_AT;

	for (u32 i = 0; i < 512; i++) {
		pt[i] = is_vga(i) ? 0 : i << 12 | P | W | U;
		low[i] = (u64)(i << 21) | PS | P | W | U;
		high[i] = 0;
	}
	for (u32 i = 0; i < RANDOM_ENTRIES && attacks; i++)
		high[random_below(512)] = random_entry();
	low[0] = PAE_PT_AT | P | W | U;
	memset(pdpt, 0, 32);
	pdpt[0] = PAE_LOW_AT | P;
	pdpt[3] = one_in(2) || !attacks ? PAE_HIGH_AT | P : 0;
}

void load_tables(bool own_idt)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) gdtr = {0x7ff, GDT_AT}, idtr = {0x7ff, IDT_AT};

	__asm__ volatile("lgdt %0" ::"m"(gdtr));
	if (own_idt)
		__asm__ volatile("lidt %0" ::"m"(idtr));
	__asm__ volatile("ltr %w0\n lldt %w1" ::"r"(SEL_TSS), "r"(SEL_LDT));
}

void set_paging(bool pae, bool more)
{
	u32 cr4 = 0x10 | (pae ? 0x20 : 0), cr0;

	if (more)
		cr4 |= random_value() & 0x68f; /* VME PVI TSD DE PGE, FXSR, SIMD exceptions */
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4));
	__asm__ volatile("mov %0, %%cr3" ::"r"(pae ? PDPT_AT : PD_AT));
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 |= 0x80000000 | (more ? random_value() & 0x5002e : 0); /* AM WP NE MP EM TS */
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0) : "memory");
}
