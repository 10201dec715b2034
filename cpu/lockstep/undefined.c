/* SPDX-License-Identifier: BSD-2-Clause */
/* The flags that the SDM leaves undefined (vol. 1, appendix A, and vol. 2). */
#include "cpu/lockstep/lockstep.h"

#define ALL   FLAGS_ARITH
#define LOGIC FLAG_AF
#define MUL   (FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF)
#define SHIFT (FLAG_AF | FLAG_OF | FLAG_CF)
#define BITS  (FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF)
#define SCAN  (BITS | FLAG_CF)

struct row {
	bool two_byte;
	u8 first, last;
	u8 regs; /* which reg fields of the modrm byte, one bit each */
	u32 flags;
};

static const struct row rows[] = {
	{false, 0x08, 0x0d, 0xff, LOGIC},
	{false, 0x20, 0x25, 0xff, LOGIC},
	{false, 0x27, 0x27, 0xff, FLAG_OF},
	{false, 0x2f, 0x2f, 0xff, FLAG_OF},
	{false, 0x30, 0x35, 0xff, LOGIC},
	{false, 0x37, 0x37, 0xff, FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF},
	{false, 0x3f, 0x3f, 0xff, FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF},
	{false, 0x69, 0x69, 0xff, MUL},
	{false, 0x6b, 0x6b, 0xff, MUL},
	{false, 0x80, 0x83, 0x52, LOGIC},
	{false, 0x84, 0x85, 0xff, LOGIC},
	{false, 0xa8, 0xa9, 0xff, LOGIC},
	{false, 0xc0, 0xc1, 0x0f, FLAG_OF},
	{false, 0xc0, 0xc1, 0xf0, SHIFT},
	{false, 0xd0, 0xd1, 0xf0, FLAG_AF},
	{false, 0xd2, 0xd3, 0x0f, FLAG_OF},
	{false, 0xd2, 0xd3, 0xf0, SHIFT},
	{false, 0xd4, 0xd5, 0xff, FLAG_OF | FLAG_AF | FLAG_CF},
	{false, 0xf6, 0xf7, 0x03, LOGIC},
	{false, 0xf6, 0xf7, 0x30, MUL},
	{false, 0xf6, 0xf7, 0xc0, ALL},
	{true, 0xa3, 0xa3, 0xff, BITS},
	{true, 0xa4, 0xa5, 0xff, ALL}, /* SHLD and SHRD by more than the operand's size */
	{true, 0xab, 0xab, 0xff, BITS},
	{true, 0xac, 0xad, 0xff, ALL},
	{true, 0xaf, 0xaf, 0xff, MUL},
	{true, 0xb3, 0xb3, 0xff, BITS},
	{true, 0xba, 0xbb, 0xff, BITS},
	{true, 0xbc, 0xbd, 0xff, SCAN},
};

u32 lockstep_undefined_flags(bool two_byte, u8 opcode, u8 modrm)
{
	u32 flags = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (row->two_byte == two_byte && opcode >= row->first && opcode <= row->last &&
		    (row->regs & BIT((modrm >> 3) & 7)))
			flags |= row->flags;
	}
	return flags;
}
