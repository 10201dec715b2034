/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pushes, pops and moves of segment registers. Selectors that are shown are the guest's, from the
 * state. A load takes the selector that stands for the guest's on the CPU, from the table of known
 * ones, after a comparison of the guest's descriptor with what it was; all else is interpreted.
 */
#include "cpu/translate/emit.h"
#include "cpu/vcpu.h"

#define STATE(field) offsetof(struct translate_state, field)
#define PREFIX_FS    0x64

unsigned unit_own_segment(const struct translator *t)
{
	return t->host.state_prefix == PREFIX_FS ? SEG_FS : SEG_GS;
}

/* A field of the entry for the selector in ECX in the table of known ones; EAX gets it, or is
 * compared with it. */
static void with_known(struct translator *t, u8 opcode, u32 field)
{
	emit8(t, t->host.state_prefix);
	emit8(t, opcode);
	emit8(t, 0x04); /* [ecx * 8 + disp32]; ECX is twice the selector */
	emit8(t, 0xcd);
	emit32(t, t->host.state_disp + STATE(known) + field);
}

static void with_eax(struct translator *t, u8 opcode, u8 modrm, u8 disp)
{
	emit8(t, t->host.state_prefix);
	emit8(t, opcode);
	emit8(t, modrm);
	if (modrm == 0x40)
		emit8(t, disp);
}

#define KNOWN(field) offsetof(typeof(((struct translate_state *)0)->known[0]), field)

/* EAX := what stands on the CPU for the selector in ECX, which becomes twice that; flags are saved.
 */
static void look_up_selector(struct translator *t, struct translate_unit *u, unsigned seg, u32 eip)
{
	static const u8 lea_eax[] = {0x8d, 0x41}, cmp_eax[] = {0x3d};
	static const u8 add_ecx_ecx[] = {0x01, 0xc9};
	u8 first = seg == SEG_DS || seg == SEG_ES ? 4 : 0; /* no null selectors */

	emit_bytes(t, lea_eax, sizeof(lea_eax)); /* lea eax, [ecx - first] */
	emit8(t, (u8)-first);
	emit_bytes(t, cmp_eax, sizeof(cmp_eax));
	emit32(t, TRANSLATE_SELECTORS - 1 - first);
	unit_leave_if(t, u, 7, eip);
	emit_bytes(t, add_ecx_ecx, sizeof(add_ecx_ecx));
	with_known(t, 0x8b, KNOWN(lin));
	with_eax(t, 0x8b, 0x00, 0); /* mov eax, [eax] */
	with_known(t, 0x3b, KNOWN(low));
	unit_leave_if(t, u, 5, eip);
	with_known(t, 0x8b, KNOWN(lin));
	with_eax(t, 0x8b, 0x40, 4); /* mov eax, [eax + 4] */
	with_known(t, 0x3b, KNOWN(high));
	unit_leave_if(t, u, 5, eip);
	with_known(t, 0x8b, KNOWN(native));
}

/* The selector is in ECX; flags and EAX are the guest's. popped: bytes that it had on the stack. */
static void load_segment(struct translator *t, struct translate_unit *u, unsigned seg, u8 popped,
			 u32 eip, u32 next)
{
	static const u8 save[] = {0x9f, 0x0f, 0x90, 0xc0};		    /* lahf; seto al */
	static const u8 restore[] = {0x04, 0x7f, 0x9e};			    /* add al, 7fh; sahf */
	static const u8 shr_ecx[] = {0xd1, 0xe9}, lea_ecx[] = {0x8d, 0x89}; /* [ecx + disp32] */

	emit_bytes(t, save, sizeof(save));
	emit_store(t, REG_EAX, STATE(flags));
	unit_point(t, u, SAVED_FLAGS, eip);
	look_up_selector(t, u, seg, eip);
	if (seg != unit_own_segment(t)) { /* mov seg, eax */
		emit8(t, 0x8e);
		emit8(t, (u8)(0xc0 | seg << 3));
	}
	emit_bytes(t, shr_ecx, sizeof(shr_ecx));
	emit_store(t, REG_ECX, STATE(sel) + seg * 4);
	emit_bytes(t, lea_ecx, sizeof(lea_ecx));
	emit32(t, TRANSLATE_LOADED);
	emit_store(t, REG_ECX, STATE(loaded) + seg * 4);
	if (popped) {
		unit_point(t, u, SAVED_FLAGS, next)->stack = popped;
		emit_drop(t, popped);
	}
	unit_point(t, u, SAVED_FLAGS, next);
	emit_load(t, REG_EAX, STATE(flags));
	emit_bytes(t, restore, sizeof(restore));
	emit_load(t, REG_ECX, STATE(ecx));
	emit_load(t, REG_EAX, STATE(eax));
	unit_comes_back(t, u, eip, next);
	unit_point(t, u, AT, next);
}

void unit_pop_seg(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		  u32 eip, u32 next)
{
	emit_store(t, REG_EAX, STATE(eax));
	emit_store(t, REG_ECX, STATE(ecx));
	unit_point(t, u, SAVED, eip);
	emit_top(t, REG_ECX, true);
	load_segment(t, u, g->opcode, g->o16 ? 2 : 4, eip, next);
}

/* MOVZX ECX with the guest's prefixes and operand. */
void unit_load_seg(struct translator *t, struct translate_unit *u, const u8 *bytes,
		   const struct guest_insn *g, u32 eip, u32 next)
{
	emit_store(t, REG_EAX, STATE(eax));
	emit_store(t, REG_ECX, STATE(ecx));
	emit_prefixes(t, bytes, g, false);
	emit8(t, 0x0f);
	emit8(t, 0xb7);
	emit8(t, (u8)((bytes[g->rm_at] & 0xc7) | REG_ECX << 3));
	emit_bytes(t, bytes + g->rm_at + 1, g->len - g->rm_at - 1u);
	unit_point(t, u, SAVED, eip);
	load_segment(t, u, g->opcode, 0, eip, next);
}

void unit_push_seg(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		   u32 next)
{
	emit_o16(t, g->o16);
	emit_field(t, 0xff, 6, STATE(sel) + g->opcode * 4u);
	unit_point(t, u, AT, next);
}

void unit_store_seg(struct translator *t, struct translate_unit *u, unsigned rm,
		    const struct guest_insn *g, u32 next)
{
	emit_o16(t, g->o16);
	emit_load(t, rm & 7, STATE(sel) + g->opcode * 4u);
	unit_point(t, u, AT, next);
}
