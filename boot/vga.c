/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/vga.h"
#include "boot/console.h"
#include "boot/host.h"
#include "boot/port.h"
#include "boot/vga_pci.h"
#include "boot/vga_watch.h"
#include "boot/vm.h"
#include "devices/bus.h"
#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/str.h"

#define VGA_ROM	     0xc0000u
#define VGA_ROM_END  0xe0000u
#define VGA_MEMORY   0xa0000u
#define ROM_UNIT     512u
#define ROM_SIZE_MAX (256 * KB)

/* Where Bochs's ISA adapter has its linear frame buffer (Bochs 2.7, iodev/display/vga.h). */
#define VBE_LFB_ISA 0xe0000000u

static struct {
	struct vm *vm;
	struct vga_watch watch;
	u16 start; /* the start address before the guest began to change it */
	bool present;
	bool used; /* by the guest: what stood on the screen before is not its */
	bool pci;
	u16 vendor, device;
	char rom_name[24];
} vga;

/* --- ports --- */

static u32 real_in(u16 port, unsigned width)
{
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

static void real_out(u16 port, unsigned width, u32 value)
{
	if (width == 1)
		outb(port, (u8)value);
	else if (width == 2)
		outw(port, (u16)value);
	else
		outl(port, value);
}

static u32 vga_in(void *dev, u16 port, unsigned width)
{
	(void)dev;
	for (unsigned i = 0; i < width; i++)
		vga_watch_read(&vga.watch, (u16)(port + i));
	return real_in(port, width);
}

/* A change of the start address is complete with its low half: the console may want to look first.
 */
static void watch_write(u16 port, u8 value)
{
	struct vga_watch *w = &vga.watch;

	if ((port == 0x3d5 || port == 0x3b5) && w->crtc_index == 0x0d) {
		u16 next = (u16)(w->crtc[0x0c] << 8 | value);
		struct screen_view view;

		if (next != vga.start) {
			w->start_half = false;
			vga_watch_view(w, phys_ptr(VGA_MEMORY), &view);
			view.start = vga.start;
			console_before_scroll(vga.vm, &view, next);
		}
		vga.start = next;
	}
	vga_watch_write(w, port, value);
}

static void vga_out(void *dev, u16 port, unsigned width, u32 value)
{
	(void)dev;
	vga.used = true;
	for (unsigned i = 0; i < width; i++)
		watch_write((u16)(port + i), (u8)(value >> (8 * i)));
	real_out(port, width, value);
}

static u32 vga_ins(void *dev, u16 port, unsigned width, void *buf, u32 count)
{
	(void)dev;
	for (unsigned i = 0; i < width; i++)
		vga_watch_read(&vga.watch, (u16)(port + i));
	port_ins(port, width, buf, count);
	return count;
}

static const struct port_ops vga_port_ops = {
	.in = vga_in,
	.out = vga_out,
	.ins = vga_ins,
	.widths = 1 | 2 | 4,
	.unaligned = true,
};

static u32 vbe_in(void *dev, u16 port, unsigned width)
{
	(void)dev;
	return real_in(port, width);
}

/* These registers are 16 bits wide and one port apart, so an access to 1CFh is never aligned. */
static void vbe_out(void *dev, u16 port, unsigned width, u32 value)
{
	(void)dev;
	if (width == 2)
		vga_watch_vbe(&vga.watch, port, (u16)value);
	real_out(port, width, value);
}

static const struct port_ops vbe_port_ops = {
	.in = vbe_in,
	.out = vbe_out,
	.widths = 1 | 2,
	.unaligned = true,
};

static int claim_ports(struct bus *b)
{
	int ports = bus_register(b, 0x3b0, 0x3bb, ROUTE_LOCAL, &vga_port_ops, NULL, "vga");
	int vbe = bus_register(b, 0x1ce, 0x1d0, ROUTE_LOCAL, &vbe_port_ops, NULL, "vga-vbe");

	if (ports < 0 || vbe < 0)
		return -1;
	/* Between the two ranges lies a printer port. */
	bus_add_range(b, ports, 0x3c0, 0x3df);
	bus_claim(b, ports, 0x3b0, 0x3bb);
	bus_claim(b, ports, 0x3c0, 0x3df);
	bus_claim(b, vbe, 0x1ce, 0x1d0);
	return 0;
}

/* --- the state that this PC's firmware and loader have left --- */

static void read_indexed(u16 index_port, u8 *to, unsigned n)
{
	u8 index = inb(index_port);

	for (unsigned i = 0; i < n; i++) {
		outb(index_port, (u8)i);
		to[i] = inb(index_port + 1);
	}
	outb(index_port, index);
}

static void read_attribute_mode(u16 status)
{
	/* Bit 5 of the index keeps the picture on the screen. */
	inb(status);
	outb(0x3c0, 0x10 | 0x20);
	vga.watch.attr_mode = inb(0x3c1);
	inb(status);
}

static bool vbe_present(void)
{
	outw(0x1ce, VBE_ID);
	return (inw(0x1cf) & 0xfff0) == 0xb0c0;
}

/* The cursor's address is a register that can be written and read back, on any VGA. */
static bool vga_answers(u16 base)
{
	u8 index = inb(base + 4), saved;
	bool same;

	outb(base + 4, 0x0f);
	saved = inb(base + 5);
	outb(base + 5, saved ^ 0x5a);
	same = inb(base + 5) == (saved ^ 0x5a);
	outb(base + 5, saved);
	outb(base + 4, index);
	return same;
}

static void read_state(void)
{
	struct vga_watch *w = &vga.watch;
	u16 base = (inb(0x3cc) & 1) ? 0x3d0 : 0x3b0; /* miscellaneous output: colour or mono */

	vga.present = vga_answers(base);
	if (!vga.present) {
		log_warn("this PC has no VGA: the guest has none, and the console shows no screen");
		return;
	}
	read_indexed(base + 4, w->crtc, VGA_CRTC_REGS);
	read_indexed(0x3c4, w->seq, VGA_SEQ_REGS);
	read_indexed(0x3ce, w->gc, VGA_GC_REGS);
	read_attribute_mode(base + 0xa);
	w->crtc_index = inb(base + 4);
	w->seq_index = inb(0x3c4);
	w->gc_index = inb(0x3ce);
	vga.start = vga_watch_start(w);
	if (!vbe_present())
		return;
	for (unsigned i = 0; i < VBE_REGS; i++) {
		outw(0x1ce, (u16)i);
		w->vbe[i] = inw(0x1cf);
	}
}

/* --- ROM --- */

/* A ROM's bytes add up to 0; one that has kept variables in its shadow no longer does. */
static void fix_checksum(u8 *rom, u32 size)
{
	u8 sum = 0;

	for (u32 i = 0; i < size; i++)
		sum = (u8)(sum + rom[i]);
	rom[size - 1] = (u8)(rom[size - 1] - sum);
}

static u32 rom_size(const u8 *rom)
{
	return rom[0] == 0x55 && rom[1] == 0xaa ? rom[2] * ROM_UNIT : 0;
}

static const u8 *rom_from_shadow(u32 *size)
{
	const u8 *rom = phys_ptr(VGA_ROM);
	u8 *copy;

	*size = rom_size(rom);
	if (!*size || *size > VGA_ROM_END - VGA_ROM)
		return NULL;
	copy = host_alloc(*size);
	if (!copy)
		return NULL;
	memcpy(copy, rom, *size);
	fix_checksum(copy, *size);
	return copy;
}

static const u8 *rom_from_module(struct vm *vm, const char *name, u32 *size)
{
	struct module *m = vm_module(vm, name);

	if (!m)
		return NULL;
	if (m->size < ROM_UNIT || m->size > ROM_SIZE_MAX || !rom_size(m->data)) {
		log_error("module '%s': expected a VGA BIOS ROM of at most 256 KB", name);
		return NULL;
	}
	*size = m->size;
	return m->data;
}

const u8 *vga_rom(struct vm *vm, u32 *size, const char **name)
{
	const struct config_medium *c = &vm->config.vgabios;
	const u8 *rom = NULL;

	/* SeaBIOS runs a file of this name for the PCI function, and tells it which one it is. */
	vga.pci = vga_pci_find(&vga.vendor, &vga.device);
	if (vga.pci)
		fmt(vga.rom_name, sizeof(vga.rom_name), "pci%04x,%04x.rom", vga.vendor, vga.device);
	else
		fmt(vga.rom_name, sizeof(vga.rom_name), "vgaroms/vgabios.bin");
	*name = vga.rom_name;
	if (c->source == CONFIG_MODULE)
		return rom_from_module(vm, c->module, size);
	if (vga.pci)
		rom = vga_pci_rom(size);
	if (!rom)
		rom = rom_from_shadow(size);
	if (!rom && c->source == CONFIG_NONE)
		rom = rom_from_module(vm, "vgabios.bin", size);
	if (!rom)
		log_warn("no VGA BIOS: neither this PC nor a module 'vgabios.bin' has one");
	return rom;
}

/* --- the rest --- */

static int map_isa_frame_buffer(struct vm *vm)
{
	u32 size = vga.watch.vbe[VBE_MEMORY_64K] * 64u * KB;
	struct phys_region r = {.first = VBE_LFB_ISA};

	if (!vbe_present() || !size)
		return 0;
	r.rd = r.wr = ioremap(VBE_LFB_ISA, size);
	r.last = r.first + size - 1;
	if (!r.rd || physmem_map(&vm->mem, &r)) {
		log_error("vga: no room for its frame buffer of %u KB", size / KB);
		return -1;
	}
	return 0;
}

int vga_init(struct vm *vm)
{
	vga.vm = vm;
	read_state();
	if (claim_ports(vm->bus))
		return -1;
	return vga.pci ? vga_pci_add(vm) : map_isa_frame_buffer(vm);
}

void vga_view(struct screen_view *view)
{
	vga_watch_view(&vga.watch, phys_ptr(VGA_MEMORY), view);
	view->unstable |= !vga.used || !vga.present;
}
