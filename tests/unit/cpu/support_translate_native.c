// SPDX-License-Identifier: BSD-2-Clause
/* The native side of support_translate.h: entering code, and what comes of it as signals. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "tests/unit/cpu/support_translate.h"

#define LDT_STATE    0
#define LDT_MEMORY   1 /* and 2 with 16 bits */
#define SEL_LDT(n)   ((n) << 3 | 7)
#define SEL_STATE    SEL_LDT(LDT_STATE)
#define OPCODE_PUSHF 0x9c
#define OPCODE_POPF  0x9d
#define PREFIX_O16   0x66

/* Of EFLAGS; <ucontext.h> does not get on with cpu/vcpu.h. */
#define FLAG_TRAP  0x100u
#define FLAGS_POPF 0x200cd5u /* arithmetic, DF, ID */

/* The assembly's, which finds it through FS. */
struct native_regs {
	u32 gpr[8], eflags, target;
	u32 host_esp, host_ss; /* far pointers */
	u32 stack, data;       /* data: SS, DS and ES */
} native_regs;
void native_go(void);
void native_leave(void);
void native_stopped(void);

static volatile bool running, stepping;
static bool stopped; /* by a fault; native_regs is as it was then */
static u32 stopped_eip, data_base, stack_mask = ~0u;

__asm__(".text\n"
	"native_go:\n"
	"	pushal\n"
	"	movl %esp, native_regs + 40\n"
	"	movl native_regs, %eax; movl native_regs + 4, %ecx\n"
	"	movl native_regs + 8, %edx; movl native_regs + 12, %ebx\n"
	"	movl native_regs + 20, %ebp; movl native_regs + 24, %esi\n"
	"	movl native_regs + 28, %edi\n"
	"	pushl native_regs + 32; popfl\n"
	"	lss native_regs + 48, %esp\n"
	"	movw %fs:native_regs + 52, %es; movw %fs:native_regs + 52, %ds\n"
	"	jmp *%fs:native_regs + 36\n"
	".globl native_leave\n"
	"native_leave:\n"
	"	movl %esp, %fs:native_regs + 16\n"
	"	lss %fs:native_regs + 40, %esp\n"
	"	movw %fs:native_regs + 44, %ds; movw %fs:native_regs + 44, %es\n"
	"	movl %eax, native_regs; movl %ecx, native_regs + 4\n"
	"	movl %edx, native_regs + 8; movl %ebx, native_regs + 12\n"
	"	movl %ebp, native_regs + 20\n"
	"	movl %esi, native_regs + 24; movl %edi, native_regs + 28\n"
	"	pushfl; popl native_regs + 32\n"
	"native_stopped:\n"
	"	pushl $0x202; popfl\n"
	"	popal\n"
	"	ret\n");

static void from_context(const ucontext_t *uc, struct translate_regs *r)
{
	const greg_t *g = uc->uc_mcontext.gregs;

	r->gpr[0] = (u32)g[REG_EAX];
	r->gpr[1] = (u32)g[REG_ECX];
	r->gpr[2] = (u32)g[REG_EDX];
	r->gpr[3] = (u32)g[REG_EBX];
	r->gpr[4] = (u32)g[REG_ESP];
	r->gpr[5] = (u32)g[REG_EBP];
	r->gpr[6] = (u32)g[REG_ESI];
	r->gpr[7] = (u32)g[REG_EDI];
	r->eip = (u32)g[REG_EIP];
	r->eflags = (u32)g[REG_EFL];
}

/*
 * PUSHF would show TF and POPF end it: they are carried out here, with the operand-size prefix
 * where they have it. False: another instruction.
 */
static bool carry_out(ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;
	const u8 *code = (const u8 *)(uintptr_t)(u32)g[REG_EIP];
	u32 flags = FLAGS_POPF, esp = (u32)g[REG_ESP], size = *code == PREFIX_O16 ? 2 : 4, image;
	bool push = code[size == 2] == OPCODE_PUSHF;

	if (!push && code[size == 2] != OPCODE_POPF)
		return false;
	if (push)
		esp = (esp & ~stack_mask) | ((esp - size) & stack_mask);
	if (push) {
		image = (u32)g[REG_EFL] & ~FLAG_TRAP;
		memcpy((u8 *)(uintptr_t)(data_base + (esp & stack_mask)), &image, size);
	} else {
		image = (u32)g[REG_EFL];
		memcpy(&image, (u8 *)(uintptr_t)(data_base + (esp & stack_mask)), size);
		g[REG_EFL] = (greg_t)(((u32)g[REG_EFL] & ~flags) | (image & flags));
		esp = (esp & ~stack_mask) | ((esp + size) & stack_mask);
	}
	g[REG_ESP] = (greg_t)esp;
	g[REG_EIP] += size == 2 ? 2 : 1;
	return true;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct translate_regs r;

	(void)info;
	if (sig == SIGTRAP && stepping) {
		do {
			from_context(uc, &r);
		} while (machine_look(&r) && carry_out(uc));
		return;
	}
	if (!running) {
		signal(sig, SIG_DFL);
		return;
	}
	from_context(uc, &r);
	stopped = true;
	stopped_eip = r.eip;
	memcpy(native_regs.gpr, r.gpr, sizeof(r.gpr));
	native_regs.eflags = r.eflags;
	uc->uc_mcontext.gregs[REG_ESP] = (greg_t)native_regs.host_esp;
	uc->uc_mcontext.gregs[REG_EIP] = (greg_t)(uintptr_t)native_stopped;
	uc->uc_mcontext.gregs[REG_SS] = (greg_t)native_regs.host_ss;
	uc->uc_mcontext.gregs[REG_DS] = (greg_t)native_regs.host_ss;
	uc->uc_mcontext.gregs[REG_ES] = (greg_t)native_regs.host_ss;
}

static void catch_signals(void)
{
	static const int caught[] = {SIGSEGV, SIGTRAP, SIGILL, SIGFPE, SIGBUS};
	static u8 room[64 * KB];
	stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &action, NULL);
}

bool native_run_at(struct translate_regs *r, u32 entry, bool step)
{
	memcpy(native_regs.gpr, r->gpr, sizeof(r->gpr));
	native_regs.eflags = (r->eflags & FLAGS_POPF) | 0x202 | (step ? FLAG_TRAP : 0);
	native_regs.target = entry;
	native_regs.stack = r->gpr[4];
	stopped = false;
	stepping = step;
	running = true;
	native_go();
	running = stepping = false;
	memcpy(r->gpr, native_regs.gpr, sizeof(r->gpr));
	r->eflags = native_regs.eflags;
	r->eip = stopped_eip;
	return !stopped;
}

u8 *native_map(u32 lin, u32 size)
{
	u8 *p = mmap((void *)(uintptr_t)lin, size, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | (lin ? MAP_FIXED_NOREPLACE : 0), -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

u16 native_data(void)
{
	return (u16)native_regs.data;
}

void native_segments(enum native_segments which)
{
	u16 flat;

	asm("movw %%ss, %0" : "=r"(flat));
	native_regs.host_ss = flat;
	native_regs.data =
		which == NATIVE_FLAT ? flat : SEL_LDT(LDT_MEMORY + which - NATIVE_MEMORY);
	data_base = which == NATIVE_FLAT ? 0 : MEMORY_LIN;
	stack_mask = which == NATIVE_MEMORY16 ? 0xffff : ~0u;
}

static void set_ldt(u32 number, u32 base, u32 last_page, bool code32)
{
	struct user_desc d = {.entry_number = number,
			      .base_addr = base,
			      .limit = last_page,
			      .limit_in_pages = 1,
			      .seg_32bit = code32,
			      .useable = 1};

	if (syscall(SYS_modify_ldt, 1, &d, sizeof(d))) {
		perror("modify_ldt");
		exit(2);
	}
}

void native_code_init(void)
{
	set_ldt(LDT_STATE, 0, 0xfffff, true);
	set_ldt(LDT_MEMORY, MEMORY_LIN, 15, true);
	set_ldt(LDT_MEMORY + 1, MEMORY_LIN, 15, false);
	asm volatile("movw %w0, %%fs" ::"r"(SEL_STATE));
	native_segments(NATIVE_FLAT);
	catch_signals();
}
