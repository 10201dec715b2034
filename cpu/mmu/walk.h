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
	bool writable; /* a write with the same rights would need nothing more: D is set */
	bool global;
	bool large;
};

/*
 * Translates lin for one access (user: CPL 3 rights), sets A and D bits as that access does, and
 * leaves through cpu_raise_pf() where it is not allowed. Paging may be off.
 */
struct walk page_walk(struct vcpu *v, u32 lin, bool write, bool user);

/* The same without checks of rights, faults and A/D bits: false when it is not mapped. */
bool page_peek(struct vcpu *v, u32 lin, u32 *gpa);

/* Loads v->pdpte from the table at cr3. Returns false, nothing loaded, on a reserved bit. */
bool pdpte_load(struct vcpu *v, u32 cr3);

#endif
