/* SPDX-License-Identifier: BSD-2-Clause */
/* PUSH, POP, LEAVE. ESP changes only after the last access that may fault. */
#include "cpu/interp/ops.h"

/*
 * PUSH of a value that is read again in the slow case. The new ESP is computed twice: keeping it
 * over the look-up would cost more.
 */
#define PUSH(name, bits, sbits, esp_slot, value)                                                   \
	SLOW name##_slow(void)                                                                     \
	{                                                                                          \
		slow_store##bits(SEG_UNITS(SEG_SS), (u##sbits)(*esp_slot - bits / 8),              \
				 (u##bits)(value));                                                \
		*esp_slot = (u##sbits)(*esp_slot - bits / 8);                                      \
		NEXT;                                                                              \
	}                                                                                          \
	static void name(void)                                                                     \
	{                                                                                          \
		u##bits *p = wr_ss##bits((u##sbits)(*esp_slot - bits / 8));                        \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			name##_slow();                                                             \
			return;                                                                    \
		}                                                                                  \
		*p = (u##bits)(value);                                                             \
		*esp_slot = (u##sbits)(*esp_slot - bits / 8);                                      \
		NEXT;                                                                              \
	}

/* POP and LEAVE: `from` is the register that points to the value. ESP first: POP ESP. */
#define POP(name, bits, sbits, esp_slot, from, reg)                                                \
	SLOW name##_slow(void)                                                                     \
	{                                                                                          \
		u##bits value = (u##bits)slow_load(SEG_UNITS(SEG_SS), from, bits / 8);             \
                                                                                                   \
		*esp_slot = (u##sbits)(from + bits / 8);                                           \
		*slot##bits(reg) = value;                                                          \
		NEXT;                                                                              \
	}                                                                                          \
	static void name(void)                                                                     \
	{                                                                                          \
		const u##bits *p = rd_ss##bits(from);                                              \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			name##_slow();                                                             \
			return;                                                                    \
		}                                                                                  \
		*esp_slot = (u##sbits)(from + bits / 8);                                           \
		*slot##bits(reg) = *p;                                                             \
		NEXT;                                                                              \
	}

#define STACK_FORMS(bits, sbits, esp_slot)                                                         \
	PUSH(push_r##bits##_##sbits, bits, sbits, esp_slot, *slot##bits(ip->reg))                  \
	PUSH(push_i##bits##_##sbits, bits, sbits, esp_slot, ip->imm)                               \
	POP(pop_r##bits##_##sbits, bits, sbits, esp_slot, *esp_slot, ip->reg)                      \
	POP(leave##bits##_##sbits, bits, sbits, esp_slot, *slot##sbits(REG_EBP * 4), REG_EBP * 4)  \
	/* The decoder has added the operand size to an address that depends on ESP. */            \
	static void pop_m##bits##_##sbits(void)                                                    \
	{                                                                                          \
		u##bits value = load_ss##bits(*esp_slot);                                          \
                                                                                                   \
		store##bits(ip->seg, ea(), value);                                                 \
		*esp_slot = (u##sbits)(*esp_slot + bits / 8);                                      \
		NEXT;                                                                              \
	}
STACK_FORMS(16, 16, slot16(REG_ESP * 4))
STACK_FORMS(16, 32, slot32(REG_ESP * 4))
STACK_FORMS(32, 16, slot16(REG_ESP * 4))
STACK_FORMS(32, 32, slot32(REG_ESP * 4))

const op_fn TABLE(op_push_r)[2][3] = STACK_FORMS_OF(push_r);
const op_fn TABLE(op_push_i)[2][3] = STACK_FORMS_OF(push_i);
const op_fn TABLE(op_pop_r)[2][3] = STACK_FORMS_OF(pop_r);
const op_fn TABLE(op_pop_m)[2][3] = STACK_FORMS_OF(pop_m);
const op_fn TABLE(op_leave)[2][3] = STACK_FORMS_OF(leave);
