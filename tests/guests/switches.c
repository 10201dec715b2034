/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Task switches to TSSs with each type of descriptor in CS, SS, DS and LDTR, back links of every
 * kind, and TSSs in pages that are absent or read-only (SDM vol. 3, 7.3, table 7-1). A case is a
 * character as in selectors.c: the CPL, or the fault's letter, a capital with the selector's index.
 */
#include "tests/guests/rt/rt.h"

#define SEL_TESTED 0x60u
#define SEL_TASK   0x68u
#define SEL_LINK   0x70u
#define SEL_LDT	   0x78u
#define ABSENT	   0x3f0000u
#define READ_ONLY  0x3f2000u

static struct tss386 task;

SNIPPET(jmp_task, "ljmp $0x68, $0");
SNIPPET(call_task, "lcall $0x68, $0");
SNIPPET(iret_task, "pushl $0x4002\n popfl\n iretl");
SNIPPET(there, "nop");

static char letter(u32 vector)
{
	static const char name[] = "db?xobumf?tnsgp?fa";

	return vector < sizeof(name) - 1 ? name[vector] : '?';
}

static u8 access_of(u32 sel)
{
	return (u8)(gdt[sel >> 3] >> 40);
}

static void load_main(void)
{
	gdt_set(SEL_TSS, descriptor((u32)&main_tss, sizeof(main_tss) - 1, 0x89, 0));
	__asm__ volatile("ltr %w0\n lldt %w1" ::"r"(SEL_TSS), "r"(0));
}

static void reset(unsigned cpl)
{
	memset(&task, 0, sizeof(task));
	task.cr3 = read_cr3();
	task.eip = (u32)there;
	task.eflags = 2;
	task.esp = 0x5e000;
	task.cs = SEL_CODE0 + cpl * 0x11;
	task.ss = task.ds = SEL_DATA0 + cpl * 0x11;
	task.esp0 = 0x98000;
	task.ss0 = SEL_DATA0;
	task.io_map = sizeof(task);
	gdt_set(SEL_TASK, descriptor((u32)&task, sizeof(task) - 1, 0x89, 0));
	gdt_set(SEL_LINK, 0);
	load_main();
}

static void one(u32 sel, u8 was)
{
	struct regs r = regs_for(0, jmp_task);
	const struct trap *t = &trap_frame;
	char c;

	run(&r);
	c = (char)('0' + (t->cs & 3));
	if (t->vector != VEC_DONE)
		c = letter(t->vector);
	if (t->vector != VEC_DONE && t->error == (sel & 0xfffc))
		c = (char)(c - 32);
	else if (t->vector != VEC_DONE && t->error)
		print("(%x)", t->error);
	print("%c%s", c, access_of(SEL_TESTED) != was ? "'" : "");
}

static void segments(const char *label, u32 *field, unsigned cpl, u8 access)
{
	u32 offset = (u32)((u8 *)field - (u8 *)&task);

	print("%s CPL %u %02x: ", label, cpl, access);
	for (u32 dpl = 0; dpl < 4; dpl++) {
		for (u32 rpl = 0; rpl < 4; rpl++) {
			u8 byte = (u8)(access | dpl << 5);

			reset(field == &task.cs ? rpl : cpl);
			gdt_set(SEL_TESTED,
				descriptor(0, (access & 0x1c) == 0x14 ? 0 : 0xfffff, byte, 0xc));
			*(u32 *)((u8 *)&task + offset) = SEL_TESTED | rpl;
			one(SEL_TESTED | rpl, byte);
		}
		print(" ");
	}
	print("\n");
}

static void all_types(void)
{
	for (u32 present = 0; present <= 0x80; present += 0x80) {
		for (u32 type = 0; type < 32; type++) {
			u8 access = (u8)(present | type);

			if (type < 16 && type != 0 && type != 2 && type != 9 && type != 12)
				continue;
			if (!present && (type & 1))
				continue;
			segments("ldt", &task.ldt, 0, access);
			segments("cs", &task.cs, 0, access);
			segments("ss", &task.ss, 0, access);
			segments("ss", &task.ss, 3, access);
			segments("ds", &task.ds, 0, access);
			segments("ds", &task.ds, 3, access);
		}
	}
}

/* Two bad ones at once: what is loaded first (table 7-1's order is not the CPU's). */
static void pairs(void)
{
	static const u32 bad[] = {0x3f8, 4, SEL_TASK};
	u32 *const fields[] = {&task.ldt, &task.cs, &task.ss, &task.ds,
			       &task.es,  &task.fs, &task.gs};

	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		for (unsigned j = 0; j < ARRAY_SIZE(fields); j++) {
			for (unsigned k = 0; k < ARRAY_SIZE(bad); k++) {
				struct regs r = regs_for(0, jmp_task);

				reset(0);
				*fields[i] = bad[k];
				*fields[j] = 0x3e8;
				run(&r);
				print(" %u/%x", trap_frame.vector, trap_frame.error);
			}
		}
		print("\n");
	}
}

static void show(const char *label, const void *entry)
{
	const struct trap *t = &trap_frame;
	u16 tr;

	__asm__ volatile("str %0" : "=r"(tr));
	print("%s: vec=%u err=%x eip=%d fl=%x tr=%x types %x %x %x nt=%x link=%x", label, t->vector,
	      t->error, t->vector == VEC_DONE ? 0 : (int)(t->eip - (u32)entry), t->eflags, tr,
	      access_of(SEL_TSS), access_of(SEL_TASK), access_of(SEL_LINK), main_tss.eflags,
	      task.link);
	if (t->vector == 14)
		print(" cr2=%x", t->cr2 & 0xfffff000);
	print("\n");
}

static void links(void)
{
	static const u16 sel[] = {0,	 3,	    4,	      SEL_LINK, SEL_LINK | 3, SEL_LINK | 4,
				  0x3f8, SEL_CODE0, SEL_TASK, SEL_LDT};
	static const u8 access[] = {0x8b, 0x89, 0x0b, 0x09, 0x83, 0x81, 0x9b, 0x82, 0xeb};

	gdt_set(SEL_LDT, descriptor(SCRATCH, 0xff, 0x82, 0));
	for (unsigned i = 0; i < ARRAY_SIZE(sel); i++) {
		for (unsigned j = 0; j < ARRAY_SIZE(access); j++) {
			struct regs r = regs_for(0, iret_task);

			reset(0);
			/* A 286 TSS with nothing in it faults; one of 2Ah bytes is too short. */
			gdt_set(SEL_LINK, descriptor((u32)&task, (access[j] & 15) < 4 ? 0x2a : 0x67,
						     access[j], 0));
			main_tss.link = sel[i];
			run(&r);
			print("link %x %x ", sel[i], access[j]);
			show("iret", iret_task);
			if (sel[i] != SEL_LINK)
				break;
		}
	}
	main_tss.link = 0;
	for (u32 limit = 0x64; limit < 0x6a; limit++) {
		struct regs r = regs_for(0, iret_task);

		reset(0);
		gdt_set(SEL_LINK, descriptor((u32)&task, limit, 0x8b, 0));
		main_tss.link = SEL_LINK;
		run(&r);
		print("limit %x ", limit);
		show("iret", iret_task);
	}
}

/* TSSs at the edge of a page that is absent, and in one that may not be written. */
static void pages(void)
{
	static const u32 base[] = {ABSENT - 0x68, ABSENT - 0x67,    ABSENT - 0x20, ABSENT,
				   READ_ONLY,	  READ_ONLY - 0x1e, READ_ONLY - 2, READ_ONLY - 1};
	static const void *const how[] = {jmp_task, call_task};
	u32 *pd = (u32 *)0x80000, *pt = (u32 *)0x81000;

	memset(pd, 0, 4096);
	pd[0] = (u32)pt | 7;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i << 12 | 7;
	pt[ABSENT >> 12] = 0;
	pt[READ_ONLY >> 12] = 0x4a000 | 5;
	pt[(READ_ONLY >> 12) - 1] = 0x49000 | 7;
	pt[(ABSENT >> 12) - 1] = 0x48000 | 7;
	write_cr3((u32)pd);
	write_cr0(read_cr0() | 0x80010000u);
	for (unsigned i = 0; i < ARRAY_SIZE(base); i++) {
		for (unsigned j = 0; j < 2; j++) {
			struct regs r = regs_for(0, how[j]);

			reset(0);
			memcpy((void *)(base[i] < ABSENT ? base[i] - ABSENT + 0x49000
							 : base[i] - READ_ONLY + 0x4a000),
			       &task, 0x68);
			gdt_set(SEL_TASK, descriptor(base[i], 0x67, 0x89, 0));
			run(&r);
			print("%s %x ", j ? "call" : "jmp", base[i]);
			show("new", how[j]);
			/* Out of such a TSS. JMP has cleared its busy bit by then in Bochs. */
			if (!j)
				continue;
			reset(0);
			gdt_set(SEL_LINK, descriptor(base[i], 0x67, 0x89, 0));
			__asm__ volatile("ltr %w0" ::"r"(SEL_LINK));
			run(&r);
			print("%s %x ", j ? "call" : "jmp", base[i]);
			show("old", how[j]);
		}
	}
	load_main();
}

int main(void)
{
	rt_init("switches");
	all_types();
	pairs();
	links();
	pages();
	print("[end]\n");
	return 0;
}
