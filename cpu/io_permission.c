/* SPDX-License-Identifier: BSD-2-Clause */
/* IOPL and the TSS's I/O permission bitmap (SDM vol. 1, 19.5). */
#include "cpu/cpu.h"
#include "cpu/descriptor.h"
#include "cpu/mem.h"

#define TSS32_IO_MAP   102u
#define TSS32_MIN_LAST 103u

void cpu_check_io(struct vcpu *v, u16 port, unsigned width)
{
	u32 offset, bits;

	if (!vcpu_protected(v) || (v->cpl <= vcpu_iopl(v) && !vcpu_v86(v)))
		return;
	if (!(v->tr.attr & SEG_P) || !(v->tr.attr & SYS_32) || v->tr.limit < TSS32_MIN_LAST)
		cpu_raise_gp0(v);
	/* Two bytes are read always: a port's bits may straddle a byte boundary. */
	offset = lin_read16(v, v->tr.base + TSS32_IO_MAP) + port / 8u;
	if (offset + 1 > v->tr.limit)
		cpu_raise_gp0(v);
	bits = lin_read16(v, v->tr.base + offset);
	if ((bits >> (port % 8)) & ((1u << width) - 1))
		cpu_raise_gp0(v);
}
