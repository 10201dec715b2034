// SPDX-License-Identifier: BSD-2-Clause
/* Which flags the SDM leaves undefined, for a CPU other than the one the interpreter follows. */
#include "tests/unit/cpu/support.h"

u32 undefined_flags(const u8 *code, u32 len)
{
	(void)code;
	(void)len;
	return 0;
}
