/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/trap.h"
#include "boot/host.h"
#include "boot/memory.h"
#include "cpu/interp/fpu.h"
#include "lib/log.h"
#include "lib/str.h"

/* As boot/entry.asm uses them in the first GDT. */
#define EARLY_CODE 0x08
#define EARLY_DATA 0x10

#define GATE_INTERRUPT 0x8e00 /* present, DPL 0, 32-bit: IF goes off */
#define GATE_TASK      0x8500

/* SDM vol. 3, figure 7-2: only what a task switch inside ring 0 needs has a name. */
struct tss {
	u32 link, stacks[6], cr3, eip, eflags, gpr[8], es, cs, ss, ds, fs, gs, ldt, iomap;
	u8 redirect[32]; /* with CR4.VME (SDM vol. 3, 20.3.2); the I/O map would follow */
};

static struct tss main_tss, df_tss;
static u8 df_stack[4096] __attribute__((aligned(16)));

/* 4 GB; with the accessed bit, so that no load writes to them. */
#define FLAT_CODE 0x00cf9b000000ffffull
#define FLAT_DATA 0x00cf93000000ffffull
#define TYPE_TSS  0x89
#define TYPE_LDT  0x82

u64 trap_gdt[TRAP_TABLE], trap_ldt[TRAP_TABLE];

static const u64 early_gdt[] = {
	[EARLY_CODE / 8] = FLAT_CODE,
	[EARLY_DATA / 8] = FLAT_DATA,
};
static struct {
	u32 low, high;
} idt[TRAP_COUNT];

struct table_pointer {
	u16 limit;
	const void *base;
} __attribute__((packed));

const struct table_pointer gdt_pointer = {sizeof(early_gdt) - 1, early_gdt};

extern const u32 trap_entries[TRAP_COUNT];
void double_fault_entry(void);
void trap(struct trap_frame *f);
void double_fault(void);

static const char *const names[] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound",
	"invalid opcode",
	"no FPU",
	"double fault",
	"9",
	"invalid TSS",
	"segment not present",
	"stack fault",
	"general protection",
	"page fault",
	"15",
	"FPU error",
	"alignment check",
	"machine check",
	"SIMD exception",
};

u32 *trap_stack(void)
{
	return &main_tss.stacks[0];
}

u32 *trap_gate(unsigned vector)
{
	return &idt[vector].high;
}

static u64 system_descriptor(const void *p, u32 size, u32 type)
{
	u32 base = (u32)p, limit = size - 1;

	return limit | (u64)(base & 0xffffff) << 16 | (u64)type << 40 | (u64)(base >> 24) << 56;
}

void trap_ldt_set(u16 sel, const u64 *ldt, u32 size)
{
	trap_gdt[sel / 8] = system_descriptor(ldt, size, TYPE_LDT);
}

static u32 read_cr3(void)
{
	u32 v;
	asm volatile("movl %%cr3, %0" : "=r"(v));
	return v;
}

static void load_gdt(void)
{
	const struct table_pointer gdtr = {sizeof(trap_gdt) - 1, trap_gdt};

	trap_gdt[SEL_CODE / 8] = FLAT_CODE;
	trap_gdt[SEL_DATA / 8] = FLAT_DATA;
	trap_gdt[SEL_TSS / 8] = system_descriptor(&main_tss, sizeof(main_tss), TYPE_TSS);
	trap_gdt[SEL_DF / 8] = system_descriptor(&df_tss, sizeof(df_tss), TYPE_TSS);
	trap_ldt_set(SEL_GUEST_LDT, trap_ldt, sizeof(trap_ldt));
	asm volatile("lgdt %0\n\t"
		     "ljmp %1, $1f\n"
		     "1:\tmovl %2, %%ds\n\t"
		     "movl %2, %%es\n\t"
		     "movl %2, %%fs\n\t"
		     "movl %2, %%gs\n\t"
		     "movl %2, %%ss"
		     :
		     : "m"(gdtr), "i"(SEL_CODE), "r"(SEL_DATA)
		     : "memory");
}

void trap_init(void)
{
	const struct table_pointer idtr = {sizeof(idt) - 1, idt};

	for (unsigned i = 0; i < TRAP_COUNT; i++) {
		u32 entry = trap_entries[i];

		idt[i].low = SEL_CODE << 16 | (entry & 0xffff);
		idt[i].high = (entry & 0xffff0000) | GATE_INTERRUPT;
	}
	/* A fault on a bad stack has nowhere to be pushed to: a task gate brings its own stack. */
	idt[8].low = SEL_DF << 16;
	idt[8].high = GATE_TASK;
	df_tss = (struct tss){
		.cr3 = read_cr3(),
		.eip = (u32)double_fault_entry,
		.eflags = 2,
		.gpr[4] = (u32)(df_stack + sizeof(df_stack)),
		.cs = SEL_CODE,
		.es = SEL_DATA,
		.ss = SEL_DATA,
		.ds = SEL_DATA,
		.fs = SEL_DATA,
		.gs = SEL_DATA,
		.iomap = sizeof(struct tss) << 16,
	};
	main_tss.iomap = sizeof(struct tss) << 16;
	main_tss.stacks[1] = SEL_DATA;
	/* No INT n of V86 mode goes through the guest's own vectors without Farbus. */
	memset(main_tss.redirect, 0xff, sizeof(main_tss.redirect));
	load_gdt();
	asm volatile("lidt %0" ::"m"(idtr));
	asm volatile("ltr %w0" ::"r"(SEL_TSS));
}

static u32 read_cr2(void)
{
	u32 v;
	asm volatile("movl %%cr2, %0" : "=r"(v));
	return v;
}

void double_fault(void)
{
	panic("double fault at %08x, esp %08x, cr2 %08x", main_tss.eip, main_tss.gpr[4],
	      read_cr2());
}

static _Noreturn void trap_panic(const struct trap_frame *f)
{
	const char *name = f->vector < ARRAY_SIZE(names) ? names[f->vector] : "reserved";
	const u32 *stack = (const u32 *)(f + 1);

	log_error("registers: eax %08x ebx %08x ecx %08x edx %08x esi %08x edi %08x ebp %08x esp "
		  "%08x",
		  f->eax, f->ebx, f->ecx, f->edx, f->esi, f->edi, f->ebp, (u32)stack);
	if ((u8 *)stack >= image_start) /* or the stack itself cannot be read */
		for (unsigned i = 0; i < 32; i += 8)
			log_error("stack: %08x %08x %08x %08x %08x %08x %08x %08x", stack[i],
				  stack[i + 1], stack[i + 2], stack[i + 3], stack[i + 4],
				  stack[i + 5], stack[i + 6], stack[i + 7]);
	panic("%s at %08x, error %x, cr2 %08x, eflags %08x", name, f->eip, f->error, read_cr2(),
	      f->eflags);
}

/* From boot/trap_entry.asm. */
void trap(struct trap_frame *f)
{
	if (f->vector >= TRAP_IRQ_BASE) {
		irq_dispatch(f->vector - TRAP_IRQ_BASE);
		return;
	}
	if (!fpu_fixup(f->vector, &f->eip))
		trap_panic(f);
}
