/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixed-width integers and the few macros every file uses. */
#ifndef FARBUS_LIB_TYPES_H
#define FARBUS_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define BIT(n)		     (1u << (n))
#define ARRAY_SIZE(a)	     (sizeof(a) / sizeof((a)[0]))
#define container_of(p, t, m) ((t *)((char *)(p)-offsetof(t, m)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define KB (1024u)
#define MB (1024u * 1024u)

#define PAGE_SIZE  4096u
#define PAGE_SHIFT 12
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#endif
