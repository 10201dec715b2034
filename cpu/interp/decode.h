/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder's working state: one guest instruction at a time becomes micro-operations in `out`.
 * decode.c has prefixes and blocks, decode_operand.c the bytes that come in and the insns that go
 * out, decode_one.c (with decode_forms.c) and decode_two.c the two opcode maps.
 */
#ifndef FARBUS_CPU_INTERP_DECODE_H
#define FARBUS_CPU_INTERP_DECODE_H

#include "cpu/interp/interp.h"
#include "cpu/interp/optable.h"

#define INSN_BYTES_MAX 15u /* a longer one is #GP(0) (SDM vol. 2, 2.3.11) */

enum ea_kind { EA_SIMPLE, EA_SIB, EA_16 };

struct decoder {
	struct vcpu *v;
	u32 mode; /* MODE_* */
	bool single;

	/* The bytes of the instruction: in the page, or fetched one by one into `buf`. */
	const u8 *bytes;
	u32 pos, avail;
	bool overrun; /* it does not end where bytes do: not for a block */
	u8 buf[16];
	u32 off;      /* page offset of its first byte */
	u8 opcode_at; /* of the opcode's first byte in it: how many bytes of prefixes there are */

	bool o16, a16, lock, prefix66;
	bool lockable; /* LOCK is legal for it */
	u8 rep;	       /* 0, F2h or F3h */
	u8 seg;	       /* of a memory operand, override applied */
	bool seg_override;

	u8 modrm, reg, rm;
	bool memory;
	enum ea_kind kind;
	u8 base, index, shift;
	u32 disp;
	bool ea_ready;

	bool end; /* nothing follows it in a block */
	u8 n;	  /* its number in the block, from 1 */
	struct insn *out;
	unsigned count, first; /* insns written, index of its first one */

	/* Branches whose end insns are still to be made. */
	struct {
		u16 insn;
		bool chain, cut16;
		s32 target;
	} exit[BLOCK_INSNS_MAX + 1];
	unsigned exits;
};

static inline u8 slot_of(unsigned reg, unsigned size)
{
	if (size != SZ8)
		return (u8)(reg * 4);
	return (u8)(reg < 4 ? reg * 4 : (reg - 4) * 4 + 1);
}
static inline unsigned operand_size(const struct decoder *d)
{
	return d->o16 ? SZ16 : SZ32;
}
/* Bit 0 of most opcodes: 8 bits, or the operand size. */
static inline unsigned size_of(const struct decoder *d, u8 opcode)
{
	return opcode & 1 ? operand_size(d) : SZ8;
}
static inline bool stack32(const struct decoder *d)
{
	return d->mode & MODE_STACK32;
}

/* Whether the memory operand, or the stack, is in a flat segment; and the table of handlers for it.
 */
static inline bool flat_stack(const struct decoder *d)
{
	return d->mode & MODE_FLAT;
}
static inline bool flat_operand(const struct decoder *d)
{
	return (d->mode & MODE_FLAT) && (MODE_FLAT_SEGS & BIT(d->seg));
}
#define BY_OPERAND(d, table) (*(flat_operand(d) ? &table##_flat : &table))
#define BY_STACK(d, table)   (*(flat_stack(d) ? &table##_flat : &table))

u8 fetch8_more(struct decoder *d); /* where `avail` bytes have come in */
static inline u8 fetch8(struct decoder *d)
{
	return likely(d->pos < d->avail) ? d->bytes[d->pos++] : fetch8_more(d);
}
u16 fetch16(struct decoder *d);
u32 fetch32(struct decoder *d);
u32 fetch_imm(struct decoder *d, unsigned size);
static inline u32 fetch_imm8s(struct decoder *d)
{
	return (u32)(s8)fetch8(d);
}

void fetch_modrm(struct decoder *d); /* and the address bytes that belong to it */

struct insn *emit(struct decoder *d, op_fn fn);
struct insn *emit_reg(struct decoder *d, op_fn fn, u8 reg, u8 base);
struct insn *emit_mem(struct decoder *d, op_fn fn, u8 reg); /* with the memory operand's address */
void emit_ud(struct decoder *d);
/* The address goes into the pseudo register, so that a change of its registers does not matter. */
void fix_address(struct decoder *d);

/* The r/m operand as a slot: the register, or the pseudo register that memory was loaded into. */
u8 read_rm(struct decoder *d, unsigned size);
/* The same to change it: finish_rm() after the operation. */
u8 modify_rm(struct decoder *d, unsigned size);
void finish_rm(struct decoder *d, unsigned size);
/* Write only: slot to put the value in, before finish_rm(). */
u8 write_rm(const struct decoder *d, unsigned size);

/* A branch to `rel` from the next instruction. */
void emit_branch(struct decoder *d, op_fn fn, op_fn far_fn, u32 rel);

void decode_one(struct decoder *d, u8 opcode);
void decode_two(struct decoder *d, u8 opcode);
bool decode_fpu(struct decoder *d, bool two_byte, u8 opcode); /* false: not such an instruction */

/*
 * Decodes one instruction of at most `avail` bytes (up to INSN_BYTES_MAX) for its shape: d->pos is
 * its length, and opcode_at, prefixes and operands are in *d. out: room for DECODE_SHAPE_INSNS.
 * False: it does not end within these bytes.
 */
#define DECODE_SHAPE_INSNS 16u
bool decode_shape(struct decoder *d, const u8 *bytes, u32 avail, u32 mode, struct insn *out);

#endif
