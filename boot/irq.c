/* SPDX-License-Identifier: BSD-2-Clause */
/* This PC's two 8259A (Intel 231468) and the handlers of its 16 lines. */
#include "boot/host.h"
#include "boot/port.h"
#include "boot/trap.h"

#define MASTER	 0x20
#define SLAVE	 0xa0
#define ELCR	 0x4d0
#define EOI	 0x20 /* OCW2: non-specific end of interrupt */
#define READ_IRR 0x0a /* OCW3 */
#define READ_ISR 0x0b
#define CASCADE	 2

static struct {
	host_irq_fn fn;
	void *ctx;
} handler[16];

static u16 mask = (u16)~BIT(CASCADE);

/* Of the PIC that the line is at. */
static void write_mask(unsigned line)
{
	if (line < 8)
		outb(MASTER + 1, (u8)mask);
	else
		outb(SLAVE + 1, (u8)(mask >> 8));
}

void irq_init(void)
{
	outb(MASTER, 0x11); /* ICW1: edge-triggered, cascade, ICW4 follows */
	outb(SLAVE, 0x11);
	outb(MASTER + 1, TRAP_IRQ_BASE);
	outb(SLAVE + 1, TRAP_IRQ_BASE + 8);
	outb(MASTER + 1, BIT(CASCADE));
	outb(SLAVE + 1, CASCADE);
	outb(MASTER + 1, 1); /* ICW4: 8086 mode, normal EOI */
	outb(SLAVE + 1, 1);
	write_mask(0);
	write_mask(8);
}

void host_irq_hook(unsigned line, host_irq_fn fn, void *ctx)
{
	u32 flags = irq_save();

	handler[line & 15].fn = fn;
	handler[line & 15].ctx = ctx;
	irq_restore(flags);
}

void host_irq_mask(unsigned line, bool masked)
{
	u32 flags = irq_save();

	if (masked)
		mask |= (u16)BIT(line & 15);
	else
		mask &= (u16)~BIT(line & 15);
	write_mask(line & 15);
	irq_restore(flags);
}

void host_irq_level(unsigned line, bool level)
{
	u16 port = line < 8 ? ELCR : ELCR + 1;
	u8 bit = (u8)BIT(line & 7), now = inb(port);

	/* Lines 0, 1, 2, 8 and 13 are edge-triggered by construction (82371SB, ELCR). */
	if (!(BIT(line) & 0x2107) && now != 0xff)
		outb(port, level ? now | bit : now & ~bit);
}

u16 host_irq_requests(void)
{
	u32 flags = irq_save();
	u16 lines;

	outb(MASTER, READ_IRR);
	outb(SLAVE, READ_IRR);
	lines = (u16)(inb(MASTER) | inb(SLAVE) << 8);
	irq_restore(flags);
	return lines;
}

/* Lines 7 and 15 also stand for a request that went away: then their in-service bit is clear. */
static bool spurious(unsigned line)
{
	u16 port = line < 8 ? MASTER : SLAVE;

	if ((line & 7) != 7)
		return false;
	outb(port, READ_ISR);
	if (inb(port) & 0x80)
		return false;
	if (line == 15)
		outb(MASTER, EOI);
	return true;
}

void irq_dispatch(unsigned line)
{
	if (spurious(line))
		return;
	if (handler[line].fn)
		handler[line].fn(handler[line].ctx);
	if (line >= 8)
		outb(SLAVE, EOI);
	outb(MASTER, EOI);
}
