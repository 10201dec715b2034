// SPDX-License-Identifier: BSD-2-Clause
/*
 * FNSTENV, FLDENV, FNSAVE, FRSTOR, FXSAVE, FXRSTOR. Control, status and tag words and the registers
 * come from the host FPU; the last-instruction pointers are the guest's, which only v knows. The
 * four layouts of the environment are SDM vol. 1, figures 8-9 to 8-12.
 */
#include "cpu/cpu.h"
#include "cpu/interp/fpu_host.h"
#include "cpu/mem.h"
#include "lib/str.h"

#define ENV_SIZE 28u /* the 32-bit protected-mode form, which the host uses */
#define REGS	 80u
#define SAVE_MAX (ENV_SIZE + REGS)

/* What the environment holds, whatever its layout. */
struct env {
	u16 control, status, tags;
	u16 cs, ds, opcode;
	u32 ip, dp;
};

static void put16(u8 *p, u16 value)
{
	memcpy(p, &value, 2);
}

static void put32(u8 *p, u32 value)
{
	memcpy(p, &value, 4);
}

static u16 get16(const u8 *p)
{
	u16 value;

	memcpy(&value, p, 2);
	return value;
}

static u32 get32(const u8 *p)
{
	u32 value;

	memcpy(&value, p, 4);
	return value;
}

/* Reserved halves are stored as ones. */
static void put_half(u8 *p, u16 value)
{
	put32(p, 0xffff0000u | value);
}

static void env_put_16(const struct env *e, u8 *p, bool real)
{
	u32 ip = e->ip, dp = e->dp;

	if (real) { /* linear addresses, bits 16-19 in the word after */
		ip += (u32)e->cs << 4;
		dp += (u32)e->ds << 4;
	}
	put16(p, e->control);
	put16(p + 2, e->status);
	put16(p + 4, e->tags);
	put16(p + 6, (u16)ip);
	put16(p + 8, real ? (u16)(((ip >> 4) & 0xf000) | e->opcode) : e->cs);
	put16(p + 10, (u16)dp);
	put16(p + 12, real ? (dp >> 4) & 0xf000 : e->ds);
}

static void env_put_32(const struct env *e, u8 *p, bool real)
{
	put_half(p, e->control);
	put_half(p + 4, e->status);
	put_half(p + 8, e->tags);
	if (real) {
		u32 ip = e->ip + ((u32)e->cs << 4), dp = e->dp + ((u32)e->ds << 4);

		put_half(p + 12, (u16)ip);
		put32(p + 16, ((ip >> 4) & 0x0ffff000) | e->opcode);
		put_half(p + 20, (u16)dp);
		put32(p + 24, (dp >> 4) & 0x0ffff000);
	} else {
		put32(p + 12, e->ip);
		put32(p + 16, (u32)e->opcode << 16 | e->cs);
		put32(p + 20, e->dp);
		put_half(p + 24, e->ds);
	}
}

static void env_get_16(struct env *e, const u8 *p, bool real)
{
	u16 high_ip = get16(p + 8), high_dp = get16(p + 12);

	*e = (struct env){get16(p), get16(p + 2), get16(p + 4), high_ip, high_dp,
			  0,	    get16(p + 6), get16(p + 10)};
	if (real) {
		e->ip |= (u32)(high_ip & 0xf000) << 4;
		e->dp |= (u32)(high_dp & 0xf000) << 4;
		e->opcode = high_ip & 0x7ff;
		e->cs = e->ds = 0;
	}
}

static void env_get_32(struct env *e, const u8 *p, bool real)
{
	u32 high_ip = get32(p + 16), high_dp = get32(p + 24);

	*e = (struct env){get16(p),	 get16(p + 4), get16(p + 8),
			  (u16)high_ip,	 (u16)high_dp, (high_ip >> 16) & 0x7ff,
			  get32(p + 12), get32(p + 20)};
	if (real) {
		e->ip = get16(p + 12) | (high_ip & 0x0ffff000) << 4;
		e->dp = get16(p + 20) | (high_dp & 0x0ffff000) << 4;
		e->opcode = high_ip & 0x7ff;
		e->cs = e->ds = 0;
	}
}

static void call(struct vcpu *v, u32 key, void *mem)
{
	u32 fault;

	fpu_host_call(v, fpu_stub(key, false), mem, 0, &fault);
}

/* FNSTENV and FNSAVE; both also change the FPU, so memory is probed before. */
void fpu_fnstenv(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	bool save = op->kind == FPU_K_FNSAVE, is_16 = op->flags & FPU_IS_16;
	u8 host[SAVE_MAX], image[SAVE_MAX];
	u32 head = is_16 ? 14 : ENV_SIZE;
	struct env e;

	mem_probe_write(v, seg, off, op->size);
	call(v, save ? FPU_KEY_FNSAVE : FPU_KEY_FNSTENV, host);
	e = (struct env){get16(host), get16(host + 4), get16(host + 8), v->fpu_cs,
			 v->fpu_ds,   v->fpu_opcode,   v->fpu_ip,	v->fpu_dp};
	if (is_16)
		env_put_16(&e, image, vcpu_real_segments(v));
	else
		env_put_32(&e, image, vcpu_real_segments(v));
	if (save)
		memcpy(image + head, host + ENV_SIZE, REGS);
	mem_write_bytes(v, seg, off, image, op->size);
}

/* FLDENV and FRSTOR. */
void fpu_fldenv(struct vcpu *v, const struct fpu_op *op, unsigned seg, u32 off)
{
	bool restore = op->kind == FPU_K_FRSTOR, is_16 = op->flags & FPU_IS_16;
	u8 host[SAVE_MAX], image[SAVE_MAX];
	u32 head = is_16 ? 14 : ENV_SIZE;
	struct env e;

	mem_read_bytes(v, seg, off, image, op->size);
	if (is_16)
		env_get_16(&e, image, vcpu_real_segments(v));
	else
		env_get_32(&e, image, vcpu_real_segments(v));
	memset(host, 0, ENV_SIZE);
	put_half(host, e.control);
	put_half(host + 4, e.status);
	put_half(host + 8, e.tags);
	if (restore)
		memcpy(host + ENV_SIZE, image + head, REGS);
	call(v, restore ? FPU_KEY_FRSTOR : FPU_KEY_FLDENV, host);
	v->fpu_cs = e.cs;
	v->fpu_ds = e.ds;
	v->fpu_opcode = e.opcode;
	v->fpu_ip = e.ip;
	v->fpu_dp = e.dp;
}

void fpu_put_pointers(const struct vcpu *v, u8 *fx)
{
	put16(fx + FX_FOP, v->fpu_opcode);
	put32(fx + FX_FIP, v->fpu_ip);
	put32(fx + FX_FCS, v->fpu_cs);
	put32(fx + FX_FDP, v->fpu_dp);
	put32(fx + FX_FDS, v->fpu_ds);
	put32(fx + FX_MXCSR_MASK, MXCSR_VALID);
}

void fpu_take_pointers(struct vcpu *v)
{
	const u8 *fx = v->fpu.bytes;

	fpu_host_store(v);
	v->fpu_opcode = get16(fx + FX_FOP) & 0x7ff;
	v->fpu_ip = get32(fx + FX_FIP);
	v->fpu_cs = get16(fx + FX_FCS);
	v->fpu_dp = get32(fx + FX_FDP);
	v->fpu_ds = get16(fx + FX_FDS);
	v->fpu_native = false;
}

void fpu_fxsave(struct vcpu *v, unsigned seg, u32 off)
{
	mem_probe_write(v, seg, off, FX_SIZE);
	fpu_host_store(v);
	fpu_put_pointers(v, v->fpu.bytes);
	mem_write_bytes(v, seg, off, v->fpu.bytes, FX_END);
}

void fpu_fxrstor(struct vcpu *v, unsigned seg, u32 off)
{
	u8 image[FX_SIZE];

	mem_read_bytes(v, seg, off, image, FX_SIZE);
	if (get32(image + FX_MXCSR) & ~MXCSR_VALID)
		cpu_raise_gp0(v);
	memcpy(v->fpu.bytes, image, FX_END);
	fpu_host_replace(v);
	v->fpu_opcode = get16(image + FX_FOP) & 0x7ff;
	v->fpu_ip = get32(image + FX_FIP);
	v->fpu_cs = get16(image + FX_FCS);
	v->fpu_dp = get32(image + FX_FDP);
	v->fpu_ds = get16(image + FX_FDS);
}
