/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the shadow page tables: a guest with page tables, and what the CPU would find in those
 * that are made from them.
 */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_SHADOW_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_SHADOW_H

#include "cpu/mmu/shadow.h"
#include "tests/unit/cpu/support_paging.h"
#include "tests/unit/cpu/support_vm.h"

/* More pages of the guest's tables. */
#define PD2	0x102000u
#define PT2	0x103000u
#define PDPT	0x104000u
#define PAE_PT	0x105000u
#define PAE_PT2 0x106000u

/* Farbus's own slot: its directory entry, and that of the roots for translated code. */
#define OWN_INDEX  0x3f0u
#define OWN_PDE	   0x30000063u
#define KERNEL_PDE 0x30001067u

/* The tables under test, and how many pages the next shadow_begin() gives them. */
extern struct shadow *shadow;
extern u32 pool_pages;
/* The root that was used last. */
extern u32 root;
/* shadow_root(), where tests change registers: all that roots are chosen by changes with a flush,
 * of which v->tables is what they look at. */
u32 find_root(void);

/* A guest at CPL 3 whose first 4 MB are mapped to themselves by PD and PT. */
void shadow_begin(void);
/* The same 4 MB by PAE, 2 MB by each of two page tables; the second one's entry has no W. Two page
 * tables lie behind one of Farbus's. */
void shadow_begin_pae(void);
/* The guest stores 32 bits at gpa. */
void set(u32 gpa, u32 value);
/* The table that a root, or an entry of one, leads to. */
const u32 *table_at(u32 phys);
/* What the CPU finds at lin: the entry, or 0. */
u32 entry(u32 lin);
/* One access as the engine and the CPU make it together. True: done, on the CPU. */
bool touch(u32 lin, bool write);

#endif
