/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI Local Bus Specification 2.1, 6.2. The function never becomes bus master for the guest (its
 * command bit is not passed on), shows no capabilities and no interrupt.
 */
#include "boot/vga_pci.h"
#include "boot/host.h"
#include "boot/host_pci.h"
#include "boot/port.h"
#include "boot/vm.h"
#include "devices/bus.h"
#include "devices/pci.h"
#include "lib/log.h"
#include "lib/str.h"

#define BARS		 6
#define CLASS_VGA	 0x0300
#define ROM_BAR		 0x30
#define CAPABILITIES	 0x34
#define STATUS_CAP_LIST	 BIT(4)
#define BAR_IO		 BIT(0)
#define BAR_64		 0x4u
#define BAR_64_MASK	 0x7u
#define BAR_MEM_BITS	 0xfu
#define BAR_IO_BITS	 0x3u
#define ROM_ENABLE	 BIT(0)
#define ROM_ADDRESS_MASK 0xfffff800u
#define ROM_SIZE_MAX	 (256 * KB)
/* The firmware's place at the top of the guest's memory. */
#define FIRMWARE_FIRST 0xffc00000u

/* QEMU's and Bochs's place for it: device 2. The real one may sit behind an AGP or PCIe bridge. */
#define GUEST_DEVFN PCI_DEVFN(2, 0)

struct bar {
	u32 size; /* 0: not there */
	u32 type; /* the low bits, as the real one has them */
	u32 host; /* where this PC's firmware has put it */
	u32 guest;
	bool upper;  /* the high half of a 64-bit one */
	u8 *memory;  /* mapped at its first use */
	int handler; /* on the bus, for ports */
	bool mapped; /* in the guest's address space now, at `at` */
	u32 at;
};

static struct {
	struct vm *vm;
	pci_address host;
	u16 command;
	u8 int_line;
	struct bar bar[BARS];
} vga;

bool vga_pci_find(u16 *vendor, u16 *device)
{
	if (!host_pci_present() || !host_pci_find_class(CLASS_VGA, &vga.host))
		return false;
	*vendor = (u16)host_pci_read(vga.host, PCI_VENDOR, 2);
	*device = (u16)host_pci_read(vga.host, PCI_DEVICE, 2);
	return true;
}

/*
 * The shadow copy at C0000h has run already and may have kept variables in itself; the ROM behind
 * the base address register is as new. That register is only borrowed.
 */
const u8 *vga_pci_rom(u32 *size)
{
	u32 saved = host_pci_read(vga.host, ROM_BAR, 4), mask;
	const u8 *rom;
	u8 *copy = NULL;

	host_pci_write(vga.host, ROM_BAR, 4, ROM_ADDRESS_MASK);
	mask = host_pci_read(vga.host, ROM_BAR, 4) & ROM_ADDRESS_MASK;
	host_pci_write(vga.host, ROM_BAR, 4, saved | ROM_ENABLE);
	if (mask && (saved & ROM_ADDRESS_MASK) && ~mask + 1 <= ROM_SIZE_MAX) {
		rom = ioremap(saved & ROM_ADDRESS_MASK, ~mask + 1);
		*size = rom && rom[0] == 0x55 && rom[1] == 0xaa ? rom[2] * 512u : 0;
		if (*size && *size <= ~mask + 1)
			copy = host_alloc(*size);
		if (copy)
			memcpy(copy, rom, *size);
	}
	host_pci_write(vga.host, ROM_BAR, 4, saved);
	return copy;
}

/* --- ports behind an I/O base address --- */

static u32 bar_in(void *dev, u16 port, unsigned width)
{
	const struct bar *b = dev;
	u16 real = (u16)(port - b->at + b->host);

	return width == 1 ? inb(real) : width == 2 ? inw(real) : inl(real);
}

static void bar_out(void *dev, u16 port, unsigned width, u32 value)
{
	const struct bar *b = dev;
	u16 real = (u16)(port - b->at + b->host);

	if (width == 1)
		outb(real, (u8)value);
	else if (width == 2)
		outw(real, (u16)value);
	else
		outl(real, value);
}

static const struct port_ops bar_ops = {
	.in = bar_in,
	.out = bar_out,
	.widths = 1 | 2 | 4,
};

/* --- base addresses --- */

static bool bar_enabled(const struct bar *b)
{
	u32 last = b->guest + b->size - 1;

	if (!b->size || !b->guest || last < b->guest)
		return false;
	if (b->type & BAR_IO)
		return (vga.command & PCI_COMMAND_IO) && last <= 0xffff;
	/* While a guest asks for the size, the address is all ones: that must not hide the BIOS. */
	return (vga.command & PCI_COMMAND_MEM) && b->guest >= vga.vm->config.ram &&
	       b->guest >= MB && last < FIRMWARE_FIRST;
}

static void unmap_bar(struct bar *b)
{
	if (b->type & BAR_IO)
		bus_release(vga.vm->bus, b->handler, (u16)b->at, (u16)(b->at + b->size - 1));
	else
		physmem_unmap(&vga.vm->mem, b->at, b->at + b->size - 1);
	b->mapped = false;
}

static void map_memory(struct bar *b)
{
	struct phys_region r = {.first = b->guest, .last = b->guest + b->size - 1};

	if (!b->memory)
		b->memory = ioremap(b->host, b->size);
	r.rd = r.wr = b->memory;
	if (!b->memory || physmem_map(&vga.vm->mem, &r)) {
		log_warn("vga: no room for %u KB at %08x", b->size / KB, b->guest);
		return;
	}
	b->mapped = true;
}

static void map_bar(struct bar *b)
{
	b->at = b->guest;
	if (!(b->type & BAR_IO)) {
		map_memory(b);
		return;
	}
	bus_claim(vga.vm->bus, b->handler, (u16)b->at, (u16)(b->at + b->size - 1));
	b->mapped = true;
}

static void update_bars(void)
{
	for (unsigned i = 0; i < BARS; i++) {
		struct bar *b = &vga.bar[i];
		bool on = bar_enabled(b);

		if (b->mapped && (!on || b->at != b->guest))
			unmap_bar(b);
		if (on && !b->mapped)
			map_bar(b);
	}
}

/* --- configuration space --- */

static u32 read_dword(u8 reg)
{
	u32 value = host_pci_read(vga.host, reg, 4);

	if (reg == PCI_COMMAND)
		return (value & ~(0xffffu | (u32)STATUS_CAP_LIST << 16)) | vga.command;
	if (reg >= PCI_BAR0 && reg < PCI_BAR0 + 4 * BARS) {
		const struct bar *b = &vga.bar[(reg - PCI_BAR0) / 4];

		return b->size ? b->guest | b->type : 0;
	}
	if (reg == ROM_BAR || reg == CAPABILITIES)
		return 0;
	/* Interrupt pin, minimum grant, maximum latency: no interrupt. */
	return reg == PCI_INT_LINE ? vga.int_line : value;
}

static u32 config_read(void *dev, u8 reg, unsigned width)
{
	u32 value = read_dword(reg & 0xfc) >> ((reg & 3) * 8);

	(void)dev;
	return width == 4 ? value : value & ((1u << (width * 8)) - 1);
}

static void write_dword(u8 reg, u32 value)
{
	if (reg == PCI_COMMAND) {
		vga.command = value & (PCI_COMMAND_IO | PCI_COMMAND_MEM);
	} else if (reg >= PCI_BAR0 && reg < PCI_BAR0 + 4 * BARS) {
		struct bar *b = &vga.bar[(reg - PCI_BAR0) / 4];

		b->guest = value & ~(b->size - 1);
	} else if (reg == PCI_INT_LINE) {
		vga.int_line = (u8)value;
	}
	update_bars();
}

static void config_write(void *dev, u8 reg, unsigned width, u32 value)
{
	unsigned shift = (reg & 3) * 8;
	u32 mask = (width == 4 ? ~0u : (1u << (width * 8)) - 1) << shift;
	u8 dword = reg & 0xfc;

	(void)dev;
	if (dword >= 0x40)
		host_pci_write(vga.host, reg, width, value); /* the chip's own registers */
	else
		write_dword(dword, (read_dword(dword) & ~mask) | (value << shift & mask));
}

static const struct pci_ops config_ops = {.read = config_read, .write = config_write};

/* A base address register answers all ones with its size (2.1, 6.2.5.1). */
static void size_bar(unsigned i)
{
	struct bar *b = &vga.bar[i];
	u8 reg = (u8)(PCI_BAR0 + 4 * i);
	u32 saved = host_pci_read(vga.host, reg, 4), mask;

	if (b->upper)
		return;
	host_pci_write(vga.host, reg, 4, ~0u);
	mask = host_pci_read(vga.host, reg, 4);
	host_pci_write(vga.host, reg, 4, saved);
	b->type = saved & ((saved & BAR_IO) ? BAR_IO_BITS : BAR_MEM_BITS);
	b->host = saved & ~((saved & BAR_IO) ? BAR_IO_BITS : BAR_MEM_BITS);
	mask &= ~((saved & BAR_IO) ? BAR_IO_BITS : BAR_MEM_BITS);
	if (saved & BAR_IO)
		mask |= 0xffff0000u;
	b->size = b->host ? ~mask + 1 : 0;
	if (!(saved & BAR_IO) && (saved & BAR_64_MASK) == BAR_64) {
		b->type &= ~BAR_64_MASK; /* 32 bits are what the guest gets */
		if (i + 1 < BARS)
			vga.bar[i + 1].upper = true;
		if (host_pci_read(vga.host, (u8)(reg + 4), 4))
			b->size = 0; /* above 4 GB: out of this kernel's reach */
	}
}

static void size_bars(void)
{
	u32 command = host_pci_read(vga.host, PCI_COMMAND, 2);

	host_pci_write(vga.host, PCI_COMMAND, 2, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEM));
	for (unsigned i = 0; i < BARS; i++)
		size_bar(i);
	host_pci_write(vga.host, PCI_COMMAND, 2, command | PCI_COMMAND_IO | PCI_COMMAND_MEM);
}

int vga_pci_add(struct vm *vm)
{
	vga.vm = vm;
	size_bars();
	for (unsigned i = 0; i < BARS; i++) {
		struct bar *b = &vga.bar[i];

		if (!(b->type & BAR_IO) || !b->size)
			continue;
		/* No ports yet: an empty range. */
		b->handler = bus_register(vm->bus, 1, 0, ROUTE_LOCAL, &bar_ops, b, "vga-pci");
		if (b->handler < 0)
			return -1;
	}
	if (pc_add_pci_function(vm->pc, GUEST_DEVFN, &config_ops, NULL)) {
		log_error("vga: its place on the guest's PCI bus is taken");
		return -1;
	}
	return 0;
}
