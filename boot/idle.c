/* SPDX-License-Identifier: BSD-2-Clause */
/* Between an interrupt handler and the loop that acts on it. */
#include "boot/host.h"
#include "boot/port.h"

static volatile u32 *wake_events;
static u32 wake_bit;

void host_wake_word(volatile u32 *events, u32 bit)
{
	u32 flags = irq_save();

	wake_events = events;
	wake_bit = bit;
	irq_restore(flags);
}

void host_wake(void)
{
	/* One instruction, as everywhere where these words change. */
	if (wake_events)
		asm volatile("orl %1, %0" : "+m"(*wake_events) : "r"(wake_bit) : "cc");
}

u64 host_idle(const volatile u32 *pending, u32 mask)
{
	u64 since = rdtsc();

	asm volatile("cli" ::: "memory");
	/* STI holds interrupts off until after the HLT: none can slip in between. */
	if (*pending & mask)
		asm volatile("sti" ::: "memory");
	else
		asm volatile("sti; hlt" ::: "memory");
	return rdtsc() - since;
}
