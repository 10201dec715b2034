// SPDX-License-Identifier: BSD-2-Clause
/*
 * The native side: test code at CODE_LIN runs in this process. Plain cases are entered and left by
 * jumps; cases with other segments or TF are entered from a signal handler and left by INT3, which
 * gives every register. Faults come as signals, with the CPU's vector, error code and CR2.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include "tests/unit/cpu/support.h"

#ifndef SS_AUTODISARM /* <linux/signal.h> has it, and clashes with <signal.h> */
#define SS_AUTODISARM (1u << 31)
#endif

/* Fixed address: the assembly below runs without any register or segment of its own. */
#define CTX_ADDR 0x0e000000
struct native_ctx {
	u32 host_esp;	/* 00h */
	u32 exit;	/* 04h */
	u32 target;	/* 08h */
	u32 fs;		/* 0ch */
	u32 gpr[8];	/* 10h */
	u32 eflags;	/* 30h */
	u32 uses_fpu;	/* 34h */
	u32 special;	/* 38h */
	u32 mxcsr;	/* 3ch */
	u32 out_gpr[8]; /* 40h */
	u32 out_eflags; /* 60h */
	u32 running, entered, faulted, case_number;
	u32 pad[90];
	u8 fx_in[FX_BYTES] __attribute__((aligned(512)));
	u8 fx_out[FX_BYTES];
	u32 stack[64];
};
_Static_assert(offsetof(struct native_ctx, fx_in) == 0x200, "the assembly knows these");
_Static_assert(offsetof(struct native_ctx, out_eflags) == 0x60, "the assembly knows these");
_Static_assert(offsetof(struct native_ctx, stack) == 0x600, "the assembly knows these");

static struct native_ctx *const ctx = (struct native_ctx *)CTX_ADDR;

void native_enter(void);
void native_return(void);
extern const u8 native_special_end[];
extern const u8 native_exit0[], native_exit1[], native_exit2[], native_exit3[], native_exit4[];
static const u8 *const exit_stub[EXITS] = {native_exit0, native_exit1, native_exit2, native_exit3,
					   native_exit4};

__asm__(".text\n"
	"native_enter:\n"
	"	pushl %ebx; pushl %esi; pushl %edi; pushl %ebp\n"
	"	movl %esp, 0x0e000000\n"
	"	cmpl $0, 0x0e000034; je 1f\n"
	"	fninit; fxrstor 0x0e000200\n"
	"1:	cmpl $0, 0x0e000038; jne 2f\n"
	"	movw 0x0e00000c, %fs\n"
	"	movl 0x0e000010, %eax; movl 0x0e000014, %ecx; movl 0x0e000018, %edx\n"
	"	movl 0x0e00001c, %ebx; movl 0x0e000024, %ebp; movl 0x0e000028, %esi\n"
	"	movl 0x0e00002c, %edi\n"
	"	movl $0x0e000030, %esp; popfl; movl 0x0e000020, %esp\n"
	"	jmp *0x0e000008\n"
	"2:	int3\n"
	"native_special_end:\n"
	"native_exit0: movl $0, 0x0e000004; jmp 3f\n"
	"native_exit1: movl $1, 0x0e000004; jmp 3f\n"
	"native_exit2: movl $2, 0x0e000004; jmp 3f\n"
	"native_exit3: movl $3, 0x0e000004; jmp 3f\n"
	"native_exit4: movl $4, 0x0e000004\n"
	"3:	movl %eax, 0x0e000040; movl %ecx, 0x0e000044; movl %edx, 0x0e000048\n"
	"	movl %ebx, 0x0e00004c; movl %esp, 0x0e000050; movl %ebp, 0x0e000054\n"
	"	movl %esi, 0x0e000058; movl %edi, 0x0e00005c\n"
	"	movl $0x0e000700, %esp; pushfl; popl 0x0e000060\n"
	"	pushl $0x202; popfl\n"
	"native_return:\n"
	"	movl 0x0e000000, %esp; pushl $0x202; popfl\n"
	"	cmpl $0, 0x0e000034; je 4f\n"
	"	fxsave 0x0e000400; fninit; ldmxcsr 0x0e00003c\n"
	"4:	popl %ebp; popl %edi; popl %esi; popl %ebx; ret\n");

u64 native_gdt[16], native_ldt[LDT_COUNT];
static struct outcome *result;
static const struct test_case *current;
static u16 own_gs;

/* ModRM register order, as ucontext names it. */
static const int gpr_slot[8] = {REG_EAX, REG_ECX, REG_EDX, REG_EBX,
				REG_ESP, REG_EBP, REG_ESI, REG_EDI};
static const int seg_slot[6] = {REG_ES, REG_CS, REG_SS, REG_DS, REG_FS, REG_GS};

static void enter_special(greg_t *g)
{
	ctx->entered = 1;
	for (int i = 0; i < 8; i++)
		g[gpr_slot[i]] = (greg_t)current->in.gpr[i];
	for (int i = 0; i < 6; i++)
		g[seg_slot[i]] = current->in.seg[i];
	g[REG_EFL] = (greg_t)current->in.eflags;
	g[REG_EIP] = (greg_t)current->in.eip;
}

static void take_result(const ucontext_t *uc)
{
	const greg_t *g = uc->uc_mcontext.gregs;

	ctx->faulted = 1;
	for (int i = 0; i < 8; i++)
		result->regs.gpr[i] = (u32)g[gpr_slot[i]];
	for (int i = 0; i < 6; i++)
		result->regs.seg[i] = (u16)g[seg_slot[i]];
	result->regs.eip = (u32)g[REG_EIP];
	result->regs.eflags = (u32)g[REG_EFL];
	result->vector = (u32)g[REG_TRAPNO];
	result->error = (u32)g[REG_ERR];
	result->cr2 = uc->uc_mcontext.cr2;
}

static void leave_case(greg_t *g)
{
	g[REG_EIP] = (greg_t)(uintptr_t)native_return;
	g[REG_ESP] = (greg_t)ctx->host_esp;
	g[REG_EFL] = 0x202;
	g[REG_CS] = SEL_CODE;
	g[REG_SS] = g[REG_DS] = g[REG_ES] = SEL_DATA;
	g[REG_FS] = 0;
	g[REG_GS] = own_gs;
}

/* The guest's GS may be loaded here: nothing may use thread-local storage. */
__attribute__((no_stack_protector)) static void on_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;

	__asm__ volatile("pushl $0x202; popfl"
			 :
			 :
			 : "memory", "cc"); /* AC stays set in a handler */
	(void)info;
	if (ctx->running && ctx->special && !ctx->entered) {
		enter_special(g);
	} else if (ctx->running) {
		take_result(uc);
		leave_case(g);
	} else if (!guest_fixup((u32)g[REG_TRAPNO], (u32 *)&g[REG_EIP])) {
		fprintf(stderr, "signal %d in the test itself: vector %d eip %08x cr2 %08lx\n", sig,
			g[REG_TRAPNO], (u32)g[REG_EIP], (unsigned long)uc->uc_mcontext.cr2);
		signal(sig, SIG_DFL);
	}
}

/* The same case at two ticks: it hangs. */
static void on_alarm(int sig, siginfo_t *info, void *context)
{
	static u32 last_case;
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	if (last_case != ctx->case_number) {
		last_case = ctx->case_number;
		return;
	}
	if (ctx->running && ctx->entered >= ctx->special) {
		take_result(uc);
		result->vector = VEC_HUNG;
		leave_case(uc->uc_mcontext.gregs);
	}
	guest_interrupt();
}

void native_watch(void)
{
	struct itimerval every = {{2, 0}, {2, 0}};

	setitimer(ITIMER_REAL, &every, NULL);
}

static void *map(u32 lin, u32 size, int prot)
{
	void *p = mmap((void *)(uintptr_t)lin, size, prot,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static void set_ldt(unsigned n, u32 base, u32 limit, bool pages, unsigned contents, bool big,
		    bool read_exec_only, bool absent)
{
	struct user_desc d = {.entry_number = n,
			      .base_addr = base,
			      .limit = limit,
			      .seg_32bit = big,
			      .contents = contents,
			      .read_exec_only = read_exec_only,
			      .limit_in_pages = pages,
			      .seg_not_present = absent};
	/* As Linux makes it: accessed, DPL 3. */
	u64 access = 0x71u | contents << 2 | (u32)!read_exec_only << 1 | (u32)!absent << 7;
	u64 flags = (u32)pages << 3 | (u32)big << 2;

	if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d))) {
		perror("modify_ldt");
		exit(1);
	}
	native_ldt[n] = (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | access << 40 |
			(u64)((limit >> 16) & 15) << 48 | flags << 52 | (u64)(base >> 24) << 56;
}

/* What LAR and LSL tell of one of the system's own segments; those here have base 0. */
static u64 read_descriptor(u32 sel)
{
	u32 attr = 0, limit = 0;

	__asm__ volatile("larl %2, %0; lsll %2, %1" : "+&r"(attr), "+&r"(limit) : "r"(sel) : "cc");
	if (attr & 0x800000)
		limit >>= 12;
	return (limit & 0xffff) | (u64)(attr & 0xf0ff00) << 32 | (u64)(limit & 0xf0000) << 32;
}

static void init_segments(void)
{
	struct user_desc tls = {.entry_number = SEL_TLS >> 3};

	set_ldt(LDT_DATA, DATA_LIN, 0xffff, false, 0, true, false, false);
	set_ldt(LDT_SMALL, DATA_LIN, 0x17ff, false, 0, true, false, false);
	set_ldt(LDT_READ_ONLY, DATA_LIN, 0x1fff, false, 0, true, true, false);
	set_ldt(LDT_DOWN, DATA_LIN, 0xfff, false, 1, true, false, false);
	set_ldt(LDT_DOWN_16, DATA_LIN, 0xfff, false, 1, false, false, false);
	set_ldt(LDT_STACK_16, DATA_LIN, 0x1fff, false, 0, false, false, false);
	set_ldt(LDT_CODE_16, CODE_LIN, 0xffff, false, 2, false, false, false);
	set_ldt(LDT_EXEC_16, CODE_LIN, 0xffff, false, 2, false, true, false);
	set_ldt(LDT_ABSENT, DATA_LIN, 0xffff, false, 0, true, false, true);
	set_ldt(LDT_CONFORMING, 0, 0xfffff, true, 3, true, false, true);
	set_ldt(LDT_CODE_32, CODE_LIN, 0xfffff, false, 2, true, false, false);
	set_ldt(LDT_FLAT, 0, 0xfffff, true, 0, true, false, false);
	set_ldt(LDT_LAST, DATA_LIN, 0xff, true, 0, true, false, false);

	native_gdt[6] = read_descriptor(0x33); /* 64-bit code: readable as data */
	native_gdt[15] = read_descriptor(0x7b);
	native_gdt[SEL_CODE >> 3] = 0x00cffb000000ffffull;
	native_gdt[SEL_DATA >> 3] = 0x00cff3000000ffffull;
	if (syscall(SYS_get_thread_area, &tls) == 0)
		native_gdt[SEL_TLS >> 3] =
			(tls.limit & 0xffff) | (u64)(tls.base_addr & 0xffffff) << 16 |
			(u64)0xf3 << 40 | (u64)((tls.limit >> 16) & 15) << 48 |
			(u64)(tls.limit_in_pages << 3 | tls.seg_32bit << 2 | tls.useable) << 52 |
			(u64)(tls.base_addr >> 24) << 56;
	__asm__ volatile("mov %%gs, %0" : "=r"(own_gs));
}

static void init_signals(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	/* AUTODISARM: a case's ESP may lie in the signal stack by chance, and is not on it. */
	stack_t stack = {.ss_size = 0x20000, .ss_flags = (int)SS_AUTODISARM};
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (sigaltstack(&stack, NULL)) {
		perror("sigaltstack");
		exit(1);
	}
	sigfillset(&action.sa_mask);
	action.sa_sigaction = on_trap;
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
	action.sa_sigaction = on_alarm;
	sigaction(SIGALRM, &action, NULL);
}

void native_init(void)
{
	u8 *data;

	map(CTX_ADDR, 0x1000, PROT_READ | PROT_WRITE);
	ctx->mxcsr = 0x1f80;
	map(CODE_LIN - DATA_GUARD, CODE_SIZE + 2 * DATA_GUARD, PROT_NONE);
	memset(map(CODE_LIN, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC), 0xf4, CODE_SIZE);
	map(DATA_LIN - DATA_GUARD, DATA_SIZE + 2 * DATA_GUARD, PROT_NONE);
	data = map(DATA_LIN, DATA_SIZE, PROT_READ | PROT_WRITE);
	for (u32 i = 0; i < DATA_SIZE; i++)
		data[i] = (u8)(i * 0x9d >> 3);
	mprotect(data + DATA_RW, DATA_SIZE - DATA_RW, PROT_READ);
	init_segments();
	init_signals();
}

/* Exits: a jump in plain cases, INT3 in special ones. */
static void put_exits(const struct test_case *t)
{
	for (unsigned i = 0; i < EXITS; i++) {
		u8 *p = (u8 *)(uintptr_t)t->exit_lin[i];
		u32 rel = (u32)(uintptr_t)exit_stub[i] - (t->exit_lin[i] + 5);

		if (!p)
			continue;
		if (t->special) {
			*p = 0xcc;
		} else {
			*p = 0xe9;
			memcpy(p + 1, &rel, 4);
		}
	}
}

static void finish_exit(const struct test_case *t, struct outcome *out)
{
	if (!ctx->faulted) {
		memcpy(out->regs.gpr, ctx->out_gpr, sizeof(out->regs.gpr));
		out->regs.eflags = ctx->out_eflags;
		out->regs.eip = t->exit_lin[ctx->exit];
		memcpy(out->regs.seg, t->in.seg, sizeof(out->regs.seg));
		out->vector = VEC_EXIT;
		return;
	}
	if (out->vector != 3)
		return;
	for (unsigned i = 0; i < EXITS; i++) {
		if (t->exit_lin[i] &&
		    segment_base(out->regs.seg[1]) + out->regs.eip - 1 == t->exit_lin[i]) {
			out->vector = VEC_EXIT;
			out->regs.eip--;
		}
	}
}

void native_run(const struct test_case *t, struct outcome *out)
{
	memset(out, 0, sizeof(*out));
	ctx->case_number++;
	current = t;
	result = out;
	memcpy((void *)(uintptr_t)t->lin, t->code, t->len);
	put_exits(t);
	memcpy(ctx->gpr, t->in.gpr, sizeof(ctx->gpr));
	ctx->eflags = t->in.eflags;
	ctx->target = t->in.eip;
	ctx->fs = t->in.seg[4];
	ctx->uses_fpu = t->uses_fpu;
	ctx->special = t->special;
	if (t->uses_fpu)
		memcpy(ctx->fx_in, t->fx, FX_BYTES);
	ctx->entered = ctx->faulted = 0;
	ctx->running = 1;
	native_enter();
	ctx->running = 0;
	if (t->uses_fpu)
		memcpy(out->fx, ctx->fx_out, FX_BYTES);
	finish_exit(t, out);
	if (!t->special) /* the selectors were not touched, but a signal frame has them all */
		memcpy(out->regs.seg, t->in.seg, sizeof(out->regs.seg));
}
