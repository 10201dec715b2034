/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unpredictable bytes, as far as a PC without a source of randomness has them. What goes in: the
 * date, the time-stamp counter since reset, its jitter against the PIT (another crystal), what RAM
 * held at power-on, and when interrupts come later. Two power-ons therefore differ, and a station
 * on the segment cannot know the state; somebody with the same emulator and the same clock may
 * repeat it. It is good enough for nonces, which only have to be new; no key is made of it.
 */
#ifndef FARBUS_BOOT_ENTROPY_H
#define FARBUS_BOOT_ENTROPY_H

#include "lib/types.h"

/* Collects for some 10 ms. After clock_init(), before the guest's memory is cleared. */
void entropy_init(void);
/* Mixes in something that others do not know, such as a card's address. */
void entropy_add(const void *data, u32 len);
/* The present moment; also from an interrupt handler. */
void entropy_stir(void);
void entropy_bytes(u8 *buf, u32 len);

#endif
