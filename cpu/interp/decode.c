/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From bytes to insns: prefixes, instructions, blocks (SDM vol. 2, chapter 2). A block holds whole
 * instructions of one page only. An instruction that crosses a page, or lies where nothing is
 * cached, is decoded by itself each time, byte by byte with every check of a fetch.
 */
#include "cpu/interp/decode.h"
#include "lib/str.h"

#define INSN_UOPS_MAX 8u

bool decode_fpu(struct decoder *d, bool two_byte, u8 opcode)
{
	unsigned prefixes = (d->prefix66 ? FPU_PREFIX_66 : 0) |
			    (d->rep == 0xf3 ? FPU_PREFIX_F3 : 0) |
			    (d->rep == 0xf2 ? FPU_PREFIX_F2 : 0) | (d->lock ? FPU_PREFIX_LOCK : 0) |
			    (d->o16 ? FPU_OPSIZE16 : 0);
	u32 pos = d->pos;
	enum fpu_class class;
	struct fpu_op op;
	u8 modrm;

	if (!fpu_owns(two_byte, opcode))
		return false;
	modrm = fpu_has_modrm(two_byte, opcode) ? fetch8(d) : 0;
	class = fpu_decode(prefixes, two_byte, opcode, modrm, &op);
	d->pos = pos;
	d->base = SLOT_ZERO;
	if (fpu_has_modrm(two_byte, opcode))
		fetch_modrm(d);
	if (op.flags & FPU_IMM8)
		op.imm = fetch8(d);
	if (class == FPU_UD) { /* after all its bytes: one too many is #GP instead */
		emit_ud(d);
		return true;
	}
	if (op.flags & FPU_DI) {
		d->memory = true;
		d->base = slot_of(REG_EDI, SZ32);
		d->kind = d->a16 ? EA_16 : EA_SIMPLE;
		d->index = SLOT_ZERO;
		d->disp = 0;
	}
	emit_mem(d, op_fpu, 0);
	memset(&d->out[d->count], 0, sizeof(struct insn));
	memcpy(&d->out[d->count], &op, sizeof(op));
	d->count++;
	return true;
}

/* Everything about one instruction that starts anew. */
static void reset(struct decoder *d)
{
	bool code16 = !(d->mode & MODE_CODE32);

	d->pos = 0;
	d->o16 = d->a16 = code16;
	d->lock = d->lockable = d->prefix66 = d->seg_override = false;
	d->memory = d->end = d->overrun = false;
	d->rep = 0;
	d->seg = SEG_DS;
	d->kind = EA_SIMPLE;
	d->base = d->index = SLOT_ZERO;
	d->shift = 0;
	d->disp = 0;
	d->first = d->count;
}

/* Takes one prefix; false when the byte is an opcode. */
static bool prefix(struct decoder *d, u8 byte)
{
	static const u8 segs[8] = {[4] = SEG_ES, [5] = SEG_CS, [6] = SEG_SS, [7] = SEG_DS};

	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		d->seg = segs[byte >> 3];
		break;
	case 0x64:
	case 0x65:
		d->seg = byte == 0x64 ? SEG_FS : SEG_GS;
		break;
	case 0x66:
		d->prefix66 = true;
		d->o16 = d->mode & MODE_CODE32;
		return true;
	case 0x67:
		d->a16 = d->mode & MODE_CODE32;
		return true;
	case 0xf0:
		d->lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		d->rep = byte;
		return true;
	default:
		return false;
	}
	d->seg_override = true;
	return true;
}

static void decode_insn(struct decoder *d)
{
	u8 opcode;

	reset(d);
	do {
		opcode = fetch8(d);
	} while (!d->overrun && prefix(d, opcode));
	d->opcode_at = (u8)(d->pos - 1);
	if (opcode == 0x0f)
		decode_two(d, fetch8(d));
	else
		decode_one(d, opcode);
	if (d->lock && !d->lockable)
		emit_ud(d);
	for (unsigned i = d->first; i < d->count; i++) {
		if (d->out[i].fn)
			d->out[i].len = (u8)d->pos;
	}
}

/* Where a branch leads until (or unless) it is chained. */
static void make_exit(struct decoder *d, struct insn *insn, unsigned n, u32 page_gpa)
{
	struct insn *i = &insn[d->count];

	memset(i, 0, sizeof(*i));
	i->base = i->index = SLOT_ZERO;
	i->owner = &insn[d->exit[n].insn];
	if (d->exit[n].chain) {
		i->fn = op_chain;
		i->off = (u16)d->exit[n].target;
		i->imm = page_gpa + (u32)d->exit[n].target;
	} else {
		i->fn = op_goto;
		i->imm = (u32)d->exit[n].target;
		i->flags = INSN_GOTO | (d->exit[n].cut16 ? INSN_GOTO16 : 0);
	}
	insn[d->exit[n].insn].target = i;
	d->count++;
}

/* Ends straight-line code that goes on at d->off. */
static void fall_through(struct decoder *d, bool stop)
{
	d->first = d->count + 1; /* not the first insn of a guest instruction */
	d->pos = 0;
	d->rep = 0;
	d->o16 = false; /* only jumps cut EIP to 16 bits */
	if (stop)
		emit(d, op_stop);
	else
		emit_branch(d, op_jmp, NULL, 0);
}

/* The question of interp_stop_at(), in front of the instruction at d->off. */
static void ask(struct decoder *d, u32 page_gpa)
{
	const struct interp *in = d->v->interp;

	if (likely(!in->stop) || in->stop_gpa != page_gpa + d->off)
		return;
	emit(d, op_ask)->flags |= INSN_FIRST;
}

/*
 * The instruction at d->off, which goes on in the next page. Only where that page can be read
 * without a fault, and lies within the CS limit as the first one does; op_cross sees to it each
 * time.
 */
static bool decode_crossing(struct decoder *d, u32 gpa, const u8 *page)
{
	struct vcpu *v = d->v;
	u32 lin = (v->seg[SEG_CS].base + v->eip + PAGE_SIZE) & PAGE_MASK, here = PAGE_SIZE - d->off;
	const struct tlb_entry *e =
		(const struct tlb_entry *)v->tlb_set + ((lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1));
	struct cross_bytes *bytes;
	struct insn *i;

	/* Too long rather than crossing? */
	if (here >= INSN_BYTES_MAX || e->rd_tag != lin || (d->mode & MODE_EDGE))
		return false;
	memcpy(d->buf, page + d->off, here);
	memcpy(d->buf + here, (const u8 *)(lin + e->addend), INSN_BYTES_MAX - here);
	d->bytes = d->buf;
	d->avail = INSN_BYTES_MAX;
	d->count = d->exits = 0;
	ask(d, gpa & PAGE_MASK);
	i = emit(d, op_cross);
	i->flags |= INSN_FIRST;
	bytes = (struct cross_bytes *)(void *)&d->out[d->count++];
	memset(bytes, 0, sizeof(struct insn));
	decode_insn(d);
	if (d->overrun || d->pos <= here)
		return false;
	memcpy(bytes->byte, d->buf + here, d->pos - here);
	i->index = (u8)(d->pos - here);
	i->len = (u8)d->pos;
	d->off += d->pos;
	return true;
}

struct block *decode_block(struct vcpu *v, u32 gpa, const u8 *page, u32 mode)
{
	struct interp *in = v->interp;
	struct decoder d = {.v = v, .mode = mode, .out = in->work};
	u32 first = gpa & ~PAGE_MASK;
	bool stop = false;
	struct block *b;
	unsigned insns;

	d.off = first;
	for (d.n = 1; d.n <= BLOCK_INSNS_MAX && d.off < PAGE_SIZE; d.n++) {
		unsigned count = d.count, exits = d.exits;

		d.bytes = page + d.off;
		d.avail = PAGE_SIZE - d.off < INSN_BYTES_MAX ? PAGE_SIZE - d.off : INSN_BYTES_MAX;
		ask(&d, gpa & PAGE_MASK);
		decode_insn(&d);
		if (d.overrun) {
			d.count = count;
			d.exits = exits;
			stop = true;
			break;
		}
		d.off += d.pos;
		if (d.end)
			break;
	}
	if (d.n == 1 && stop) {
		if (!decode_crossing(&d, gpa, page))
			return NULL;
		stop = false;
		d.n++;
	}
	/* Stopped: the next one crosses the page, and has a block of its own. */
	if (!d.end || stop) {
		d.n--;
		fall_through(&d, false);
	}
	insns = d.count + d.exits;
	b = cache_alloc(v, insns);
	if (!b)
		return NULL;
	b->gpa = gpa;
	b->mode = mode;
	b->first = (u16)first;
	b->end = (u16)(d.off < PAGE_SIZE ? d.off : PAGE_SIZE);
	b->count = (u16)insns;
	memcpy(b->insn, d.out, d.count * sizeof(struct insn));
	for (unsigned n = 0; n < d.exits; n++)
		make_exit(&d, b->insn, n, gpa & PAGE_MASK);
	cache_insert(v, b);
	return b;
}

const struct insn *decode_single(struct vcpu *v)
{
	struct interp *in = v->interp;
	struct decoder d = {.v = v, .mode = in->mode | MODE_EDGE, .out = in->scratch};

	d.single = true;
	d.bytes = d.buf;
	d.off = (v->seg[SEG_CS].base + v->eip) & ~PAGE_MASK;
	d.n = 1;
	decode_insn(&d);
	v->page_eip = v->eip - d.off;
	d.off += d.pos;
	fall_through(&d, true);
	for (unsigned n = 0; n < d.exits; n++)
		make_exit(&d, in->scratch, n, 0);
	return in->scratch;
}

bool decode_shape(struct decoder *d, const u8 *bytes, u32 avail, u32 mode, struct insn *out)
{
	*d = (struct decoder){.mode = mode, .bytes = bytes, .avail = avail, .out = out, .n = 1};
	decode_insn(d);
	return !d->overrun;
}
