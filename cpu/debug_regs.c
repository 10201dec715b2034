/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug registers and breakpoints (SDM vol. 3, ch. 17). Code breakpoints are faults before the
 * instruction; data and I/O breakpoints, single steps and the TSS's T bit are traps after it.
 */
#include "cpu/cpu.h"
#include "cpu/debug_regs.h"

#define DR6_FIXED    0xffff0ff0u
#define DR6_WRITABLE 0x0000e00fu
#define DR7_WRITABLE 0xffff2bffu
#define DR6_HITS     0x0000000fu

enum watch { WATCH_CODE, WATCH_WRITE, WATCH_IO, WATCH_ACCESS };

static bool enabled(const struct vcpu *v, unsigned i)
{
	return (v->dr[7] >> (i * 2)) & 3;
}

static enum watch kind(const struct vcpu *v, unsigned i)
{
	return (v->dr[7] >> (16 + i * 4)) & 3;
}

/* The length field's bytes minus one, which is also the mask of address bits that do not count. */
static u32 length_mask(const struct vcpu *v, unsigned i)
{
	static const u8 mask[4] = {0, 1, 7, 3};

	return mask[(v->dr[7] >> (18 + i * 4)) & 3];
}

static bool overlaps(const struct vcpu *v, unsigned i, u32 addr, u32 size)
{
	u32 mask = length_mask(v, i), first = v->dr[i] & ~mask;

	return addr <= first + mask && addr + size - 1 >= first;
}

bool debug_watches_data(const struct vcpu *v)
{
	for (unsigned i = 0; i < 4 && (v->dr[7] & 0xff); i++) {
		if (enabled(v, i) && (kind(v, i) == WATCH_WRITE || kind(v, i) == WATCH_ACCESS))
			return true;
	}
	return false;
}

static void collect(struct vcpu *v, u32 hits)
{
	if (!hits)
		return;
	v->debug_hits |= hits;
	vcpu_event_set(v, VCPU_EV_STEP);
}

bool cpu_code_breakpoint(struct vcpu *v, u32 lin)
{
	u32 hits = 0;

	if (v->eflags & FLAG_RF)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		if (enabled(v, i) && kind(v, i) == WATCH_CODE && v->dr[i] == lin)
			hits |= BIT(i);
	}
	if (!hits)
		return false;
	v->dr[6] = (v->dr[6] & ~DR6_HITS) | hits;
	return true;
}

void cpu_data_breakpoint(struct vcpu *v, u32 lin, unsigned size, bool write)
{
	u32 hits = 0;

	for (unsigned i = 0; i < 4; i++) {
		enum watch k = kind(v, i);

		if (enabled(v, i) && (k == WATCH_ACCESS || (k == WATCH_WRITE && write)) &&
		    overlaps(v, i, lin, size))
			hits |= BIT(i);
	}
	collect(v, hits);
}

void cpu_io_breakpoint(struct vcpu *v, u16 port, unsigned size)
{
	u32 hits = 0;

	if (!(v->cr4 & CR4_DE))
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (enabled(v, i) && kind(v, i) == WATCH_IO && overlaps(v, i, port, size))
			hits |= BIT(i);
	}
	collect(v, hits);
}

bool cpu_debug_trap(struct vcpu *v, bool single_step)
{
	u32 hits = v->debug_hits | (single_step ? DR6_BS : 0);

	v->debug_hits = 0;
	if (!hits)
		return false;
	v->dr[6] = (v->dr[6] & ~DR6_HITS) | hits;
	return true;
}

/* The checks that reading and writing share; returns the register with the aliases 4 and 5 gone. */
static unsigned check_access(struct vcpu *v, unsigned dr)
{
	if (dr == 4 || dr == 5) {
		if (v->cr4 & CR4_DE)
			cpu_raise_ud(v);
		dr += 2;
	}
	if (v->cpl != 0)
		cpu_raise_gp0(v);
	if (v->dr[7] & DR7_GD) {
		v->dr[6] = (v->dr[6] & ~DR6_HITS) | DR6_BD;
		cpu_raise(v, VEC_DB, 0);
	}
	return dr;
}

void cpu_mov_to_dr(struct vcpu *v, unsigned dr, u32 value)
{
	dr = check_access(v, dr);
	if (dr == 6)
		value = (value & DR6_WRITABLE) | DR6_FIXED;
	else if (dr == 7)
		value = (value & DR7_WRITABLE) | DR7_FIXED;
	if (v->dr[dr] == value)
		return; /* kernels do that at each fault */
	v->dr[dr] = value;
	if (dr == 7)
		cpu_mode_changed(v);
}

u32 cpu_mov_from_dr(struct vcpu *v, unsigned dr)
{
	return v->dr[check_access(v, dr)];
}
