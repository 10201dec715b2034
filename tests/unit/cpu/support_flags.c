// SPDX-License-Identifier: BSD-2-Clause
/*
 * The flags that the SDM leaves undefined. Most of the interpreter's come from the host's own
 * instruction, so that a CPU agrees with itself; the rest do what the machine does that it was made
 * on, an AMD EPYC (family 19h). Measured there:
 *
 *   AND OR XOR TEST       AF = 0
 *   MUL IMUL              SF ZF AF PF unchanged
 *   DIV IDIV              CF OF unchanged, AF = 1, PF ZF SF = 0
 *   SHL SHR SAR SHLD SHRD AF = 1; OF as the last bit's step of the shift leaves it, SHR and SAR by
 *                         more than one: 0
 *   ROL ROR RCL RCR       OF as for a count of one, of the last step
 *   BT BTS BTR BTC        OF SF AF PF unchanged
 *   BSF BSR               CF OF SF AF = 0, PF varies; a zero source leaves the destination
 *   AAD                   OF AF CF of the addition
 *   AAM                   OF AF CF = 0
 *   DAA DAS AAA AAS       OF (and SF ZF PF) of the adjusting addition or subtraction
 *
 * Intel's CPUs differ in these among themselves. On any CPU but AMD's only the defined flags are
 * compared, and which of two faults of one instruction comes first is left open.
 */
#include <string.h>
#include "cpu/lockstep/lockstep.h"
#include "tests/unit/cpu/support.h"

bool is_reference_cpu(void)
{
	static int known; /* 0: not looked at yet */
	u32 eax = 0, name[3];

	if (!known) {
		__asm__ volatile("cpuid" : "+a"(eax), "=b"(name[0]), "=d"(name[1]), "=c"(name[2]));
		known = memcmp(name, "AuthenticAMD", 12) == 0 ? 1 : -1;
	}
	return known == 1;
}

u32 undefined_flags(const struct test_case *t)
{
	return lockstep_undefined_flags(t->two_byte, t->opcode, t->modrm);
}
