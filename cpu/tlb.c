/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software TLB: filled on a miss, and dropped when the guest's tables, the machine's mapping or
 * whether a page is watched change. Tags say per kind of access whether a hit needs no further
 * look.
 */
#include "cpu/mmu/walk.h"
#include "cpu/physmem.h"
#include "cpu/tlb.h"
#include "lib/str.h"

#define NO_LARGE_FIRST 0xffffffffu

static const struct tlb_entry empty_entry = {TLB_NONE, TLB_NONE, 0, 0};

void tlb_init(struct tlb *tlb)
{
	memset(tlb, 0, sizeof(*tlb));
	for (unsigned set = 0; set < 2; set++) {
		for (unsigned i = 0; i < TLB_ENTRIES; i++)
			tlb->set[set][i] = empty_entry;
	}
	tlb->large_first = NO_LARGE_FIRST;
}

static bool watched(const struct physmem *pm, u32 gpa)
{
	return physmem_flags(pm, gpa) & PHYS_PAGE_WATCHED;
}

static u32 store_hash(u32 gpa)
{
	return (gpa >> PAGE_SHIFT) % TLB_STORES;
}

static void allow_stores(struct tlb *tlb, struct tlb_entry *e)
{
	u32 hash = store_hash(e->gpa_page);

	e->wr_tag = e->rd_tag;
	tlb->stores[hash / 32] |= BIT(hash % 32);
}

/* --- a large page whose entries outlast loads of CR3 --- */

#define LARGE_MASK (~(u32)(4 * MB - 1))

static bool large_32(const struct vcpu *v)
{
	return (v->cr0 & CR0_PG) && !(v->cr4 & CR4_PAE) && (v->cr4 & CR4_PSE);
}

/* The first one that is met, until a load of CR3 finds another in its place. */
static void mark_kept(const struct vcpu *v, unsigned set, u32 lin, const struct walk *w)
{
	struct tlb *tlb = vcpu_tlb((struct vcpu *)v);
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1);

	if (set)
		return;
	tlb->kept[slot / 32] &= ~BIT(slot % 32);
	if (!w->large || !large_32(v))
		return;
	if (!tlb->kept_pde) {
		tlb->kept_lin = lin & LARGE_MASK;
		tlb->kept_pde = w->pde;
	}
	if (tlb->kept_lin == (lin & LARGE_MASK) && tlb->kept_pde == w->pde)
		tlb->kept[slot / 32] |= BIT(slot % 32);
}

/* Whether the directory that CR3 leads to has the very same entry, A and D bits included. */
static bool keeps(struct vcpu *v, struct tlb *tlb)
{
	u32 gpa = ((v->cr3 & PAGE_MASK) + (tlb->kept_lin >> 22) * 4) & v->mem->a20_mask, pde;
	const struct phys_region *r = physmem_find(v->mem, gpa);

	if (!tlb->kept_pde || !large_32(v) || !r || !r->rd)
		return false;
	pde = *(const u32 *)(const void *)(r->rd + (gpa - r->first));
	return pde == tlb->kept_pde;
}

static void mark_filled(struct vcpu *v, unsigned set, u32 lin, const struct walk *w)
{
	struct tlb *tlb = vcpu_tlb(v);
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1);

	mark_kept(v, set, lin, w);

	tlb->used[set][slot / 32] |= BIT(slot % 32);
	tlb->used_words[set][slot / 1024] |= BIT(slot / 32 % 32);
	if (w->global)
		tlb->global[set][slot / 32] |= BIT(slot % 32);
	else
		tlb->global[set][slot / 32] &= ~BIT(slot % 32);
	if (w->large) {
		/* 4 MB is the larger of the two sizes: rounding a 2 MB page out costs nothing. */
		if ((lin & ~(4 * MB - 1)) < tlb->large_first)
			tlb->large_first = lin & ~(4 * MB - 1);
		if ((lin | (4 * MB - 1)) > tlb->large_last)
			tlb->large_last = lin | (4 * MB - 1);
	}
}

static struct target fill(struct vcpu *v, struct tlb_entry *e, u32 lin, bool write, bool user)
{
	struct walk w = page_walk(v, lin, write, user);
	const struct phys_region *r = physmem_find(v->mem, w.gpa);
	struct target t = {.gpa = w.gpa};
	u8 *rd, *wr;

	v->stats.tlb_fills++;
	if (!r)
		return t;
	rd = r->rd ? r->rd + (w.gpa - r->first) : NULL;
	wr = r->wr ? r->wr + (w.gpa - r->first) : NULL;
	t.watched = watched(v->mem, w.gpa);
	t.host = write ? wr : rd;
	if (!rd)
		return t;
	*e = empty_entry;
	e->addend = (uintptr_t)rd - lin;
	e->gpa_page = w.gpa & PAGE_MASK;
	e->rd_tag = lin & PAGE_MASK;
	if (w.writable && wr == rd) {
		e->gpa_page |= TLB_DIRTY;
		if (!t.watched)
			allow_stores(vcpu_tlb(v), e);
	}
	mark_filled(v, user, lin, &w);
	return t;
}

struct target tlb_translate(struct vcpu *v, u32 lin, bool write, bool user)
{
	struct tlb_entry *e = &vcpu_tlb(v)->set[user][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	struct target t;

	if (e->rd_tag != (lin & PAGE_MASK) || (write && !(e->gpa_page & TLB_DIRTY)))
		return fill(v, e, lin, write, user);
	t.gpa = (e->gpa_page & PAGE_MASK) | (lin & ~PAGE_MASK);
	t.host = (u8 *)(lin + e->addend);
	t.watched = e->wr_tag != e->rd_tag && watched(v->mem, t.gpa);
	if (write && !t.watched)
		allow_stores(vcpu_tlb(v), e);
	return t;
}

/* Empties the slots of `drop`'s set bits. */
static void drop_word(struct tlb *tlb, unsigned set, unsigned word, u32 drop)
{
	tlb->used[set][word] &= ~drop;
	if (!tlb->used[set][word])
		tlb->used_words[set][word / 32] &= ~BIT(word % 32);
	tlb->global[set][word] &= ~drop;
	while (drop) {
		unsigned bit = (unsigned)__builtin_ctz(drop);

		tlb->set[set][word * 32 + bit] = empty_entry;
		drop &= drop - 1;
	}
}

/* The next word of `used` from `word` on that is not 0; TLB_WORDS: none. */
static unsigned next_used(const struct tlb *tlb, unsigned set, unsigned word)
{
	while (word < TLB_WORDS) {
		u32 words = tlb->used_words[set][word / 32] >> word % 32;

		if (words)
			return word + (unsigned)__builtin_ctz(words);
		word = (word / 32 + 1) * 32;
	}
	return TLB_WORDS;
}

static void flush_set(struct tlb *tlb, unsigned set, bool all, bool kept)
{
	for (unsigned word = 0; (word = next_used(tlb, set, word)) < TLB_WORDS; word++) {
		u32 keep = all ? 0 : tlb->global[set][word];

		if (kept)
			keep |= tlb->kept[word];
		drop_word(tlb, set, word, tlb->used[set][word] & ~keep);
	}
}

static void flush(struct vcpu *v, bool all, bool kept)
{
	struct tlb *tlb = vcpu_tlb(v);

	if (v->mem->tables_loose)
		v->mem->tables_flushed(v->mem->table_ctx, true, 0);
	if (!kept && tlb->kept_pde) {
		memset(tlb->kept, 0, sizeof(tlb->kept));
		tlb->kept_pde = 0;
	}
	flush_set(tlb, 0, all, kept);
	flush_set(tlb, 1, all, false);
	if (all && !kept) {
		tlb->large_first = NO_LARGE_FIRST;
		tlb->large_last = 0;
	}
	v->generation++;
	v->tables++;
	if (v->flushed)
		v->flushed(v, all ? TLB_FLUSH_ALL : TLB_FLUSH_LOCAL, 0);
}

void mem_tlb_flush(struct vcpu *v, bool all)
{
	flush(v, all, false);
}

void mem_tlb_flush_cr3(struct vcpu *v)
{
	flush(v, !(v->cr4 & CR4_PGE), keeps(v, vcpu_tlb(v)));
}

/* Drops what lies in the same 4 MB as lin: large pages are not told apart from their neighbours. */
static void flush_around(struct tlb *tlb, unsigned set, u32 lin)
{
	for (unsigned word = 0; (word = next_used(tlb, set, word)) < TLB_WORDS; word++) {
		for (u32 used = tlb->used[set][word]; used; used &= used - 1) {
			unsigned bit = (unsigned)__builtin_ctz(used);
			u32 tag = tlb->set[set][word * 32 + bit].rd_tag;

			if (!((tag ^ lin) & ~(4 * MB - 1)))
				drop_word(tlb, set, word, BIT(bit));
		}
	}
}

void mem_tlb_flush_page(struct vcpu *v, u32 lin)
{
	struct tlb *tlb = vcpu_tlb(v);
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1);

	if (v->mem->tables_loose)
		v->mem->tables_flushed(v->mem->table_ctx, false, lin);
	v->generation++;
	v->tables++;
	if (v->flushed)
		v->flushed(v, TLB_FLUSH_PAGE, lin);
	if (lin >= tlb->large_first && lin <= tlb->large_last) {
		flush_around(tlb, 0, lin);
		flush_around(tlb, 1, lin);
		return;
	}
	for (unsigned set = 0; set < 2; set++) {
		if (tlb->set[set][slot].rd_tag == (lin & PAGE_MASK))
			drop_word(tlb, set, slot / 32, BIT(slot % 32));
	}
}

/* Of entries for other pages it finds out anew which ones may be written. */
static void protect_set(struct tlb *tlb, unsigned set, u32 gpa)
{
	for (unsigned word = 0; (word = next_used(tlb, set, word)) < TLB_WORDS; word++) {
		for (u32 used = tlb->used[set][word]; used; used &= used - 1) {
			struct tlb_entry *e =
				&tlb->set[set][word * 32 + (unsigned)__builtin_ctz(used)];

			if (!((e->gpa_page ^ gpa) & PAGE_MASK))
				e->wr_tag = TLB_NONE;
			else if (e->wr_tag != TLB_NONE)
				allow_stores(tlb, e);
		}
	}
}

void mem_tlb_protect(struct vcpu *v, u32 gpa)
{
	struct tlb *tlb = vcpu_tlb(v);
	u32 hash = store_hash(gpa);

	if (!(tlb->stores[hash / 32] >> hash % 32 & 1))
		return;
	memset(tlb->stores, 0, sizeof(tlb->stores));
	protect_set(tlb, 0, gpa);
	protect_set(tlb, 1, gpa);
}

static void forbid_stores(struct tlb *tlb, unsigned set)
{
	for (unsigned word = 0; (word = next_used(tlb, set, word)) < TLB_WORDS; word++)
		for (u32 used = tlb->used[set][word]; used; used &= used - 1)
			tlb->set[set][word * 32 + (unsigned)__builtin_ctz(used)].wr_tag = TLB_NONE;
}

void mem_tlb_protect_all(struct vcpu *v)
{
	struct tlb *tlb = vcpu_tlb(v);

	memset(tlb->stores, 0, sizeof(tlb->stores));
	forbid_stores(tlb, 0);
	forbid_stores(tlb, 1);
}
