// SPDX-License-Identifier: BSD-2-Clause
/*
 * The cache of generated code: each slot holds one instruction with a return after it, made when it
 * is first needed and replaced when another instruction wants the slot.
 */
#include "cpu/interp/fpu_host.h"

#define SLOTS	   512u
#define SLOT_SIZE  16u
#define THUNKS	   (SLOTS * SLOT_SIZE) /* after the slots: `mov edx, vector; ret` */
#define THUNK_SIZE 8u

static const u8 thunk_vectors[] = {VEC_UD, VEC_NM, VEC_GP, VEC_MF, VEC_AC, VEC_XM};

_Static_assert(THUNKS + sizeof(thunk_vectors) * THUNK_SIZE <= FPU_CODE_SIZE, "stubs fit");

/*
 * What each slot holds. The code is the processor's, not a guest's: every vcpu shares it. No
 * instruction has the key 0.
 */
static u32 slot_key[SLOTS];
static bool thunks_made;

static void make_thunks(u8 *code)
{
	for (unsigned i = 0; i < sizeof(thunk_vectors); i++) {
		u8 *p = code + THUNKS + i * THUNK_SIZE;

		p[0] = 0xba; /* mov edx, imm32 */
		p[1] = thunk_vectors[i];
		p[2] = p[3] = p[4] = 0;
		p[5] = 0xc3;
	}
	thunks_made = true;
}

static bool takes_imm8(u32 key)
{
	u8 prefix = key, opcode = key >> 8;

	return prefix && ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
			  (opcode >= 0xc4 && opcode <= 0xc6));
}

static u8 *put_op(u8 *p, u32 key)
{
	u8 prefix = key, opcode = key >> 8;

	if (prefix == 0xf3)
		*p++ = 0xf3;
	if (prefix)
		*p++ = 0x0f;
	*p++ = opcode;
	if (!prefix || opcode != 0x77) /* EMMS has no modrm byte */
		*p++ = key >> 16;
	if (takes_imm8(key))
		*p++ = key >> 24;
	return p;
}

static void make_stub(u8 *p, u32 key, bool flags)
{
	if (flags) {
		*p++ = 0x04; /* add al, 7Fh: OF from AL */
		*p++ = 0x7f;
		*p++ = 0x9e; /* sahf */
	}
	p = put_op(p, key);
	if (flags) {
		*p++ = 0x9f; /* lahf */
		*p++ = 0x0f; /* seto al */
		*p++ = 0x90;
		*p++ = 0xc0;
	}
	*p = 0xc3;
}

const void *fpu_stub(u32 key, bool flags)
{
	u32 slot = (key * 0x9e3779b1u) >> 23;
	u8 *code = fpu_host_code() + slot * SLOT_SIZE;

	if (unlikely(slot_key[slot] != key)) {
		if (!thunks_made)
			make_thunks(fpu_host_code());
		make_stub(code, key, flags);
		slot_key[slot] = key;
	}
	return code;
}

bool fpu_fixup(u32 vector, u32 *eip)
{
	u32 code = (u32)(uintptr_t)fpu_host_code();

	if (*eip - code >= THUNKS)
		return false;
	for (unsigned i = 0; i < sizeof(thunk_vectors); i++) {
		if (thunk_vectors[i] == vector) {
			*eip = code + THUNKS + i * THUNK_SIZE;
			return true;
		}
	}
	return false;
}
