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

/* The entry becomes one for writing. */
static void allow_stores(struct tlb *tlb, struct tlb_entry *e)
{
	u32 hash = store_hash(e->gpa_page), n = 1 + (u32)(e - tlb->set[0]);
	u16 *known = &tlb->stores[hash];
	const struct tlb_entry *other = &tlb->set[0][0] + *known - 1;

	e->wr_tag = e->rd_tag;
	if (*known == n || *known == TLB_STORES_MANY)
		return;
	if (*known && other->wr_tag != TLB_NONE && store_hash(other->gpa_page) == hash)
		n = TLB_STORES_MANY;
	*known = (u16)n;
}

/* --- large pages whose entries outlast loads of CR3 --- */

#define LARGE_MASK (~(u32)(4 * MB - 1))

static bool large_32(const struct vcpu *v)
{
	return (v->cr0 & CR0_PG) && !(v->cr4 & CR4_PAE) && (v->cr4 & CR4_PSE);
}

/* Whether a load of CR3 will look at the directory entry that w has found. Kernels have one or a
 * few large pages; what comes after TLB_LARGE is not kept. */
static bool noted(struct tlb *tlb, u32 lin, const struct walk *w)
{
	u32 n = 0;

	while (n < tlb->large_count && tlb->large[n].lin != (lin & LARGE_MASK))
		n++;
	if (n == TLB_LARGE)
		return false;
	if (n == tlb->large_count) {
		tlb->large[n].lin = lin & LARGE_MASK;
		tlb->large[n].pde = w->pde;
		tlb->large_count++;
	}
	return tlb->large[n].pde == w->pde;
}

static bool mark_kept(const struct vcpu *v, struct tlb *tlb, u32 lin, const struct walk *w)
{
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1);
	bool kept = w->large && !w->global && large_32(v) && noted(tlb, lin, w);

	tlb->kept[slot / 32] &= ~BIT(slot % 32);
	if (kept)
		tlb->kept[slot / 32] |= BIT(slot % 32);
	return kept;
}

static void mark_filled(struct vcpu *v, unsigned set, u32 lin, const struct walk *w)
{
	struct tlb *tlb = vcpu_tlb(v);
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1);
	bool kept = set == 0 && mark_kept(v, tlb, lin, w);

	tlb->used[set][slot / 32] |= BIT(slot % 32);
	tlb->used_words[set][slot / 1024] |= BIT(slot / 32 % 32);
	if (!kept && !w->global)
		tlb->local_words[set][slot / 1024] |= BIT(slot / 32 % 32);
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

static struct target fill(struct vcpu *v, struct tlb_entry *e, u32 lin, bool write, bool user,
			  const struct walk *w)
{
	const struct phys_region *r = physmem_find(v->mem, w->gpa);
	struct target t = {.gpa = w->gpa};
	u8 *rd, *wr;

	v->stats.tlb_fills++;
	if (!r)
		return t;
	rd = r->rd ? r->rd + (w->gpa - r->first) : NULL;
	wr = r->wr ? r->wr + (w->gpa - r->first) : NULL;
	t.watched = watched(v->mem, w->gpa);
	t.host = write ? wr : rd;
	if (!rd)
		return t;
	*e = empty_entry;
	e->addend = (uintptr_t)rd - lin;
	e->gpa_page = w->gpa & PAGE_MASK;
	e->rd_tag = lin & PAGE_MASK;
	if (w->writable && wr == rd) {
		e->gpa_page |= TLB_DIRTY;
		if (!t.watched)
			allow_stores(vcpu_tlb(v), e);
	}
	mark_filled(v, user, lin, w);
	return t;
}

struct target tlb_translate(struct vcpu *v, u32 lin, bool write, bool user)
{
	struct tlb_entry *e = &vcpu_tlb(v)->set[user][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	struct target t;

	if (e->rd_tag != (lin & PAGE_MASK) || (write && !(e->gpa_page & TLB_DIRTY))) {
		struct walk w = page_walk(v, lin, write, user);

		return fill(v, e, lin, write, user, &w);
	}
	t.gpa = (e->gpa_page & PAGE_MASK) | (lin & ~PAGE_MASK);
	t.host = (u8 *)(lin + e->addend);
	t.watched = e->wr_tag != e->rd_tag && watched(v->mem, t.gpa);
	if (write && !t.watched)
		allow_stores(vcpu_tlb(v), e);
	return t;
}

const struct tlb_entry *mem_tlb_ready(struct vcpu *v, u32 lin, bool write, bool user)
{
	struct tlb_entry *e = &vcpu_tlb(v)->set[user][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	struct walk w;

	if ((write ? e->wr_tag : e->rd_tag) == (lin & PAGE_MASK))
		return e;
	if (!page_ready(v, lin, write, user, &w))
		return NULL;
	fill(v, e, lin, write, user, &w);
	return (write ? e->wr_tag : e->rd_tag) == (lin & PAGE_MASK) ? e : NULL;
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

static void flush_set(struct tlb *tlb, unsigned set, bool all)
{
	for (unsigned word = 0; (word = next_used(tlb, set, word)) < TLB_WORDS; word++)
		drop_word(tlb, set, word,
			  tlb->used[set][word] & ~(all ? 0 : tlb->global[set][word]));
	memset(tlb->local_words[set], 0, sizeof(tlb->local_words[set]));
}

/* What does not outlast a load of CR3. Only the supervisor's set has any bits in `kept`. */
static void flush_local(struct tlb *tlb, unsigned set)
{
	for (unsigned n = 0; n < TLB_WORDS / 32; n++) {
		u32 left = tlb->local_words[set][n];

		for (; left; left &= left - 1) {
			unsigned word = n * 32 + (unsigned)__builtin_ctz(left);
			u32 keep = tlb->global[set][word] | (set ? 0 : tlb->kept[word]);

			drop_word(tlb, set, word, tlb->used[set][word] & ~keep);
		}
		tlb->local_words[set][n] = 0;
	}
}

static void flushed(struct vcpu *v, enum tlb_flush what)
{
	v->generation++;
	v->tables++;
	v->flushes++;
	if (v->flushed)
		v->flushed(v, what, 0);
}

void mem_tlb_flush(struct vcpu *v, bool all)
{
	struct tlb *tlb = vcpu_tlb(v);

	if (v->mem->tables_loose)
		v->mem->tables_flushed(v->mem->table_ctx, true, 0);
	memset(tlb->kept, 0, sizeof(tlb->kept));
	tlb->large_count = 0;
	flush_set(tlb, 0, all);
	flush_set(tlb, 1, all);
	if (all) {
		tlb->large_first = NO_LARGE_FIRST;
		tlb->large_last = 0;
	}
	flushed(v, all ? TLB_FLUSH_ALL : TLB_FLUSH_LOCAL);
}

/* The n-th large page is another one now: its entries go with the next load of CR3. */
static void forget_large(struct tlb *tlb, u32 n)
{
	for (unsigned word = 0; (word = next_used(tlb, 0, word)) < TLB_WORDS; word++) {
		for (u32 kept = tlb->used[0][word] & tlb->kept[word]; kept; kept &= kept - 1) {
			unsigned bit = (unsigned)__builtin_ctz(kept);

			if ((tlb->set[0][word * 32 + bit].rd_tag ^ tlb->large[n].lin) & LARGE_MASK)
				continue;
			tlb->kept[word] &= ~BIT(bit);
			tlb->local_words[0][word / 32] |= BIT(word % 32);
		}
	}
	tlb->large[n] = tlb->large[--tlb->large_count];
}

/* Whether the directory that CR3 leads to has the very same entries for all large pages, A and D
 * bits included. Those that it has not are forgotten. */
static bool keeps_all(struct vcpu *v, struct tlb *tlb)
{
	u32 gpa = v->cr3 & PAGE_MASK & v->mem->a20_mask;
	const struct phys_region *r = physmem_find(v->mem, gpa);
	const u32 *pde = NULL;
	bool all = true;

	if (large_32(v) && r && r->rd)
		pde = (const u32 *)(const void *)(r->rd + (gpa - r->first));
	for (u32 n = tlb->large_count; n--;) {
		if (pde && pde[tlb->large[n].lin >> 22] == tlb->large[n].pde)
			continue;
		forget_large(tlb, n);
		all = false;
	}
	return all;
}

void mem_tlb_flush_cr3(struct vcpu *v)
{
	struct tlb *tlb = vcpu_tlb(v);

	if (v->mem->tables_loose)
		v->mem->tables_flushed(v->mem->table_ctx, true, 0);
	v->kept_loads += keeps_all(v, tlb);
	flush_local(tlb, 0);
	flush_local(tlb, 1);
	flushed(v, v->cr4 & CR4_PGE ? TLB_FLUSH_LOCAL : TLB_FLUSH_ALL);
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
	u16 known = tlb->stores[store_hash(gpa)];
	struct tlb_entry *e = &tlb->set[0][0] + known - 1;

	if (!known)
		return;
	if (known != TLB_STORES_MANY) {
		if (!((e->gpa_page ^ gpa) & PAGE_MASK))
			e->wr_tag = TLB_NONE;
		return;
	}
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
