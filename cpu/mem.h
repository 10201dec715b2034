/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory as instructions see it: segment check, paging (a software TLB), A20, MMIO. The hits
 * are inline; everything else is cpu/mem.c. A fault leaves through cpu_raise() and does not return:
 * the caller has changed nothing the guest can see by then, and v->cur (interpreter) or v->eip says
 * which instruction it was.
 */
#ifndef FARBUS_CPU_MEM_H
#define FARBUS_CPU_MEM_H

#include "cpu/vcpu.h"
#include "lib/types.h"

/* Direct-mapped by linear page number: a kernel of up to 16 MB is not in its own way. */
#define TLB_ENTRIES 4096u
#define TLB_WORDS   (TLB_ENTRIES / 32)
#define TLB_STORES  4096u
#define TLB_LARGE   8u

/*
 * A tag is the linear page address when that kind of access hits, TLB_NONE otherwise. A write tag
 * is set only once the guest's D bit is set and while the page is not watched (physmem.h).
 */
#define TLB_NONE 1u
struct tlb_entry {
	u32 rd_tag, wr_tag;
	uintptr_t addend; /* host address = linear address + addend */
	u32 gpa_page;	  /* with TLB_DIRTY in its low bits */
};
/* Writes are allowed and D is set: wr_tag is only missing while the page is watched. */
#define TLB_DIRTY BIT(0)

/*
 * One TLB for supervisor accesses (CPL 0-2 and implicit ones), one for user accesses. The bitmaps
 * keep a flush proportional to what was filled since the last one: used_words says which words of
 * `used` are not 0, local_words which ones may have entries that a load of CR3 drops. `stores`
 * spares most pages that become watched a search for entries.
 */
struct tlb {
	struct tlb_entry set[2][TLB_ENTRIES];
	u32 used[2][TLB_WORDS];
	u32 global[2][TLB_WORDS];
	u32 used_words[2][TLB_WORDS / 32];
	u32 large_first, large_last; /* linear hull of the 2 and 4 MB pages with entries here */
	/* By a hash of the guest frame: 1 + set * TLB_ENTRIES + slot of the entry that may be for
	 * writing; 0: there is none. */
	u16 stores[TLB_STORES];
#define TLB_STORES_MANY 0xffffu
	u32 local_words[2][TLB_WORDS / 32];
	/* Supervisor's entries from large pages, which begin at lin and whose directory entry was
	 * pde. */
	u32 kept[TLB_WORDS];
	struct {
		u32 lin, pde;
	} large[TLB_LARGE];
	u32 large_count;
};
void tlb_init(struct tlb *tlb); /* all empty */

/* Where the inline paths find the TLB: the interpreter's private part starts with it. */
static inline struct tlb *vcpu_tlb(struct vcpu *v)
{
	return (struct tlb *)(void *)v->interp;
}

/* Whether the supervisor's entry for lin, which is there, outlasts loads of CR3: see v->kept_loads.
 */
static inline bool tlb_outlasts(struct vcpu *v, u32 lin)
{
	const struct tlb *tlb = vcpu_tlb(v);
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1);

	return (tlb->kept[slot / 32] | tlb->global[0][slot / 32]) >> slot % 32 & 1;
}

/* Slow paths, complete in themselves: every check, page crossing, MMIO, code pages. size 1, 2, 4.
 */
/* Exact limit and type check of `size` bytes at off: raises `vector` with `error`. */
void segment_check(struct vcpu *v, const struct segment *s, u32 off, u32 size, bool write,
		   u8 vector, u32 error);
u32 mem_read_slow(struct vcpu *v, unsigned seg, u32 off, unsigned size);
void mem_write_slow(struct vcpu *v, unsigned seg, u32 off, unsigned size, u32 value);

static inline struct tlb_entry *tlb_slot(struct vcpu *v, u32 lin)
{
	return &vcpu_tlb(v)->set[v->cpl == 3][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
}

#define MEM_ACCESSORS(bits)                                                                        \
	static inline u##bits mem_read##bits(struct vcpu *v, unsigned seg, u32 off)                \
	{                                                                                          \
		const struct segment *s = &v->seg[seg];                                            \
		u32 lin = s->base + off;                                                           \
		const struct tlb_entry *e = tlb_slot(v, lin);                                      \
		if (unlikely(off >= s->rd_count) ||                                                \
		    unlikely(((lin + bits / 8 - 1) & PAGE_MASK) != e->rd_tag))                     \
			return (u##bits)mem_read_slow(v, seg, off, bits / 8);                      \
		return *(const u##bits *)(lin + e->addend);                                        \
	}                                                                                          \
	static inline void mem_write##bits(struct vcpu *v, unsigned seg, u32 off, u##bits value)   \
	{                                                                                          \
		const struct segment *s = &v->seg[seg];                                            \
		u32 lin = s->base + off;                                                           \
		const struct tlb_entry *e = tlb_slot(v, lin);                                      \
		if (unlikely(off >= s->wr_count) ||                                                \
		    unlikely(((lin + bits / 8 - 1) & PAGE_MASK) != e->wr_tag)) {                   \
			mem_write_slow(v, seg, off, bits / 8, value);                              \
			return;                                                                    \
		}                                                                                  \
		*(u##bits *)(lin + e->addend) = value;                                             \
	}
MEM_ACCESSORS(8)
MEM_ACCESSORS(16)
MEM_ACCESSORS(32)

/*
 * Read-modify-write: mem_rmw_ptr() returns host memory that may be read and written in place, or
 * NULL where the access cannot be done that way (MMIO, page crossing, watched page): then use
 * mem_rmw_read() (which makes every check for writing) followed by mem_write_slow().
 */
static inline void *mem_rmw_ptr(struct vcpu *v, unsigned seg, u32 off, unsigned size)
{
	const struct segment *s = &v->seg[seg];
	u32 lin = s->base + off;
	const struct tlb_entry *e = tlb_slot(v, lin);

	if (unlikely(off >= s->wr_count || off >= s->rd_count) ||
	    unlikely(((lin + size - 1) & PAGE_MASK) != e->wr_tag))
		return NULL;
	return (void *)(lin + e->addend);
}
u32 mem_rmw_read(struct vcpu *v, unsigned seg, u32 off, unsigned size);

/* All or nothing, len 1 to 512: x87, MMX, SSE operands, FXSAVE, PUSHA frames. */
void mem_read_bytes(struct vcpu *v, unsigned seg, u32 off, void *buf, u32 len);
void mem_write_bytes(struct vcpu *v, unsigned seg, u32 off, const void *buf, u32 len);
/* Faults as mem_write_bytes() would, and writes nothing. */
void mem_probe_write(struct vcpu *v, unsigned seg, u32 off, u32 len);

/*
 * For REP string instructions: host memory for `off`, readable (or writable) from there on for
 * *len bytes (1 or more, up to *len as passed in, never past the page or segment), or NULL when one
 * element has to go the slow way. Ascending addresses only.
 */
void *mem_span(struct vcpu *v, unsigned seg, u32 off, u32 *len, bool write);

/* Linear accesses, with CPL 3's rights or the supervisor's. */
u32 lin_read(struct vcpu *v, u32 lin, unsigned size, bool user); /* size 1, 2, 4 */
void lin_write(struct vcpu *v, u32 lin, unsigned size, u32 value, bool user);
/* With the supervisor's always: descriptor tables, TSS, IDT (SDM vol. 3, 4.6). */
u8 lin_read8(struct vcpu *v, u32 lin);
u16 lin_read16(struct vcpu *v, u32 lin);
static inline u32 lin_read32(struct vcpu *v, u32 lin)
{
	const struct tlb_entry *e = &vcpu_tlb(v)->set[0][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];

	if (unlikely(v->mem_slow || ((lin + 3) & PAGE_MASK) != e->rd_tag))
		return lin_read(v, lin, 4, false);
	return *(const u32 *)(lin + e->addend);
}
void lin_write8(struct vcpu *v, u32 lin, u8 value);
void lin_write16(struct vcpu *v, u32 lin, u16 value);
void lin_write32(struct vcpu *v, u32 lin, u32 value);
/* Faults now if [lin, lin + len) cannot be read (written) with these rights; len up to 4096. */
void lin_probe(struct vcpu *v, u32 lin, u32 len, bool write, bool user);

/*
 * The TLB's entry for an access that hits, with CPL 3's rights or the supervisor's; a miss fills it
 * where no access could fault there or set A or D. NULL: it could, or it is no plain memory.
 */
const struct tlb_entry *mem_tlb_ready(struct vcpu *v, u32 lin, bool write, bool user);

/*
 * Instruction fetch: translates lin for execution with the current CPL (faults as a fetch would)
 * and gives the guest-physical address; *host is the readable host page address of that page or
 * NULL for MMIO.
 */
u32 mem_fetch_page(struct vcpu *v, u32 lin, const u8 **host);

/*
 * Without faulting and without side effects, for the monitor and the disassembler: guest-physical
 * address of lin, or false when it is not mapped.
 */
bool mem_peek_translate(struct vcpu *v, u32 lin, u32 *gpa);

/* TLB maintenance. `all` drops global pages too. Both move v->generation on. */
void mem_tlb_flush(struct vcpu *v, bool all);
/* The same for a load of CR3. What a walk would find again at no more than a look at the directory
 * may stay: a kernel without global pages, in a large page, at each context switch. */
void mem_tlb_flush_cr3(struct vcpu *v);
void mem_tlb_flush_page(struct vcpu *v, u32 lin);
/* The page at gpa has just become watched (or no longer is): write tags to it go, and come back. */
void mem_tlb_protect(struct vcpu *v, u32 gpa);
/* The same for many pages at once: all write tags go. */
void mem_tlb_protect_all(struct vcpu *v);

#endif
