// SPDX-License-Identifier: BSD-2-Clause
/*
 * Carries out one x87, MMX or SSE instruction: the checks in the order of SDM vol. 3, 6.9 (device
 * not available, pending x87 exception, then the memory operand), its stub, and what it leaves in
 * general registers and flags. A memory operand that lies in one mapped page is used where it is;
 * any other goes through a buffer, and a store is probed first, so that nothing has changed when
 * the instruction faults.
 */
#include "cpu/cpu.h"
#include "cpu/interp/fpu_host.h"
#include "cpu/mem.h"
#include "lib/str.h"

#define FEATURE_FPU  BIT(0)
#define FEATURE_MMX  BIT(23)
#define FEATURE_FXSR BIT(24)
#define FEATURE_SSE  BIT(25)

static bool is_fx(const struct fpu_op *op)
{
	return op->kind == FPU_K_FXSAVE || op->kind == FPU_K_FXRSTOR;
}

static u32 needed_features(const struct fpu_op *op)
{
	if (is_fx(op))
		return FEATURE_FXSR;
	if (op->class == FPU_SSE)
		return FEATURE_SSE;
	return FEATURE_MMX | (op->flags & FPU_NEEDS_SSE ? FEATURE_SSE : 0);
}

/* MMX and SSE: #UD for EM (and OSFXSR clear), #NM for TS (SDM vol. 3, tables 12-1 and 13-1). */
static void check_simd(struct vcpu *v, const struct fpu_op *op)
{
	u32 needed = needed_features(op);

	if ((v->feature_mask & needed) != needed)
		cpu_raise_ud(v);
	if (op->kind == FPU_K_NOP)
		return; /* SFENCE looks at no control bit */
	if (v->cr0 & CR0_EM)
		cpu_raise_ud(v);
	if (op->class == FPU_SSE && !is_fx(op) && !(v->cr4 & CR4_OSFXSR))
		cpu_raise_ud(v);
	if (v->cr0 & CR0_TS)
		cpu_raise(v, VEC_NM, 0);
}

static void check_available(struct vcpu *v, const struct fpu_op *op)
{
	if (op->class != FPU_X87) {
		check_simd(v, op);
	} else if (op->kind == FPU_K_FWAIT) {
		if ((v->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
			cpu_raise(v, VEC_NM, 0);
	} else if (v->cr0 & (CR0_EM | CR0_TS)) {
		cpu_raise(v, VEC_NM, 0);
	}
}

static void drive_ferr(struct vcpu *v, bool level)
{
	if (v->fpu_ferr == level)
		return;
	v->fpu_ferr = level;
	if (v->ops && v->ops->ferr)
		v->ops->ferr(v->ops_ctx, level);
}

/* FERR# falls when no unmasked exception is pending any more. */
static void update_ferr(struct vcpu *v)
{
	if (v->fpu_ferr && !(fpu_host_status(v) & FPU_SW_ES))
		drive_ferr(v, false);
}

/* How a pending x87 exception is reported (SDM vol. 1, 8.7): false means wait for IRQ 13. */
static bool report_pending(struct vcpu *v)
{
	if (v->cr0 & CR0_NE)
		cpu_raise(v, VEC_MF, 0);
	if (v->ops && v->ops->ignne && v->ops->ignne(v->ops_ctx))
		return true;
	drive_ferr(v, true);
	return false;
}

static u32 run(struct vcpu *v, const struct fpu_op *op, void *mem, u32 eax)
{
	const void *stub = fpu_stub(fpu_op_key(op), op->flags & FPU_FLAGS);
	u32 fault;

	eax = fpu_host_call(v, stub, mem, eax, &fault);
	if (unlikely(fault)) {
		if (fault == VEC_XM && !(v->cr4 & CR4_OSXMMEXCPT))
			fault = VEC_UD;
		cpu_raise(v, (u8)fault, 0);
	}
	return eax;
}

/*
 * The operand where it lies, when its page is mapped for the access and it crosses no page; NULL
 * when it has to go the long way. The same test as cpu/mem.h's inline paths make.
 */
static void *operand_in_place(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	const struct segment *s = &v->seg[seg];
	bool write = op->flags & FPU_WRITES;
	u32 lin = s->base + off;
	const struct tlb_entry *e = tlb_slot(v, lin);
	u32 last_page = (lin + op->size - 1) & PAGE_MASK;

	if (off >= (write ? s->wr_count : s->rd_count) ||
	    last_page != (write ? e->wr_tag : e->rd_tag))
		return NULL;
	return (void *)(lin + e->addend);
}

/* An unmasked invalid operation, overflow or underflow leaves the destination as it was. */
static bool store_suppressed(struct vcpu *v, const struct fpu_op *op)
{
	u16 status, control;
	u32 fault;

	if (op->class != FPU_X87 || (op->flags & FPU_CONTROL))
		return false;
	status = fpu_host_status(v);
	if (likely(!(status & FPU_SW_ES)))
		return false;
	fpu_host_call(v, fpu_stub(FPU_KEY_FNSTCW, false), &control, 0, &fault);
	return status & ~control & (FPU_SW_IE | FPU_SW_OE | FPU_SW_UE);
}

static u32 run_with_buffer(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off, u32 eax)
{
	u8 buf[16] __attribute__((aligned(16)));

	if (op->flags & FPU_READS) {
		mem_read_bytes(v, seg, off, buf, op->size);
		return run(v, op, buf, eax);
	}
	mem_probe_write(v, seg, off, op->size);
	eax = run(v, op, buf, eax);
	if (!store_suppressed(v, op))
		mem_write_bytes(v, seg, off, buf, op->size);
	return eax;
}

/* Flags as the stubs take them: LAHF's byte in AH, OF in AL. */
static u32 flags_to_stub(u32 eflags)
{
	return (eflags & 0xff) << 8 | (eflags & FLAG_OF ? 1 : 0);
}

static u32 flags_from_stub(u32 eflags, u32 eax)
{
	return (eflags & ~FLAGS_ARITH) | ((eax >> 8) & (FLAGS_ARITH & 0xff)) |
	       (eax & 1 ? FLAG_OF : 0);
}

static void exec_stub(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	u32 eflags = 0, eax = 0;
	void *mem = NULL;

	if (op->flags & FPU_FLAGS) {
		eflags = vcpu_eflags(v);
		eax = flags_to_stub(eflags);
	}
	if (op->flags & FPU_HAS_MEM)
		mem = operand_in_place(v, op, seg, off);
	if (mem || !(op->flags & FPU_HAS_MEM))
		eax = run(v, op, op->flags & FPU_GPR_MEM ? &v->gpr[op->gpr] : mem, eax);
	else
		eax = run_with_buffer(v, op, seg, off, eax);
	if (op->flags & FPU_GPR_OUT)
		v->gpr[op->gpr] = eax;
	if (op->flags & FPU_FLAGS)
		vcpu_set_eflags(v, flags_from_stub(eflags, eax));
}

/* MOVQ [mem], mm: also what makes the x87 state MMX's, as every MMX instruction does. */
static u64 read_mmx(struct vcpu *v, unsigned reg)
{
	u64 value;
	u32 fault;

	fpu_host_call(v, fpu_stub(FPU_KEY(0x0f, 0x7f, reg << 3 | 1), false), &value, 0, &fault);
	return value;
}

static void exec_maskmovq(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	u64 value, mask;

	mem_probe_write(v, seg, off, op->size);
	value = read_mmx(v, (op->guest_modrm >> 3) & 7);
	mask = read_mmx(v, op->guest_modrm & 7);
	for (unsigned i = 0; i < 8; i++) {
		if ((mask >> (8 * i)) & 0x80)
			mem_write8(v, seg, off + i, (u8)(value >> (8 * i)));
	}
}

static void exec_ldmxcsr(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	u32 value;

	mem_read_bytes(v, seg, off, &value, 4);
	if (value & ~MXCSR_VALID)
		cpu_raise_gp0(v);
	run(v, op, &value, 0);
}

static void clear_pointers(struct vcpu *v)
{
	v->fpu_ip = v->fpu_dp = 0;
	v->fpu_cs = v->fpu_ds = v->fpu_opcode = 0;
}

static void note_pointers(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	v->fpu_ip = v->eip;
	v->fpu_cs = v->seg[SEG_CS].sel;
	v->fpu_opcode = (op->opcode & 7) << 8 | op->guest_modrm;
	if (op->flags & FPU_HAS_MEM) {
		v->fpu_dp = off;
		v->fpu_ds = v->seg[seg].sel;
	}
}

static void dispatch(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	switch ((enum fpu_kind)op->kind) {
	case FPU_K_STUB:
	case FPU_K_STMXCSR:
		exec_stub(v, op, seg, off);
		break;
	case FPU_K_FNINIT:
		exec_stub(v, op, seg, off);
		clear_pointers(v);
		break;
	case FPU_K_FNSTENV:
		fpu_fnstenv(v, op, seg, off);
		break;
	case FPU_K_FNSAVE:
		fpu_fnstenv(v, op, seg, off);
		clear_pointers(v);
		break;
	case FPU_K_FLDENV:
	case FPU_K_FRSTOR:
		fpu_fldenv(v, op, seg, off);
		break;
	case FPU_K_FXSAVE:
		fpu_fxsave(v, seg, off);
		break;
	case FPU_K_FXRSTOR:
		fpu_fxrstor(v, seg, off);
		break;
	case FPU_K_LDMXCSR:
		exec_ldmxcsr(v, op, seg, off);
		break;
	case FPU_K_MASKMOVQ:
		exec_maskmovq(v, op, seg, off);
		break;
	case FPU_K_NOP:
	case FPU_K_FWAIT:
		break;
	}
}

static bool loads_control(const struct fpu_op *op)
{
	return op->kind == FPU_K_FLDENV || op->kind == FPU_K_FRSTOR ||
	       (op->opcode == 0xd9 && op->prefix == 0 && op->modrm == (5 << 3 | 1));
}

static void control_stub(struct vcpu *v, u32 key, void *mem)
{
	u32 fault;

	fpu_host_call(v, fpu_stub(key, false), mem, 0, &fault);
}

/*
 * With IGNNE# asserted a waiting instruction runs in spite of the pending exception. The host's own
 * FPU would trap, so every exception is masked and none pending meanwhile.
 */
static void exec_ignoring(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	u32 env[7];
	u32 control;

	control_stub(v, FPU_KEY_FNSTENV, env);
	control = env[0];
	env[0] |= 0x3f;
	env[1] &= ~(u32)(FPU_SW_ES | 0x8000);
	control_stub(v, FPU_KEY_FLDENV, env);
	dispatch(v, op, seg, off);
	if (loads_control(op))
		return;
	control_stub(v, FPU_KEY_FNSTENV, env);
	env[0] = control;
	control_stub(v, FPU_KEY_FLDENV, env);
}

/* With FXSAVE and FXRSTOR the segment comes first, as far as the first byte goes. */
static _Noreturn void raise_misaligned(struct vcpu *v, const struct fpu_op *op, unsigned seg,
				       u32 off)
{
	if (is_fx(op))
		segment_check(v, &v->seg[seg], off, 1, op->flags & FPU_WRITES,
			      seg == SEG_SS ? VEC_SS : VEC_GP, 0);
	cpu_raise_gp0(v);
}

bool fpu_exec(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	bool ignoring = false;

	check_available(v, op);
	if (unlikely(v->fpu_native))
		fpu_take_pointers(v);
	if ((op->flags & FPU_WAITING) && unlikely(fpu_host_status(v) & FPU_SW_ES)) {
		if (!report_pending(v))
			return false;
		ignoring = true;
	}
	if ((op->flags & FPU_ALIGN16) && ((v->seg[seg].base + off) & 15))
		raise_misaligned(v, op, seg, off);
	if (unlikely(ignoring))
		exec_ignoring(v, op, seg, off);
	else
		dispatch(v, op, seg, off);
	if (op->class == FPU_X87 && !(op->flags & FPU_CONTROL))
		note_pointers(v, op, seg, off);
	update_ferr(v);
	return true;
}

void fpu_reset(struct vcpu *v)
{
	u8 *fx = v->fpu.bytes;

	memset(fx, 0, FX_SIZE);
	fx[FX_FCW] = 0x40;
	fx[FX_FTW] = 0xff; /* registers hold +0.0, none is empty */
	memcpy(fx + FX_MXCSR, &(u32){MXCSR_RESET}, 4);
	clear_pointers(v);
	v->fpu_native = false;
	fpu_host_replace(v);
	drive_ferr(v, false);
}

void fpu_sync(struct vcpu *v)
{
	if (v->fpu_native)
		fpu_take_pointers(v);
	fpu_host_store(v);
	fpu_put_pointers(v, v->fpu.bytes);
	v->fpu_loaded = false;
}

void fpu_go_native(struct vcpu *v)
{
	fpu_sync(v);
	fpu_host_load(v);
	v->fpu_native = true;
}
