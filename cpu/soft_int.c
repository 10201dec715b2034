/* SPDX-License-Identifier: BSD-2-Clause */
/* INT n, INT3, INTO and INT1, with what V86 mode and VME make of INT n (SDM vol. 3, table 20-2). */
#include "cpu/descriptor.h"
#include "cpu/event.h"
#include "cpu/mem.h"

#define TSS32_IO_MAP   102u /* offset of the I/O map base */
#define REDIRECT_BYTES 32u  /* the redirection bitmap ends where the I/O map begins */

/* The bit of the interrupt redirection bitmap: clear means through the V86 task's own IVT. */
static bool redirected_to_v86(struct vcpu *v, u8 vector)
{
	u32 offset;

	if (!(v->tr.attr & SYS_32) || v->tr.limit < TSS32_IO_MAP + 1)
		cpu_raise_gp0(v);
	offset = lin_read16(v, v->tr.base + TSS32_IO_MAP) - REDIRECT_BYTES + vector / 8;
	if (offset > v->tr.limit)
		cpu_raise_gp0(v);
	return !(lin_read8(v, v->tr.base + offset) & BIT(vector % 8));
}

void cpu_int(struct vcpu *v, u8 vector, u32 next_eip)
{
	if (vcpu_v86(v)) {
		if ((v->cr4 & CR4_VME) && redirected_to_v86(v, vector)) {
			event_redirect_v86(v, vector, next_eip);
			return;
		}
		if (vcpu_iopl(v) < 3)
			cpu_raise_gp0(v);
	}
	event_deliver(v, vector, EVENT_SOFT_INT, 0, next_eip);
}

void cpu_int3(struct vcpu *v, u32 next_eip)
{
	event_deliver(v, VEC_BP, EVENT_INT3_INTO, 0, next_eip);
}

void cpu_into(struct vcpu *v, u32 next_eip)
{
	event_deliver(v, VEC_OF, EVENT_INT3_INTO, 0, next_eip);
}

void cpu_icebp(struct vcpu *v, u32 next_eip)
{
	event_deliver(v, VEC_DB, EVENT_ICEBP, 0, next_eip);
}
