/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that look at or change the system state, at each privilege level: LAR, LSL,
 * VERR, VERW, ARPL, SGDT, SIDT, SLDT, STR, SMSW, LMSW, LLDT, LTR, CLI, STI, POPF, and the I/O
 * permission bitmap with IN, OUT, INS and OUTS.
 */
#include "tests/guests/rt/rt.h"

SNIPPET(lar, "mov $0x55aa55aa, %eax\n lar %ebx, %eax\n pushfl\n pop %edx");
SNIPPET(lar16, "mov $0x55aa55aa, %eax\n lar %bx, %ax\n pushfl\n pop %edx");
SNIPPET(lsl, "mov $0x55aa55aa, %eax\n lsl %ebx, %eax\n pushfl\n pop %edx");
SNIPPET(verr, "xor %eax, %eax\n verr %bx\n pushfl\n pop %edx");
SNIPPET(verw, "xor %eax, %eax\n verw %bx\n pushfl\n pop %edx");
SNIPPET(arpl, "mov $0x1232, %eax\n arpl %bx, %ax\n pushfl\n pop %edx");
SNIPPET(sgdt, "movl $0, 0x40000\n movl $0, 0x40004\n sgdt 0x40000\n mov 0x40000, %eax\n mov "
	      "0x40004, %ebx");
SNIPPET(sidt, "movl $0, 0x40000\n movl $0, 0x40004\n sidt 0x40000\n mov 0x40000, %eax\n mov "
	      "0x40004, %ebx");
SNIPPET(sldt,
	"mov $0xffffffff, %eax\n sldt %eax\n movl $-1, 0x40000\n sldt 0x40000\n mov 0x40000, %ebx");
SNIPPET(str,
	"mov $0xffffffff, %eax\n str %eax\n movl $-1, 0x40000\n str 0x40000\n mov 0x40000, %ebx");
SNIPPET(smsw,
	"mov $0xffffffff, %eax\n smsw %ax\n movl $-1, 0x40000\n smsw 0x40000\n mov 0x40000, %ebx");
SNIPPET(lmsw, "mov $0xe, %eax\n lmsw %ax\n mov %cr0, %ebx");
SNIPPET(lmsw_no_pe, "mov $0, %eax\n lmsw %ax\n mov %cr0, %ebx");
SNIPPET(lldt, "lldt %bx\n sldt %eax");
SNIPPET(ltr, "ltr %bx\n str %eax");
SNIPPET(cli_sti, "cli\n pushfl\n pop %eax\n sti\n pushfl\n pop %ebx");
SNIPPET(popf_all, "pushl $0x243ed7\n popfl\n pushfl\n pop %eax");
SNIPPET(popf16, "pushw $0x7ed7\n popfw\n pushfl\n pop %eax");
SNIPPET(mov_seg, "mov %bx, %gs\n mov %gs, %eax\n pushl %gs\n pop %ecx");
SNIPPET(les_far, "movl $0x1234, 0x40000\n mov %bx, 0x40004\n les 0x40000, %eax\n mov %es, %ecx");
/* What CR4 says of SSE counts from the next instruction on. */
SNIPPET(simd_on, "mov %cr4, %eax\n or $0x600, %eax\n mov %eax, %cr4\n xorps %xmm0, %xmm0\n"
		 "movmskps %xmm0, %eax");
SNIPPET(simd_off, "mov %cr4, %eax\n and $~0x600, %eax\n mov %eax, %cr4\n xorps %xmm0, %xmm0\n"
		  "movmskps %xmm0, %eax");
SNIPPET(rdtsc_ok, "rdtsc\n xor %eax, %eax\n xor %edx, %edx");
SNIPPET(rdpmc_0, "xor %ecx, %ecx\n rdpmc\n xor %eax, %eax\n xor %edx, %edx");

SNIPPET(in_b, "mov %ebx, %edx\n in %dx, %al\n mov $1, %eax");
SNIPPET(in_w, "mov %ebx, %edx\n in %dx, %ax\n mov $1, %eax");
SNIPPET(in_l, "mov %ebx, %edx\n in %dx, %eax\n mov $1, %eax");
SNIPPET(out_b, "mov %ebx, %edx\n out %al, %dx\n mov $1, %eax");
SNIPPET(out_l, "mov %ebx, %edx\n out %eax, %dx\n mov $1, %eax");
SNIPPET(ins_b,
	"mov %ebx, %edx\n mov $0x40000, %edi\n mov $3, %ecx\n cld\n rep insb\n mov $1, %eax");
SNIPPET(outs_b,
	"mov %ebx, %edx\n mov $0x40000, %esi\n mov $3, %ecx\n cld\n rep outsb\n mov $1, %eax");
SNIPPET(ins_w,
	"mov %ebx, %edx\n mov $0x40000, %edi\n mov $3, %ecx\n std\n rep insw\n cld\n mov $1, %eax");
SNIPPET(outs_l, "mov %ebx, %edx\n mov $0x40000, %esi\n mov $0, %ecx\n rep outsl\n mov $1, %eax");
SNIPPET(ins_limit,
	"mov %ebx, %edx\n mov $0xffe, %edi\n mov $0x9b, %eax\n mov %ax, %es\n mov $4, %ecx\n"
	"cld\n rep insb\n mov $1, %eax");
SNIPPET(outs_limit,
	"mov %ebx, %edx\n mov $0xffe, %esi\n mov $0x9b, %eax\n mov %ax, %ds\n mov $4, %ecx\n"
	"cld\n rep outsb\n mov $1, %eax");

static void one(const char *label, unsigned cpl, const void *entry, u32 ebx, u32 eflags)
{
	struct regs r = regs_for(cpl, entry);
	const struct trap *t = &trap_frame;

	r.ebx = ebx;
	r.eflags |= eflags;
	run(&r);
	print("%s(%x) cpl %u: ", label, ebx, cpl);
	if (t->vector == VEC_DONE)
		print("eax=%x ebx=%x ecx=%x edx=%x edi=%x\n", t->eax, t->ebx, t->ecx, t->edx,
		      t->edi);
	else
		print("vec=%u err=%x eip=%d ecx=%x esi=%x edi=%x\n", t->vector, t->error,
		      (int)(t->eip - (u32)entry), t->ecx, t->esi, t->edi);
}
#define ONE(name, cpl, ebx) one(#name, cpl, name, ebx, 0)

/* A descriptor of each type and each DPL. */
static void descriptor_types(void)
{
	for (u32 type = 0; type < 32; type++) {
		for (u32 dpl = 0; dpl < 4; dpl++) {
			u16 sel = (u16)(SEL_FREE | (dpl & 1 ? 3 : 0));

			gdt_set(SEL_FREE,
				descriptor(0x12345, 0x6789a, (u8)(0x80 | dpl << 5 | type), 0xd));
			for (unsigned cpl = 0; cpl < 4; cpl += 3) {
				ONE(lar, cpl, sel);
				ONE(lsl, cpl, sel);
				ONE(verr, cpl, sel);
				ONE(verw, cpl, sel);
			}
		}
	}
}

static void special_selectors(void)
{
	static const u16 sel[] = {0, 3, 4, 0x200, 0xfffc, SEL_CODE0, SEL_TSS};

	for (unsigned i = 0; i < ARRAY_SIZE(sel); i++) {
		ONE(lar, 0, sel[i]);
		ONE(lsl, 0, sel[i]);
		ONE(verr, 0, sel[i]);
		ONE(verw, 0, sel[i]);
	}
	gdt_set(SEL_FREE, descriptor(0x12345, 0x6789a, 0x13, 0x5)); /* not present, byte limit */
	ONE(lar, 0, SEL_FREE);
	ONE(lar16, 0, SEL_FREE);
	ONE(lsl, 0, SEL_FREE);
	ONE(verr, 0, SEL_FREE);
	for (u32 rpl = 0; rpl < 4; rpl++)
		ONE(arpl, 3, 0x40 | rpl);
}

static void system_registers(void)
{
	for (unsigned cpl = 0; cpl < 4; cpl++) {
		u32 cr0 = read_cr0();

		ONE(sgdt, cpl, 0);
		ONE(sidt, cpl, 0);
		ONE(sldt, cpl, 0);
		ONE(str, cpl, 0);
		ONE(smsw, cpl, 0);
		ONE(lmsw, cpl, 0);
		ONE(lmsw_no_pe, cpl, 0);
		write_cr0(cr0);
		for (u32 iopl = 0; iopl < 4; iopl++) {
			print("IOPL %u ", iopl);
			one("cli_sti", cpl, cli_sti, 0, iopl << 12);
			print("IOPL %u ", iopl);
			one("popf_all", cpl, popf_all, 0, iopl << 12);
			print("IOPL %u ", iopl);
			one("popf16", cpl, popf16, 0, iopl << 12);
		}
		ONE(rdtsc_ok, cpl, 0);
		write_cr4(read_cr4() | BIT(2));
		ONE(rdtsc_ok, cpl, 0);
		ONE(rdpmc_0, cpl, 0);
		write_cr4(read_cr4() & ~BIT(2));
	}
	for (unsigned i = 0; i < 2; i++) {
		ONE(simd_on, 0, 0);
		ONE(simd_off, 0, 0);
	}
}

static void load_ldt_and_tr(void)
{
	static const u16 sel[] = {0, 3, 4, SEL_DATA0, 0x68, 0x6b, 0x70, 0x78, 0x80, 0x88, 0x200};

	gdt_set(0x68, descriptor(SCRATCH, 0x1f, 0x82, 0)); /* LDT */
	gdt_set(0x70, descriptor(SCRATCH, 0x1f, 0x02, 0)); /* LDT, not present */
	gdt_set(0x80, descriptor(SCRATCH, 0x67, 0x8b, 0)); /* busy TSS */
	gdt_set(0x88, descriptor(SCRATCH, 0x67, 0x09, 0)); /* TSS, not present */
	for (unsigned i = 0; i < ARRAY_SIZE(sel); i++) {
		gdt_set(0x78, descriptor((u32)&main_tss, sizeof(main_tss) - 1, 0x89, 0));
		ONE(lldt, 0, sel[i]);
		ONE(ltr, 0, sel[i]);
	}
	ONE(lldt, 3, 0x68);
	ONE(ltr, 3, 0x78);
	memset((void *)SCRATCH, 0, 32);
	*(u64 *)(SCRATCH + 8) = descriptor(0, 0xfffff, 0xf3, 0xc);
	ONE(lldt, 0, 0x68);
	ONE(mov_seg, 3, 0xf);
	ONE(mov_seg, 3, 0x17);
	ONE(mov_seg, 3, 0x27);
	ONE(les_far, 3, 0xf);
	ONE(lldt, 0, 0);
	ONE(mov_seg, 3, 0xf);
	ONE(mov_seg, 3, 3);
	for (unsigned cpl = 0; cpl < 4; cpl++)
		for (unsigned s = 1; s <= 8; s++)
			ONE(mov_seg, cpl, s << 3 | cpl);
}

/* Ports 80h-83h, 90h-9Fh are allowed, the rest of the bitmap is not; no device minds these reads.
 */
static void io_ports(void)
{
	static const struct {
		const char *label;
		const void *entry;
	} list[] = {{"in_b", in_b},
		    {"in_w", in_w},
		    {"in_l", in_l},
		    {"out_b", out_b},
		    {"out_l", out_l},
		    {"ins_b", ins_b},
		    {"outs_b", outs_b},
		    {"ins_w", ins_w},
		    {"outs_l", outs_l},
		    {"ins_limit", ins_limit},
		    {"outs_limit", outs_limit}};
	static const u32 ports[] = {0x80, 0x81, 0x83, 0x84, 0x7f, 0x9f, 0xffff};

	gdt_set(0x98, descriptor(SCRATCH, 0xfff, 0xf3, 0x4));
	memset(main_tss.io_bits, 0xff, sizeof(main_tss.io_bits));
	main_tss.io_bits[0x80 / 8] = 0xf0;
	main_tss.io_bits[0x90 / 8] = main_tss.io_bits[0x98 / 8] = 0;
	main_tss.io_map = offsetof(struct tss386, io_bits);
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		for (unsigned p = 0; p < ARRAY_SIZE(ports); p++) {
			print("bitmap ");
			one(list[i].label, 3, list[i].entry, ports[p], 0);
		}
		print("IOPL 3 ");
		one(list[i].label, 3, list[i].entry, 0x84, 0x3000);
		print("IOPL 1 ");
		one(list[i].label, 1, list[i].entry, 0x84, 0x1000);
		ONE(in_b, 0, 0x84);
	}
	/* The bitmap ends where the TSS does; a port whose second byte lies outside is refused. */
	gdt_set(SEL_TSS,
		descriptor((u32)&main_tss, offsetof(struct tss386, io_bits) + 0x10, 0x89, 0));
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
	print("short ");
	ONE(in_b, 3, 0x80);
	print("short ");
	ONE(in_b, 3, 0x90);
}

int main(void)
{
	rt_init("system");
	descriptor_types();
	special_selectors();
	system_registers();
	load_ldt_and_tr();
	io_ports();
	print("[end]\n");
	return 0;
}
