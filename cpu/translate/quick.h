/* SPDX-License-Identifier: BSD-2-Clause */
/* The length of the commonest instructions of 32-bit code, and what the other common ones are. */
#ifndef FARBUS_CPU_TRANSLATE_QUICK_H
#define FARBUS_CPU_TRANSLATE_QUICK_H

#include "cpu/translate/private.h"

#define QUICK_BYTES 12u /* more than any of these has */

/* Of an opcode: the bytes without ModR/M and what belongs to it, or 0, and these. */
#define FORM_LEN   7u
#define FORM_MODRM BIT(3)
#define FORM_IMM32 BIT(4) /* 2 bytes fewer behind 66h */
#define FORM_RARE  BIT(5) /* classify_rarer() has to look */
extern const u8 quick_form[256];

/* Of a ModR/M byte: its length with SIB and displacement. */
#define QUICK_MODRM_LEN 7u
#define QUICK_MODRM_SIB BIT(3) /* 4 bytes more if the SIB byte has no base */
extern const u8 quick_modrm[256];

u32 classify_rarer(const u8 *bytes);

static inline u32 quick_modrm_bytes(const u8 *modrm)
{
	u32 form = quick_modrm[modrm[0]];

	if (unlikely(form & QUICK_MODRM_SIB) && (modrm[1] & 7) == 5)
		return 6;
	return form & QUICK_MODRM_LEN;
}

/* The length of a common one that is copied, of which QUICK_BYTES are there; 0: it is none. */
static inline u32 classify_copied(const u8 *bytes)
{
	u32 form = quick_form[bytes[0]];

	if (unlikely(form & FORM_RARE))
		return classify_rarer(bytes);
	return (form & FORM_LEN) + (form & FORM_MODRM ? quick_modrm_bytes(bytes + 1) : 0);
}

/* What a common instruction of 32-bit code is, in *g of zeros; false: for the decoder to say. */
bool classify_quick(const u8 *bytes, u32 avail, struct guest_insn *g);

#endif
