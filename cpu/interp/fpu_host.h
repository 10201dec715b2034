/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FPU code's own contracts: how an operation is carried out, the stub cache, and what it needs
 * of the place it runs in. boot/fpu_host.c is that place in the kernel, where the host FPU keeps
 * the guest's state between instructions; the tests bring one that swaps it with the test's own.
 */
#ifndef FARBUS_CPU_INTERP_FPU_HOST_H
#define FARBUS_CPU_INTERP_FPU_HOST_H

#include "cpu/interp/fpu.h"

/* fpu_op.kind */
enum fpu_kind {
	FPU_K_STUB, /* run the stub */
	FPU_K_NOP,
	FPU_K_FWAIT,
	FPU_K_FNINIT,
	FPU_K_FNSTENV,
	FPU_K_FNSAVE,
	FPU_K_FLDENV,
	FPU_K_FRSTOR,
	FPU_K_FXSAVE,
	FPU_K_FXRSTOR,
	FPU_K_LDMXCSR,
	FPU_K_STMXCSR,
	FPU_K_MASKMOVQ,
};

/* Bytes of instructions that this code runs for itself, as an fpu_op key (prefix first). */
#define FPU_KEY(prefix, opcode, modrm) ((u32)(prefix) | (opcode) << 8 | (modrm) << 16)
#define FPU_KEY_FNSTENV		       FPU_KEY(0, 0xd9, 0x31) /* fnstenv [ecx], 28 bytes */
#define FPU_KEY_FLDENV		       FPU_KEY(0, 0xd9, 0x21)
#define FPU_KEY_FNSAVE		       FPU_KEY(0, 0xdd, 0x31) /* fnsave [ecx], 108 bytes */
#define FPU_KEY_FRSTOR		       FPU_KEY(0, 0xdd, 0x21)
#define FPU_KEY_FNSTCW		       FPU_KEY(0, 0xd9, 0x39) /* fnstcw [ecx] */

static inline u32 fpu_op_key(const struct fpu_op *op)
{
	return op->prefix | (u32)op->opcode << 8 | (u32)op->modrm << 16 | (u32)op->imm << 24;
}

/*
 * Stubs: `op; ret`, memory operands at [ecx]. A stub with flags takes AH (SF ZF AF PF CF, as LAHF)
 * and AL (OF, 0 or 1) and leaves them so. A fault in it returns with EDX = the vector.
 */
#define FPU_CODE_SIZE 8256u
const void *fpu_stub(u32 key, bool flags);

/* Executable memory of FPU_CODE_SIZE bytes for the stubs, the same at every call. */
u8 *fpu_host_code(void);
/* Runs a stub on the guest's state. Returns EAX; *fault is 0 or the vector that it raised. */
u32 fpu_host_call(struct vcpu *v, const void *stub, void *mem, u32 eax, u32 *fault);
/* The x87 status word. */
u16 fpu_host_status(struct vcpu *v);
/* Puts the guest's state into v->fpu (FXSAVE form, pointer fields not the guest's) as well. */
void fpu_host_store(struct vcpu *v);
/* The host FPU takes v->fpu, last-instruction fields included, if it has not got it. */
void fpu_host_load(struct vcpu *v);
/* The guest's state is now what v->fpu says, whatever the host FPU holds. */
void fpu_host_replace(struct vcpu *v);

/* Status word bits */
#define FPU_SW_IE BIT(0)
#define FPU_SW_DE BIT(1)
#define FPU_SW_OE BIT(3)
#define FPU_SW_UE BIT(4)
#define FPU_SW_ES BIT(7) /* an unmasked exception is pending */

/* Offsets in the FXSAVE form */
#define FX_FCW	      0
#define FX_FSW	      2
#define FX_FTW	      4
#define FX_FOP	      6
#define FX_FIP	      8
#define FX_FCS	      12
#define FX_FDP	      16
#define FX_FDS	      20
#define FX_MXCSR      24
#define FX_MXCSR_MASK 28
#define FX_ST	      32
#define FX_XMM	      160
#define FX_END	      288 /* what the processor writes; 512 bytes must be there */
#define FX_SIZE	      512

#define MXCSR_RESET 0x1f80u
#define MXCSR_VALID 0xffbfu /* Pentium III: no denormals-are-zeros */

/* fpu_env.c: the environment and state instructions; may raise. */
void fpu_fnstenv(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off);
void fpu_fldenv(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off);
void fpu_fxsave(struct vcpu *v, unsigned seg, u32 off);
void fpu_fxrstor(struct vcpu *v, unsigned seg, u32 off);
/* The last-instruction fields of an FXSAVE image, from v. */
void fpu_put_pointers(const struct vcpu *v, u8 *fx);
/* Those of v from the host FPU, which guest code has used directly. */
void fpu_take_pointers(struct vcpu *v);

/* fpu_image.c: FSAVE's 32-bit protected-mode form (108 bytes) and FXSAVE's; x87 part only. */
void fpu_fsave_to_fx(const u8 *fsave, u8 *fx);
void fpu_fx_to_fsave(const u8 *fx, u8 *fsave);

#endif
