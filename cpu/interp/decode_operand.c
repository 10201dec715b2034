/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder's hands: bytes come in here (SDM vol. 2, ch. 2), insns and their operands go out. */
#include "cpu/interp/decode.h"
#include "lib/str.h"

/* Single instruction: the next byte through segment limit and paging; may fault. */
static void fetch_more(struct decoder *d)
{
	struct vcpu *v = d->v;
	u32 eip = v->eip + d->avail, lin = v->seg[SEG_CS].base + eip, gpa;
	const u8 *host;

	if (d->avail == INSN_BYTES_MAX || eip > v->seg[SEG_CS].limit)
		cpu_raise_gp0(v);
	gpa = mem_fetch_page(v, lin, &host);
	d->buf[d->avail++] =
		host ? host[lin & ~PAGE_MASK]
		     : (u8)physmem_io_read(v->mem, (gpa & PAGE_MASK) | (lin & ~PAGE_MASK), 1);
}

u8 fetch8_more(struct decoder *d)
{
	if (!d->single) {
		d->overrun = true;
		return 0;
	}
	fetch_more(d);
	return d->bytes[d->pos++];
}
u16 fetch16(struct decoder *d)
{
	u16 low = fetch8(d);

	return (u16)(low | fetch8(d) << 8);
}
u32 fetch32(struct decoder *d)
{
	u32 low = fetch16(d);

	return low | (u32)fetch16(d) << 16;
}
u32 fetch_imm(struct decoder *d, unsigned size)
{
	return size == SZ8 ? fetch8(d) : size == SZ16 ? fetch16(d) : fetch32(d);
}

static void use_stack_segment(struct decoder *d)
{
	if (!d->seg_override)
		d->seg = SEG_SS;
}

/* 16-bit addressing (SDM vol. 2, table 2-1). */
static void address16(struct decoder *d, unsigned mod)
{
	static const u8 bases[8] = {REG_EBX, REG_EBX, REG_EBP, REG_EBP,
				    REG_ESI, REG_EDI, REG_EBP, REG_EBX};

	d->index = SLOT_ZERO;
	if (mod == 0 && d->rm == 6) {
		d->base = SLOT_ZERO;
		d->disp = fetch16(d);
		return;
	}
	d->kind = EA_16;
	d->base = slot_of(bases[d->rm], SZ16);
	if (d->rm < 4)
		d->index = slot_of(d->rm & 1 ? REG_EDI : REG_ESI, SZ16);
	if (bases[d->rm] == REG_EBP)
		use_stack_segment(d);
	if (mod == 1)
		d->disp = fetch_imm8s(d);
	else if (mod == 2)
		d->disp = fetch16(d);
}

/* 32-bit addressing (SDM vol. 2, tables 2-2 and 2-3). */
static void address32(struct decoder *d, unsigned mod)
{
	unsigned base = d->rm;

	d->index = SLOT_ZERO;
	if (base == 4) {
		u8 sib = fetch8(d);
		unsigned index = (sib >> 3) & 7;

		base = sib & 7;
		if (index != 4) {
			d->kind = EA_SIB;
			d->index = slot_of(index, SZ32);
			d->shift = sib >> 6;
		}
	}
	if (base == 5 && mod == 0) {
		d->base = SLOT_ZERO;
		d->disp = fetch32(d);
		return;
	}
	d->base = slot_of(base, SZ32);
	if (base == REG_EBP || base == REG_ESP)
		use_stack_segment(d);
	if (mod == 1)
		d->disp = fetch_imm8s(d);
	else if (mod == 2)
		d->disp = fetch32(d);
}

void fetch_modrm(struct decoder *d)
{
	d->modrm = fetch8(d);
	d->reg = (d->modrm >> 3) & 7;
	d->rm = d->modrm & 7;
	d->memory = d->modrm < 0xc0;
	if (!d->memory)
		return;
	if (d->a16)
		address16(d, d->modrm >> 6);
	else
		address32(d, d->modrm >> 6);
}

struct insn *emit(struct decoder *d, op_fn fn)
{
	struct insn *i = &d->out[d->count];

	*i = (struct insn){
		.fn = fn,
		.off = (u16)d->off,
		.n = d->n,
		.base = SLOT_ZERO,
		.index = SLOT_ZERO,
		.seg = (u8)SEG_UNITS(d->seg),
		.flags = (u8)((d->count == d->first ? INSN_FIRST : 0) | (d->a16 ? INSN_A16 : 0) |
			      (d->o16 ? INSN_O16 : 0) | (d->rep == 0xf3 ? INSN_REP : 0) |
			      (d->rep == 0xf2 ? INSN_REPNE : 0) | (stack32(d) ? 0 : INSN_STACK16)),
	};
	d->count++;
	return i;
}

struct insn *emit_reg(struct decoder *d, op_fn fn, u8 reg, u8 base)
{
	struct insn *i = emit(d, fn);

	i->reg = reg;
	i->base = base;
	return i;
}

static void set_address(const struct decoder *d, struct insn *i)
{
	i->base = d->base;
	i->disp = d->disp;
	i->index = d->index;
	i->shift = d->shift;
}

/* From now on the address is in the pseudo register. */
static void address_in_slot(struct decoder *d)
{
	d->kind = EA_SIMPLE;
	d->base = SLOT_EA;
	d->index = SLOT_ZERO;
	d->disp = 0;
}

static void compute_address(struct decoder *d)
{
	if (d->kind == EA_SIMPLE)
		return;
	set_address(d, emit_reg(d, d->kind == EA_SIB ? op_ea_sib : op_ea16, SLOT_EA, SLOT_ZERO));
	address_in_slot(d);
}

void fix_address(struct decoder *d)
{
	compute_address(d);
	if (d->base == SLOT_EA || d->base == SLOT_ZERO)
		return;
	set_address(d, emit_reg(d, op_lea[SZ32], SLOT_EA, SLOT_ZERO));
	address_in_slot(d);
}

struct insn *emit_mem(struct decoder *d, op_fn fn, u8 reg)
{
	struct insn *i;

	compute_address(d);
	i = emit_reg(d, fn, reg, SLOT_ZERO);
	set_address(d, i);
	return i;
}

void emit_ud(struct decoder *d)
{
	d->count = d->first;
	d->lock = false;
	emit(d, op_ud);
	d->end = true;
}

u8 read_rm(struct decoder *d, unsigned size)
{
	if (!d->memory)
		return slot_of(d->rm, size);
	emit_mem(d, BY_OPERAND(d, op_mov).rm[size], SLOT_TMP);
	return SLOT_TMP;
}
u8 modify_rm(struct decoder *d, unsigned size)
{
	if (!d->memory)
		return slot_of(d->rm, size);
	d->lockable = true;
	emit_mem(d, BY_OPERAND(d, op_load_rmw)[size], SLOT_TMP);
	return SLOT_TMP;
}
u8 write_rm(const struct decoder *d, unsigned size)
{
	return d->memory ? SLOT_TMP : slot_of(d->rm, size);
}
void finish_rm(struct decoder *d, unsigned size)
{
	if (d->memory)
		emit_mem(d, BY_OPERAND(d, op_mov).mr[size], SLOT_TMP);
}

void emit_branch(struct decoder *d, op_fn fn, op_fn far_fn, u32 rel)
{
	s32 target = (s32)(d->off + d->pos + rel);
	bool cut16 = d->o16;
	bool chain = target >= 0 && target < (s32)PAGE_SIZE && !(d->mode & MODE_EDGE) &&
		     !(cut16 && (d->mode & MODE_CODE32));
	struct insn *i;

	if (!chain && far_fn) {
		i = emit(d, far_fn);
		i->imm = (u32)target;
		return;
	}
	d->exit[d->exits].insn = (u16)d->count;
	d->exit[d->exits].chain = chain;
	d->exit[d->exits].cut16 = cut16;
	d->exit[d->exits].target = target;
	d->exits++;
	emit(d, fn);
}
