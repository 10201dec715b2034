/* SPDX-License-Identifier: BSD-2-Clause */
/* Event delivery inside cpu/: what INT n and the double-fault rules share. */
#ifndef FARBUS_CPU_EVENT_H
#define FARBUS_CPU_EVENT_H

#include "cpu/cpu.h"

/* One event through IVT or IDT with return_eip in the frame. May raise. */
void event_deliver(struct vcpu *v, u8 vector, enum event_kind kind, u32 error, u32 return_eip);

/* V86 mode: through the IVT at linear 0, for INT n that VME redirects (SDM vol. 3, 20.3.3). */
void event_redirect_v86(struct vcpu *v, u8 vector, u32 return_eip);

static inline bool vector_has_error(u8 vector)
{
	return vector == VEC_DF || (vector >= VEC_TS && vector <= VEC_PF) || vector == VEC_AC;
}

#endif
