/* SPDX-License-Identifier: BSD-2-Clause */
/* Where tests have the guest's first page directory and page table, and bits of their entries. */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_PAGING_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_PAGING_H

#define PD 0x100000u
#define PT 0x101000u

#define P  1u
#define W  2u
#define U  4u
#define A  0x20u
#define D  0x40u
#define PS 0x80u
#define G  0x100u

#endif
