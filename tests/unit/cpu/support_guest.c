// SPDX-License-Identifier: BSD-2-Clause
/*
 * The interpreter's side: a guest with paging on whose CPL 3 sees what the process sees at CODE_LIN
 * and DATA_LIN. Its ring 0 is an IDT of HLTs: which one the guest halts in tells the vector, the
 * stack there the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/cpu.h"
#include "cpu/engine.h"
#include "cpu/interp/fpu.h"
#include "cpu/interp/fpu_host.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"
#include "tests/unit/cpu/support.h"

#define RAM_SIZE (2u * MB)
#define SYS_LIN	 0xf0000000u /* guest-physical 0, for ring 0 only */

/* Guest-physical places */
#define PA_IDT	    0x0000u
#define PA_GDT	    0x1000u
#define PA_LDT	    0x2000u
#define PA_TSS	    0x3000u
#define PA_STACK    0x4000u
#define PA_HANDLERS 0x5000u
#define PA_PD	    0x6000u
#define PA_PT_SYS   0x7000u
#define PA_PT_CODE  0x8000u
#define PA_PT_DATA  0x9000u
#define PA_CODE	    0x40000u
#define PA_DATA	    0x90000u
#define HANDLER	    16u /* bytes for each vector */

#define SEL_CODE_0 0x08
#define SEL_DATA_0 0x18
#define SEL_TSS	   0x40
#define SEL_LDTR   0x50

#define PTE_USER_RW 7u
#define PTE_USER_RO 5u
#define PTE_SYS	    3u

static struct guest {
	struct vcpu v;
	struct physmem mem;
	u8 *ram;
	u8 flags[RAM_SIZE / PAGE_SIZE];
	struct cpu_fault fault;
} guest;

static void put32(u32 pa, u32 value)
{
	memcpy(guest.ram + pa, &value, 4);
}

static u32 get32(u32 pa)
{
	u32 value;

	memcpy(&value, guest.ram + pa, 4);
	return value;
}

static void map_page(u32 pt, u32 lin, u32 pa, u32 bits)
{
	put32(PA_PD + (lin >> 22) * 4, pt | PTE_USER_RW);
	put32(pt + ((lin >> 12) & 0x3ff) * 4, pa | bits);
}

static void make_page_tables(void)
{
	for (u32 pa = 0; pa < 0x10000; pa += PAGE_SIZE)
		map_page(PA_PT_SYS, SYS_LIN + pa, pa, PTE_SYS);
	for (u32 off = 0; off < CODE_SIZE; off += PAGE_SIZE)
		map_page(PA_PT_CODE, CODE_LIN + off, PA_CODE + off, PTE_USER_RW);
	for (u32 off = 0; off < DATA_SIZE; off += PAGE_SIZE)
		map_page(PA_PT_DATA, DATA_LIN + off, PA_DATA + off,
			 off < DATA_RW ? PTE_USER_RW : PTE_USER_RO);
}

static void make_idt(void)
{
	for (u32 n = 0; n < 256; n++) {
		u32 handler = SYS_LIN + PA_HANDLERS + n * HANDLER;
		bool user = n == VEC_BP || n == VEC_OF || n == VEC_EXIT;

		put32(PA_IDT + n * 8, SEL_CODE_0 << 16 | (handler & 0xffff));
		put32(PA_IDT + n * 8 + 4, (handler & 0xffff0000) | 0x8e00 | (user ? 0x6000 : 0));
		memset(guest.ram + PA_HANDLERS + n * HANDLER, 0xf4, HANDLER);
	}
}

static void make_tables(void)
{
	native_gdt[SEL_CODE_0 >> 3] = 0x00cf9b000000ffffull;
	native_gdt[SEL_DATA_0 >> 3] = 0x00cf93000000ffffull;
	memcpy(guest.ram + PA_GDT, native_gdt, sizeof(native_gdt));
	memcpy(guest.ram + PA_LDT, native_ldt, sizeof(native_ldt));
	put32(PA_TSS + 4, SYS_LIN + PA_STACK + PAGE_SIZE);
	put32(PA_TSS + 8, SEL_DATA_0);
	put32(PA_TSS + 0x64, 0x68 << 16); /* no I/O bitmap */
}

static bool no_in(void *c, u16 port, unsigned width, u32 *value)
{
	(void)c, (void)port, (void)width;
	*value = ~0u;
	return true;
}

static bool no_out(void *c, u16 port, unsigned width, u32 value)
{
	(void)c, (void)port, (void)width, (void)value;
	return true;
}

static u64 no_tsc(void *c)
{
	(void)c;
	return 0;
}

static const struct vcpu_ops ops = {.in = no_in, .out = no_out, .tsc = no_tsc};

static void load_tables(struct vcpu *v)
{
	v->gdtr = (struct desc_table){SYS_LIN + PA_GDT, 0x7f};
	v->idtr = (struct desc_table){SYS_LIN + PA_IDT, 0x7ff};
	v->ldtr = (struct segment){.base = SYS_LIN + PA_LDT,
				   .limit = sizeof(native_ldt) - 1,
				   .sel = SEL_LDTR,
				   .attr = SEG_P | 2};
	v->tr = (struct segment){
		.base = SYS_LIN + PA_TSS, .limit = 0x67, .sel = SEL_TSS, .attr = SEG_P | 11};
	segment_derive(&v->ldtr);
	segment_derive(&v->tr);
	v->cr3 = PA_PD;
	v->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
	v->cr4 = CR4_PSE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	cpu_mode_changed(v);
}

u8 *guest_data(void)
{
	return guest.ram + PA_DATA;
}

void guest_init(void)
{
	struct vcpu *v = &guest.v;
	size_t arena_size = interp_arena_size(RAM_SIZE);
	struct phys_region ram = {.first = 0, .last = RAM_SIZE - 1};
	void *arena;

	guest.ram = aligned_alloc(PAGE_SIZE, RAM_SIZE);
	arena = aligned_alloc(PAGE_SIZE, (arena_size + PAGE_SIZE) & PAGE_MASK);
	if (!guest.ram || !arena) {
		fprintf(stderr, "no memory for the guest\n");
		exit(1);
	}
	memset(guest.ram, 0, RAM_SIZE);
	memset(guest.ram + PA_CODE, 0xf4, CODE_SIZE);
	memset(arena, 0, arena_size);
	physmem_init(&guest.mem, RAM_SIZE, guest.flags, sizeof(guest.flags));
	ram.rd = ram.wr = guest.ram;
	physmem_map(&guest.mem, &ram);
	physmem_set_a20(&guest.mem, true);
	memcpy(guest_data(), (const void *)(uintptr_t)DATA_LIN, DATA_SIZE);
	make_page_tables();
	make_idt();
	make_tables();
	v->mem = &guest.mem;
	v->ops = &ops;
	v->feature_mask = ~0u;
	if (interp_init(v, arena, arena_size)) {
		fprintf(stderr, "interp_init failed\n");
		exit(1);
	}
	vcpu_reset(v);
	load_tables(v);
}

struct vcpu *guest_vcpu(void)
{
	return &guest.v;
}

bool guest_fixup(u32 vector, u32 *eip)
{
	return fpu_fixup(vector, eip);
}

void guest_interrupt(void)
{
	guest.v.events |= VCPU_EV_HOST;
}

static u64 descriptor(u16 sel)
{
	unsigned n = sel >> 3;

	if (sel & 4)
		return n < LDT_COUNT ? native_ldt[n] : 0;
	return n < 16 ? native_gdt[n] : 0;
}

u32 segment_base(u16 sel)
{
	u64 d = descriptor(sel);

	return (u32)(d >> 16 & 0xffffff) | (u32)(d >> 56) << 24;
}

static void set_segment(struct segment *s, u16 sel)
{
	u64 d = descriptor(sel);

	*s = (struct segment){.sel = sel};
	if (sel & ~3) {
		s->base = segment_base(sel);
		s->limit = (u32)(d & 0xffff) | (u32)(d >> 32 & 0xf0000);
		s->attr = (u16)(d >> 40 & 0xf0ff);
		if (s->attr & SEG_G)
			s->limit = s->limit << 12 | 0xfff;
	}
	segment_derive(s);
}

static void put_code(const struct test_case *t)
{
	static const u8 exit_code[2] = {0xcd, VEC_EXIT};

	physmem_write(&guest.mem, t->lin - CODE_LIN + PA_CODE, t->code, t->len);
	for (unsigned i = 0; i < EXITS; i++) {
		if (t->exit_lin[i])
			physmem_write(&guest.mem, t->exit_lin[i] - CODE_LIN + PA_CODE, exit_code,
				      2);
	}
}

static bool has_error_code(u32 vector)
{
	return vector == VEC_DF || (vector >= VEC_TS && vector <= VEC_PF) || vector == VEC_AC;
}

static void take_result(struct outcome *out)
{
	struct vcpu *v = &guest.v;
	u32 frame = v->gpr[REG_ESP] - SYS_LIN;

	out->vector = (v->eip - 1 - SYS_LIN - PA_HANDLERS) / HANDLER;
	memcpy(out->regs.gpr, v->gpr, sizeof(v->gpr));
	memcpy(out->fx, v->fpu.bytes, FX_BYTES);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		out->regs.seg[i] = v->seg[i].sel;
	if (frame - PA_STACK > PAGE_SIZE || out->vector > 255) {
		out->vector = 0xfe;
		return;
	}
	if (has_error_code(out->vector)) {
		out->error = get32(frame);
		frame += 4;
	}
	out->cr2 = out->vector == VEC_PF ? v->cr2 : 0;
	out->regs.eip = get32(frame) - (out->vector == VEC_EXIT ? 2 : 0);
	out->regs.seg[SEG_CS] = (u16)get32(frame + 4);
	out->regs.eflags = get32(frame + 8);
	out->regs.gpr[REG_ESP] = get32(frame + 12);
	out->regs.seg[SEG_SS] = (u16)get32(frame + 16);
}

void guest_run(const struct test_case *t, struct outcome *out)
{
	struct vcpu *v = &guest.v;
	enum exit_reason reason;

	memset(out, 0, sizeof(*out));
	put_code(t);
	memcpy(v->gpr, t->in.gpr, sizeof(v->gpr));
	for (unsigned i = 0; i < SEG_COUNT; i++)
		set_segment(&v->seg[i], t->in.seg[i]);
	v->cpl = 3;
	vcpu_set_eflags(v, t->in.eflags | FLAG_IF | FLAGS_FIXED);
	v->eip = t->in.eip;
	v->halted = false;
	v->shadow = 0;
	v->dr[6] = 0xffff0ff0;
	v->dr[7] = 0x400;
	if (t->uses_fpu) {
		memcpy(v->fpu.bytes, t->fx, FX_BYTES);
		v->fpu_ip = v->fpu_dp = v->fpu_cs = v->fpu_ds = v->fpu_opcode = 0;
		v->fpu_ferr = false;
	}
	cpu_mode_changed(v);
	v->events &= ~VCPU_EV_HOST;
	do {
		reason = interp_engine.run(v);
	} while (reason == EXIT_IO_WAIT);
	if (reason == EXIT_HLT)
		take_result(out);
	else
		out->vector = reason == EXIT_SHUTDOWN ? 0xfd : 0xff;
}
