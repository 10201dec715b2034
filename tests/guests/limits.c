/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends of things: the IVT's, CS's, a stack's and a string's in real mode, expand-down segments, the
 * I/O permission bitmap, and #AC for what far transfers and system instructions read and write.
 */
#include "tests/guests/rt/real.h"
#include "tests/guests/rt/rt.h"

#define SEL_CODE_SMALL 0x60u
#define SEL_CODE_64K   0x68u
#define SEL_DOWN       0x73u
#define SEL_GATE       0x78u

/* Real mode with a CS of 512 bytes. CL is 13 when its handler was there, DI where it came from. */
#define LEAVE(sel, label)                                                                          \
	" mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n ljmp $" sel ", $1f - " label "\n"         \
	"1: mov %cr0, %eax\n and $0xfe, %al\n mov %eax, %cr0\n"
#define SMALL_CS(label, op)                                                                        \
	SNIPPET16(label,                                                                           \
		  LEAVE("0x60",                                                                    \
			#label) " ljmp $0x5000, $2f - " #label "\n2: " op "\n"                     \
				" jmp 4f\n .org " #label " + 0x80\n mov $13, %cl\n pop %di\n"      \
				"4: lidtl %cs:3f - " #label                                        \
				"\n" LEAVE("0x68",                                                 \
					   #label) " ljmp $0x5000, $2f - " #label                  \
						   "\n3: .word 0x3ff\n .long 0\n2: mov %sp, %dx")

SMALL_CS(cs_jmp, "ljmp $0x5000, $0x300");
SMALL_CS(cs_near, ".byte 0xe9, 0x00, 0x03");
SMALL_CS(cs_call, "lcall $0x5000, $0x300");
SMALL_CS(cs_ret, "push %cs\n push $0x300\n lret");
SMALL_CS(cs_iret, "pushf\n push %cs\n push $0x300\n iretw");
SMALL_CS(ivt_out, "lidtl %cs:5f - ivt_out\n int $0x41\n jmp 6f\n5: .word 0x106\n .long 0\n6: nop");
SNIPPET16(cs_write, LEAVE("0x68", "cs_write") " movw $0x1234, %cs:0x200\n mov %cs:0x200, %bx\n "
					      "ljmp $0x5000, $2f - cs_write\n2: nop");
SNIPPET16(popfl_all,
	  "pushl $0xfffffeff\n popfl\n pushfl\n popl %eax\n pushl $0\n popfl\n pushfl\n popl %ebx");
SNIPPET16(popf_all, "pushw $0xfeff\n popfw\n pushfl\n popl %eax\n pushw $0\n popfw\n");
SNIPPET16(iretl_all, "pushl $0xfffffeff\n pushl $0x5000\n pushl $1f - iretl_all\n iretl\n"
		     "1: pushfl\n popl %eax\n pushl $0\n popfl");
SNIPPET16(sysenter_real, "sysenter");
SNIPPET16(lldt_real, "lldt %ax");
SNIPPET16(verr_real, "verr %ax");
SNIPPET16(pushal_2, "mov $2, %sp\n pushal");
SNIPPET16(popw_ffff, "mov $0xffff, %sp\n popw %ax");
SNIPPET16(popl_fffe, "mov $0xfffe, %sp\n popl %eax");
SNIPPET16(popa_fff9, "mov $0xfff9, %sp\n popaw");
SNIPPET16(ret_ffff, "mov $0xffff, %sp\n ret");
SNIPPET16(lret_fffd, "mov $0xfffd, %sp\n lret");
SNIPPET16(iret_fffb, "mov $0xfffb, %sp\n iretw");
SNIPPET16(leave_ffff, "mov $0xffff, %bp\n leave");
SNIPPET16(enter_odd, "mov $0x8001, %sp\n mov $3, %bp\n enter $4, $3\n mov %sp, %bx");
SNIPPET16(bp_ffff, "mov $0xffff, %bp\n mov (%bp), %ax");
SNIPPET16(outsw_ffff, "mov $0x80, %dx\n mov $0xfffd, %si\n mov $3, %cx\n rep outsw");
SNIPPET16(insw_ffff, "mov $0x80, %dx\n mov $0xfffd, %di\n mov $3, %cx\n rep insw");
SNIPPET16(movsw_ffff, "mov $0xfffd, %si\n mov $0x8000, %di\n mov $3, %cx\n rep movsw");
SNIPPET16(movsw_wrap, "mov $0xfffc, %si\n mov $0x8000, %di\n mov $3, %cx\n rep movsw");
SNIPPET16(stosl_ffff, "mov $0xfff9, %di\n mov $3, %cx\n rep stosl");
SNIPPET16(les_ffff, "les 0xfffd, %ax");
SNIPPET16(lgdt_fffc, "lgdt 0xfffc");
SNIPPET16(sidt_fffc, "sidt 0xfffc");
SNIPPET16(a32_string, "mov $0xfffe, %esi\n mov $0x8000, %edi\n mov $3, %ecx\n addr32 rep movsw");

static void real_case(const char *label, const void *code, u32 size)
{
	u32 *ivt = 0;

	__asm__("" : "+r"(ivt));
	real_vectors();
	ivt[13] = V86_SEG << 16 | 0x80;
	memset((void *)(V86_SEG << 4), 0, 0x10000);
	memcpy((void *)(V86_SEG << 4), code, size);
	real_run(V86_SEG, false);
	real_show(label);
}
#define SMALL(name) real_case(#name, name, (u32)(name##_end - name))

static void real_plain(const char *label, const void *code, u32 size)
{
	real_vectors();
	memset((void *)(V86_SEG << 4), 0, 0x10000);
	memcpy((void *)(V86_SEG << 4), code, size);
	real_run(V86_SEG, false);
	real_show(label);
}
#define REAL(name) real_plain(#name, name, (u32)(name##_end - name))

static void real_mode(void)
{
	gdt_set(SEL_CODE_SMALL, descriptor(V86_SEG << 4, 0x1ff, 0x9b, 0));
	gdt_set(SEL_CODE_64K, descriptor(V86_SEG << 4, 0xffff, 0x9b, 0));
	SMALL(cs_jmp);
	SMALL(cs_near);
	SMALL(cs_call);
	SMALL(cs_ret);
	SMALL(cs_iret);
	SMALL(ivt_out);
	REAL(cs_write);
	REAL(popfl_all);
	REAL(popf_all);
	REAL(iretl_all);
	REAL(sysenter_real);
	REAL(lldt_real);
	REAL(verr_real);
	REAL(pushal_2);
	REAL(popw_ffff);
	REAL(popl_fffe);
	REAL(popa_fff9);
	REAL(ret_ffff);
	REAL(lret_fffd);
	REAL(iret_fffb);
	REAL(leave_ffff);
	REAL(enter_odd);
	REAL(bp_ffff);
	REAL(outsw_ffff);
	REAL(insw_ffff);
	REAL(movsw_ffff);
	REAL(movsw_wrap);
	REAL(stosl_ffff);
	REAL(les_ffff);
	REAL(lgdt_fffc);
	REAL(sidt_fffc);
	REAL(a32_string);
}

SNIPPET(in_b, "mov %ebx, %edx\n in %dx, %al");
SNIPPET(in_w, "mov %ebx, %edx\n in %dx, %ax");
SNIPPET(in_l, "mov %ebx, %edx\n in %dx, %eax");
SNIPPET(load_b, "mov %fs:(%ebx), %al");
SNIPPET(load_w, "mov %fs:(%ebx), %ax");
SNIPPET(load_l, "mov %fs:(%ebx), %eax");
SNIPPET(push_l, "mov $0x73, %eax\n mov %ax, %ss\n mov %ebx, %esp\n pushl $0");
SNIPPET(pop_l, "mov $0x73, %eax\n mov %ax, %ss\n mov %ebx, %esp\n popl %eax");
SNIPPET(pusha_l, "mov $0x73, %eax\n mov %ax, %ss\n mov %ebx, %esp\n pushal");

static void result(const void *entry, u32 ebx)
{
	struct regs r = regs_for(3, entry);

	r.ebx = ebx;
	r.fs = SEL_DOWN;
	run(&r);
	if (trap_frame.vector == VEC_DONE)
		print(" .");
	else
		print(" %u/%x", trap_frame.vector, trap_frame.error);
}

static void io_bitmap(void)
{
	static const u16 maps[] = {0, 0x66, 0x67, 0x68, 0x70, 0x78, 0x79, 0x7a, 0xfff0, 0xffff};
	static const u16 ports[] = {0x80, 0x81, 0x84, 0x86, 0x87, 0x88, 0x8d, 0x8f, 0xfffc, 0xffff};

	for (u32 limit = 0x66; limit < 0x8a; limit += limit < 0x68 ? 1 : 16) {
		gdt_set(SEL_TSS, descriptor((u32)&main_tss, limit, 0x89, 0));
		__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
		for (unsigned i = 0; i < ARRAY_SIZE(maps); i++) {
			memset(main_tss.io_bits, 0, sizeof(main_tss.io_bits));
			main_tss.io_bits[24] = 0x40;
			main_tss.io_map = maps[i];
			print("limit %x, map %x:", limit, maps[i]);
			for (unsigned p = 0; p < ARRAY_SIZE(ports); p++) {
				result(in_b, ports[p]);
				result(in_w, ports[p]);
				result(in_l, ports[p]);
			}
			print("\n");
		}
	}
	gdt_set(SEL_TSS, descriptor((u32)&main_tss, sizeof(main_tss) - 1, 0x89, 0));
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
}

static void expand_down(void)
{
	static const u32 limits[] = {0, 0xfff, 0xfffd, 0xfffe, 0xffff, 0xffffe, 0xfffff};
	static const u32 at[] = {0,	  1,	      0xfff,	  0x1000,    0x1020,
				 0xfffc,  0xfffd,     0xfffe,	  0xffff,    0x10000,
				 0x10001, 0xfffffffc, 0xfffffffe, 0xffffffff};

	for (unsigned flags = 0; flags < 16; flags += 4) {
		for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
			if (flags & 8 && limits[i] < 0xffff && limits[i] > 0xf)
				continue;
			gdt_set(SEL_DOWN, descriptor(SCRATCH, limits[i], 0xf7, (u8)flags));
			print("flags %x limit %x:", flags, limits[i]);
			for (unsigned a = 0; a < ARRAY_SIZE(at); a++) {
				result(load_b, at[a]);
				result(load_w, at[a]);
				result(load_l, at[a]);
				result(push_l, at[a]);
				result(pop_l, at[a]);
				result(pusha_l, at[a]);
			}
			print("\n");
		}
	}
}

#define AC(name, body) SNIPPET(name, "mov $0x40000, %ebx\n pushl $0x40002\n popfl\n" body)
AC(ac_lret, "pushl $0x3b\n pushl $there\n pushw $0\n add $1, %esp\n lret");

AC(ac_iret, "sub $2, %esp\n iretl");
AC(ac_lcall, "sub $2, %esp\n lcall $0x3b, $there");
AC(ac_gate, "sub $2, %esp\n lcall $0x7b, $0");
AC(ac_int, "sub $2, %esp\n int $0x80");
AC(ac_pusha, "sub $2, %esp\n pushal");
AC(ac_popa, "sub $34, %esp\n popal");
AC(ac_popf, "sub $6, %esp\n popfl");
AC(ac_pushfw, "sub $3, %esp\n pushfw");
AC(ac_enter, "sub $2, %esp\n enter $0, $0");
AC(ac_enter_in, "lea 2(%esp), %ebp\n sub $64, %esp\n enter $0, $2");
AC(ac_les, "les 2(%ebx), %eax");
AC(ac_les_odd, "lesw 3(%ebx), %ax");
AC(ac_lcall_m, "lcall *2(%ebx)");
AC(ac_bound, "bound %eax, 2(%ebx)");
AC(ac_sgdt, "sgdt 1(%ebx)");
AC(ac_sgdt_even, "sgdt 2(%ebx)");
AC(ac_sidt, "sidt (%ebx)");
AC(ac_verr, "verr 1(%ebx)");
AC(ac_lar, "lar 1(%ebx), %eax");
AC(ac_arpl, "arpl %ax, 1(%ebx)");
AC(ac_mov_seg, "mov %ds, 1(%ebx)");
AC(ac_load_seg, "mov 1(%ebx), %es");
AC(ac_smsw, "smsw 1(%ebx)");
AC(ac_cx8, "cmpxchg8b 4(%ebx)");
AC(ac_movs, "mov %ebx, %esi\n lea 2(%ebx), %edi\n movsl");
AC(ac_cmps, "lea 1(%ebx), %esi\n mov %ebx, %edi\n cmpsw");
AC(ac_outs, "lea 1(%ebx), %esi\n mov $0x80, %edx\n outsw");
AC(ac_xlat, "mov $1, %al\n xlat");
AC(ac_bts, "mov $32, %eax\n bts %eax, 2(%ebx)");
AC(ac_jmp_m, "jmp *2(%ebx)");
AC(ac_absent_too, "mov 0x3f0001, %eax");
SNIPPET(there, "nop");

static void alignment(void)
{
	static const struct {
		const char *label;
		const void *entry;
	} list[] = {
#define ENTRY(name) {#name, name}
		ENTRY(ac_lret),	     ENTRY(ac_iret),	ENTRY(ac_lcall),    ENTRY(ac_gate),
		ENTRY(ac_int),	     ENTRY(ac_pusha),	ENTRY(ac_popa),	    ENTRY(ac_popf),
		ENTRY(ac_pushfw),    ENTRY(ac_enter),	ENTRY(ac_enter_in), ENTRY(ac_les),
		ENTRY(ac_les_odd),   ENTRY(ac_lcall_m), ENTRY(ac_bound),    ENTRY(ac_sgdt),
		ENTRY(ac_sgdt_even), ENTRY(ac_sidt),	ENTRY(ac_verr),	    ENTRY(ac_lar),
		ENTRY(ac_arpl),	     ENTRY(ac_mov_seg), ENTRY(ac_load_seg), ENTRY(ac_smsw),
		ENTRY(ac_cx8),	     ENTRY(ac_movs),	ENTRY(ac_cmps),	    ENTRY(ac_outs),
		ENTRY(ac_xlat),	     ENTRY(ac_bts),	ENTRY(ac_jmp_m),    ENTRY(ac_absent_too)};

	write_cr0(read_cr0() | 1u << 18);
	gdt_set(SEL_GATE, gate(SEL_CODE0, (u32)there, 0xec, 3));
	memset((void *)SCRATCH, 0, 0x100);
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		struct regs r = regs_for(3, list[i].entry);

		r.eflags |= 0x3000;
		run(&r);
		print("%s: vec=%u err=%x esp=%x ecx=%x\n", list[i].label, trap_frame.vector,
		      trap_frame.error, trap_frame.cs & 3 ? trap_frame.esp : 0, trap_frame.ecx);
	}
}

int main(void)
{
	rt_init("limits");
	io_bitmap();
	expand_down();
	alignment();
	real_mode();
	print("[end]\n");
	return 0;
}
