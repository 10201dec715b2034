/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be reached at Farbus's addresses, looked through. */
#include "lib/fmt.h"
#include "lib/str.h"
#include "tests/guests/hostile/hostile.h"

#define ELSEWHERE 1024u /* pages */

/* Farbus's image has "Farbus monitor: guest stopped"; this must not have it. */
static const u32 secret[2] = {0x62726146 ^ ~0u, 0x6d207375 ^ ~0u};

void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

void print(const char *format, ...)
{
	char line[128];
	va_list ap;

	va_start(ap, format);
	fmt_va(line, sizeof(line), format, ap);
	va_end(ap);
	for (const char *p = line; *p; p++)
		outb(0xe9, (u8)*p);
}

/* Where nobody answers, all bits are set. */
static bool readable(u32 at)
{
	u32 value;

	return copy((u32)&value, at, 1) == 0 && value != ~0u;
}

/* What can be read of the slot goes to FOUND_AT, page by page, and is looked through. */
static void search_slot(const char *how)
{
	u32 pages = 0, first = 0, last = 0;

	for (u32 i = 0; i < SLOT_PAGES; i++) {
		u32 page = SLOT + i * 4096, to = FOUND_AT + i * 4096;
		const u32 *p = (const u32 *)to;

		if (!readable(page) || copy(to, page, 1024))
			continue;
		last = page;
		if (!pages++)
			first = page;
		for (u32 n = 0; n < 4092; n++) {
			const u32 *at = (const u32 *)(const void *)((const u8 *)p + n);

			if (at[0] == ~secret[0] && at[1] == ~secret[1])
				print("LEAK at %08x, %s\n", page + n, how);
		}
	}
	print("slot: %u pages, %08x to %08x, %s\n", pages, first, last, how);
}

/* Some of all the rest, where nothing is mapped. */
static void search_elsewhere(const char *how)
{
	u32 pages = 0, at = 0;

	for (u32 i = 0; i < ELSEWHERE; i++) {
		u32 page = (random_value() & 0xfffff000) | 0x10000000;

		if (page >> 26 == SLOT >> 26 || !readable(page))
			continue;
		at = page;
		pages++;
	}
	print("elsewhere: %u pages, %08x, %s\n", pages, at, how);
}

/* Each page of the slot is written to. */
static void write_slot(void)
{
	for (u32 i = 0; i < SLOT_PAGES; i++)
		copy(SLOT + i * 4096, DATA_AT, 1024);
}

static void search(const char *how)
{
	shared->resume = 0;
	search_slot(how);
	search_elsewhere(how);
	if (one_in(2))
		write_slot();
}

/* At CPL 3; 21h ends it. */
static void search_user(void)
{
	search("CPL 3");
	__asm__ volatile("int $0x21");
}

static __attribute__((noreturn)) void user_search_round(void)
{
	struct start s = {.ds = SEL_DATA0 + 0x33,
			  .es = SEL_DATA0 + 0x33,
			  .cs = SEL_CODE0 + 0x33,
			  .ss = SEL_DATA0 + 0x33,
			  .eip = (u32)search_user,
			  .esp = DATA_AT + 0xf000,
			  .eflags = FLAG_IF | 2}; /* it prints: the TSS lets it */

	*(u32 *)(TSS_AT + 100) = 0x68u << 16;
	memcpy((void *)(STACK_AT - sizeof(s)), &s, sizeof(s));
	enter(STACK_AT - sizeof(s), SEL_DATA0);
}

void search_round(u32 way)
{
	outb(0x21, 0xff);
	make_pages(false);
	make_pae_pages(false);
	if (way)
		set_paging(way == 3, false);
	if (way == 2)
		user_search_round();
	search(way == 0 ? "no paging" : way == 1 ? "CPL 0" : "PAE");
	end_round();
}
