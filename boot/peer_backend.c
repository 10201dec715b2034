/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/peer_backend.h"
#include "boot/host.h"
#include "boot/peer_device.h"
#include "boot/peer_dma.h"
#include "boot/peer_memory.h"
#include "boot/port.h"

static struct {
	struct server *server;
	u16 lines;	      /* of exports */
	u16 masked;	      /* of those, at this PC's interrupt controller */
	volatile u16 pending; /* interrupted, and the server does not know */
	u64 interrupts[SERVER_LINES];
} backend;

/* --- interrupt lines --- */

static void real_interrupt(void *ctx)
{
	unsigned line = (unsigned)(uintptr_t)ctx;

	host_irq_mask(line, true);
	backend.masked |= (u16)BIT(line);
	backend.pending |= (u16)BIT(line);
	backend.interrupts[line]++;
	host_wake();
}

static u16 take_pending(void)
{
	u32 flags = irq_save();
	u16 pending = backend.pending;

	backend.pending = 0;
	irq_restore(flags);
	return pending;
}

void peer_backend_poll(struct server *s)
{
	u16 pending = backend.pending ? take_pending() : 0;

	for (unsigned line = 0; pending; line++, pending >>= 1)
		if (pending & 1)
			server_irq(s, line, host_ns());
}

static void irq_mask(void *ctx, unsigned line, bool masked)
{
	u32 flags;

	(void)ctx;
	if (!(backend.lines & BIT(line)))
		return;
	flags = irq_save();
	/* Most often the interrupt handler has masked it already. */
	if (!(backend.masked & BIT(line)) || !masked)
		host_irq_mask(line, masked);
	if (masked)
		backend.masked |= (u16)BIT(line);
	else
		backend.masked &= (u16)~BIT(line);
	irq_restore(flags);
}

u64 peer_interrupts(unsigned line)
{
	return backend.interrupts[line % SERVER_LINES];
}

/* --- ports --- */

/*
 * An interrupt that an access has brought about is the server's before the access's answer is: the
 * answer then waits for it at the client, too.
 */
static void after_access(void)
{
	if (backend.pending)
		peer_backend_poll(backend.server);
}

static u32 port_in(void *ctx, u16 port, unsigned width)
{
	u32 value = width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);

	(void)ctx;
	after_access();
	return value;
}

static void port_out(void *ctx, u16 port, unsigned width, u32 value)
{
	(void)ctx;
	if (width == 1)
		outb(port, (u8)value);
	else if (width == 2)
		outw(port, (u16)value);
	else
		outl(port, value);
	after_access();
}

static void block_in(void *ctx, u16 port, unsigned width, u8 *buf, u32 count)
{
	(void)ctx;
	port_ins(port, width, buf, count);
	after_access();
}

static void block_out(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count)
{
	(void)ctx;
	port_outs(port, width, buf, count);
	after_access();
}

/* --- memory and PCI --- */

static void mem_read(void *ctx, u32 addr, unsigned width, u8 *buf, u32 count)
{
	peer_memory_read(ctx, addr, width, buf, count);
	after_access();
}

static void mem_write(void *ctx, u32 addr, unsigned width, const u8 *buf, u32 count)
{
	peer_memory_write(ctx, addr, width, buf, count);
	after_access();
}

/* --- devices --- */

static void reset(void *ctx, unsigned i)
{
	(void)ctx;
	peer_device_reset(&backend.server->export[i]);
}

static void quiesce(void *ctx, unsigned i)
{
	(void)ctx;
	peer_device_quiesce(&backend.server->export[i]);
}

const struct server_backend peer_backend = {
	.in = port_in,
	.out = port_out,
	.ins = block_in,
	.outs = block_out,
	.mem_read = mem_read,
	.mem_write = mem_write,
	.pci_read = peer_pci_read,
	.pci_write = peer_pci_write,
	.irq_mask = irq_mask,
	.dma_arm = peer_dma_arm,
	.dma_run = peer_dma_run,
	.dma_position = peer_dma_position,
	.dma_put = peer_dma_put,
	.dma_get = peer_dma_get,
	.reset = reset,
	.quiesce = quiesce,
};

void peer_backend_start(struct server *s)
{
	backend.server = s;
	for (unsigned i = 0; i < s->exports; i++)
		backend.lines |= s->export[i].irqs;
	for (unsigned line = 0; line < SERVER_LINES; line++) {
		if (!(backend.lines & BIT(line)))
			continue;
		irq_mask(NULL, line, true);
		host_irq_hook(line, real_interrupt, (void *)(uintptr_t)line);
	}
	for (unsigned i = 0; i < s->exports; i++)
		quiesce(NULL, i);
}
