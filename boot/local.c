/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interrupt that is passed through takes this way: the handler masks the real line and leaves a
 * note; the run loop raises the guest's line; the guest's EOI lowers it and unmasks the real one. A
 * device that still wants service (level), or has asked again meanwhile (the 8259A remembers an
 * edge while masked), interrupts again at once.
 */
#include "boot/local.h"
#include "boot/host.h"
#include "boot/net.h"
#include "boot/port.h"
#include "boot/vm.h"
#include "devices/bus.h"
#include "devices/irq.h"
#include "lib/fmt.h"

/* The source number of passed-through lines on the guest's wires. */
#define LOCAL_SOURCE 31

static struct {
	struct vm *vm;
	int handler;	      /* on the guest's bus; 0: none yet */
	u16 irqs;	      /* lines that are passed through */
	volatile u32 pending; /* lines with a note from the interrupt handler */
	u16 raised;	      /* lines that the guest has not ended yet */
} local;

/* --- ports --- */

static u32 local_in(void *dev, u16 port, unsigned width)
{
	(void)dev;
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

static void local_out(void *dev, u16 port, unsigned width, u32 value)
{
	(void)dev;
	if (width == 1)
		outb(port, (u8)value);
	else if (width == 2)
		outw(port, (u16)value);
	else
		outl(port, value);
}

static u32 local_ins(void *dev, u16 port, unsigned width, void *buf, u32 count)
{
	(void)dev;
	port_ins(port, width, buf, count);
	return count;
}

static u32 local_outs(void *dev, u16 port, unsigned width, const void *buf, u32 count)
{
	(void)dev;
	port_outs(port, width, buf, count);
	return count;
}

static const struct port_ops local_ops = {
	.in = local_in,
	.out = local_out,
	.ins = local_ins,
	.outs = local_outs,
	.widths = 1 | 2 | 4,
	.unaligned = true,
};

/* --- interrupt lines --- */

static struct irq_pin pin_of(unsigned line)
{
	return (struct irq_pin){pc_irqs(local.vm->pc), (u8)line, LOCAL_SOURCE};
}

static void real_interrupt(void *ctx)
{
	unsigned line = (unsigned)(uintptr_t)ctx;

	host_irq_mask(line, true);
	local.pending |= BIT(line);
	host_wake();
}

void local_poll(struct vm *vm)
{
	u32 flags, pending;

	(void)vm;
	if (!local.pending)
		return;
	flags = irq_save();
	pending = local.pending;
	local.pending = 0;
	irq_restore(flags);
	local.raised |= (u16)pending;
	for (unsigned line = 0; line < IRQ_LINES; line++) {
		struct irq_pin pin = pin_of(line);

		if (pending & BIT(line))
			irq_set(&pin, true);
	}
}

void local_eoi(unsigned line)
{
	struct irq_pin pin = pin_of(line);

	if (!(local.raised & BIT(line)))
		return;
	local.raised &= (u16)~BIT(line);
	irq_set(&pin, false);
	host_irq_mask(line, false);
}

static void attach_irq(unsigned line)
{
	if (local.irqs & BIT(line))
		return;
	local.irqs |= (u16)BIT(line);
	host_irq_hook(line, real_interrupt, (void *)(uintptr_t)line);
	host_irq_mask(line, false);
}

void local_detach_irq(unsigned line)
{
	struct irq_pin pin = pin_of(line);
	u32 flags;

	if (!(local.irqs & BIT(line)))
		return;
	host_irq_mask(line, true);
	host_irq_hook(line, NULL, NULL);
	flags = irq_save();
	local.pending &= ~BIT(line);
	irq_restore(flags);
	local.irqs &= (u16)~BIT(line);
	local.raised &= (u16)~BIT(line);
	irq_set(&pin, false);
}

u16 local_irq_mask(void)
{
	return local.irqs;
}

/* --- what Farbus does not give away --- */

struct own_ports {
	u16 first, last;
	const char *what;
};

static const struct own_ports own[] = {
	{0x020, 0x021, "this PC's interrupt controller"},
	{0x0a0, 0x0a1, "this PC's interrupt controller"},
	{0x4d0, 0x4d1, "this PC's interrupt controller"},
	{0x040, 0x043, "this PC's timer"},
	{0x061, 0x061, "this PC's timer"},
	{0x060, 0x060, "this PC's keyboard controller"},
	{0x064, 0x064, "this PC's keyboard controller"},
	{0x092, 0x092, "this PC's reset line"},
	{0xcf8, 0xcff, "this PC's PCI configuration"},
};

static const u16 com_base[] = {0, 0x3f8, 0x2f8};
static const u8 com_irq[] = {0, 4, 3};

static bool com_used(const struct config *c, unsigned com)
{
	bool used = c->console_com == com || c->trace.com == com;

	for (unsigned i = 0; i < CONFIG_SERIALS; i++)
		used |= c->serial_com[i] == com;
	return used;
}

/* A disk of this PC that the guest's disk is kept on. */
static bool channel_used(const struct config *c, unsigned channel)
{
	for (unsigned i = 0; i < CONFIG_DISKS; i++)
		if (c->disk[i].source == CONFIG_HOST && c->disk[i].host_disk / 2 == channel)
			return true;
	return false;
}

static bool overlaps(const struct config_range *r, u16 first, u16 last)
{
	return r->first <= last && r->last >= first;
}

/* What of Farbus's is in the range; NULL: nothing. */
static const char *port_owner(const struct config *c, const struct config_range *r)
{
	static const u16 ata_base[] = {0x1f0, 0x170}, ata_control[] = {0x3f6, 0x376};
	struct port_range card;
	u8 irq;

	if (net_resources(&card, &irq) && overlaps(r, card.first, card.last))
		return "Farbus's network card";
	for (unsigned i = 0; i < ARRAY_SIZE(own); i++)
		if (overlaps(r, own[i].first, own[i].last))
			return own[i].what;
	for (unsigned com = 1; com <= 2; com++)
		if (com_used(c, com) && overlaps(r, com_base[com], com_base[com] + 7))
			return com == c->console_com ? "Farbus's console"
			       : com == c->trace.com ? "the trace's serial port"
						     : "a serial port that leads to the guest";
	for (unsigned i = 0; i < 2; i++)
		if (channel_used(c, i) && (overlaps(r, ata_base[i], ata_base[i] + 7) ||
					   overlaps(r, ata_control[i], ata_control[i])))
			return "a disk of this PC that is in use";
	if (overlaps(r, 0x3b0, 0x3bb) || overlaps(r, 0x3c0, 0x3df) || overlaps(r, 0x1ce, 0x1d0))
		return "the VGA, which is passed through already";
	return NULL;
}

static const char *irq_owner(const struct config *c, unsigned line)
{
	static const char *const fixed[IRQ_LINES] = {
		[0] = "this PC's timer",  [1] = "this PC's keyboard", [2] = "the cascade",
		[12] = "this PC's mouse", [13] = "this PC's FPU",
	};
	struct port_range card;
	u8 irq;

	if (net_resources(&card, &irq) && irq == line)
		return "Farbus's network card";

	for (unsigned com = 1; com <= 2; com++)
		if (com_used(c, com) && com_irq[com] == line)
			return "a serial port in use";
	for (unsigned i = 0; i < 2; i++)
		if (channel_used(c, i) && line == 14 + i)
			return "a disk of this PC that is in use";
	return fixed[line];
}

static int refuse(const struct vm *vm, const struct config_route *r, char *error, size_t size)
{
	const char *owner;

	for (unsigned i = 0; i < r->range_count; i++) {
		owner = port_owner(&vm->config, &r->range[i]);
		if (!owner)
			continue;
		fmt(error, size,
		    "'0x%x-0x%x': expected ports that Farbus does not need: that is %s",
		    r->range[i].first, r->range[i].last, owner);
		return -1;
	}
	if (r->irq < 0)
		return 0;
	owner = irq_owner(&vm->config, (unsigned)r->irq);
	if (!owner)
		return 0;
	fmt(error, size, "'irq %d': expected a line that Farbus does not need: that is %s", r->irq,
	    owner);
	return -1;
}

/* --- routes --- */

static int need_handler(char *error, size_t size)
{
	if (local.handler > 0)
		return 0;
	/* No ports yet: an empty range. */
	local.handler = bus_register(local.vm->bus, 1, 0, ROUTE_LOCAL, &local_ops, NULL, "local");
	if (local.handler > 0)
		return 0;
	fmt(error, size, "no room in the bus's table for local routes");
	return -1;
}

int local_attach(struct vm *vm, const struct config_route *r, char *error, size_t size)
{
	if (refuse(vm, r, error, size) || need_handler(error, size))
		return -1;
	for (unsigned i = 0; i < r->range_count; i++)
		bus_add_range(vm->bus, local.handler, r->range[i].first, r->range[i].last);
	if (r->irq >= 0)
		attach_irq((unsigned)r->irq);
	return 0;
}

void local_init(struct vm *vm)
{
	local.vm = vm;
}
