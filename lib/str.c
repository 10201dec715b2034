/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/str.h"

/*
 * String instructions: on the CPUs Farbus runs on they are as fast as any loop from a few dozen
 * bytes on, and under an emulator by far the fastest.
 */
void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;
	size_t words = n / 4;

	asm volatile("rep movsl" : "+D"(d), "+S"(src), "+c"(words)::"memory");
	n &= 3;
	asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n)::"memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		return memcpy(dst, src, n);

	/* dst lies inside the source: from the end down, the odd bytes first. */
	u8 *d = (u8 *)dst + n - 1;
	const u8 *s = (const u8 *)src + n - 1;
	size_t tail = n & 3, words = n / 4;

	asm volatile("std; rep movsb" : "+D"(d), "+S"(s), "+c"(tail)::"memory");
	d -= 3;
	s -= 3;
	asm volatile("rep movsl; cld" : "+D"(d), "+S"(s), "+c"(words)::"memory");
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	void *d = dst;
	size_t words = n / 4;
	u32 pattern = (u8)c * 0x01010101u;

	asm volatile("rep stosl" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	n &= 3;
	asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(pattern) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;
	size_t i = 0;

	while (i + 4 <= n && *(const u32 *)(x + i) == *(const u32 *)(y + i))
		i += 4;
	for (; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (!*a || *a != *b)
			return (u8)*a - (u8)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}
