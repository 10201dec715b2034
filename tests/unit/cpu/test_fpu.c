// SPDX-License-Identifier: BSD-2-Clause
/*
 * What surrounds the host FPU: which control bits fault, pending exceptions through #MF or FERR#,
 * environment images in their four layouts, stores that fault, and the state images' conversion.
 */
#include <string.h>
#include "cpu/interp/fpu_host.h"
#include "tests/unit/cpu/support_vm.h"

#define AT 0x50000u

static struct vcpu *const v = &vm.v;
static bool ferr, ignne;

static void drive_ferr(void *ctx, bool level)
{
	(void)ctx;
	ferr = level;
}

static bool read_ignne(void *ctx)
{
	(void)ctx;
	return ignne;
}

static const struct vcpu_ops ops = {.ferr = drive_ferr, .ignne = read_ignne};

/* One instruction with its memory operand at DS:AT: prefix F3 or 0, two-byte or not. */
static bool exec(unsigned prefix, bool two_byte, u8 opcode, u8 modrm)
{
	struct fpu_op op;

	CHECK(fpu_decode(prefix, two_byte, opcode, modrm, &op) >= FPU_X87);
	return fpu_exec(v, &op, SEG_DS, AT);
}

static bool x87(u8 opcode, u8 modrm)
{
	return exec(0, false, opcode, modrm);
}

static void start(void)
{
	vm_protected();
	v->ops = &ops;
	v->cr0 |= CR0_NE;
	v->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	ferr = ignne = false;
	fpu_reset(v);
	x87(0xdb, 0xe3); /* fninit */
	v->eip = 0x1234;
}

static u16 status(void)
{
	return fpu_host_status(v);
}

static void set_control(u16 control)
{
	set_ram16(AT, control);
	x87(0xd9, 0x28); /* fldcw */
}

/* 1.0 / 0.0 with zero-divide unmasked. */
static void make_pending(void)
{
	set_control(0x37b);
	x87(0xd9, 0xe8); /* fld1 */
	x87(0xd9, 0xee); /* fldz */
	x87(0xde, 0xf9); /* fdivp */
	CHECK(status() & FPU_SW_ES);
}

static void test_decode(void)
{
	struct fpu_op op;

	CHECK_EQ(fpu_decode(0, true, 0x0d, 0, &op), FPU_NONE);
	CHECK_EQ(fpu_decode(0, true, 0xa2, 0, &op), FPU_NONE);
	CHECK_EQ(fpu_decode(0, false, 0x90, 0, &op), FPU_NONE);
	CHECK_EQ(fpu_decode(FPU_PREFIX_66, true, 0x6f, 0xc0, &op), FPU_UD); /* SSE2 */
	CHECK_EQ(fpu_decode(FPU_PREFIX_F2, true, 0x10, 0xc0, &op), FPU_UD);
	CHECK_EQ(fpu_decode(FPU_PREFIX_F3, true, 0x6f, 0xc0, &op), FPU_UD);
	CHECK_EQ(fpu_decode(0, true, 0xd4, 0xc0, &op), FPU_UD); /* PADDQ */
	CHECK_EQ(fpu_decode(0, true, 0x5b, 0xc0, &op), FPU_UD);
	CHECK_EQ(fpu_decode(0, true, 0xc3, 0x00, &op), FPU_UD); /* MOVNTI */
	CHECK_EQ(fpu_decode(0, true, 0xae, 0xe8, &op), FPU_UD); /* LFENCE */
	CHECK_EQ(fpu_decode(0, true, 0xae, 0x38, &op), FPU_UD); /* CLFLUSH */
	CHECK_EQ(fpu_decode(0, true, 0xae, 0xf8, &op), FPU_SSE);
	CHECK_EQ(fpu_decode(0, false, 0xdd, 0x08, &op), FPU_UD); /* FISTTP */
	CHECK_EQ(fpu_decode(FPU_PREFIX_LOCK, false, 0xd8, 0x00, &op), FPU_UD);
	CHECK_EQ(fpu_decode(FPU_PREFIX_66, false, 0xd8, 0xc0, &op), FPU_X87);
	CHECK_EQ(fpu_decode(FPU_PREFIX_F3, true, 0x58, 0x00, &op), FPU_SSE);
	CHECK_EQ(op.size, 4);
	CHECK_EQ(fpu_decode(0, true, 0x61, 0x00, &op), FPU_MMX);
	CHECK_EQ(op.size, 4);
	CHECK_EQ(fpu_decode(FPU_OPSIZE16, false, 0xdd, 0x30, &op), FPU_X87);
	CHECK_EQ(op.size, 94);
}

static void test_availability(void)
{
	start();
	v->cr0 |= CR0_EM;
	CHECK_RAISES(x87(0xd9, 0xe8), VEC_NM, 0);
	CHECK_RAISES(exec(0, true, 0x77, 0), VEC_UD, 0);
	CHECK_RAISES(exec(0, true, 0x58, 0xc0), VEC_UD, 0);
	CHECK(!RAISES(exec(0, false, 0x9b, 0)));
	CHECK(!RAISES(exec(0, true, 0xae, 0xf8))); /* sfence */
	start();
	v->cr0 |= CR0_TS;
	CHECK_RAISES(x87(0xd9, 0xe8), VEC_NM, 0);
	CHECK_RAISES(exec(0, true, 0x77, 0), VEC_NM, 0);
	CHECK_RAISES(exec(0, true, 0xae, 0x00), VEC_NM, 0);
	CHECK(!RAISES(exec(0, false, 0x9b, 0)));
	v->cr0 |= CR0_MP;
	CHECK_RAISES(exec(0, false, 0x9b, 0), VEC_NM, 0);
	start();
	v->cr4 &= ~CR4_OSFXSR;
	CHECK_RAISES(exec(0, true, 0x58, 0xc0), VEC_UD, 0);
	CHECK(!RAISES(exec(0, true, 0xae, 0x00))); /* fxsave needs no OSFXSR */
	CHECK(!RAISES(exec(0, true, 0xe0, 0xc0))); /* nor does pavgb */
	start();
	v->feature_mask = BIT(0) | BIT(23) | BIT(24);
	CHECK_RAISES(exec(0, true, 0x58, 0xc0), VEC_UD, 0);
	CHECK_RAISES(exec(0, true, 0xe0, 0xc0), VEC_UD, 0);
	CHECK(!RAISES(exec(0, true, 0xef, 0xc0)));
}

static void test_pending_mf(void)
{
	start();
	make_pending();
	CHECK_RAISES(x87(0xd9, 0xe8), VEC_MF, 0);
	CHECK_RAISES(exec(0, false, 0x9b, 0), VEC_MF, 0);
	CHECK_RAISES(exec(0, true, 0xef, 0xc0), VEC_MF, 0);
	CHECK(!RAISES(exec(0, true, 0x58, 0xc0)));
	CHECK(!RAISES(x87(0xdf, 0xe0))); /* fnstsw ax */
	CHECK_EQ(v->gpr[REG_EAX] & 0x84, 0x84);
	CHECK(!RAISES(x87(0xdb, 0xe2))); /* fnclex */
	CHECK(!RAISES(x87(0xd9, 0xe8)));
	CHECK(!ferr);
}

static void test_pending_ferr(void)
{
	start();
	v->cr0 &= ~CR0_NE;
	make_pending();
	CHECK(!ferr);
	CHECK(!x87(0xd9, 0xe8)); /* waits for IRQ 13, again and again */
	CHECK(ferr);
	CHECK(!x87(0xd9, 0xe8));
	ignne = true; /* the handler has written to port F0h */
	CHECK(x87(0xd9, 0xe8));
	CHECK(status() & FPU_SW_ES);
	CHECK(ferr);
	CHECK(x87(0xdb, 0xe2));
	CHECK(!ferr);
	ignne = false;
	CHECK(x87(0xd9, 0xe8));
}

static void test_environment_32(void)
{
	start();
	v->eip = 0x12345678;
	set_ram32(AT, 0x40000000);
	x87(0xd9, 0x00); /* fld dword */
	v->eip = 0x9999;
	x87(0xd9, 0x30); /* fnstenv */
	CHECK_EQ(ram16(AT), 0x37f);
	CHECK_EQ(ram16(AT + 4), 0x3800);
	CHECK_EQ(ram16(AT + 8), 0x3fff);
	CHECK_EQ(ram32(AT + 12), 0x12345678);
	CHECK_EQ(ram32(AT + 16), 0x01000000u | S_CODE0);
	CHECK_EQ(ram32(AT + 20), AT);
	CHECK_EQ(ram16(AT + 24), S_DATA0);
	set_ram32(AT + 12, 0xaabbccdd);
	x87(0xd9, 0x20); /* fldenv */
	CHECK_EQ(v->fpu_ip, 0xaabbccdd);
	CHECK_EQ(v->fpu_dp, AT);
}

static void test_environment_16(void)
{
	start();
	v->eip = 0x12345678;
	x87(0xd9, 0xe8);
	exec(FPU_OPSIZE16, false, 0xd9, 0x30);
	CHECK_EQ(ram16(AT + 2), 0x3800);
	CHECK_EQ(ram16(AT + 4), 0x3fff);
	CHECK_EQ(ram16(AT + 6), 0x5678);
	CHECK_EQ(ram16(AT + 8), S_CODE0);
}

/* Real mode: linear addresses, the opcode in the 16-bit form too. */
static void test_environment_real(void)
{
	vm_init();
	v->ops = &ops;
	x87(0xdb, 0xe3);
	v->seg[SEG_CS].sel = 0x1234;
	v->eip = 0x0100;
	v->seg[SEG_DS].base = 0x40000;
	v->seg[SEG_DS].sel = 0x4000;
	v->seg[SEG_DS].limit = ~0u;
	segment_derive(&v->seg[SEG_DS]);
	x87(0xd9, 0x00);
	x87(0xd9, 0x30);
	CHECK_EQ(ram32(AT + 0x40000 + 12), 0xffff2440);
	CHECK_EQ(ram32(AT + 0x40000 + 16), 0x1000 | 0x100);
	CHECK_EQ(ram32(AT + 0x40000 + 20), 0xffff0000);
	CHECK_EQ(ram32(AT + 0x40000 + 24), 0x9000);
	exec(FPU_OPSIZE16, false, 0xd9, 0x30);
	CHECK_EQ(ram16(AT + 0x40000 + 6), 0x2440);
	CHECK_EQ(ram16(AT + 0x40000 + 8), 0x1000 | 0x100);
	exec(FPU_OPSIZE16, false, 0xd9, 0x20);
	CHECK_EQ(v->fpu_ip, 0x12440);
	CHECK_EQ(v->fpu_dp, 0x90000);
	CHECK_EQ(v->fpu_opcode, 0x100);
}

static void test_save_restore(void)
{
	start();
	x87(0xd9, 0xeb); /* fldpi */
	x87(0xd9, 0xe8);
	x87(0xdd, 0x30); /* fnsave */
	CHECK_EQ(status(), 0);
	CHECK_EQ(v->fpu.bytes[FX_FTW], 0);
	CHECK_EQ(v->fpu_opcode, 0);
	CHECK_EQ(ram16(AT + 28 + 8), 0x3fff);
	CHECK_EQ(ram16(AT + 38 + 8), 0x4000);
	x87(0xdd, 0x20); /* frstor */
	CHECK_EQ(v->fpu.bytes[FX_FTW], 0xc0);
	CHECK_EQ(status() & 0x3800, 0x3000);
}

static void test_fx(void)
{
	start();
	v->eip = 0x4321;
	x87(0xd9, 0xe8);
	exec(0, true, 0xae, 0x00);
	CHECK_EQ(ram32(AT + FX_FIP), 0x4321);
	CHECK_EQ(ram32(AT + FX_FCS), S_CODE0);
	CHECK_EQ(ram16(AT + FX_FOP), 0x1e8);
	CHECK_EQ(ram32(AT + FX_MXCSR), MXCSR_RESET);
	CHECK_EQ(ram32(AT + FX_MXCSR_MASK), MXCSR_VALID);
	set_ram32(AT + FX_MXCSR, 0x10000);
	CHECK_RAISES(exec(0, true, 0xae, 0x08), VEC_GP, 0);
	set_ram32(AT + FX_MXCSR, 0x1fc0); /* denormals are zeros: not a Pentium III's */
	CHECK_RAISES(exec(0, true, 0xae, 0x08), VEC_GP, 0);
	CHECK_EQ(v->fpu.bytes[FX_FTW], 0x80);
	set_ram32(AT + FX_MXCSR, 0x1f80);
	set_ram32(AT + FX_FIP, 0x77);
	exec(0, true, 0xae, 0x08);
	CHECK_EQ(v->fpu_ip, 0x77);
	set_ram32(AT, 0x1fc0);
	CHECK_RAISES(exec(0, true, 0xae, 0x10), VEC_GP, 0);
}

/* A store that faults pops nothing; one with an unmasked invalid operation writes nothing. */
static void test_stores(void)
{
	start();
	x87(0xd9, 0xe8);
	v->seg[SEG_DS].limit = AT + 2;
	segment_derive(&v->seg[SEG_DS]);
	CHECK_RAISES(x87(0xd9, 0x18), VEC_GP, 0);
	CHECK_EQ(v->fpu.bytes[FX_FTW], 0x80);
	start();
	x87(0xd9, 0xeb);
	x87(0xd9, 0xfa);
	set_control(0x37e);
	x87(0xd9, 0xe0);
	x87(0xd9, 0xfa); /* fsqrt of a negative number: pending */
	CHECK(status() & FPU_SW_ES);
	x87(0xdb, 0xe2);
	set_ram32(AT, 0x4f800000); /* 2^32 */
	x87(0xd9, 0x00);
	set_ram32(AT, 0x11223344);
	x87(0xdb, 0x18); /* fistp dword: too big, unmasked */
	CHECK_EQ(ram32(AT), 0x11223344);
	CHECK(status() & FPU_SW_ES);
}

static void test_maskmovq(void)
{
	struct fpu_op op;

	start();
	set_ram32(AT, 0x04030201);
	set_ram32(AT + 4, 0x08070605);
	exec(0, true, 0x6f, 0x00); /* movq mm0, [AT] */
	set_ram32(AT, 0x80008000);
	set_ram32(AT + 4, 0x00000080);
	exec(0, true, 0x6f, 0x08);
	set_ram32(AT, 0xeeeeeeee);
	set_ram32(AT + 4, 0xeeeeeeee);
	CHECK_EQ(fpu_decode(0, true, 0xf7, 0xc1, &op), FPU_MMX);
	CHECK(op.flags & FPU_DI);
	fpu_exec(v, &op, SEG_DS, AT);
	CHECK_EQ(ram32(AT), 0x04ee02ee);
	CHECK_EQ(ram32(AT + 4), 0xeeeeee05);
}

static void test_images(void)
{
	u8 fsave[108], again[108], fx[FX_XMM];

	start();
	for (unsigned i = 0; i < 5; i++)
		x87(0xd9, 0xe8 + i);
	x87(0xdd, 0x30);
	memcpy(fsave, vm.ram + AT, sizeof(fsave));
	fpu_fsave_to_fx(fsave, fx);
	CHECK_EQ(fx[FX_FTW], 0xf8);
	fpu_fx_to_fsave(fx, again);
	CHECK(memcmp(again + 28, fsave + 28, 80) == 0);
	CHECK(memcmp(again, fsave, 2) == 0 && memcmp(again + 4, fsave + 4, 2) == 0);
	CHECK_EQ((again[8] | again[9] << 8) & 0x3f, 0x3f);
	memcpy(vm.ram + AT, again, sizeof(again));
	x87(0xdd, 0x20);
	CHECK_EQ(v->fpu.bytes[FX_FTW], 0xf8);
}

int main(void)
{
	test_decode();
	test_availability();
	test_pending_mf();
	test_pending_ferr();
	test_environment_32();
	test_environment_16();
	test_environment_real();
	test_save_restore();
	test_fx();
	test_stores();
	test_maskmovq();
	test_images();
	return check_done();
}
