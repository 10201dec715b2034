/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime of the tiny guests. A guest runs snippets of machine code at any privilege level and
 * prints how each ended; what it prints must not depend on addresses or on time, because the same
 * guest's output on bare Bochs is the expected result.
 */
#ifndef FARBUS_TESTS_GUESTS_RT_H
#define FARBUS_TESTS_GUESTS_RT_H

#include "lib/types.h"

#define NOINLINE __attribute__((noinline))

/* Selectors of the runtime's GDT. */
enum {
	SEL_CODE0 = 0x08,
	SEL_DATA0 = 0x10,
	SEL_CODE1 = 0x19,
	SEL_DATA1 = 0x21,
	SEL_CODE2 = 0x2a,
	SEL_DATA2 = 0x32,
	SEL_CODE3 = 0x3b,
	SEL_DATA3 = 0x43,
	SEL_CODE16 = 0x48,
	SEL_DATA16 = 0x50,
	SEL_TSS = 0x58,
	SEL_FREE = 0x60, /* the test's own from here on, up to SEL_LAST */
	SEL_LAST = 0x1f8,
};

#define VEC_DONE 0x80 /* a snippet that went through to its end */

/* Memory the tests may use as they like: nothing of the runtime lies there. */
#define SCRATCH	      0x40000u
#define SCRATCH_STACK 0x60000u /* top of the snippets' stack */
#define V86_SEG	      0x5000u  /* V86 and real-mode snippets are copied to V86_SEG:0 */

struct regs {
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 eip, eflags;
	u32 cs, ss, ds, es, fs, gs;
};

struct trap {
	u32 vector, error, eip, cs, eflags, esp, ss;
	u32 v86_es, v86_ds, v86_fs, v86_gs;
	u32 frame_esp;
	u32 eax, ecx, edx, ebx, ebp;
	u32 ds, es, fs, gs;
	u32 cr2;
	u32 esi, edi;
};

struct tss386 {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, io_map;
	u8 io_bits[8192 + 1];
};

struct tss286 {
	u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags;
	u16 ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};

extern struct trap trap_frame; /* of the last run */
extern struct regs current_regs;
extern struct tss386 main_tss;
extern u64 gdt[64], idt[256];
extern u8 trap_stubs[];

/* Called by the guest's main() first: GDT, IDT, TSS, PICs masked. */
void rt_init(const char *name);

void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A snippet of AT&T assembly that ends with INT 80h. */
#define SNIPPET(name, body)                                                                        \
	extern u8 name[];                                                                          \
	__asm__(".text\n.globl " #name "\n" #name ":\n" body "\n int $0x80\n")
/* The same in a 16-bit code segment. */
#define SNIPPET16(name, body)                                                                      \
	extern u8 name[], name##_end[];                                                            \
	__asm__(".text\n.code16\n.globl " #name "\n" #name ":\n" body                              \
		"\n int $0x80\n.globl " #name "_end\n" #name "_end:\n.code32\n")

/* An entry of a table of such: label, code, end. */
#define SNIPPET16_CASE(name)                                                                       \
	{                                                                                          \
#name, name, name##_end                                                            \
	}

/* Default registers for a flat 32-bit snippet at that CPL: IF=0, IOPL=0. */
struct regs regs_for(unsigned cpl, const void *entry);
/* Runs until the first trap; the result is in trap_frame. */
void run(const struct regs *r);
/* Runs at cpl and prints "label: vector, error, offset of the saved EIP, CPL it came from". */
void run_show(const char *label, unsigned cpl, const void *entry);
/* Prints trap_frame, EIP relative to entry. */
void show_trap(const char *label, const void *entry);
/* Copies a 16-bit snippet to V86_SEG:0 and gives the registers to run it in V86 mode. */
struct regs regs_v86(const void *entry, u32 size);

/* Descriptor builders; access is the second dword's byte 1, flags its bits 20-23 (G D/B L AVL). */
u64 descriptor(u32 base, u32 limit, u8 access, u8 flags);
u64 gate(u16 sel, u32 off, u8 access, u8 params);
void gdt_set(u16 sel, u64 desc);
void idt_set(u8 vector, u64 desc);
/* The runtime's own 386 interrupt gate for a vector, with that DPL. */
void idt_default(u8 vector, unsigned dpl);

void outb(u16 port, u8 value);
u8 inb(u16 port);
u32 read_cr0(void);
void write_cr0(u32 value);
u32 read_cr3(void);
void write_cr3(u32 value);
u32 read_cr4(void);
void write_cr4(u32 value);
void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);

#endif
