/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What 16-bit programs do all the time and V86 mode at IOPL 0 does not let them: interrupts and
 * their returns, the interrupt flag, flags on the stack, ports. Without the interpreter, whose
 * step() costs some hundred instructions of this PC's; by the same functions of cpu/, which know of
 * the guest's mode, IOPL and VME.
 */
#include "cpu/cpu.h"
#include "cpu/direct/private.h"
#include "cpu/direct/switch.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"
#include "cpu/segment.h"

#define CODE_MAX    4u /* bytes that are looked at */
#define OPCODE_CLI  0xfa
#define OPCODE_STI  0xfb
#define PREFIX_O32  0x66
#define EIP_LAST    0xffffu
#define PORT_IN_OUT 0xe4 /* E4h to E7h and ECh to EFh, with these bits */
#define PORT_MASK   0xf4
#define PORT_WIDE   BIT(0)
#define PORT_OUT    BIT(1)
#define PORT_DX	    BIT(3)

struct code {
	const u8 *p;   /* behind the prefix */
	unsigned size; /* of operands: 2, or 4 */
	unsigned len;  /* of the instruction, and 0: it is not carried out */
	bool jumps;    /* EIP is set already */
};

/* The code at v->eip, where it does not end with the page; NULL otherwise. */
static const u8 *find_code(struct vcpu *v)
{
	u32 lin = v->seg[SEG_CS].base + v->eip;
	const struct tlb_entry *e = tlb_slot(v, lin);
	const u8 *host;

	if ((lin & ~PAGE_MASK) > PAGE_SIZE - CODE_MAX || v->eip > EIP_LAST - CODE_MAX)
		return NULL;
	if (likely((lin & PAGE_MASK) == e->rd_tag))
		return (const u8 *)(lin + e->addend);
	mem_fetch_page(v, lin, &host);
	return host ? host + (lin & ~PAGE_MASK) : NULL;
}

static void pushf(struct vcpu *v, unsigned size)
{
	struct stack st = stack_current(v);

	stack_push(v, &st, size, cpu_pushf_image(v, size));
	stack_commit(v, &st);
}

static void popf(struct vcpu *v, unsigned size)
{
	struct stack st = stack_current(v);

	cpu_popf(v, size, stack_pop(v, &st, size));
	stack_commit(v, &st);
}

/*
 * What STI holds off is the guest's next instruction alone with the CPU, unless something waits
 * already: then another engine sees to it.
 */
static void sti(struct direct *d, struct vcpu *v)
{
	cpu_sti(v);
	if (v->shadow != SHADOW_STI || (v->events & ~VCPU_EV_STEP))
		return;
	v->shadow = 0;
	cpu_mode_changed(v);
	d->after_sti = true;
}

static bool port_access(struct vcpu *v, u8 opcode, u16 port, unsigned width, u32 *eax)
{
	u32 mask = width == 4 ? ~0u : BIT(width * 8) - 1, value = 0;

	if (vcpu_protected(v))
		cpu_check_io(v, port, width);
	if (opcode & PORT_OUT) {
		v->stats.io_out++;
		return v->ops->out(v->ops_ctx, port, width, *eax & mask);
	}
	v->stats.io_in++;
	if (!v->ops->in(v->ops_ctx, port, width, &value))
		return false;
	*eax = (*eax & ~mask) | (value & mask);
	return true;
}

/* Bytes behind the prefix; 0: it is for the interpreter. */
static unsigned port(struct vcpu *v, const struct code *c)
{
	bool dx = *c->p & PORT_DX;
	unsigned width = *c->p & PORT_WIDE ? c->size : 1;

	if (!port_access(v, *c->p, dx ? (u16)v->gpr[REG_EDX] : c->p[1], width, &v->gpr[REG_EAX]))
		return 0;
	return dx ? 1 : 2;
}

static unsigned one(struct direct *d, struct vcpu *v, struct code *c)
{
	switch (*c->p) {
	case 0x9c:
		pushf(v, c->size);
		return 1;
	case 0x9d:
		popf(v, c->size);
		return 1;
	case 0xcd:
		c->jumps = true;
		cpu_int(v, c->p[1], v->eip + 2 + c->len);
		return 2;
	case 0xcf:
		c->jumps = true;
		cpu_iret(v, c->size, v->eip + 1 + c->len);
		return 1;
	case OPCODE_CLI:
		cpu_cli(v);
		return 1;
	case OPCODE_STI:
		sti(d, v);
		return 1;
	default:
		return (*c->p & PORT_MASK) == PORT_IN_OUT ? port(v, c) : 0;
	}
}

__attribute__((noinline)) bool v86_emulate(struct direct *d, struct vcpu *v, enum direct_next *next)
{
	struct code c = {.size = 2};
	unsigned len;

	v->cur = NULL;
	if (__builtin_setjmp(cpu_fault_of(v)->jmp)) {
		*next = direct_deliver_fault(d->vcpu);
		return true;
	}
	c.p = find_code(v);
	if (!c.p)
		return false;
	if (*c.p == PREFIX_O32) {
		c.p++;
		c.size = 4;
		c.len = 1;
	}
	len = one(d, v, &c);
	if (!len)
		return false;
	if (!c.jumps)
		v->eip += c.len + len;
	*next = NEXT_ANY;
	return true;
}

/* --- without a look at all of the state --- */

/* What a trace, or a peer that is asked, takes down, and what the code is found by. */
static inline void take_place(struct vcpu *v)
{
	const struct direct_frame *f = &direct_frame;

	if (unlikely(v->seg[SEG_CS].sel != (u16)f->cs))
		cpu_load_seg(v, SEG_CS, (u16)f->cs);
	if (unlikely(v->seg[SEG_SS].sel != (u16)f->ss))
		cpu_load_seg(v, SEG_SS, (u16)f->ss);
	v->eip = f->eip;
	v->gpr[REG_ESP] = f->esp;
}

/* Bytes behind the prefix; 0: it is another instruction, or there is no answer yet. */
static inline unsigned call(struct vcpu *v, const u8 *p, unsigned size)
{
	struct direct_frame *f = &direct_frame;
	bool dx = *p & PORT_DX;

	if (likely((*p & PORT_MASK) == PORT_IN_OUT))
		return port_access(v, *p, dx ? (u16)f->edx : p[1], *p & PORT_WIDE ? size : 1,
				   &f->eax)
			       ? 2u - dx
			       : 0;
	if (*p == OPCODE_CLI)
		v->eflags &= ~FLAG_IF;
	/* What else STI brings about is not for here. */
	return *p == OPCODE_CLI || (*p == OPCODE_STI && (v->eflags & FLAG_IF));
}

enum v86_call v86_call(struct direct *d, struct vcpu *v)
{
	struct direct_real *r = &d->real;
	struct real_page *page;
	unsigned prefix, len;
	const u8 *p;
	u32 gpa;

	if (direct_frame.vector != VEC_GP || direct_frame.eip > EIP_LAST - CODE_MAX)
		return V86_CALL_NONE;
	take_place(v);
	gpa = (v->seg[SEG_CS].base + v->eip) & v->mem->a20_mask;
	page = &r->page[gpa >> PAGE_SHIFT];
	if (page->state != REAL_CLEAN || page->mapping != v->mem->mapping || page->barred ||
	    (gpa & ~PAGE_MASK) > PAGE_SIZE - CODE_MAX)
		return V86_CALL_NONE;
	p = page->memory + (gpa & ~PAGE_MASK);
	prefix = *p == PREFIX_O32;
	len = call(v, p + prefix, prefix ? 4 : 2);
	if (!len)
		return V86_CALL_NONE;
	d->stats.exits[EXITS_SYSTEM]++;
	v->eip += prefix + len;
	direct_frame.eip = v->eip;
	r->begun = page;
	/* A device may have written to the page, or an access to port 92h changed its address. */
	return page->state == REAL_CLEAN && r->fit_generation == v->generation ? V86_CALL_ON
									       : V86_CALL_DUE;
}
