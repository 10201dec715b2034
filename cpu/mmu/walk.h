/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's page tables (SDM vol. 3, ch. 4): 32-bit paging with 4 KB and 4 MB pages, PAE paging
 * with 4 KB and 2 MB pages.
 */
#ifndef FARBUS_CPU_MMU_WALK_H
#define FARBUS_CPU_MMU_WALK_H

#include "cpu/vcpu.h"

/*
 * Physical addresses have 32 bits here and CPUID says so (leaf 80000008h): higher bits of a PAE
 * entry are reserved ones.
 */
#define PHYS_ADDR_BITS 32

struct walk {
	u32 gpa;       /* of the byte asked for, A20 applied */
	u32 table;     /* of the page table's entry, A20 applied; 0 with a large page */
	u32 pde, pte;  /* the entries' low halves, A and D set; pte is 0 with a large page */
	bool writable; /* a write with the same rights would need nothing more: D is set */
	bool global;
	bool large;
};

/* Page-table entry bits (SDM vol. 3, tables 4-4 to 4-11) */
#define PTE_P  BIT(0)
#define PTE_W  BIT(1)
#define PTE_U  BIT(2)
#define PTE_A  BIT(5)
#define PTE_D  BIT(6)
#define PDE_PS BIT(7)
#define PTE_G  BIT(8)

/*
 * Translates lin for one access (user: CPL 3 rights), sets A and D bits as that access does, and
 * leaves through cpu_raise_pf() where it is not allowed. Paging may be off.
 */
struct walk page_walk(struct vcpu *v, u32 lin, bool write, bool user);

/* Whether page_walk() would neither raise nor set A or D bits, which needs paging on; then *w. */
bool page_ready(struct vcpu *v, u32 lin, bool write, bool user, struct walk *w);

/* The same without checks of rights, faults and A/D bits: false when it is not mapped. */
bool page_peek(struct vcpu *v, u32 lin, u32 *gpa);

/* Loads v->pdpte from the table at cr3. Returns false, nothing loaded, on a reserved bit. */
bool pdpte_load(struct vcpu *v, u32 cr3);

#endif
