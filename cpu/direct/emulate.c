/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that translated code leaves for and that kernels execute all the time, without the
 * interpreter: its step() costs some hundred instructions of this PC's, most of it to decode one of
 * the guest's. All of them are 32-bit code of CPL 0 to 2, with IOPL for it, outside V86 mode;
 * 16-bit code and stacks, and what has prefixes are left to the interpreter, but for the
 * operand-size prefix of port accesses and REP INS, by which disks are read.
 */
#include "cpu/cpu.h"
#include "cpu/direct/private.h"
#include "cpu/mem.h"

#define CODE_MAX 8u /* bytes that are looked at */

/* The code at v->eip, where it and the stack are of 32 bits and it does not end with the page; NULL
 * otherwise. */
static const u8 *code(struct vcpu *v)
{
	u32 lin = v->seg[SEG_CS].base + v->eip;
	const struct tlb_entry *e;

	if (!(v->seg[SEG_CS].attr & v->seg[SEG_SS].attr & SEG_DB) ||
	    (lin & ~PAGE_MASK) > PAGE_SIZE - CODE_MAX || v->seg[SEG_CS].limit - v->eip < CODE_MAX)
		return NULL;
	e = mem_tlb_ready(v, lin, false, false);
	return e ? (const u8 *)(lin + e->addend) : NULL;
}

/* --- ports --- */

static bool in(struct vcpu *v, u16 port, unsigned width)
{
	u32 value = 0, mask = width == 4 ? ~0u : BIT(width * 8) - 1;

	if (!v->ops->in(v->ops_ctx, port, width, &value))
		return false;
	v->gpr[REG_EAX] = (v->gpr[REG_EAX] & ~mask) | (value & mask);
	v->stats.io_in++;
	return true;
}

static bool out(struct vcpu *v, u16 port, unsigned width)
{
	u32 mask = width == 4 ? ~0u : BIT(width * 8) - 1;

	if (!v->ops->out(v->ops_ctx, port, width, v->gpr[REG_EAX] & mask))
		return false;
	v->stats.io_out++;
	return true;
}

/* E4h to E7h and ECh to EFh. Bytes, 0: none was carried out. */
static unsigned port_access(struct vcpu *v, const u8 *p)
{
	unsigned len = *p == 0x66, width;
	bool dx, done;
	u16 port;

	width = len ? 2 : 4;
	p += len;
	if (!(*p & 1))
		width = 1;
	dx = *p & 8;
	port = dx ? (u16)v->gpr[REG_EDX] : p[1];
	done = *p & 2 ? out(v, port, width) : in(v, port, width);
	return done ? len + (dx ? 1 : 2) : 0;
}

/* REP INS at p, or 0. *len: its bytes, prefixes included; returns the elements' width. */
static unsigned rep_ins_width(const u8 *p, unsigned *len)
{
	bool o16 = p[0] == 0x66 || p[1] == 0x66, rep = p[0] == 0xf3 || p[1] == 0xf3;

	*len = 2u + o16;
	if (!rep || (p[*len - 1] & 0xfe) != 0x6c)
		return 0;
	return !(p[*len - 1] & 1) ? 1 : o16 ? 2 : 4;
}

/*
 * REP INS until it is done, or something is due: then it goes on where it is. 0: what is left of it
 * is the interpreter's.
 */
static unsigned rep_ins(struct vcpu *v, const u8 *p, bool *far)
{
	unsigned len, width = rep_ins_width(p, &len);

	if (!width || (v->eflags & FLAG_DF))
		return 0;
	while (v->gpr[REG_ECX]) {
		u32 count = v->gpr[REG_ECX], room, done;
		void *to;

		if (count > PAGE_SIZE / width)
			count = PAGE_SIZE / width;
		room = count * width;
		to = mem_span(v, SEG_ES, v->gpr[REG_EDI], &room, true);
		if (!to || room < width)
			return 0;
		done = v->ops->ins(v->ops_ctx, (u16)v->gpr[REG_EDX], width, to, room / width);
		v->stats.io_string += done;
		v->gpr[REG_ECX] -= done;
		v->gpr[REG_EDI] += done * width;
		if (!done)
			return 0;
		if (v->gpr[REG_ECX] && direct_events(v)) {
			*far = true;
			break;
		}
	}
	return len;
}

/* --- segment registers --- */

static void load(struct direct *d, struct vcpu *v, unsigned seg, u16 sel)
{
	cpu_load_seg(v, seg, sel);
	kernel_segments_learn(d, v, seg);
}

static unsigned pop(struct direct *d, struct vcpu *v, unsigned seg, unsigned len)
{
	load(d, v, seg, mem_read16(v, SEG_SS, v->gpr[REG_ESP]));
	v->gpr[REG_ESP] += 4;
	return len;
}

/* MOV seg, r16. SS is not for here: it holds interrupts off. */
static unsigned mov_to_seg(struct direct *d, struct vcpu *v, u8 modrm)
{
	unsigned seg = modrm >> 3 & 7;

	if (modrm < 0xc0 || seg >= SEG_COUNT || seg == SEG_CS || seg == SEG_SS)
		return 0;
	load(d, v, seg, (u16)v->gpr[modrm & 7]);
	return 2;
}

/* --- control registers --- */

static unsigned mov_from_cr(struct vcpu *v, u8 modrm)
{
	v->gpr[modrm & 7] = cpu_mov_from_cr(v, modrm >> 3 & 7);
	return 3;
}

static unsigned mov_to_cr(struct vcpu *v, u8 modrm)
{
	cpu_mov_to_cr(v, modrm >> 3 & 7, v->gpr[modrm & 7]);
	return 3;
}

/* INVLPG of what a register points to, in DS. */
static unsigned invlpg(struct vcpu *v, u8 modrm)
{
	if ((modrm & 0xf8) != 0x38 || (modrm & 7) == 4 || (modrm & 7) == 5)
		return 0;
	cpu_invlpg(v, SEG_DS, v->gpr[modrm & 7]);
	return 3;
}

static unsigned two_bytes(struct direct *d, struct vcpu *v, const u8 *p)
{
	switch (p[1]) {
	case 0x01:
		return invlpg(v, p[2]);
	case 0x06:
		cpu_clts(v);
		return 2;
	case 0x20:
		return mov_from_cr(v, p[2]);
	case 0x22:
		return mov_to_cr(v, p[2]);
	case 0x31:
		cpu_rdtsc(v);
		return 2;
	case 0xa1:
		return pop(d, v, SEG_FS, 2);
	case 0xa9:
		return pop(d, v, SEG_GS, 2);
	default:
		return 0;
	}
}

static unsigned popf(struct vcpu *v)
{
	u32 value = mem_read32(v, SEG_SS, v->gpr[REG_ESP]);

	v->gpr[REG_ESP] += 4;
	cpu_popf(v, 4, value);
	return 1;
}

static void iret(struct vcpu *v)
{
	cpu_iret(v, 4, v->eip + 1);
	if (!(v->eflags & FLAG_RF) || !direct_forgets_rf(v))
		return;
	v->eflags &= ~FLAG_RF;
	cpu_mode_changed(v);
}

/* Bytes of the instruction, with EIP still there; 0: not carried out, or not to its end. *far: EIP
 * is what it is to be. */
static unsigned one(struct direct *d, struct vcpu *v, const u8 *p, bool *far)
{
	switch (*p) {
	case 0x0f:
		return two_bytes(d, v, p);
	case 0x07:
		return pop(d, v, SEG_ES, 1);
	case 0x1f:
		return pop(d, v, SEG_DS, 1);
	case 0x66:
		if ((p[1] & 0xf4) == 0xe4)
			return port_access(v, p);
		return rep_ins(v, p, far);
	case 0x8e:
		return mov_to_seg(d, v, p[1]);
	case 0x9d:
		return popf(v);
	case 0xcf:
		*far = true;
		iret(v);
		return 1;
	case 0xe4 ... 0xe7:
	case 0xec ... 0xef:
		return port_access(v, p);
	case 0xf3:
		return rep_ins(v, p, far);
	default:
		return 0;
	}
}

/* Ports and RDTSC: what a second time would do again, or give another answer to. */
static bool once_only(const u8 *p)
{
	return (*p & 0xf4) == 0xe4 || *p == 0x66 || *p == 0xf3 || (p[0] == 0x0f && p[1] == 0x31);
}

bool emulate_repeatable(struct vcpu *v)
{
	const u8 *p = code(v);

	if (!p)
		return false;
	switch (*p) {
	case 0x0f: /* descriptor tables, selectors, CRx and DRx, CPUID */
		return p[1] <= 0x03 || p[1] == 0x06 || (p[1] >= 0x20 && p[1] <= 0x23) ||
		       p[1] == 0xa2;
	case 0x17: /* POP SS; MOV to it; far transfers, INT n; x87 */
	case 0x8e:
	case 0x9a ... 0x9b:
	case 0xca ... 0xcf:
	case 0xd8 ... 0xdf:
	case 0xea:
		return true;
	default:
		return false;
	}
}

__attribute__((noinline)) bool emulate(struct direct *d, struct vcpu *v, enum direct_next *next)
{
	const u8 *p = code(v);
	bool far = false;
	unsigned len;

	if (!p || (d->lockstep && once_only(p)))
		return false;
	v->cur = NULL;
	if (__builtin_setjmp(cpu_fault_of(v)->jmp)) {
		*next = direct_deliver_fault(d->vcpu);
		return true;
	}
	len = one(d, v, p, &far);
	if (!len)
		return false;
	if (!far)
		v->eip += len;
	*next = NEXT_ANY;
	return true;
}
