/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The complete paths of guest memory accesses: exact segment check, alignment check, translation of
 * every page before the first byte moves, MMIO, writes to watched pages, breakpoints.
 */
#include "cpu/cpu.h"
#include "cpu/physmem.h"
#include "cpu/tlb.h"
#include "cpu/mmu/walk.h"
#include "lib/str.h"

#define ACCESS_MAX 512u /* bytes; so an access touches at most two pages */

void segment_check(struct vcpu *v, const struct segment *s, u32 off, u32 size, bool write,
		   u8 vector, u32 error)
{
	bool data = !(s->attr & SEG_CODE);
	u32 top = ~0u;

	if ((s->attr & (SEG_P | SEG_S)) != (SEG_P | SEG_S))
		cpu_raise(v, vector, error);
	if (write ? !data || !(s->attr & SEG_RW) : !data && !(s->attr & SEG_RW))
		cpu_raise(v, vector, error);
	if (data && (s->attr & SEG_EC)) {
		top = s->attr & SEG_DB ? ~0u : 0xffff;
		if (off <= s->limit)
			cpu_raise(v, vector, error);
	} else if (s->limit != ~0u || s->base != 0) {
		top = s->limit;
	} else {
		return; /* a flat segment wraps at 4 GB, as P6 CPUs do (SDM vol. 3, 5.3) */
	}
	if (off > top || top - off < size - 1)
		cpu_raise(v, vector, error);
}

static u8 segment_vector(unsigned seg)
{
	return seg == SEG_SS ? VEC_SS : VEC_GP;
}

static void check_alignment(struct vcpu *v, u32 lin, u32 align)
{
	if ((lin & (align - 1)) && (v->eflags & FLAG_AC) && (v->cr0 & CR0_AM))
		cpu_raise(v, VEC_AC, 0);
}

static void note_access(struct vcpu *v, u32 lin, u32 size, bool write)
{
	if (v->dr[7] & 0xff)
		cpu_data_breakpoint(v, lin, size, write);
}

/* Up to a page's worth of bytes that lie in one page. */
static void target_read(struct vcpu *v, const struct target *t, u8 *buf, u32 len)
{
	if (t->host) {
		memcpy(buf, t->host, len);
		return;
	}
	v->stats.mmio++;
	for (u32 i = 0; i < len; i++)
		buf[i] = (u8)physmem_io_read(v->mem, t->gpa + i, 1);
}

static void target_write(struct vcpu *v, const struct target *t, const u8 *buf, u32 len)
{
	if (t->host) {
		if (t->watched)
			physmem_note_write(v->mem, t->gpa, len);
		memcpy(t->host, buf, len);
		return;
	}
	v->stats.mmio++;
	for (u32 i = 0; i < len; i++)
		physmem_io_write(v->mem, t->gpa + i, 1, buf[i]);
}

/* Bytes of [lin, lin + len) that lie in lin's page. */
static u32 first_part(u32 lin, u32 len)
{
	u32 room = PAGE_SIZE - (lin & ~PAGE_MASK);

	return len < room ? len : room;
}

static void read_linear(struct vcpu *v, u32 lin, u8 *buf, u32 len, bool user)
{
	u32 part = first_part(lin, len);
	struct target t = tlb_translate(v, lin, false, user), u;

	if (part == len) {
		target_read(v, &t, buf, len);
		return;
	}
	u = tlb_translate(v, lin + part, false, user);
	target_read(v, &t, buf, part);
	target_read(v, &u, buf + part, len - part);
}

static void write_linear(struct vcpu *v, u32 lin, const u8 *buf, u32 len, bool user)
{
	u32 part = first_part(lin, len);
	struct target t = tlb_translate(v, lin, true, user), u;

	if (part == len) {
		target_write(v, &t, buf, len);
		return;
	}
	u = tlb_translate(v, lin + part, true, user);
	target_write(v, &t, buf, part);
	target_write(v, &u, buf + part, len - part);
}

/*
 * The TLB entry that an access hits as a whole and with nothing else to do. mem_slow stands for #AC
 * and breakpoints on data, but for the implicit accesses that the latter see as well.
 */
static const struct tlb_entry *tlb_hit(struct vcpu *v, u32 lin, u32 size, bool user, bool write)
{
	const struct tlb_entry *e =
		&vcpu_tlb(v)->set[user][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];

	if (v->mem_slow || (write ? e->wr_tag : e->rd_tag) != ((lin + size - 1) & PAGE_MASK))
		return NULL;
	return e;
}

u32 lin_read(struct vcpu *v, u32 lin, unsigned size, bool user)
{
	const struct tlb_entry *e = tlb_hit(v, lin, size, user, false);
	u32 value = 0;

	if (e) {
		const void *p = (const void *)(lin + e->addend);

		return size == 4 ? *(const u32 *)p : size == 2 ? *(const u16 *)p : *(const u8 *)p;
	}
	if (user)
		check_alignment(v, lin, size);
	if (first_part(lin, size) == size) {
		struct target t = tlb_translate(v, lin, false, user);

		if (!t.host) {
			v->stats.mmio++;
			value = physmem_io_read(v->mem, t.gpa, size);
		} else {
			target_read(v, &t, (u8 *)&value, size);
		}
	} else {
		read_linear(v, lin, (u8 *)&value, size, user);
	}
	note_access(v, lin, size, false);
	return value;
}

void lin_write(struct vcpu *v, u32 lin, unsigned size, u32 value, bool user)
{
	const struct tlb_entry *e = tlb_hit(v, lin, size, user, true);

	if (e) {
		void *p = (void *)(lin + e->addend);

		if (size == 4)
			*(u32 *)p = value;
		else if (size == 2)
			*(u16 *)p = (u16)value;
		else
			*(u8 *)p = (u8)value;
		return;
	}
	if (user)
		check_alignment(v, lin, size);
	if (first_part(lin, size) == size) {
		struct target t = tlb_translate(v, lin, true, user);

		if (!t.host) {
			v->stats.mmio++;
			physmem_io_write(v->mem, t.gpa, size, value);
		} else {
			target_write(v, &t, (const u8 *)&value, size);
		}
	} else {
		write_linear(v, lin, (const u8 *)&value, size, user);
	}
	note_access(v, lin, size, true);
}

u32 mem_read_slow(struct vcpu *v, unsigned seg, u32 off, unsigned size)
{
	const struct segment *s = &v->seg[seg];

	segment_check(v, s, off, size, false, segment_vector(seg), 0);
	return lin_read(v, s->base + off, size, v->cpl == 3);
}

void mem_write_slow(struct vcpu *v, unsigned seg, u32 off, unsigned size, u32 value)
{
	const struct segment *s = &v->seg[seg];

	segment_check(v, s, off, size, true, segment_vector(seg), 0);
	lin_write(v, s->base + off, size, value, v->cpl == 3);
}

u32 mem_rmw_read(struct vcpu *v, unsigned seg, u32 off, unsigned size)
{
	const struct segment *s = &v->seg[seg];
	u32 lin = s->base + off;
	bool user = v->cpl == 3;

	segment_check(v, s, off, size, true, segment_vector(seg), 0);
	if (user)
		check_alignment(v, lin, size);
	lin_probe(v, lin, size, true, user);
	return lin_read(v, lin, size, user);
}

/*
 * x87, MMX and SSE operands are checked to their own size, 80-bit ones to 8 (SDM vol. 3, table
 * 6-7).
 */
static void check_alignment_bytes(struct vcpu *v, u32 lin, u32 len)
{
	if (len == 10)
		check_alignment(v, lin, 8);
	else if (len == 14 || len == 94 || len == 28 || len == 108) /* FPU images, 16 and 32-bit */
		check_alignment(v, lin, len % 4 ? 2 : 4);
	else if (len <= 16 && !(len & (len - 1)))
		check_alignment(v, lin, len);
}

void mem_read_bytes(struct vcpu *v, unsigned seg, u32 off, void *buf, u32 len)
{
	const struct segment *s = &v->seg[seg];
	u32 lin = s->base + off;

	if (len - 1 >= ACCESS_MAX)
		return;
	segment_check(v, s, off, len, false, segment_vector(seg), 0);
	if (v->cpl == 3)
		check_alignment_bytes(v, lin, len);
	read_linear(v, lin, buf, len, v->cpl == 3);
	note_access(v, lin, len, false);
}

void mem_write_bytes(struct vcpu *v, unsigned seg, u32 off, const void *buf, u32 len)
{
	const struct segment *s = &v->seg[seg];
	u32 lin = s->base + off;

	if (len - 1 >= ACCESS_MAX)
		return;
	segment_check(v, s, off, len, true, segment_vector(seg), 0);
	if (v->cpl == 3)
		check_alignment_bytes(v, lin, len);
	write_linear(v, lin, buf, len, v->cpl == 3);
	note_access(v, lin, len, true);
}

void mem_probe_write(struct vcpu *v, unsigned seg, u32 off, u32 len)
{
	const struct segment *s = &v->seg[seg];
	u32 lin = s->base + off;

	segment_check(v, s, off, len, true, segment_vector(seg), 0);
	if (v->cpl == 3)
		check_alignment_bytes(v, lin, len);
	lin_probe(v, lin, len, true, v->cpl == 3);
}

void *mem_span(struct vcpu *v, unsigned seg, u32 off, u32 *len, bool write)
{
	const struct segment *s = &v->seg[seg];
	u32 count = write ? s->wr_count : s->rd_count;
	u32 lin = s->base + off;
	const struct tlb_entry *e;
	struct target t;

	if (off >= count)
		return NULL;
	if (*len > count - off)
		*len = count - off;
	*len = first_part(lin, *len);
	e = tlb_hit(v, lin, 1, v->cpl == 3, write);
	if (likely(e))
		return (void *)(lin + e->addend);
	t = tlb_translate(v, lin, write, v->cpl == 3);
	return write && t.watched ? NULL : t.host;
}

u8 lin_read8(struct vcpu *v, u32 lin)
{
	return (u8)lin_read(v, lin, 1, false);
}

u16 lin_read16(struct vcpu *v, u32 lin)
{
	return (u16)lin_read(v, lin, 2, false);
}

void lin_write8(struct vcpu *v, u32 lin, u8 value)
{
	lin_write(v, lin, 1, value, false);
}

void lin_write16(struct vcpu *v, u32 lin, u16 value)
{
	lin_write(v, lin, 2, value, false);
}

void lin_write32(struct vcpu *v, u32 lin, u32 value)
{
	lin_write(v, lin, 4, value, false);
}

void lin_probe(struct vcpu *v, u32 lin, u32 len, bool write, bool user)
{
	u32 part = first_part(lin, len);

	tlb_translate(v, lin, write, user);
	if (part < len)
		tlb_translate(v, lin + part, write, user);
}

u32 mem_fetch_page(struct vcpu *v, u32 lin, const u8 **host)
{
	const struct tlb_entry *e = tlb_hit(v, lin, 1, v->cpl == 3, false);
	struct target t;

	if (likely(e)) {
		*host = (const u8 *)(e->rd_tag + e->addend);
		return (e->gpa_page & PAGE_MASK) | (lin & ~PAGE_MASK);
	}
	t = tlb_translate(v, lin, false, v->cpl == 3);
	*host = t.host ? t.host - (lin & ~PAGE_MASK) : NULL;
	return t.gpa;
}

bool mem_peek_translate(struct vcpu *v, u32 lin, u32 *gpa)
{
	return page_peek(v, lin, gpa);
}
