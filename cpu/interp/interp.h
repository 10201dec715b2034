/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter's own structures.
 *
 * Guest code is decoded once into arrays of struct insn ("blocks": straight-line code up to an
 * unconditional transfer, never past a physical page) and carried out by threaded dispatch: each
 * handler ends by jumping to the next one's handler. Two global register variables (ops.h) carry
 * the vcpu and the current insn through all handlers, so that a handler needs no prologue.
 *
 * One guest instruction may be several insns ("micro-operations"): an effective address that is
 * more than base + displacement is computed into the pseudo register `ea` first, and rare
 * instructions with a memory operand load it into the pseudo register `tmp`, work on that as if it
 * were a register, and store it back. Only the last insn changes what the guest can see, or none
 * after the one that does can fault.
 *
 * EIP is not kept up to date: it is v->page_eip + insn.off, made exact (op_sync() in ops.h) before
 * anything that may fault or look at it.
 */
#ifndef FARBUS_CPU_INTERP_INTERP_H
#define FARBUS_CPU_INTERP_INTERP_H

#include "cpu/cpu.h"
#include "cpu/engine.h"
#include "cpu/interp/fpu.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"

typedef void (*op_fn)(void);

/* Registers inside an insn are byte offsets into struct vcpu, pseudo registers included. */
#define SLOT_ZERO offsetof(struct vcpu, zero)
#define SLOT_EA	  offsetof(struct vcpu, ea)
#define SLOT_TMP  offsetof(struct vcpu, tmp)
_Static_assert(SLOT_TMP < 256, "pseudo registers must fit into a byte");

/* Segments inside an insn are in units of 4 bytes from v->seg[0]. */
#define SEG_UNITS(seg) ((seg) * (sizeof(struct segment) / 4))
_Static_assert(sizeof(struct segment) % 4 == 0, "SEG_UNITS");

struct insn {
	op_fn fn;
	u32 imm;
	union {
		u32 disp;
		const struct insn *target; /* branches: what runs when it is taken */
		struct insn *owner;	   /* chain: the branch that leads here */
	};
	u8 reg;	  /* destination or only register */
	u8 base;  /* base register of a memory operand, or second register */
	u8 index; /* of an effective address; conditions, other small numbers */
	u8 seg;	  /* of a memory operand */
	u16 off;  /* page offset of the guest instruction */
	u8 len;	  /* in bytes */
	u8 n;	  /* instructions retired in the block with this one */
	u16 opcode;
	u8 shift; /* of an index register */
	u8 flags; /* INSN_* */
};

#define INSN_FIRST   BIT(0) /* first micro-operation of its guest instruction */
#define INSN_GOTO    BIT(1) /* end of a block: imm is the target relative to page_eip */
#define INSN_GOTO16  BIT(2) /* ... and EIP is cut to 16 bits */
#define INSN_A16     BIT(3) /* 16-bit address size */
#define INSN_O16     BIT(4) /* 16-bit operand size */
#define INSN_REP     BIT(5) /* F3 */
#define INSN_REPNE   BIT(6) /* F2 */
#define INSN_STACK16 BIT(7) /* SS.B is 0 */

/* What the same bytes decode to depends on these: part of a block's key. */
#define MODE_CODE32  BIT(0)
#define MODE_STACK32 BIT(1)
#define MODE_FLAT    BIT(3) /* MODE_FLAT_SEGS have base 0 and all of 4 GB */
#define MODE_EDGE    BIT(2) /* the page is not wholly inside the CS limit: no chaining */

#define MODE_FLAT_SEGS (BIT(SEG_ES) | BIT(SEG_SS) | BIT(SEG_DS))
#define FLAT_COUNT     0xfffffff0u /* of rd_count and wr_count */

static inline bool segment_flat(const struct segment *s)
{
	return s->base == 0 && s->rd_count >= FLAT_COUNT && s->wr_count >= FLAT_COUNT;
}
/* The part of the mode that a load of a data segment register may change. */
static inline u32 mode_of_data(const struct vcpu *v)
{
	bool flat = segment_flat(&v->seg[SEG_DS]) && segment_flat(&v->seg[SEG_ES]) &&
		    segment_flat(&v->seg[SEG_SS]);

	return (flat ? MODE_FLAT : 0) | (v->seg[SEG_SS].attr & SEG_DB ? MODE_STACK32 : 0);
}

struct block {
	u32 gpa;
	u32 mode;
	struct block *hash_next;
	struct block *page_next;
	u16 first, end; /* page offsets of its first byte and past its last one */
	u16 count;	/* insns, ends of the block included */
	struct insn insn[];
};

#define HASH_SIZE	8192u
#define BLOCK_INSNS_MAX 48u /* guest instructions in a block */

/* The second page's bytes of an instruction that crosses a page, in the insn after op_cross. */
struct cross_bytes {
	op_fn none; /* NULL, as the insn it lies in is not one */
	u8 byte[16];
};
_Static_assert(sizeof(struct cross_bytes) <= offsetof(struct insn, opcode), "rides in an insn");

struct code_page {
	u32 granules; /* one bit per 128 bytes: something was decoded from it */
	struct block *blocks;
	u16 stores;   /* to data of this page since it got code */
	u16 patience; /* so many of them, and the page is taken for data again; doubles each time */
};

struct interp {
	struct tlb tlb; /* first: vcpu_tlb() */
	struct block *hash[HASH_SIZE];
	struct block none; /* what empty hash slots point to */
	u32 mode;
	u32 page_eip_count; /* a page lies wholly inside the CS limit when page_eip is below this */
	u32 goto_eip_count; /* the same for goto_eip(); 0: it comes back to the run loop */
	u32 often;	    /* interp_ask_often(): times through the run loop until then; 0: not */
	u32 generation;	    /* of the vcpu, when mode was computed */
	bool exit_due;	    /* a handler wants run() to return `exit` */
	bool no_trap;	    /* the instruction takes no single-step trap (INT n) */
	bool single_due;    /* a handler wants the next instruction uncached */
	bool flush_due;	    /* the physical mapping changed: forget everything decoded */
	enum exit_reason exit;
	u32 sti_eip; /* behind the last STI that found nothing to hold off */
	/* interp_stop_at(): NULL, or asked before the instruction there. */
	bool (*stop)(struct vcpu *v);
	u32 stop_eip, stop_gpa;

	struct code_page *page; /* by guest frame, flag_pages of them */
	u32 page_count;
	u8 *pool, *pool_end, *pool_next;
	struct insn scratch[16];	       /* the one uncached instruction */
	struct insn work[BLOCK_INSNS_MAX * 8]; /* the block being decoded */
};

/* The events that the run loop is to look at. */
static inline u32 interp_event_mask(const struct vcpu *v)
{
	return (v->eflags & FLAG_IF ? ~0u : ~(u32)VCPU_EV_INTR) & ~v->event_hold;
}

static inline u32 interp_hash(u32 gpa)
{
	return (gpa ^ (gpa >> 13)) & (HASH_SIZE - 1);
}

/* The bits of code_page.granules for page offsets [first, end). */
#define GRANULE_SHIFT 7
static inline u32 code_granules(u32 first, u32 end)
{
	u32 low = first >> GRANULE_SHIFT, high = (end - 1) >> GRANULE_SHIFT;

	return (~0u >> (31 - high)) & (~0u << low);
}

/* cache.c */
struct block *cache_find(struct interp *in, u32 gpa, u32 mode); /* NULL when there is none */
/* Room for a block of `count` insns; may drop all blocks first. NULL: it can never fit. */
struct block *cache_alloc(struct vcpu *v, unsigned count);
void cache_insert(struct vcpu *v, struct block *b);
void cache_flush(struct vcpu *v);
void cache_drop_page(struct vcpu *v, u32 gpa);
void cache_drop_range(struct vcpu *v, u32 gpa, u32 len); /* of any pages */
void cache_lose_patience(struct vcpu *v, u32 frame);
/* Counts a store to data in a page with code. */
static inline void cache_note_store(struct vcpu *v, u32 frame)
{
	struct code_page *page = &v->interp->page[frame];

	if (++page->stores >= page->patience)
		cache_lose_patience(v, frame);
}
void cache_init(struct vcpu *v, u8 *pool, size_t size);

/* decode.c */
/* Decodes from gpa on; page: its page's bytes. NULL: decode_single() is to be used. */
struct block *decode_block(struct vcpu *v, u32 gpa, const u8 *page, u32 mode);
/* Decodes the instruction at v->eip into in->scratch; faults as its fetch would. */
const struct insn *decode_single(struct vcpu *v);

/* op_access.c: carries out insns from `first` until a handler returns. */
void interp_exec(struct vcpu *v, const struct insn *first);

/* hostcopy.c: count elements of size 1, 2 or 4, upwards. */
void host_copy(void *dst, const void *src, u32 count, u32 size);
void host_fill(void *dst, u32 value, u32 count, u32 size);

#endif
