/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every instruction handler, for the decoder. [3] is the operand size: 8, 16, 32 bits. The tables
 * named _flat are for operands in flat segments (MODE_FLAT).
 */
#ifndef FARBUS_CPU_INTERP_OPTABLE_H
#define FARBUS_CPU_INTERP_OPTABLE_H

#include "cpu/interp/interp.h"

enum { SZ8, SZ16, SZ32 };

/* rr: reg, base. ri: reg, imm. rm: reg, memory. mr: memory, reg. mi: memory, imm. */
struct alu_forms {
	op_fn rr[3], ri[3], rm[3], mr[3], mi[3];
};

/* op_alu.c: [register or memory][size] for the unary ones. */
extern const struct alu_forms op_alu[9], op_alu_flat[9];
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP, ALU_TEST };
extern const op_fn op_inc[2][3], op_dec[2][3], op_not[2][3], op_neg[2][3];
extern const op_fn op_inc_flat[2][3], op_dec_flat[2][3], op_not_flat[2][3], op_neg_flat[2][3];

/* op_mov.c */
extern const struct alu_forms op_mov, op_mov_flat;
extern const op_fn op_load_rmw[3], op_load_rmw_flat[3];
extern const op_fn op_movzx[2][2][2], op_movsx[2][2][2];
extern const op_fn op_movzx_flat[2][2][2], op_movsx_flat[2][2][2];

/* op_misc.c */
extern const op_fn op_xchg[3], op_lea[3], op_cmpxchg[3], op_xadd[3];
void op_ea_sib(void);
void op_ea16(void);
void op_ea_bits16(void);
void op_ea_bits32(void);
void op_xlat(void);
void op_bswap(void);
void op_cmpxchg8b(void);
void op_cbw(void);
void op_cwd(void);

/* op_shift.c: [by imm or CL][size] */
extern const op_fn op_shift[8][2][3], op_shld[2][3], op_shrd[2][3];
extern const op_fn op_mul[3], op_imul[3], op_div[3], op_idiv[3], op_imul_rr[3], op_imul_ri[3];

/* op_flag.c: bit operations [bit number in a register or imm][size] */
extern const op_fn op_setcc[16], op_cmovcc[16], op_bit[4][2][3], op_bsf[3], op_bsr[3];
void op_clc(void);
void op_stc(void);
void op_cmc(void);
void op_cld(void);
void op_std(void);
void op_lahf(void);
void op_sahf(void);
void op_salc(void);
void op_daa(void);
void op_das(void);
void op_aaa(void);
void op_aas(void);
void op_aam(void);
void op_aad(void);

/* op_call.c: [32-bit stack pointer][size] */
extern const op_fn op_call[2][3], op_call_goto[2][3], op_call_reg[2][3], op_ret[2][3];
extern const op_fn op_call_flat[2][3], op_call_goto_flat[2][3], op_call_reg_flat[2][3];
extern const op_fn op_ret_flat[2][3];

/* op_branch.c */
extern const op_fn op_jcc[16], op_loop[4];
void op_jmp(void);
void op_jmp_reg(void);
void op_goto(void);
void op_chain(void);
void op_cross(void);
void op_ask(void);
void op_stale(void);
void op_stop(void);

/* op_push.c: [32-bit stack pointer][size] */
extern const op_fn op_push_r[2][3], op_push_i[2][3], op_pop_r[2][3], op_pop_m[2][3], op_leave[2][3];
extern const op_fn op_push_r_flat[2][3], op_push_i_flat[2][3], op_pop_r_flat[2][3];
extern const op_fn op_pop_m_flat[2][3], op_leave_flat[2][3];

/* op_stack.c */
void op_pusha(void);
void op_popa(void);
void op_enter(void);
void op_pushf(void);

/* op_string.c: [with REP][size] */
extern const op_fn op_movs[2][3], op_stos[2][3], op_lods[2][3], op_cmps[2][3], op_scas[2][3];

/* op_io.c */
void op_in_imm(void);
void op_in_dx(void);
void op_out_imm(void);
void op_out_dx(void);
void op_ins(void);
void op_outs(void);

/* op_system.c */
void op_ud(void);
void op_nop(void);
void op_check_protected(void);
void op_check_cpl0(void);
void op_mov_to_seg(void);
void op_mov_from_seg(void);
void op_pop_seg(void);
void op_load_far(void);
void op_jmp_far(void);
void op_call_far(void);
void op_jmp_far_m(void);
void op_call_far_m(void);
void op_ret_far(void);
void op_iret(void);
void op_int(void);
void op_int3(void);
void op_into(void);
void op_icebp(void);
void op_sysenter(void);
void op_sysexit(void);
void op_bound(void);
void op_cli(void);
void op_sti(void);
void op_popf(void);
void op_hlt(void);
void op_mov_to_cr(void);
void op_mov_from_cr(void);
void op_mov_to_dr(void);
void op_mov_from_dr(void);
void op_clts(void);
void op_lmsw(void);
void op_smsw(void);
void op_lgdt(void);
void op_lidt(void);
void op_store_table(void);
void op_store_selector(void);
void op_lldt(void);
void op_ltr(void);
void op_lar_lsl(void);
void op_verify(void);
void op_arpl(void);
void op_arpl_m(void);
void op_invlpg(void);
void op_wbinvd(void);
void op_rdmsr(void);
void op_wrmsr(void);
void op_rdtsc(void);
void op_rdpmc(void);
void op_cpuid(void);
void op_fpu(void);

#endif
