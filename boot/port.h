/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that reach this PC's hardware: ports, the interrupt flag, the TSC. */
#ifndef FARBUS_BOOT_PORT_H
#define FARBUS_BOOT_PORT_H

#include "lib/types.h"

static inline u8 inb(u16 port)
{
	u8 v;
	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline u16 inw(u16 port)
{
	u16 v;
	asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline u32 inl(u16 port)
{
	u32 v;
	asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %1" ::"a"(v), "Nd"(port) : "memory");
}
static inline void outw(u16 port, u16 v)
{
	asm volatile("outw %0, %1" ::"a"(v), "Nd"(port) : "memory");
}
static inline void outl(u16 port, u32 v)
{
	asm volatile("outl %0, %1" ::"a"(v), "Nd"(port) : "memory");
}

/* String forms: count elements of `width` bytes. */
static inline void port_ins(u16 port, unsigned width, void *buf, u32 count)
{
	if (width == 1)
		asm volatile("rep insb" : "+D"(buf), "+c"(count) : "d"(port) : "memory");
	else if (width == 2)
		asm volatile("rep insw" : "+D"(buf), "+c"(count) : "d"(port) : "memory");
	else
		asm volatile("rep insl" : "+D"(buf), "+c"(count) : "d"(port) : "memory");
}
static inline void port_outs(u16 port, unsigned width, const void *buf, u32 count)
{
	if (width == 1)
		asm volatile("rep outsb" : "+S"(buf), "+c"(count) : "d"(port) : "memory");
	else if (width == 2)
		asm volatile("rep outsw" : "+S"(buf), "+c"(count) : "d"(port) : "memory");
	else
		asm volatile("rep outsl" : "+S"(buf), "+c"(count) : "d"(port) : "memory");
}

static inline u64 rdtsc(void)
{
	u64 v;
	asm volatile("rdtsc" : "=A"(v));
	return v;
}

/* Interrupt flag: off, and back to what it was. */
static inline u32 irq_save(void)
{
	u32 flags;
	asm volatile("pushfl; popl %0; cli" : "=r"(flags)::"memory");
	return flags;
}
static inline void irq_restore(u32 flags)
{
	asm volatile("pushl %0; popfl" ::"r"(flags) : "memory", "cc");
}

#endif
