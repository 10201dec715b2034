/* SPDX-License-Identifier: BSD-2-Clause */
/* Forms of instructions with a one-byte opcode: each reads the rest of one and emits its insns. */
#ifndef FARBUS_CPU_INTERP_DECODE_FORMS_H
#define FARBUS_CPU_INTERP_DECODE_FORMS_H

#include "cpu/interp/decode.h"

void decode_arithmetic(struct decoder *d, unsigned which, u8 opcode);
void decode_rm_imm(struct decoder *d, const struct alu_forms *op, unsigned size, u32 imm);
void decode_group1(struct decoder *d, u8 opcode);
void decode_shift(struct decoder *d, u8 opcode);
void decode_group3(struct decoder *d, u8 opcode);
void decode_push_slot(struct decoder *d, u8 slot);
void decode_group5(struct decoder *d, u8 opcode);
void decode_exchange(struct decoder *d, unsigned size);
void decode_mov_rm(struct decoder *d, u8 opcode);
void decode_mov_seg(struct decoder *d, bool to_seg);
void decode_push_seg(struct decoder *d, unsigned seg);
void decode_pop_seg(struct decoder *d, unsigned seg);
void decode_lea(struct decoder *d);
void decode_pop_rm(struct decoder *d);
void decode_mov_offset(struct decoder *d, u8 opcode);
void decode_string(struct decoder *d, const op_fn op[2][3], u8 opcode);
void decode_io(struct decoder *d, op_fn fn, u8 opcode);
void decode_imul_imm(struct decoder *d, u8 opcode);
void decode_far_direct(struct decoder *d, op_fn fn);
void decode_near_ret(struct decoder *d, u32 bytes);
void decode_last(struct decoder *d, op_fn fn, u32 imm);
void decode_bound_or_far(struct decoder *d, op_fn fn, unsigned seg);
void decode_arpl(struct decoder *d);

#endif
