/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: 82441FX host bridge (PMC). Datasheet: Intel 440FX PCIset (290549), 3.2.
 * Modelled: identification, PAM0-PAM6 (reads from ROM or RAM, writes to RAM or nowhere, for each
 * segment of C0000h-FFFFFh), the SMRAM register's lock bit.
 * Not modelled: DRAM timing and row registers (memory), SMRAM itself (Farbus has no SMM, and
 * A0000h-BFFFFh always is the VGA's).
 */
#include "devices/i440fx.h"
#include "cpu/physmem.h"
#include "lib/log.h"
#include "lib/str.h"

#define PAM0  0x59u
#define PAM6  0x5fu
#define SMRAM 0x72u

#define SMRAM_OPEN 0x40u
#define SMRAM_LOCK 0x10u

#define SEGMENT_SIZE 0x4000u
#define AREA_FIRST   0xc0000u
#define AREA_END     0x100000u
#define ROM_ALIAS    0x20000u /* the ISA bus repeats the last 128 KB of the ROM below 1 MB */

static u32 segment_first(unsigned segment)
{
	return AREA_FIRST + segment * SEGMENT_SIZE;
}

static u32 segment_end(unsigned segment)
{
	return segment == I440FX_SEGMENTS - 1 ? AREA_END : segment_first(segment + 1);
}

/* Each PAM register holds two segments, except PAM0, whose upper half is F0000h-FFFFFh. */
static u8 wanted(const struct i440fx *h, unsigned segment)
{
	if (segment == I440FX_SEGMENTS - 1)
		return h->config.reg[PAM0] >> 4 & 3;
	return h->config.reg[PAM0 + 1 + segment / 2] >> (segment % 2 * 4) & 3;
}

/* Where the ROM answers at an address below 1 MB, or NULL. Regions never write through rd. */
static u8 *rom_at(struct i440fx *h, u32 address)
{
	u32 alias = h->firmware_size < ROM_ALIAS ? h->firmware_size : ROM_ALIAS;

	if (address - AREA_FIRST < h->vga_rom_size)
		return h->vga_rom + (address - AREA_FIRST);
	if (address < AREA_END - alias)
		return NULL;
	return (u8 *)(uintptr_t)(h->firmware + h->firmware_size - (AREA_END - address));
}

static void map_segments(struct i440fx *h, unsigned first, unsigned end, u8 attributes)
{
	u32 address = segment_first(first);
	u8 *ram = h->shadow + (address - AREA_FIRST);
	struct phys_region region = {
		.first = address,
		.last = segment_end(end - 1) - 1,
		.rd = attributes & 1 ? ram : rom_at(h, address),
		.wr = attributes & 2 ? ram : NULL,
	};

	if (physmem_map(h->mem, &region))
		log_error("i440fx: no room in the memory map for %x-%x", region.first, region.last);
}

static bool reads_rom(struct i440fx *h, unsigned segment, u8 attributes)
{
	return !(attributes & 1) && rom_at(h, segment_first(segment));
}

/*
 * One region for each run of segments that read from the same place: the fewer map changes, the
 * fewer times the CPU drops what it has cached.
 */
static void apply_pam(struct i440fx *h)
{
	unsigned first = 0, end;

	while (first < I440FX_SEGMENTS) {
		u8 attributes = wanted(h, first);
		bool rom = reads_rom(h, first, attributes), changed = false;

		for (end = first; end < I440FX_SEGMENTS; end++) {
			if (wanted(h, end) != attributes || reads_rom(h, end, attributes) != rom)
				break;
			changed |= h->attributes[end] != attributes;
			h->attributes[end] = attributes;
		}
		if (changed)
			map_segments(h, first, end, attributes);
		first = end;
	}
}

static u32 i440fx_read(void *dev, u8 reg, unsigned width)
{
	struct i440fx *h = dev;

	return pci_config_read(&h->config, reg, width);
}

static void i440fx_write(void *dev, u8 reg, unsigned width, u32 value)
{
	struct i440fx *h = dev;
	u8 smram = h->config.reg[SMRAM];

	pci_config_write(&h->config, reg, width, value);
	/* D_LCK stays until reset, and keeps D_OPEN clear. */
	if (smram & SMRAM_LOCK)
		h->config.reg[SMRAM] = smram;
	if (h->config.reg[SMRAM] & SMRAM_LOCK)
		h->config.reg[SMRAM] &= (u8)~SMRAM_OPEN;
	if (reg <= PAM6 && reg + width > PAM0)
		apply_pam(h);
}

static const struct pci_ops i440fx_ops = {.read = i440fx_read, .write = i440fx_write};

void i440fx_set_vga_rom(struct i440fx *h, const void *rom, u32 size)
{
	if (size > I440FX_VGA_ROM)
		size = I440FX_VGA_ROM;
	memset(h->vga_rom, 0xff, sizeof(h->vga_rom));
	memcpy(h->vga_rom, rom, size);
	h->vga_rom_size = (size + SEGMENT_SIZE - 1) & ~(SEGMENT_SIZE - 1);
	memset(h->attributes, 0xff, sizeof(h->attributes)); /* to be mapped anew */
	apply_pam(h);
}

void i440fx_reset(struct i440fx *h)
{
	struct pci_config *c = &h->config;

	pci_config_identify(c, 0x8086, 0x1237, 0x060000, 0x02);
	pci_config_set16(c->reg, PCI_COMMAND, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
	pci_config_set16(c->reg, PCI_STATUS, 0x0280);
	/* What SeaBIOS takes for "running under QEMU": it then asks fw_cfg. */
	pci_config_set16(c->reg, PCI_SUBSYS_VENDOR, 0x1af4);
	pci_config_set16(c->reg, PCI_SUBSYS_ID, 0x1100);
	c->reg[SMRAM] = 0x02;
	pci_config_set16(c->mask, PCI_COMMAND, 0x0140);
	memset(c->mask + 0x50, 0xff, 0x72 - 0x50);
	memset(c->mask + PAM0, 0x33, PAM6 - PAM0 + 1);
	c->mask[PAM0] = 0x30;
	c->mask[SMRAM] = 0x78;
	apply_pam(h);
}

int i440fx_init(struct i440fx *h, struct pci_bus *pci, struct physmem *mem, u8 *shadow,
		const u8 *firmware, u32 firmware_size)
{
	struct phys_region rom = {
		.first = 0u - firmware_size,
		.last = ~0u,
		.rd = (u8 *)(uintptr_t)firmware,
	};

	if (firmware_size < 64 * KB || firmware_size > 256 * KB || firmware_size % (64 * KB)) {
		log_error("firmware: %u bytes: expected 64 KB to 256 KB in whole 64 KB",
			  firmware_size);
		return -1;
	}
	memset(h, 0, sizeof(*h));
	memset(h->attributes, 0xff, sizeof(h->attributes)); /* nothing is mapped yet */
	h->mem = mem;
	h->shadow = shadow;
	h->firmware = firmware;
	h->firmware_size = firmware_size;
	if (physmem_map(mem, &rom) || pci_add(pci, PCI_DEVFN(0, 0), &i440fx_ops, h))
		return -1;
	i440fx_reset(h);
	return 0;
}
