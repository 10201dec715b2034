/* SPDX-License-Identifier: BSD-2-Clause */
/* Near CALL and RET. */
#include "cpu/interp/ops.h"

/*
 * CALL and RET by operand size and width of the stack pointer. Chained calls stay in their page,
 * the others check the target first.
 */
#define CALL_FORMS(bits, sbits, esp_slot)                                                          \
	SLOW push_slow##bits##_##sbits(void)                                                       \
	{                                                                                          \
		slow_store##bits(SEG_UNITS(SEG_SS), (u##sbits)(*esp_slot - bits / 8),              \
				 (u##bits)(cur_eip() + ip->len));                                  \
	}                                                                                          \
	static inline void push_eip##bits##_##sbits(void)                                          \
	{                                                                                          \
		u##bits *p = wr_ss##bits((u##sbits)(*esp_slot - bits / 8));                        \
                                                                                                   \
		if (likely(p))                                                                     \
			*p = (u##bits)(cur_eip() + ip->len);                                       \
		else                                                                               \
			push_slow##bits##_##sbits();                                               \
		*esp_slot = (u##sbits)(*esp_slot - bits / 8);                                      \
	}                                                                                          \
	SLOW call_slow##bits##_##sbits(void)                                                       \
	{                                                                                          \
		push_slow##bits##_##sbits();                                                       \
		*esp_slot = (u##sbits)(*esp_slot - bits / 8);                                      \
		branch_taken();                                                                    \
	}                                                                                          \
	static void call##bits##_##sbits(void)                                                     \
	{                                                                                          \
		u##bits *p = wr_ss##bits((u##sbits)(*esp_slot - bits / 8));                        \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			call_slow##bits##_##sbits();                                               \
			return;                                                                    \
		}                                                                                  \
		*p = (u##bits)(cur_eip() + ip->len);                                               \
		*esp_slot = (u##sbits)(*esp_slot - bits / 8);                                      \
		branch_taken();                                                                    \
	}                                                                                          \
	static void call_goto##bits##_##sbits(void)                                                \
	{                                                                                          \
		check_target((u##bits)(cpu->page_eip + ip->imm));                                  \
		push_eip##bits##_##sbits();                                                        \
		cpu->icount += ip->n;                                                              \
		goto_eip((u##bits)(cpu->page_eip + ip->imm));                                      \
	}                                                                                          \
	static void call_reg##bits##_##sbits(void)                                                 \
	{                                                                                          \
		u##bits eip = *slot##bits(ip->reg);                                                \
                                                                                                   \
		check_target(eip);                                                                 \
		push_eip##bits##_##sbits();                                                        \
		cpu->icount += ip->n;                                                              \
		goto_eip(eip);                                                                     \
	}                                                                                          \
	SLOW ret_slow##bits##_##sbits(void)                                                        \
	{                                                                                          \
		u##bits eip = (u##bits)slow_load(SEG_UNITS(SEG_SS), *esp_slot, bits / 8);          \
                                                                                                   \
		check_target(eip);                                                                 \
		*esp_slot = (u##sbits)(*esp_slot + ip->imm);                                       \
		cpu->icount += ip->n;                                                              \
		goto_eip(eip);                                                                     \
	}                                                                                          \
	static void ret##bits##_##sbits(void)                                                      \
	{                                                                                          \
		const u##bits *p = rd_ss##bits(*esp_slot);                                         \
                                                                                                   \
		if (unlikely(!p) || unlikely(*p > cpu->seg[SEG_CS].limit)) {                       \
			ret_slow##bits##_##sbits();                                                \
			return;                                                                    \
		}                                                                                  \
		*esp_slot = (u##sbits)(*esp_slot + ip->imm);                                       \
		cpu->icount += ip->n;                                                              \
		goto_eip(*p);                                                                      \
	}
CALL_FORMS(16, 16, slot16(REG_ESP * 4))
CALL_FORMS(16, 32, slot32(REG_ESP * 4))
CALL_FORMS(32, 16, slot16(REG_ESP * 4))
CALL_FORMS(32, 32, slot32(REG_ESP * 4))

const op_fn TABLE(op_call)[2][3] = STACK_FORMS_OF(call);
const op_fn TABLE(op_call_goto)[2][3] = STACK_FORMS_OF(call_goto);
const op_fn TABLE(op_call_reg)[2][3] = STACK_FORMS_OF(call_reg);
const op_fn TABLE(op_ret)[2][3] = STACK_FORMS_OF(ret);
