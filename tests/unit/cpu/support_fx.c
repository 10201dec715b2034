// SPDX-License-Identifier: BSD-2-Clause
/* Random FPU state, with a liking for the values that behave specially. */
#include <string.h>
#include "tests/unit/cpu/support.h"

u32 gen_mxcsr(struct rng *r)
{
	u32 value = 0x1f80 | (rng_below(r, 4) << 13);

	if (rng_one_in(r, 4))
		value |= 0x8000; /* flush to zero */
	if (rng_one_in(r, 4))
		value |= rng_below(r, 64); /* flags */
	if (rng_one_in(r, 10))
		value &= ~(rng_below(r, 64) << 7); /* unmasked */
	return value;
}

static u32 float32(struct rng *r)
{
	static const u32 special[] = {0,	  0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
				      0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff, 0x00000001,
				      0x807fffff, 0x00800000, 0x7f7fffff, 0x4f000000, 0xcf000000,
				      0x5f000000, 0x3f000000, 0x40490fdb};

	if (rng_one_in(r, 2))
		return special[rng_below(r, ARRAY_SIZE(special))];
	if (rng_one_in(r, 2))
		return (rng_next(r) & 0x807fffff) | (0x70 + rng_below(r, 0x20)) << 23;
	return rng_next(r);
}

/* An 80-bit register: sign and exponent, significand. */
static void float80(struct rng *r, u8 *p)
{
	static const struct {
		u16 head;
		u64 significand;
	} special[] = {
		{0, 0},
		{0x8000, 0},
		{0x3fff, 0x8000000000000000ull},
		{0xbfff, 0x8000000000000000ull},
		{0x7fff, 0x8000000000000000ull}, /* infinity */
		{0xffff, 0x8000000000000000ull},
		{0x7fff, 0xc000000000000000ull}, /* quiet NaN */
		{0x7fff, 0x8000000000000001ull}, /* signalling NaN */
		{0x0000, 1},			 /* denormal */
		{0x0001, 0x8000000000000000ull},
		{0x0000, 0x8000000000000000ull}, /* pseudo-denormal */
		{0x4000, 0x0123456789abcdefull}, /* unnormal */
		{0x7ffe, 0xffffffffffffffffull},
		{0x401e, 0x8000000000000000ull}, /* 2^31 */
		{0xc03e, 0x8000000000000000ull}, /* -2^63 */
		{0x3ffe, 0x8000000000000000ull},
		{0x4000, 0xc90fdaa22168c235ull}, /* pi */
		{0x43fe, 0xfffffffffffffc00ull}, /* largest double */
	};
	u32 n = rng_below(r, ARRAY_SIZE(special));
	u16 head = special[n].head;
	u64 significand = special[n].significand;

	if (rng_one_in(r, 2)) {
		head = (u16)(0x3ff0 + rng_below(r, 0x60)) | (u16)(rng_next(r) & 0x8000);
		significand = 1ull << 63 | (u64)rng_next(r) << 32 | rng_next(r);
		if (rng_one_in(r, 2))
			significand &= ~0ull << rng_below(r, 64); /* few digits: exact results */
		significand |= 1ull << 63;
	}
	memcpy(p, &significand, 8);
	memcpy(p + 8, &head, 2);
}

static u16 control_word(struct rng *r)
{
	u16 control = 0x37f;

	if (rng_one_in(r, 2))
		control = (u16)((control & ~0xf00) | rng_below(r, 16) << 8);
	if (rng_one_in(r, 6))
		control &= (u16)~rng_below(r, 64);
	return control;
}

static u16 status_word(struct rng *r, u16 control)
{
	u16 status = (u16)(rng_below(r, 8) << 11 | (rng_next(r) & 0x4700));

	if (rng_one_in(r, 4))
		status |= (u16)rng_below(r, 64) & control; /* masked ones: nothing pending */
	if (rng_one_in(r, 24))
		status |= (u16)rng_below(r, 64);
	if (status & ~control & 0x3f)
		status |= 0x8080;
	return status;
}

void gen_fpu_state(struct rng *r, u8 *fx)
{
	u16 control = control_word(r), status = status_word(r, control);
	u32 mxcsr = gen_mxcsr(r), mask = 0xffff;

	memset(fx, 0, FX_BYTES);
	memcpy(fx, &control, 2);
	memcpy(fx + 2, &status, 2);
	fx[4] = rng_one_in(r, 2) ? 0xff : (u8)rng_next(r);
	memcpy(fx + 24, &mxcsr, 4);
	memcpy(fx + 28, &mask, 4);
	for (unsigned i = 0; i < 8; i++)
		float80(r, fx + 32 + 16 * i);
	for (unsigned i = 0; i < 32; i++) {
		u32 value = float32(r);

		memcpy(fx + 160 + 4 * i, &value, 4);
	}
}
