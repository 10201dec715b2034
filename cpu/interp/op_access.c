/* SPDX-License-Identifier: BSD-2-Clause */
/* The way from a handler to the slow memory paths, and the entry and exit of threaded dispatch. */
#include "cpu/interp/ops.h"

u32 FAST slow_load(u32 seg_units, u32 off, u32 size)
{
	op_sync();
	return mem_read_slow(cpu, seg_units / SEG_UNITS(1), off, size);
}
void FAST slow_store(u32 seg_units, u32 off, u32 value, u32 size)
{
	op_sync();
	mem_write_slow(cpu, seg_units / SEG_UNITS(1), off, size, value);
}
u32 FAST slow_rmw_load(u32 seg_units, u32 off, u32 size)
{
	op_sync();
	return mem_rmw_read(cpu, seg_units / SEG_UNITS(1), off, size);
}

void interp_exec(struct vcpu *v, const struct insn *first)
{
	struct vcpu *outer_cpu = cpu;
	const struct insn *outer_ip = ip;

	cpu = v;
	ip = first;
	ip->fn();
	cpu = outer_cpu;
	ip = outer_ip;
}
