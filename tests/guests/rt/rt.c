/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guests/rt/rt.h"

#include "lib/fmt.h"

struct trap trap_frame;
struct regs current_regs;
struct tss386 main_tss;
u64 gdt[64] __attribute__((aligned(8)));
u64 idt[256] __attribute__((aligned(8)));

void run_enter(void);

static void print_char(char c)
{
	outb(0xe9, (u8)c);
}

void print(const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	fmt_va(line, sizeof(line), format, ap);
	va_end(ap);
	for (const char *p = line; *p; p++)
		print_char(*p);
}

u64 descriptor(u32 base, u32 limit, u8 access, u8 flags)
{
	u32 low = (limit & 0xffff) | base << 16;
	u32 high = (base >> 16 & 0xff) | (u32)access << 8 | (limit & 0xf0000) |
		   (u32)(flags & 15) << 20 | (base & 0xff000000);

	return (u64)high << 32 | low;
}

u64 gate(u16 sel, u32 off, u8 access, u8 params)
{
	u32 low = (off & 0xffff) | (u32)sel << 16;
	u32 high = (off & 0xffff0000) | (u32)access << 8 | params;

	return (u64)high << 32 | low;
}

void gdt_set(u16 sel, u64 desc)
{
	gdt[sel >> 3] = desc;
}

void idt_set(u8 vector, u64 desc)
{
	idt[vector] = desc;
}

void idt_default(u8 vector, unsigned dpl)
{
	idt_set(vector, gate(SEL_CODE0, (u32)trap_stubs + vector * 16u, (u8)(0x8e | dpl << 5), 0));
}

static void load_tables(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) gdtr = {sizeof(gdt) - 1, (u32)gdt},
				  idtr = {sizeof(idt) - 1, (u32)idt};

	__asm__ volatile("lgdt %0\n lidt %1\n ljmp $8, $1f\n1:\n mov %2, %%ds\n mov %2, %%es\n"
			 "mov %2, %%ss\n mov %3, %%fs\n mov %3, %%gs\n"
			 :
			 : "m"(gdtr), "m"(idtr), "r"(SEL_DATA0), "r"(0)
			 : "memory");
}

void rt_init(const char *name)
{
	for (unsigned cpl = 0; cpl < 4; cpl++) {
		gdt[1 + 2 * cpl] = descriptor(0, 0xfffff, (u8)(0x9b | cpl << 5), 0xc);
		gdt[2 + 2 * cpl] = descriptor(0, 0xfffff, (u8)(0x93 | cpl << 5), 0xc);
	}
	gdt_set(SEL_CODE16, descriptor(0, 0xffff, 0x9b, 0));
	gdt_set(SEL_DATA16, descriptor(0, 0xffff, 0x93, 0));
	gdt_set(SEL_TSS, descriptor((u32)&main_tss, sizeof(main_tss) - 1, 0x89, 0));
	for (unsigned v = 0; v < 256; v++)
		idt_default((u8)v, v == VEC_DONE ? 3 : 0);
	load_tables();
	main_tss.esp0 = 0x9e000;
	main_tss.ss0 = SEL_DATA0;
	main_tss.io_map = sizeof(main_tss);
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	print("\n[begin %s]\n", name);
}

struct regs regs_for(unsigned cpl, const void *entry)
{
	u16 code = (u16)(SEL_CODE0 + cpl * 0x11), data = (u16)(SEL_DATA0 + cpl * 0x11);
	struct regs r = {
		.eip = (u32)entry,
		.eflags = 2,
		.cs = code,
		.ss = data,
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.esp = SCRATCH_STACK,
	};

	return r;
}

struct regs regs_v86(const void *entry, u32 size)
{
	struct regs r = {
		.eflags = BIT(17) | 2,
		.cs = V86_SEG,
		.ss = V86_SEG,
		.ds = V86_SEG,
		.es = V86_SEG,
		.fs = V86_SEG,
		.gs = V86_SEG,
		.esp = 0xfffe,
	};

	memcpy((void *)(V86_SEG << 4), entry, size);
	return r;
}

void run(const struct regs *r)
{
	current_regs = *r;
	run_enter();
}

void show_trap(const char *label, const void *entry)
{
	const struct trap *t = &trap_frame;

	if (t->vector == VEC_DONE) {
		print("%s: done\n", label);
		return;
	}
	print("%s: vec=%u err=%04x eip=%d cs=%04x fl=%08x\n", label, t->vector, t->error,
	      (int)(t->eip - (u32)entry), t->cs & 0xffff, t->eflags);
}

void run_show(const char *label, unsigned cpl, const void *entry)
{
	struct regs r = regs_for(cpl, entry);

	run(&r);
	show_trap(label, entry);
}

void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#define CONTROL_REGISTER(n)                                                                        \
	u32 read_cr##n(void)                                                                       \
	{                                                                                          \
		u32 value;                                                                         \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(value));                              \
		return value;                                                                      \
	}                                                                                          \
	void write_cr##n(u32 value)                                                                \
	{                                                                                          \
		__asm__ volatile("mov %0, %%cr" #n ::"r"(value) : "memory");                       \
	}
CONTROL_REGISTER(0)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)

void *memset(void *dst, int c, size_t n)
{
	void *d = dst;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	return dst;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n)::"memory");
	return dst;
}
