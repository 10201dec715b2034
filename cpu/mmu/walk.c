/* SPDX-License-Identifier: BSD-2-Clause */
/* The page walk: see walk.h. A and D bits are set only once the whole access is allowed. */
#include "cpu/cpu.h"
#include "cpu/mmu/walk.h"
#include "cpu/physmem.h"

/* #PF error code (SDM vol. 3, 4.7) */
#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER	    BIT(2)
#define PF_RESERVED BIT(3)

#define PDE_4M_RESERVED	   0x003fe000u /* bits 21-13: no PSE-36 */
#define PDE_2M_RESERVED	   0x001fe000u
#define PAE_HIGH_RESERVED  (~(u32)((1ull << (PHYS_ADDR_BITS - 32)) - 1))
#define PDPTE_LOW_RESERVED 0x000001e6u

/* One entry on the way; PAE entries have a high half. */
struct entry {
	u32 gpa;
	u32 low, high;
};

/* What the entries of one walk add up to. */
struct path {
	struct entry pde, pte;
	bool large;
	u32 page; /* address of the page, low bits clear */
	u32 mask; /* offset mask of the page */
};

enum path_result { PATH_OK, PATH_NOT_PRESENT, PATH_RESERVED };

static u32 table_read(struct vcpu *v, u32 gpa)
{
	const struct phys_region *r;
	u32 value;

	gpa &= v->mem->a20_mask;
	r = physmem_find(v->mem, gpa);
	if (likely(r && r->rd))
		return *(const u32 *)(const void *)(r->rd + (gpa - r->first));
	physmem_read(v->mem, gpa, &value, 4);
	return value;
}

/*
 * Sets A or D in a page-table entry. Nothing that is made from page tables becomes wrong by that,
 * so who watches them is not told; but the page may also hold decoded code.
 */
static void entry_set(struct vcpu *v, struct entry *e, u32 bits)
{
	const struct phys_region *r;
	u32 gpa;

	if ((e->low & bits) == bits)
		return;
	e->low |= bits;
	gpa = e->gpa & v->mem->a20_mask;
	r = physmem_find(v->mem, gpa);
	if (unlikely(!r || !r->wr || (physmem_flags(v->mem, gpa) & ~PHYS_PAGE_TABLE)))
		physmem_write(v->mem, gpa, &e->low, 4);
	else
		*(u32 *)(void *)(r->wr + (gpa - r->first)) = e->low;
}

static enum path_result find_32(struct vcpu *v, u32 lin, struct path *p)
{
	p->pde.gpa = (v->cr3 & PAGE_MASK) + (lin >> 22) * 4;
	p->pde.low = table_read(v, p->pde.gpa);
	if (!(p->pde.low & PTE_P))
		return PATH_NOT_PRESENT;
	if ((p->pde.low & PDE_PS) && (v->cr4 & CR4_PSE)) {
		p->large = true;
		p->mask = 4 * MB - 1;
		p->page = p->pde.low & ~p->mask;
		return p->pde.low & PDE_4M_RESERVED ? PATH_RESERVED : PATH_OK;
	}
	p->pte.gpa = (p->pde.low & PAGE_MASK) + ((lin >> PAGE_SHIFT) & 1023) * 4;
	p->pte.low = table_read(v, p->pte.gpa);
	if (!(p->pte.low & PTE_P))
		return PATH_NOT_PRESENT;
	p->mask = PAGE_SIZE - 1;
	p->page = p->pte.low & PAGE_MASK;
	return PATH_OK;
}

static enum path_result entry_fetch_pae(struct vcpu *v, struct entry *e, u32 gpa)
{
	e->gpa = gpa;
	e->low = table_read(v, gpa);
	e->high = table_read(v, gpa + 4);
	if (!(e->low & PTE_P))
		return PATH_NOT_PRESENT;
	return e->high & PAE_HIGH_RESERVED ? PATH_RESERVED : PATH_OK;
}

static enum path_result find_pae(struct vcpu *v, u32 lin, struct path *p)
{
	u32 pdpte = (u32)v->pdpte[lin >> 30];
	enum path_result result;

	if (!(pdpte & PTE_P))
		return PATH_NOT_PRESENT;
	result = entry_fetch_pae(v, &p->pde, (pdpte & PAGE_MASK) + ((lin >> 21) & 511) * 8);
	if (result != PATH_OK)
		return result;
	if (p->pde.low & PDE_PS) {
		p->large = true;
		p->mask = 2 * MB - 1;
		p->page = p->pde.low & ~p->mask;
		return p->pde.low & PDE_2M_RESERVED ? PATH_RESERVED : PATH_OK;
	}
	p->mask = PAGE_SIZE - 1;
	result = entry_fetch_pae(v, &p->pte,
				 (p->pde.low & PAGE_MASK) + ((lin >> PAGE_SHIFT) & 511) * 8);
	p->page = p->pte.low & PAGE_MASK;
	return result;
}

static enum path_result find_path(struct vcpu *v, u32 lin, struct path *p)
{
	*p = (struct path){0};
	return v->cr4 & CR4_PAE ? find_pae(v, lin, p) : find_32(v, lin, p);
}

static bool allowed(const struct vcpu *v, u32 rights, bool write, bool user)
{
	if (user && !(rights & PTE_U))
		return false;
	return !write || (rights & PTE_W) || (!user && !(v->cr0 & CR0_WP));
}

static struct walk result_of(const struct vcpu *v, u32 lin, const struct path *p, bool user)
{
	const struct entry *leaf = p->large ? &p->pde : &p->pte;
	u32 rights = p->large ? p->pde.low : p->pde.low & p->pte.low;

	return (struct walk){
		.gpa = (p->page | (lin & p->mask)) & v->mem->a20_mask,
		.pde = p->pde.low,
		.pte = p->pte.low,
		.writable = (leaf->low & PTE_D) && allowed(v, rights, true, user),
		.global = (leaf->low & PTE_G) && (v->cr4 & CR4_PGE),
		.large = p->large,
		.table = p->large ? 0 : p->pte.gpa & v->mem->a20_mask,
	};
}

struct walk page_walk(struct vcpu *v, u32 lin, bool write, bool user)
{
	u32 error = (write ? PF_WRITE : 0) | (user ? PF_USER : 0);
	struct path p;

	if (!(v->cr0 & CR0_PG))
		return (struct walk){.gpa = lin & v->mem->a20_mask, .writable = true};

	switch (find_path(v, lin, &p)) {
	case PATH_NOT_PRESENT:
		cpu_raise_pf(v, lin, error);
	case PATH_RESERVED:
		cpu_raise_pf(v, lin, error | PF_PRESENT | PF_RESERVED);
	case PATH_OK:
		break;
	}
	if (!allowed(v, p.large ? p.pde.low : p.pde.low & p.pte.low, write, user))
		cpu_raise_pf(v, lin, error | PF_PRESENT);

	if (!p.large)
		entry_set(v, &p.pde, PTE_A);
	entry_set(v, p.large ? &p.pde : &p.pte, PTE_A | (write ? PTE_D : 0));
	return result_of(v, lin, &p, user);
}

bool page_ready(struct vcpu *v, u32 lin, bool write, bool user, struct walk *w)
{
	u32 rights, leaf, need = PTE_A | (write ? PTE_D : 0);
	struct path p;

	if (!(v->cr0 & CR0_PG) || find_path(v, lin, &p) != PATH_OK)
		return false;
	rights = p.large ? p.pde.low : p.pde.low & p.pte.low;
	leaf = p.large ? p.pde.low : p.pte.low;
	if (!allowed(v, rights, write, user) || !(p.pde.low & PTE_A) || (leaf & need) != need)
		return false;
	*w = result_of(v, lin, &p, user);
	return true;
}

bool page_peek(struct vcpu *v, u32 lin, u32 *gpa)
{
	struct path p;

	if (v->cr0 & CR0_PG) {
		if (find_path(v, lin, &p) != PATH_OK)
			return false;
		lin = p.page | (lin & p.mask);
	}
	*gpa = lin & v->mem->a20_mask;
	return true;
}

bool pdpte_load(struct vcpu *v, u32 cr3)
{
	u64 table[4];

	for (unsigned i = 0; i < 4; i++) {
		u32 low = table_read(v, (cr3 & ~31u) + i * 8);
		u32 high = table_read(v, (cr3 & ~31u) + i * 8 + 4);

		if ((low & PTE_P) && ((low & PDPTE_LOW_RESERVED) || (high & PAE_HIGH_RESERVED)))
			return false;
		table[i] = low | (u64)high << 32;
	}
	for (unsigned i = 0; i < 4; i++)
		v->pdpte[i] = table[i];
	return true;
}
