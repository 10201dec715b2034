// SPDX-License-Identifier: BSD-2-Clause
/*
 * The CPU's side of support_stretch.h. Guest code is entered from a signal handler, which can set
 * every register and TF at once, and left by one.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include "tests/unit/cpu/support_stretch.h"

/* <ucontext.h> has names of its own for registers and does not get on with cpu/vcpu.h. */
static const int slot[8] = {REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI};

#define FLAG_TRAP    0x100
#define FLAGS_LOADED 0xcd5 /* arithmetic, DF */
#define FLAGS_ON     0x202

void stretch_enter(void);  /* leads to the handler below */
void stretch_entry(void);  /* its UD2 */
void stretch_return(void); /* where the handler ends guest code */
u32 stretch_esp;

__asm__(".text\n"
	"stretch_enter:\n"
	"	pushal\n"
	"	movl %esp, stretch_esp\n"
	"stretch_entry:\n"
	"	ud2\n"
	"stretch_return:\n"
	"	popal\n"
	"	ret\n");

static struct translate_regs *regs;
static volatile sig_atomic_t running;
static u32 traps_left;

static void enter(greg_t *g)
{
	for (int i = 0; i < 8; i++)
		g[slot[i]] = (greg_t)regs->gpr[i];
	g[REG_EIP] = (greg_t)regs->eip;
	g[REG_EFL] =
		(greg_t)((regs->eflags & FLAGS_LOADED) | FLAGS_ON | (traps_left ? FLAG_TRAP : 0));
	running = 1;
}

static void leave(greg_t *g)
{
	for (int i = 0; i < 8; i++)
		regs->gpr[i] = (u32)g[slot[i]];
	regs->eip = (u32)g[REG_EIP];
	regs->eflags = (u32)g[REG_EFL];
	running = 0;
	g[REG_ESP] = (greg_t)stretch_esp;
	g[REG_EIP] = (greg_t)(uintptr_t)stretch_return;
	g[REG_EFL] = FLAGS_ON;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (running) {
		if (sig != SIGTRAP || --traps_left == 0)
			leave(g);
		return;
	}
	if (sig == SIGALRM)
		return;
	if (sig == SIGILL && (u32)g[REG_EIP] == (u32)(uintptr_t)stretch_entry) {
		enter(g);
		return;
	}
	signal(sig, SIG_DFL);
}

void stretch_run(struct translate_regs *r, u32 traps)
{
	regs = r;
	traps_left = traps;
	stretch_enter();
}

void stretch_signals(void)
{
	static const int caught[] = {SIGSEGV, SIGTRAP, SIGILL, SIGFPE, SIGBUS, SIGALRM};
	static u8 room[64 * KB];
	stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigfillset(&action.sa_mask);
	sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &action, NULL);
}

void stretch_alarms(u32 us)
{
	struct itimerval t = {.it_interval = {.tv_usec = us}, .it_value = {.tv_usec = us}};

	setitimer(ITIMER_REAL, &t, NULL);
}
