/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's own string instructions, in a file of their own because they need the registers that
 * the handlers keep (ops.h). Element by element, as the guest's instruction would go.
 */
#include "cpu/interp/interp.h"

void host_copy(void *dst, const void *src, u32 count, u32 size)
{
	u32 ahead = (u32)((u8 *)dst - (const u8 *)src);

	/* Wider elements give the same result unless the source is written just before it is read.
	 */
	if (size < 4 && ahead >= 4) {
		u32 bytes = count * size, words = bytes / 4;

		asm volatile("rep movsl" : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
		count = (bytes & 3) / size;
	}
	if (size == 1)
		asm volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(count) : : "memory");
	else if (size == 2)
		asm volatile("rep movsw" : "+D"(dst), "+S"(src), "+c"(count) : : "memory");
	else
		asm volatile("rep movsl" : "+D"(dst), "+S"(src), "+c"(count) : : "memory");
}

void host_fill(void *dst, u32 value, u32 count, u32 size)
{
	u32 bytes = count * size, words = bytes / 4;

	if (size == 1)
		value = (value & 0xff) * 0x01010101u;
	else if (size == 2)
		value = (value & 0xffff) * 0x00010001u;
	asm volatile("rep stosl" : "+D"(dst), "+c"(words) : "a"(value) : "memory");
	if (bytes & 2)
		asm volatile("stosw" : "+D"(dst) : "a"(value) : "memory");
	if (bytes & 1)
		asm volatile("stosb" : "+D"(dst) : "a"(value) : "memory");
}
