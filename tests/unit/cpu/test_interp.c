// SPDX-License-Identifier: BSD-2-Clause
/*
 * The interpreter's own machinery, which the oracle's single instructions do not reach: code that
 * is written while it runs, instructions across pages, a full cache, segments that change, events.
 */
#include <stdlib.h>
#include <string.h>
#include "cpu/engine.h"
#include "tests/unit/cpu/support_vm.h"

#define CODE   0x10000u /* page-aligned, far from the tables */
#define DATA   0x40000u
#define VECTOR 0x40u /* what the test's PIC answers */
#define GATE   0x8e  /* 32-bit interrupt gate, DPL 0 */

static bool irq;   /* the PIC's INTR */
static bool waits; /* a port's answer is not there yet, once */

static bool port_in(void *ctx, u16 port, unsigned width, u32 *value)
{
	bool ready = !waits;

	(void)ctx, (void)port, (void)width;
	waits = false;
	*value = 0;
	return ready;
}
static bool port_out(void *ctx, u16 port, unsigned width, u32 value)
{
	(void)ctx, (void)port, (void)width, (void)value;
	return true;
}
/* Each call takes all that it is asked for. */
static u32 port_ins(void *ctx, u16 port, unsigned width, void *buf, u32 count)
{
	(void)ctx, (void)port;
	memset(buf, 0x5a, width * count);
	return count;
}
static u32 port_outs(void *ctx, u16 port, unsigned width, const void *buf, u32 count)
{
	(void)ctx, (void)port, (void)width, (void)buf;
	return count;
}
static int intack(void *ctx)
{
	(void)ctx;
	irq = false;
	vcpu_event_clear(&vm.v, VCPU_EV_INTR);
	return VECTOR;
}
static const struct vcpu_ops ops = {
	.in = port_in, .out = port_out, .ins = port_ins, .outs = port_outs, .intack = intack};

static void *arena;

/* Protected mode, flat, with an engine; #GP and the interrupt have handlers that halt. */
static void start(void)
{
	size_t size = interp_arena_size(VM_RAM);

	free(arena);
	arena = aligned_alloc(16, (size + 15) & ~(size_t)15);
	vm_protected();
	vm.v.ops = &ops;
	CHECK_EQ(interp_init(&vm.v, arena, size), 0);
	set_gate(VM_IDT, VEC_GP, S_CODE0, 0x7000, GATE, 0);
	set_gate(VM_IDT, VEC_DB, S_CODE0, 0x7000, GATE, 0);
	set_gate(VM_IDT, VECTOR, S_CODE0, 0x7000, GATE, 0);
	vm.ram[0x7000] = 0xf4;
}

static void code(u32 addr, const char *bytes, size_t len)
{
	physmem_write(&vm.pm, addr, bytes, len);
}
#define CODE_AT(addr, bytes) code(addr, bytes, sizeof(bytes) - 1)

static void run(u32 eip)
{
	vm.v.eip = eip;
	vm.v.halted = false;
	CHECK_EQ(interp_engine.run(&vm.v), EXIT_HLT);
}

static void writes_itself(void)
{
	start();
	/* movb $0x55, the immediate of the next; mov $0x11, %al; hlt */
	CODE_AT(CODE, "\xc6\x05\x08\x00\x01\x00\x55\xb0\x11\xf4");
	run(CODE);
	CHECK_EQ(vm.v.gpr[REG_EAX] & 0xff, 0x55);

	start();
	/* mov $3, %ecx; xor %eax, %eax; 1: add $1, %eax; incb the 1; loop 1b; hlt */
	CODE_AT(CODE,
		"\xb9\x03\x00\x00\x00\x31\xc0\x83\xc0\x01\xfe\x05\x09\x00\x01\x00\xe2\xf5\xf4");
	run(CODE);
	CHECK_EQ(vm.v.gpr[REG_EAX], 1 + 2 + 3);
	CHECK_EQ((u32)vm.v.stats.insns, 2 + 3 * 3 + 1);
}

static void written_by_a_device(void)
{
	start();
	/* call DATA; hlt; at DATA: mov $1, %al; ret */
	CODE_AT(CODE, "\xe8\xfb\xff\x02\x00\xf4");
	CODE_AT(DATA, "\xb0\x01\xc3");
	run(CODE);
	CHECK_EQ(vm.v.gpr[REG_EAX] & 0xff, 1);
	CODE_AT(DATA, "\xb0\x02");
	run(CODE);
	CHECK_EQ(vm.v.gpr[REG_EAX] & 0xff, 2);
}

static void written_by_string(void)
{
	start();
	CODE_AT(CODE, "\xf3\xa4\xe9\xf9\xff\x02\x00"); /* rep movsb; jmp DATA */
	CODE_AT(DATA, "\xb0\x01\xf4");
	run(DATA);
	memset(vm.ram + 0x60000, 0x90, 0x200);
	CODE_AT(0x601fd, "\xb0\x03\xf4");
	vm.v.gpr[REG_ESI] = 0x60000;
	vm.v.gpr[REG_EDI] = DATA;
	vm.v.gpr[REG_ECX] = 0x200;
	run(CODE);
	CHECK_EQ(vm.v.gpr[REG_EAX] & 0xff, 3);
}

static void across_pages(void)
{
	start();
	/* mov $0x11223344, %eax with one byte in the first page; hlt */
	CODE_AT(CODE - 1, "\xb8\x44\x33\x22\x11\xf4");
	for (u32 round = 0; round < 3; round++) {
		run(CODE - 1);
		CHECK_EQ(vm.v.gpr[REG_EAX], 0x11223344 + round);
		/* A plain store: nothing watches the second page but the block after it. */
		vm.ram[CODE]++;
	}
	CHECK_EQ((u32)vm.v.stats.insns, 6);
}

static void full_cache(void)
{
	start();
	memset(vm.ram + 0x100000, 0x90, 0x100000);
	vm.ram[0x200000] = 0xf4;
	run(0x100000);
	CHECK_EQ((u32)vm.v.stats.insns, 0x100001);
	run(0x1ffff0);
	CHECK_EQ((u32)vm.v.stats.insns, 0x100001 + 0x11);
}

static void segments_change(void)
{
	start();
	set_desc(VM_GDT, S_FREE, 0x1000, 0xfff, D_DATA0 | D_32);
	set_ram32(DATA, 0xaaaa);
	set_ram32(0x1000 + 0x20, 0xbbbb);
	/* mov (%esi), %eax; mov %dx, %ds; mov (%edi), %ebx; mov %cx, %ds; mov (%esi), %ebp; hlt */
	CODE_AT(CODE, "\x8b\x06\x8e\xda\x8b\x1f\x8e\xd9\x8b\x2e\xf4");
	for (int round = 0; round < 2; round++) {
		vm.v.gpr[REG_ESI] = DATA;
		vm.v.gpr[REG_EDI] = 0x20;
		vm.v.gpr[REG_EDX] = S_FREE;
		vm.v.gpr[REG_ECX] = S_DATA0;
		run(CODE);
		CHECK_EQ(vm.v.gpr[REG_EAX], 0xaaaa);
		CHECK_EQ(vm.v.gpr[REG_EBX], 0xbbbb);
		CHECK_EQ(vm.v.gpr[REG_EBP], 0xaaaa);
	}
	/* Past the limit with the same code: #GP at the third instruction. */
	vm.v.gpr[REG_EDI] = 0x1000;
	run(CODE);
	CHECK_EQ(ram32(vm.v.gpr[REG_ESP] + 4), CODE + 4);
}

static void code_limit(void)
{
	start();
	set_desc(VM_GDT, S_FREE, CODE, 0x2f, D_CODE0 | D_32);
	memset(vm.ram + CODE, 0x90, 0x100);
	CODE_AT(DATA, "\xea\x10\x00\x00\x00\x30\x00"); /* ljmp S_FREE:0x10 */
	for (int round = 0; round < 2; round++) {
		vm.v.gpr[REG_ESP] = VM_STACK0;
		run(DATA);
		CHECK_EQ(ram32(vm.v.gpr[REG_ESP] + 4), 0x30);
		CHECK_EQ(ram32(vm.v.gpr[REG_ESP] + 8), S_FREE);
		if (RAISES(cpu_far_jmp(&vm.v, S_CODE0, 0, 4, 0)))
			check(false, "back to flat code", __FILE__, __LINE__);
	}
	/* A branch beyond the limit faults where it stands. */
	CODE_AT(CODE + 0x10, "\xeb\x40");
	vm.v.gpr[REG_ESP] = VM_STACK0;
	run(DATA);
	CHECK_EQ(ram32(vm.v.gpr[REG_ESP] + 4), 0x10);
}

static void raise_irq(void)
{
	irq = true;
	vcpu_event_set(&vm.v, VCPU_EV_INTR);
}

static void interrupts(void)
{
	start();
	/* mov $1000, %ecx; loop .; sti; inc %eax; jmp . */
	CODE_AT(CODE, "\xb9\xe8\x03\x00\x00\xe2\xfe\xfb\x40\xeb\xfe");
	raise_irq();
	run(CODE);
	CHECK_EQ(vm.v.gpr[REG_ECX], 0);
	CHECK_EQ(vm.v.gpr[REG_EAX], 1);
	CHECK_EQ(ram32(vm.v.gpr[REG_ESP]), CODE + 9);
	CHECK(!irq);

	start();
	/* A window of one instruction between STI and CLI is enough. */
	CODE_AT(CODE, "\xfb\x90\xfa\xeb\xfe");
	raise_irq();
	run(CODE);
	CHECK_EQ(ram32(vm.v.gpr[REG_ESP]), CODE + 2);

	start();
	/* POPF sets IF and TF: the trap comes after the next instruction. */
	CODE_AT(CODE, "\x68\x02\x01\x00\x00\x9d\x40\x40\xf4");
	run(CODE);
	CHECK_EQ(vm.v.gpr[REG_EAX], 1);
	CHECK_EQ(ram32(vm.v.gpr[REG_ESP]), CODE + 7);
}

static void steps(void)
{
	start();
	CODE_AT(CODE, "\x40\x40\xeb\xfc"); /* 1: inc %eax; inc %eax; jmp 1b */
	vm.v.eip = CODE;
	for (u32 n = 1; n <= 7; n++) {
		CHECK_EQ(interp_engine.step(&vm.v), EXIT_STEP);
		CHECK_EQ((u32)vm.v.stats.insns, n);
	}
	CHECK_EQ(vm.v.gpr[REG_EAX], 5);
	CHECK_EQ(vm.v.eip, CODE + 1);
}

static bool without_shadow(struct vcpu *v)
{
	return !v->shadow;
}

/* Another engine refuses the instruction behind STI or MOV SS, and is asked again after it. */
static void hands_over_after_shadow(void)
{
	static const u32 shadows[] = {SHADOW_STI, SHADOW_MOVSS};

	for (unsigned n = 0; n < ARRAY_SIZE(shadows); n++) {
		start();
		CODE_AT(CODE, "\x40\x40\x40\xf4"); /* inc %eax, three times; hlt */
		vm.v.hand_over = without_shadow;
		vm.v.shadow = shadows[n];
		cpu_mode_changed(&vm.v);
		vm.v.gpr[REG_EAX] = 0;
		vm.v.eip = CODE;
		CHECK_EQ(interp_engine.run(&vm.v), EXIT_HAND_OVER);
		CHECK_EQ(vm.v.gpr[REG_EAX], 1);
		CHECK_EQ(vm.v.eip, CODE + 1);
	}

	start();
	/* mov %ebx, %ss; inc %eax, three times; hlt */
	CODE_AT(CODE, "\x8e\xd3\x40\x40\x40\xf4");
	vm.v.gpr[REG_EAX] = 0;
	vm.v.gpr[REG_EBX] = S_DATA0;
	vm.v.shadow = SHADOW_STI; /* so that the start is refused */
	cpu_mode_changed(&vm.v);
	vm.v.hand_over = without_shadow;
	vm.v.eip = CODE;
	CHECK_EQ(interp_engine.run(&vm.v), EXIT_HAND_OVER);
	CHECK_EQ(vm.v.gpr[REG_EAX], 1);
	CHECK_EQ(vm.v.eip, CODE + 3);
}

static bool behind_mov_ss(struct vcpu *v)
{
	return v->eip == CODE + 2 && !v->shadow;
}

/* Another stack ends a block, and what comes up then comes behind the next instruction. */
static void stack_holds(void)
{
	start();
	set_desc(VM_GDT, S_FREE, 0, 0xffff, D_DATA0);
	/* mov %ebx, %ss; inc %eax; hlt */
	CODE_AT(CODE, "\x8e\xd3\x40\xf4");
	vm.v.gpr[REG_EBX] = S_FREE;
	vm.v.hand_over = behind_mov_ss;
	vm.v.eip = CODE;
	CHECK_EQ(interp_engine.run(&vm.v), EXIT_HLT);

	/* So does the end of a page: what follows is carried out by itself. */
	start();
	u32 end = CODE + PAGE_SIZE, slow = (u32)vm.v.stats.slow_steps;

	CODE_AT(end - 2, "\x8e\xd3\x40\xf4");
	vm.v.gpr[REG_EBX] = S_DATA0;
	vm.v.eip = end - 2;
	CHECK_EQ(interp_engine.run(&vm.v), EXIT_HLT);
	CHECK_EQ((u32)vm.v.stats.slow_steps - slow, 1);
}

/* A single step is a debug exception, which ends HLT (SDM vol. 2, HLT). */
static void steps_over_hlt(void)
{
	start();
	/* hlt; hlt; the handler's own HLT is at 7000h */
	CODE_AT(CODE, "\xf4\xf4");
	vm.v.eflags |= FLAG_TF;
	cpu_mode_changed(&vm.v);
	run(CODE);
	CHECK_EQ(vm.v.eip, 0x7001);
	CHECK_EQ(ram32(vm.v.gpr[REG_ESP]), CODE + 1);
	CHECK(vm.v.dr[6] & BIT(14));
}

/* An I/O breakpoint is a trap: not before the port has answered. */
static void port_breakpoint_waits(void)
{
	start();
	CODE_AT(CODE, "\xe4\x80\x90\x90"); /* in $0x80, %al; nop; nop */
	vm.v.cr4 |= CR4_DE;
	vm.v.dr[0] = 0x80;
	vm.v.dr[7] = 0x20401;
	cpu_mode_changed(&vm.v);
	waits = true;
	vm.v.eip = CODE;
	CHECK_EQ(interp_engine.run(&vm.v), EXIT_IO_WAIT);
	CHECK_EQ(vm.v.eip, CODE);
	run(CODE);
	CHECK_EQ(ram32(vm.v.gpr[REG_ESP]), CODE + 2);
	CHECK_EQ(vm.v.dr[6] & 15, 1);
}

/* What STI holds off has to wait for a port's answer, too; so has a breakpoint that RF skips. */
static void port_holds(void)
{
	for (unsigned alone = 0; alone < 2; alone++) {
		start();
		CODE_AT(CODE, "\xfb\xec\x40\xeb\xfe"); /* sti; in %dx, %al; inc %eax; jmp . */
		waits = true;
		vm.v.eip = CODE;
		for (unsigned n = 0; n < alone * 2; n++)
			interp_engine.step(&vm.v);
		if (!alone)
			CHECK_EQ(interp_engine.run(&vm.v), EXIT_IO_WAIT);
		CHECK_EQ(vm.v.eip, CODE + 1);
		raise_irq();
		CHECK_EQ(interp_engine.run(&vm.v), EXIT_HLT);
		CHECK_EQ(ram32(vm.v.gpr[REG_ESP]), CODE + 2);
	}

	start();
	CODE_AT(CODE, "\xec\xf4"); /* in %dx, %al; hlt */
	waits = true;
	vm.v.eip = CODE;
	vm.v.dr[0] = CODE;
	vm.v.dr[7] |= 1;
	vm.v.eflags |= FLAG_RF;
	cpu_mode_changed(&vm.v);
	CHECK_EQ(interp_engine.run(&vm.v), EXIT_IO_WAIT);
	CHECK_EQ(interp_engine.run(&vm.v), EXIT_HLT);
	CHECK_EQ(vm.v.eip, CODE + 2);
}

/* NMIs come again once an IRET was executed, even one that has faulted. */
static void iret_faults(void)
{
	start();
	CODE_AT(CODE, "\x6a\x02\x6a\x00\x6a\x00\xcf"); /* push $2; push $0; push $0; iret */
	vm.v.nmi_blocked = true;
	run(CODE);
	CHECK_EQ(ram32(vm.v.gpr[REG_ESP] + 4), CODE + 6);
	CHECK(!vm.v.nmi_blocked);
}

/* A disk's sector is one step: the direct engine leaves translated code for each. */
static void string_io_steps(void)
{
	start();
	/* cld; rep insw; rep outsw */
	CODE_AT(CODE, "\xfc\x66\xf3\x6d\x66\xf3\x6f");
	vm.v.eip = CODE + 1;
	vm.v.gpr[REG_ECX] = 256;
	vm.v.gpr[REG_EDI] = DATA + 0xf00; /* over the end of a page */
	CHECK_EQ(interp_engine.step(&vm.v), EXIT_STEP);
	CHECK_EQ(vm.v.gpr[REG_ECX], 0);
	CHECK_EQ(vm.v.gpr[REG_EDI], DATA + 0x1100);
	CHECK_EQ(vm.v.eip, CODE + 4);
	CHECK_EQ(ram32(DATA + 0x10fc), 0x5a5a5a5a);
	vm.v.gpr[REG_ECX] = 256;
	vm.v.gpr[REG_ESI] = DATA + 0xf00;
	CHECK_EQ(interp_engine.step(&vm.v), EXIT_STEP);
	CHECK_EQ(vm.v.gpr[REG_ECX], 0);
	CHECK_EQ(vm.v.eip, CODE + 7);
}

static bool in_data_page(struct vcpu *v)
{
	return (v->eip & PAGE_MASK) == DATA;
}

/* Nothing changes where control goes to code that another engine takes: it has to be asked. */
static void hands_over_elsewhere(void)
{
	for (unsigned often = 0; often < 2; often++) {
		start();
		/* mov $1000, %ecx; 1: call DATA; loop 1b; hlt */
		CODE_AT(CODE, "\xb9\xe8\x03\x00\x00\xe8\xf6\xff\x02\x00\xe2\xf9\xf4");
		CODE_AT(DATA, "\x40\xc3"); /* inc %eax; ret */
		vm.v.gpr[REG_EAX] = 0;
		vm.v.hand_over = in_data_page;
		vm.v.eip = CODE;
		if (often)
			interp_ask_often(&vm.v);
		CHECK_EQ(interp_engine.run(&vm.v), often ? EXIT_HAND_OVER : EXIT_HLT);
		CHECK_EQ(vm.v.eip, often ? DATA : CODE + 13);
		CHECK(often ? vm.v.gpr[REG_EAX] < 100 : vm.v.gpr[REG_EAX] == 1000);
	}
	/* It was for that run only. */
	CHECK_EQ(interp_engine.step(&vm.v), EXIT_STEP);
	vm.v.eip = CODE;
	CHECK_EQ(interp_engine.run(&vm.v), EXIT_HLT);
}

int main(void)
{
	writes_itself();
	written_by_a_device();
	written_by_string();
	across_pages();
	full_cache();
	segments_change();
	code_limit();
	interrupts();
	steps();
	hands_over_after_shadow();
	stack_holds();
	port_holds();
	iret_faults();
	steps_over_hlt();
	port_breakpoint_waits();
	string_io_steps();
	hands_over_elsewhere();
	free(arena);
	return check_done();
}
