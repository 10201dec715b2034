/* SPDX-License-Identifier: BSD-2-Clause */
/* DR7 taken apart (SDM vol. 3, 17.2.4). */
#ifndef FARBUS_CPU_DEBUG_REGS_H
#define FARBUS_CPU_DEBUG_REGS_H

#include "cpu/vcpu.h"

#define DR6_BD	   BIT(13)
#define DR6_BS	   BIT(14)
#define DR6_BT	   BIT(15)
#define DR7_ENABLE 0xffu /* the breakpoints, local and global */
#define DR7_GD	   BIT(13)
#define DR7_FIXED  BIT(10) /* always set */

static inline bool debug_enabled(const struct vcpu *v)
{
	return v->dr[7] & DR7_ENABLE;
}
/* Whether any access to a debug register is #DB. */
static inline bool debug_guarded(const struct vcpu *v)
{
	return v->dr[7] & DR7_GD;
}
/* Is an enabled breakpoint one on data? */
bool debug_watches_data(const struct vcpu *v);

#endif
