/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPL 0 reaches for the 4 MB at FC000000h, where Farbus is while guest code runs: through each
 * segment register, with odd bases and limits, with string instructions and pushes, while nothing
 * is mapped there, while it is guest memory, and with all of the linear space in turn. It has to
 * see what it sees on a bare PC; that it goes on at all shows that Farbus does.
 */
#include "tests/guests/rt/rt.h"

#define SLOT	  0xfc000000u
#define SLOT_SIZE 0x400000u
#define STEP	  0x1000u
#define PD	  0x80000u
#define SEL_ODD	  SEL_FREE

enum { P = 1, W = 2, PS = 0x80 };

SNIPPET(read_ds, "mov %ds:(%esi), %eax");
SNIPPET(read_es, "mov %es:(%esi), %eax");
SNIPPET(read_ss, "mov %ss:(%esi), %eax");
SNIPPET(read_fs, "mov %fs:(%esi), %eax");
SNIPPET(read_gs, "mov %gs:(%esi), %eax");
SNIPPET(write_ds, "mov %ebx, %ds:(%esi)\n mov %ds:(%esi), %eax");
SNIPPET(write_es, "mov %ebx, %es:(%esi)\n mov %es:(%esi), %eax");
SNIPPET(write_ss, "mov %ebx, %ss:(%esi)\n mov %ss:(%esi), %eax");
SNIPPET(write_fs, "mov %ebx, %fs:(%esi)\n mov %fs:(%esi), %eax");
SNIPPET(write_gs, "mov %ebx, %gs:(%esi)\n mov %gs:(%esi), %eax");
SNIPPET(modify, "lock addl $0x1234567, (%esi)\n mov (%esi), %eax");
SNIPPET(pushes, "mov %esp, %edi\n lea 64(%esi), %esp\n push %ebx\n push %ds\n pushf\n pop %eax\n"
		"pop %eax\n pop %eax\n mov %edi, %esp");
SNIPPET(call_there, "mov %esp, %edi\n lea 64(%esi), %esp\n call 1f\n 1: pop %eax\n sub $1b, %eax\n"
		    "mov %edi, %esp");
SNIPPET(copy_from, "mov $0x40000, %edi\n mov $64, %ecx\n cld\n rep movsl\n mov 0x40080, %eax");
SNIPPET(copy_to, "mov %esi, %edi\n mov $0x40000, %esi\n mov $64, %ecx\n cld\n rep movsl\n"
		 "mov -128(%edi), %eax");
SNIPPET(fill, "mov %esi, %edi\n mov %ebx, %eax\n mov $0x400, %ecx\n cld\n rep stosl\n"
	      "mov -64(%edi), %eax");
SNIPPET(load_ds, "mov %ds:(%esi), %eax\n push %ds\n pop %ecx");

static const struct {
	const char *name;
	const void *code;
} all[] = {
#define ENTRY(name)                                                                                \
	{                                                                                          \
#name, name                                                                        \
	}
	ENTRY(read_ds),	   ENTRY(read_es),   ENTRY(read_ss),  ENTRY(read_fs),
	ENTRY(read_gs),	   ENTRY(write_ds),  ENTRY(write_es), ENTRY(write_ss),
	ENTRY(write_fs),   ENTRY(write_gs),  ENTRY(modify),   ENTRY(pushes),
	ENTRY(call_there), ENTRY(copy_from), ENTRY(copy_to),  ENTRY(fill),
};

static void show(const char *what, u32 at)
{
	const struct trap *t = &trap_frame;

	if (t->vector == VEC_DONE)
		print("%s %08x: eax=%08x ebx=%08x\n", what, at, t->eax, t->ebx);
	else
		print("%s %08x: vec=%u err=%x cr2=%08x\n", what, at, t->vector, t->error,
		      t->vector == 14 ? t->cr2 : 0);
}

/* stack: there is memory, or a fault there would be a triple fault. */
static void reach(const char *title, bool stack)
{
	static const u32 offsets[] = {0,	0x101000, 0x190260, 0x1d3ffc,
				      0x1d4000, 0x200000, 0x3ff000};

	print("%s\n", title);
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		for (unsigned n = 0; n < ARRAY_SIZE(offsets); n++) {
			struct regs r = regs_for(0, all[i].code);

			if (!stack && (all[i].code == pushes || all[i].code == call_there))
				continue;
			memset((void *)SCRATCH, 0x5a, 1024);
			r.esi = SLOT + offsets[n];
			r.ebx = 0xc0de0000 + n;
			run(&r);
			show(all[i].name, r.esi);
		}
}

/* This function's own code does it, not a snippet. */
static void scan(const char *title, u32 first, u32 size, u32 step, bool write)
{
	u32 sum = 0;

	for (u32 at = 0; at < size; at += step) {
		volatile u32 *p = (volatile u32 *)(first + at + 8);

		if (write)
			*p = at * 0x9e3779b1;
		sum = sum * 31 + *p;
	}
	print("%s: %08x\n", title, sum);
}

/* Bases and limits around the slot; the linear address that is reached is always in it. */
static void odd_segments(void)
{
	static const struct {
		u32 base, limit, off;
		u8 access, flags;
	} list[] = {
		{0xfbfff000, 0xfffff, 0x1d5000, 0x93, 0xc},
		{0xfc1d4000, 0xfff, 0, 0x93, 4},
		{0xfc1d4000, 0xff, 0xfd, 0x93, 4},
		{0xfff00000, 0xfffff, 0xfc2d4000, 0x93, 0xc},
		{0x10000000, 0xfffff, 0xec1d4000, 0x93, 0xc},
		{0xfc000000, 0xf, 0x1d4000, 0x97, 0xc},
		{0, 0xfc1d3, 0xfc1d4000, 0x97, 0xc},
		{0, 0xfbfff, 0xfc000000, 0x93, 0xc},
		{0, 0xfc1d4, 0xfc1d4ffd, 0x93, 0xc},
		{0xfc1d4001, 0xfffff, 3, 0x91, 0xc},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		struct regs r = regs_for(0, load_ds);

		gdt_set(SEL_ODD,
			descriptor(list[i].base, list[i].limit, list[i].access, list[i].flags));
		r.ds = SEL_ODD;
		r.esi = list[i].off;
		run(&r);
		show("odd", i);
	}
}

int main(void)
{
	volatile u32 *pd = (volatile u32 *)PD;

	rt_init("isolation");
	reach("nothing there", true);
	scan("read", SLOT, SLOT_SIZE, STEP, false);
	scan("written", SLOT, SLOT_SIZE, STEP, true);
	scan("all above RAM", 0x10000000, 0xe0000000, 0x10000, false);
	odd_segments();

	for (u32 i = 0; i < 8; i++)
		pd[i] = i << 22 | PS | P | W;
	for (u32 i = 8; i < 1024; i++)
		pd[i] = 0;
	write_cr4(read_cr4() | 0x10);
	write_cr3(PD);
	write_cr0(read_cr0() | 0x80000000);
	reach("not mapped", false);
	odd_segments();
	pd[SLOT >> 22] = 0x400000 | PS | P | W;
	reach("guest memory", true);
	scan("written", SLOT, SLOT_SIZE, STEP, true);
	scan("read where it is", 0x400000, SLOT_SIZE, STEP, false);
	odd_segments();
	pd[SLOT >> 22] = 0x400000 | PS | P;
	write_cr0(read_cr0() | 0x10000);
	write_cr3(PD);
	reach("read-only memory", false);
	pd[SLOT >> 22] = 0;
	write_cr3(PD);
	reach("not mapped any more", false);
	write_cr0(read_cr0() & ~0x80000000);
	print("[end]\n");
	return 0;
}
