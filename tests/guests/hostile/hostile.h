/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the hostile guest share. */
#ifndef FARBUS_TESTS_GUESTS_HOSTILE_HOSTILE_H
#define FARBUS_TESTS_GUESTS_HOSTILE_HOSTILE_H

#include "tests/guests/hostile/layout.h"

#define SLOT	   0xfc000000u
#define SLOT_PAGES 1024u

#define SEL_CODE0  0x08u
#define SEL_DATA0  0x10u
#define SEL_TSS	   0x48u
#define SEL_LDT	   0x50u
#define SEL_FAULT  0x58u
#define SEL_CODE16 0x70u /* of CPL 0; the others follow, RPL included */
#define SEL_DATA16 0x90u
#define GDT_FIXED  22u

enum { FLAG_TF = 0x100, FLAG_IF = 0x200, FLAG_VM = 0x20000 };

/* code.c */
extern u32 random_state; /* not 0 */
extern u32 code_at;	 /* this round's code: linear and physical */
u32 random_value(void);
u32 random_below(u32 n);
bool one_in(u32 n);
u32 address(void);	/* one that is worth trying */
u32 slot_address(void); /* where Farbus is */
u32 selector(void);	/* Farbus's own among them */
void make_code(void);

/* tables.c */
void make_segments(void);
void make_tasks(void);
/* attacks: entries at random, and something where Farbus is. */
void make_pages(bool attacks);
void make_pae_pages(bool attacks);
void load_tables(bool own_idt);
/* more: CR0's and CR4's other bits at random. */
void set_paging(bool pae, bool more);

/* search.c: goes through Farbus's addresses in one of four ways. */
#define SEARCHES 4u
void search_round(u32 way) __attribute__((noreturn));
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void outb(u16 port, u8 value);

#endif
