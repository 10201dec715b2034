// SPDX-License-Identifier: BSD-2-Clause
/*
 * FSAVE's image and FXSAVE's, for hosts that have only FSAVE (Pentium). The tag word differs: FSAVE
 * has two bits a register, FXSAVE one that says "not empty"; FRSTOR finds the rest out itself (SDM
 * vol. 1, 8.1.7 and 10.5.1.1).
 */
#include "cpu/interp/fpu_host.h"
#include "lib/str.h"

#define FSAVE_ENV 28u
#define FSAVE_IP  12u
#define FSAVE_CS  16u /* and the opcode above it */
#define FSAVE_DP  20u
#define FSAVE_DS  24u
#define ST_SIZE	  10u

void fpu_fsave_to_fx(const u8 *fsave, u8 *fx)
{
	u32 tags = fsave[8] | fsave[9] << 8;

	memset(fx, 0, FX_XMM);
	memcpy(fx + FX_FCW, fsave, 2);
	memcpy(fx + FX_FSW, fsave + 4, 2);
	for (unsigned i = 0; i < 8; i++) {
		if (((tags >> (2 * i)) & 3) != 3)
			fx[FX_FTW] |= BIT(i);
		memcpy(fx + FX_ST + 16 * i, fsave + FSAVE_ENV + ST_SIZE * i, ST_SIZE);
	}
	memcpy(fx + FX_FIP, fsave + FSAVE_IP, 4);
	memcpy(fx + FX_FCS, fsave + FSAVE_CS, 2);
	memcpy(fx + FX_FOP, fsave + FSAVE_CS + 2, 2);
	memcpy(fx + FX_FDP, fsave + FSAVE_DP, 4);
	memcpy(fx + FX_FDS, fsave + FSAVE_DS, 2);
	memcpy(fx + FX_MXCSR, &(u32){MXCSR_RESET}, 4);
}

void fpu_fx_to_fsave(const u8 *fx, u8 *fsave)
{
	u32 tags = 0;

	memset(fsave, 0, FSAVE_ENV);
	memcpy(fsave, fx + FX_FCW, 2);
	memcpy(fsave + 4, fx + FX_FSW, 2);
	memcpy(fsave + FSAVE_IP, fx + FX_FIP, 4);
	memcpy(fsave + FSAVE_CS, fx + FX_FCS, 2);
	memcpy(fsave + FSAVE_CS + 2, fx + FX_FOP, 2);
	memcpy(fsave + FSAVE_DP, fx + FX_FDP, 4);
	memcpy(fsave + FSAVE_DS, fx + FX_FDS, 2);
	for (unsigned i = 0; i < 8; i++) {
		if (!(fx[FX_FTW] & BIT(i)))
			tags |= 3u << (2 * i);
		memcpy(fsave + FSAVE_ENV + ST_SIZE * i, fx + FX_ST + 16 * i, ST_SIZE);
	}
	fsave[8] = (u8)tags;
	fsave[9] = (u8)(tags >> 8);
}
