/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This PC: its memory, interrupts, clock and character devices, as the rest of boot/ uses them.
 * Interrupt handlers here only move bytes into rings, set flags and set VCPU_EV_HOST.
 */
#ifndef FARBUS_BOOT_HOST_H
#define FARBUS_BOOT_HOST_H

#include "lib/types.h"

/* --- memory (boot/memory.c, boot/paging.c) --- */

/* Machine-physical memory below 2.75 GB, through the window at 10000000h. */
#define PHYS_WINDOW	 0x10000000u
#define PHYS_WINDOW_SIZE 0xb0000000u
static inline void *phys_ptr(u32 phys)
{
	return (void *)(uintptr_t)(PHYS_WINDOW + phys);
}

/* Uncached mapping of a device's memory, any alignment; NULL when the device window is full. */
void *ioremap(u32 phys, u32 size);

/* Zeroed, 16-byte aligned (page-aligned from 4096 bytes on), never freed. NULL: out of memory. */
void *host_alloc(size_t size);

/* --- interrupts (boot/irq.c) --- */

typedef void (*host_irq_fn)(void *ctx);
/*
 * Calls fn on interrupts of this PC's IRQ line 0-15, in interrupt context with interrupts off and
 * the PIC not yet acknowledged (that is done afterwards). One handler a line; NULL unhooks. The
 * line's mask does not change.
 */
void host_irq_hook(unsigned line, host_irq_fn fn, void *ctx);
void host_irq_mask(unsigned line, bool masked);
/* Makes line level-triggered in this PC's ELCR, where it has one. */
void host_irq_level(unsigned line, bool level);
/* Lines that ask for an interrupt now, masked or not, a bit each (8259A: IRR). */
u16 host_irq_requests(void);

/* --- sleeping (boot/idle.c) --- */

/* Where host_wake() sets a bit: the events of whatever loop runs. */
void host_wake_word(volatile u32 *events, u32 bit);
/* From a handler: the loop has something to do. */
void host_wake(void);
/*
 * Sleeps until an interrupt, unless `*pending` (read with interrupts off) has bits of mask. Returns
 * the host cycles that this took.
 */
u64 host_idle(const volatile u32 *pending, u32 mask);

/* --- time (boot/clock.c) --- */

u64 host_ns(void);	/* since boot; never goes back */
u32 host_tsc_khz(void); /* as calibrated at boot */
/* An interrupt (which wakes) at host_ns() == deadline or a little later, at most 50 ms from now. */
void host_timer_set(u64 deadline_ns);
void host_delay_us(u32 us);

/* --- serial ports (boot/serial.c) --- */

struct host_serial;
/* com 1-4; NULL when there is no UART. Opening again changes the speed. */
struct host_serial *host_serial_open(unsigned com, u32 baud);
int serial_getc(struct host_serial *s);		  /* -1: nothing */
bool serial_putc(struct host_serial *s, u8 byte); /* false: no space */
unsigned serial_space(struct host_serial *s);	  /* bytes serial_putc() can take now */
void serial_flush(struct host_serial *s);	  /* waits until all is sent (bounded) */

/* --- keyboard and mouse (boot/keyboard.c) --- */

void host_keyboard_init(void);
int host_keyboard_get(void); /* a set-1 byte, or -1 */
bool host_mouse_get(s8 *dx, s8 *dy, u8 *buttons);

/* --- the rest --- */

struct host_date {
	u16 year;
	u8 month, day, hour, minute, second;
};
void host_rtc_read(struct host_date *d);
_Noreturn void host_power_off(void);
_Noreturn void host_halt(void);

#endif
