/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87, MMX and SSE: carried out by the host's own FPU with the guest's FPU state loaded. The
 * guest's instruction is copied into a stub with its memory operand rewritten to a buffer; there is
 * no soft float. Engines use fpu_decode() when they decode and fpu_exec() when they execute.
 */
#ifndef FARBUS_CPU_INTERP_FPU_H
#define FARBUS_CPU_INTERP_FPU_H

#include "cpu/vcpu.h"

/* What stands before the opcode, as fpu_decode() needs it. */
#define FPU_PREFIX_66	BIT(0) /* an operand-size prefix byte is there */
#define FPU_PREFIX_F3	BIT(1) /* of F2 and F3 the one nearer the opcode, or neither */
#define FPU_PREFIX_F2	BIT(2)
#define FPU_PREFIX_LOCK BIT(3)
#define FPU_OPSIZE16	BIT(4) /* the operand size in effect is 16 bits */

enum fpu_class {
	FPU_NONE, /* not an instruction of this part: the caller decodes it itself */
	FPU_UD,	  /* #UD whatever the state */
	FPU_X87,
	FPU_MMX, /* includes the Pentium III's additions on MMX registers */
	FPU_SSE,
};

/* fpu_op.flags */
#define FPU_READS     BIT(0)  /* memory operand is read: `size` bytes */
#define FPU_WRITES    BIT(1)  /* memory operand is written: `size` bytes */
#define FPU_IMM8      BIT(2)  /* an imm8 follows: the decoder stores it in `imm` */
#define FPU_ALIGN16   BIT(3)  /* #GP(0) when the operand is not 16-byte aligned */
#define FPU_DI	      BIT(4)  /* MASKMOVQ: seg:off is DS (or override):(E)DI, no modrm memory */
#define FPU_GPR_MEM   BIT(5)  /* general register `gpr` in the place of a memory operand */
#define FPU_GPR_OUT   BIT(6)  /* writes the general register `gpr`, 32 bits */
#define FPU_FLAGS     BIT(7)  /* reads or writes arithmetic flags: FCMOVcc, FCOMI, COMISS, ... */
#define FPU_WAITING   BIT(8)  /* reports a pending x87 exception first */
#define FPU_CONTROL   BIT(9)  /* x87 control: leaves the instruction and operand pointers alone */
#define FPU_IS_16     BIT(10) /* environment and state images in the 16-bit form */
#define FPU_NEEDS_SSE BIT(11) /* an MMX instruction that came with SSE */
#define FPU_HAS_MEM   (FPU_READS | FPU_WRITES) /* seg:off is used */

/* One decoded instruction; to be kept by value in the engine's own decoded form. 12 bytes. */
struct fpu_op {
	u8 kind;  /* how fpu_exec() carries it out: private */
	u8 class; /* enum fpu_class */
	u16 flags;
	/* The stub's bytes, memory operands rewritten; together they are its key. */
	u8 prefix; /* 0: one-byte opcode, 0Fh: two bytes, F3h: F3 0F and the opcode */
	u8 opcode;
	u8 modrm;
	u8 imm;
	u8 gpr;
	u8 guest_modrm; /* as the guest wrote it, for the last-opcode register */
	u16 size;	/* of the memory operand in bytes: 0 (none) to 512 */
};

/*
 * Decodes D8h-DFh and 9Bh (two_byte false) and 0Fh xxh (two_byte true). Every instruction of this
 * part but FWAIT and EMMS has a modrm byte (fpu_has_modrm()); pass 0 for those. Memory forms
 * (modrm below C0h) with size 0 do not exist here. 0F 0D and 0F 18-1F (hints) are FPU_NONE.
 * FPU_UD: no such instruction on a Pentium III.
 */
bool fpu_owns(bool two_byte, u8 opcode); /* anything else is FPU_NONE */
enum fpu_class fpu_decode(unsigned prefixes, bool two_byte, u8 opcode, u8 modrm, struct fpu_op *op);
static inline bool fpu_has_modrm(bool two_byte, u8 opcode)
{
	return two_byte ? opcode != 0x77 : opcode != 0x9b;
}

/*
 * Carries out one instruction: #NM, #UD and #MF checks, memory operand at seg:off (off wraps at 64
 * KB where the address size says so: the caller's job), registers and flags. v->eip must be exact:
 * the address of the instruction; the engine advances it when the result is true. May leave through
 * cpu_raise() with nothing changed. false: nothing was done, FERR# is raised and the CPU waits for
 * IRQ 13; the engine looks at its events and tries the same instruction again.
 */
bool fpu_exec(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off);

/* Power-on state (SDM vol. 3, table 9-1) into v->fpu; vcpu_reset() calls this. */
void fpu_reset(struct vcpu *v);

/*
 * Moves the guest's state from the host FPU into v->fpu where it is not there already, with the
 * last-instruction fields as the guest would see them (FXSAVE form). Before v->fpu is looked at, or
 * another user takes the host FPU.
 */
void fpu_sync(struct vcpu *v);

/*
 * Makes the host FPU hold all of the guest's state, for guest code that runs directly on the CPU.
 * v->fpu_native says so until this code next carries out an instruction itself.
 */
void fpu_go_native(struct vcpu *v);

/* CPUID.1:EDX bits of FPU, MMX, FXSR and SSE that this host can carry out. */
u32 fpu_host_features(void);

/*
 * For the host's trap handler, whatever the vector: an exception at *eip in Farbus's own code. True
 * when a guest's instruction in a stub raised it (#XM mostly): *eip is then where to resume, and
 * the guest gets the exception. False: not ours.
 */
bool fpu_fixup(u32 vector, u32 *eip);

#endif
