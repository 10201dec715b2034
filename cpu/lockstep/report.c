/* SPDX-License-Identifier: BSD-2-Clause */
/* The text about a difference: where, what it began with, both ends, and what differs. */
#include <stdarg.h>
#include "cpu/disasm.h"
#include "cpu/interp/fpu_host.h"
#include "cpu/lockstep/private.h"
#include "lib/fmt.h"

#define BYTES_SHOWN 12u
#define WORDS_SHOWN 8u

/* Part of the report; what does not fit is left out. */
__attribute__((format(printf, 2, 3))) static void say(struct lockstep *l, const char *format, ...)
{
	size_t room = sizeof(l->text) - l->text_length;
	va_list ap;
	int n;

	va_start(ap, format);
	n = fmt_va(l->text + l->text_length, room, format, ap);
	va_end(ap);
	l->text_length += (size_t)n < room ? (u32)n : (u32)room - 1;
}

static void say_place(struct lockstep *l, bool single)
{
	struct lockstep_insn insn;
	char text[DISASM_TEXT_MAX];
	bool big = l->start.seg[SEG_CS].attr & SEG_DB;

	say(l, "%s from %04x:%08x (%s, CPL %u)", single ? "one instruction" : "a stretch",
	    l->start.seg[SEG_CS].sel, l->start.eip,
	    l->start.eflags & FLAG_VM ? "V86"
	    : big		      ? "32-bit"
				      : "16-bit",
	    l->start.cpl);
	lockstep_insn(l->v, &insn);
	say(l, ", bytes");
	for (unsigned i = 0; i < insn.len; i++)
		say(l, " %02x", insn.bytes[i]);
	disasm(insn.bytes, sizeof(insn.bytes), l->start.eip, big, text, sizeof(text));
	say(l, ": %s\n", text);
}

static void say_state(struct lockstep *l, const char *name, const struct lockstep_state *s)
{
	const u32 *r = s->gpr;

	say(l, "%s: eax %08x ebx %08x ecx %08x edx %08x esi %08x edi %08x ebp %08x esp %08x\n",
	    name, r[REG_EAX], r[REG_EBX], r[REG_ECX], r[REG_EDX], r[REG_ESI], r[REG_EDI],
	    r[REG_EBP], r[REG_ESP]);
	say(l,
	    "%s: eip %08x efl %08x cs %04x ss %04x ds %04x es %04x fs %04x gs %04x cr2 %08x "
	    "cr3 %08x cpl %u shadow %u\n",
	    name, s->eip, s->eflags, s->seg[SEG_CS].sel, s->seg[SEG_SS].sel, s->seg[SEG_DS].sel,
	    s->seg[SEG_ES].sel, s->seg[SEG_FS].sel, s->seg[SEG_GS].sel, s->cr2, s->cr3, s->cpl,
	    s->shadow);
}

static void say_fpu(struct lockstep *l, const struct lockstep_state *now)
{
	const u8 *a = l->native.fpu.bytes, *b = now->fpu.bytes;

	if (lockstep_same_fpu(a, b))
		return;
	say(l, "FPU state at");
	for (unsigned i = 0, shown = 0; i < FX_END && shown < BYTES_SHOWN; i++)
		if (a[i] != b[i]) {
			say(l, " %u: CPU %02x, interpreter %02x;", i, a[i], b[i]);
			shown++;
		}
	say(l, "\n");
}

/* A name of struct lockstep_state's, from its tables to its FPU. */
static const char *system_name(size_t at)
{
	static const struct {
		size_t end;
		const char *name;
	} fields[] = {
		{offsetof(struct lockstep_state, cr0), "gdtr, idtr"},
		{offsetof(struct lockstep_state, cr2), "cr0"},
		{offsetof(struct lockstep_state, cr3), "cr2"},
		{offsetof(struct lockstep_state, cr4), "cr3"},
		{offsetof(struct lockstep_state, dr), "cr4"},
		{offsetof(struct lockstep_state, pdpte), "debug registers"},
		{offsetof(struct lockstep_state, sysenter_cs), "pdpte"},
		{offsetof(struct lockstep_state, cpl), "SYSENTER's registers"},
		{offsetof(struct lockstep_state, halted), "cpl"},
		{offsetof(struct lockstep_state, nmi_blocked), "halted"},
		{offsetof(struct lockstep_state, debug_hits), "nmi_blocked"},
		{offsetof(struct lockstep_state, fpu), "debug hits"},
	};
	unsigned i = 0;

	while (at >= fields[i].end)
		i++;
	return fields[i].name;
}

static void say_segment(struct lockstep *l, const char *name, const struct segment *a,
			const struct segment *b)
{
	if (a->sel != b->sel || a->base != b->base || a->limit != b->limit || a->attr != b->attr)
		say(l,
		    "%s: CPU %04x base %08x limit %08x attr %04x, "
		    "interpreter %04x base %08x limit %08x attr %04x\n",
		    name, a->sel, a->base, a->limit, a->attr, b->sel, b->base, b->limit, b->attr);
}

/* Of the state that is neither in say_state() nor memory. */
static void say_system(struct lockstep *l, const struct lockstep_state *now)
{
	static const char *const names[SEG_COUNT] = {"es", "cs", "ss", "ds", "fs", "gs"};
	const struct lockstep_state *native = &l->native;
	const u8 *a = (const u8 *)native, *b = (const u8 *)now;

	for (unsigned i = 0; i < SEG_COUNT; i++)
		say_segment(l, names[i], &native->seg[i], &now->seg[i]);
	say_segment(l, "ldtr", &native->ldtr, &now->ldtr);
	say_segment(l, "tr", &native->tr, &now->tr);
	for (size_t at = offsetof(struct lockstep_state, gdtr_base);
	     at < offsetof(struct lockstep_state, fpu); at += 4)
		if (*(const u32 *)(const void *)(a + at) != *(const u32 *)(const void *)(b + at))
			say(l, "%s: CPU %08x, interpreter %08x\n", system_name(at),
			    *(const u32 *)(const void *)(a + at),
			    *(const u32 *)(const void *)(b + at));
	say_fpu(l, now);
}

/* What was another there when most of it was the same. */
static void say_nearest(struct lockstep *l)
{
	static const char *const names[8] = {"eax", "ecx", "edx", "ebx",
					     "esp", "ebp", "esi", "edi"};
	const u32 *a = l->native.gpr, *b = l->nearest.gpr;

	if (!l->nearest_count)
		return;
	say(l, "the interpreter came nearest with eflags %08x and\n", l->nearest.eflags);
	for (unsigned i = 0; i < 8; i++)
		if (a[i] != b[i])
			say(l, "%s: CPU %08x, interpreter %08x\n", names[i], a[i], b[i]);
	say_system(l, &l->nearest);
}

static void say_memory(struct lockstep *l)
{
	unsigned shown = 0;

	for (u32 n = 0; n < l->kept_count; n++) {
		for (u32 i = 0; i < PAGE_SIZE / 4 && shown < WORDS_SHOWN; i++) {
			u32 native = lockstep_native(l, n, i), now = l->kept[n].memory[i];

			if (native == now)
				continue;
			say(l, "memory %08x: before %08x, CPU %08x, interpreter %08x\n",
			    l->kept[n].gpa + i * 4, lockstep_before(l, n, i), native, now);
			shown++;
		}
	}
}

/* The instruction before which the CPU stopped; it may have done a part of it. */
static void say_target(struct lockstep *l)
{
	u8 bytes[BYTES_SHOWN];
	u32 left = PAGE_SIZE - (l->target_gpa & ~PAGE_MASK);
	u32 count = left < BYTES_SHOWN ? left : BYTES_SHOWN;

	if (!l->can_ask)
		return;
	physmem_read(l->v->mem, l->target_gpa, bytes, count);
	say(l, "there:");
	for (u32 i = 0; i < count; i++)
		say(l, " %02x", bytes[i]);
	say(l, "\n");
}

static const char *next_name(enum lockstep_next next)
{
	return next == LOCKSTEP_STEP   ? "at an instruction that is the interpreter's"
	       : next == LOCKSTEP_DOWN ? "shutdown"
				       : "an interrupt, a fault or a system call";
}

void lockstep_describe(struct lockstep *l, bool single)
{
	struct vcpu *v = l->v;

	l->text_length = 0;
	lockstep_save(v, &l->now);
	/* The instruction is read where it was, with the tables of then. */
	lockstep_load(v, &l->start);
	say_place(l, single);
	lockstep_load(v, &l->now);
	say_state(l, "before     ", &l->start);
	say_state(l, "CPU        ", &l->native);
	say_state(l, "interpreter", &l->now);
	say_fpu(l, &l->now);
	say_memory(l);
	say(l, "the CPU stopped: %s\n", next_name(l->next));
	say_target(l);
	if (l->passes)
		say(l,
		    "the interpreter passed that place %u times, %u of them with these registers, "
		    "flags that differed last: %08x\n",
		    l->passes, l->looks, l->flags_differ);
	say_nearest(l);
	if (l->looks)
		say(l, "memory that differed there first: %08x: CPU %08x, interpreter %08x\n",
		    l->miss_gpa, l->miss_native, l->miss_now);
}
