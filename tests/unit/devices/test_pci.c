/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration mechanism 1, PAM, PIRQ routing, the reset control register, ACPI PM, fw_cfg. */
#include "tests/unit/devices/support.h"
#include "devices/acpi_pm.h"
#include "devices/fw_cfg.h"
#include "devices/i440fx.h"
#include "devices/pc.h"
#include "devices/piix3.h"
#include <string.h>

struct fixture {
	struct board *b;
	struct pci_bus pci;
	struct i440fx bridge;
	struct piix3 isa;
	struct acpi_pm pm;
	struct fw_cfg fw;
	unsigned resets, power_offs;
	u8 shadow[256 * KB];
	u8 rom[128 * KB];
};

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static void power_off(void *ctx)
{
	((struct fixture *)ctx)->power_offs++;
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct irq_pin sci;

	f->b = board_new();
	sci = board_pin(f->b, 9);
	for (unsigned i = 0; i < sizeof(f->rom); i++)
		f->rom[i] = (u8)(0x80 | i >> 10);
	pci_init(&f->pci, &f->b->bus);
	assert_int_equal(
		i440fx_init(&f->bridge, &f->pci, &f->b->mem, f->shadow, f->rom, sizeof(f->rom)), 0);
	assert_int_equal(piix3_init(&f->isa, &f->pci, &f->b->irqs, 4, reset, f), 0);
	assert_int_equal(acpi_pm_init(&f->pm, &f->pci, &f->b->bus, &f->b->clock, sci, power_off, f),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	board_free(f->b);
	test_free(f);
	return 0;
}

static void address(struct fixture *f, u8 devfn, u8 reg)
{
	out32(f->b, 0xcf8, 0x80000000 | (u32)devfn << 8 | (reg & 0xfc));
}

static u32 config_read(struct fixture *f, u8 devfn, u8 reg)
{
	address(f, devfn, reg);
	return in32(f->b, 0xcfc);
}

static void config_write(struct fixture *f, u8 devfn, u8 reg, u32 value)
{
	address(f, devfn, reg);
	out32(f->b, 0xcfc, value);
}

static void config_write8(struct fixture *f, u8 devfn, u8 reg, u8 value)
{
	address(f, devfn, reg);
	out8(f->b, 0xcfc + (reg & 3), value);
}

#define BRIDGE PCI_DEVFN(0, 0)
#define ISA    PCI_DEVFN(1, 0)
#define PM     PCI_DEVFN(1, 3)

static void mechanism_1(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(config_read(f, BRIDGE, 0), 0x12378086);
	assert_int_equal(in32(f->b, 0xcf8), 0x80000000);
	assert_int_equal(in16(f->b, 0xcfe), 0x1237);
	assert_int_equal(in8(f->b, 0xcfd), 0x80);
	assert_int_equal(config_read(f, BRIDGE, 0x2c), 0x11001af4);
	assert_int_equal(config_read(f, ISA, 0), 0x70008086);
	assert_int_equal(config_read(f, ISA, 0x0c) >> 16 & 0xff, 0x80);
	assert_int_equal(config_read(f, PM, 0), 0x71138086);
	assert_int_equal(config_read(f, PCI_DEVFN(1, 1), 0), 0xffffffff);
	assert_int_equal(config_read(f, PCI_DEVFN(31, 7), 0), 0xffffffff);
	out32(f->b, 0xcf8, 0x80010000); /* another bus */
	assert_int_equal(in32(f->b, 0xcfc), 0xffffffff);
	out32(f->b, 0xcf8, 0x00000000); /* not enabled */
	assert_int_equal(in32(f->b, 0xcfc), 0xffffffff);
	out16(f->b, 0xcf8, 0x8000); /* only dwords reach CONFADD */
	out8(f->b, 0xcf8, 0x80);
	assert_int_equal(in32(f->b, 0xcf8), 0);
	config_write(f, BRIDGE, 0, 0xdeadbeef);
	assert_int_equal(config_read(f, BRIDGE, 0), 0x12378086);
}

static u32 peek(struct fixture *f, u32 gpa)
{
	u8 byte;

	physmem_read(&f->b->mem, gpa, &byte, 1);
	return byte;
}

static void poke(struct fixture *f, u32 gpa, u8 byte)
{
	physmem_write(&f->b->mem, gpa, &byte, 1);
}

static void rom_and_shadow(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(peek(f, 0xfffffff0), 0xff);
	assert_int_equal(peek(f, 0xfffe0000), 0x80);
	assert_int_equal(peek(f, 0xe0000), 0x80);
	assert_int_equal(peek(f, 0xfffff), 0xff);
	assert_int_equal(peek(f, 0xc0000), 0xff);
	poke(f, 0xf0000, 1);
	assert_int_equal(peek(f, 0xf0000), 0xc0);
	config_write8(f, BRIDGE, 0x59, 0x20); /* write RAM, read ROM: how firmware copies itself */
	poke(f, 0xf0000, 2);
	assert_int_equal(peek(f, 0xf0000), 0xc0);
	config_write8(f, BRIDGE, 0x59, 0x10); /* read RAM, writes go nowhere */
	assert_int_equal(peek(f, 0xf0000), 2);
	poke(f, 0xf0000, 3);
	assert_int_equal(peek(f, 0xf0000), 2);
	config_write8(f, BRIDGE, 0x59, 0x30);
	poke(f, 0xf0000, 4);
	assert_int_equal(peek(f, 0xf0000), 4);
	assert_int_equal(peek(f, 0xffff0000), 0xc0);
	i440fx_reset(&f->bridge);
	assert_int_equal(peek(f, 0xf0000), 0xc0);
}

static void each_segment_on_its_own(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 12; i++) {
		u32 at = 0xc0000 + i * 0x4000;

		config_write8(f, BRIDGE, (u8)(0x5a + i / 2), i % 2 ? 0x30 : 0x03);
		poke(f, at, (u8)(i + 1));
		poke(f, at + 0x3fff, (u8)(i + 1));
		assert_int_equal(peek(f, at), i + 1);
		assert_int_equal(peek(f, at + 0x3fff), i + 1);
		assert_int_not_equal(peek(f, at + 0x4000), i + 1);
	}
	config_write(f, BRIDGE, 0x58, 0x33333000);
	config_write(f, BRIDGE, 0x5c, 0x33333333);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(peek(f, 0xc0000 + i * 0x4000), i + 1);
	assert_true(f->b->mem.region_count <= 4); /* RAM, shadow as one piece, ROM */
}

static void video_rom(void **state)
{
	struct fixture *f = *state;
	static u8 rom[80 * KB];

	memset(rom, 0x55, sizeof(rom));
	i440fx_set_vga_rom(&f->bridge, rom, 0x7001);
	assert_int_equal(peek(f, 0xc0000), 0x55);
	assert_int_equal(peek(f, 0xc7000), 0x55);
	assert_int_equal(peek(f, 0xc7001), 0xff);
	assert_int_equal(peek(f, 0xc8000), 0xff);
	config_write8(f, BRIDGE, 0x5a, 0x33);
	assert_int_equal(peek(f, 0xc0000), 0x00);
	i440fx_reset(&f->bridge);
	assert_int_equal(peek(f, 0xc0000), 0x55);
	i440fx_set_vga_rom(&f->bridge, rom, sizeof(rom));
	assert_int_equal(peek(f, 0xcffff), 0x55);
	assert_int_equal(peek(f, 0xd0000), 0xff);
	assert_int_equal(peek(f, 0xe0000), 0x80);
}

static void smram_lock(void **state)
{
	struct fixture *f = *state;

	config_write8(f, BRIDGE, 0x72, 0x4a);
	assert_int_equal(config_read(f, BRIDGE, 0x70) >> 16 & 0xff, 0x4a);
	config_write8(f, BRIDGE, 0x72, 0x1a);
	config_write8(f, BRIDGE, 0x72, 0x4a);
	assert_int_equal(config_read(f, BRIDGE, 0x70) >> 16 & 0xff, 0x1a);
}

static void pirq_routing(void **state)
{
	struct fixture *f = *state;

	piix3_pirq_set(&f->isa, 1, 3, true);
	assert_false(f->b->irq[10]);
	config_write8(f, ISA, 0x61, 10);
	assert_true(f->b->irq[10]);
	config_write8(f, ISA, 0x61, 11);
	assert_false(f->b->irq[10]);
	assert_true(f->b->irq[11]);
	piix3_pirq_set(&f->isa, 1, 4, true);
	piix3_pirq_set(&f->isa, 1, 3, false);
	assert_true(f->b->irq[11]);
	config_write8(f, ISA, 0x61, 0x80);
	assert_false(f->b->irq[11]);
	config_write8(f, ISA, 0x61, 8); /* reserved */
	assert_false(f->b->irq[8]);
}

static void reset_control(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0xcf9, 0x02);
	assert_int_equal(in8(f->b, 0xcf9), 0x02);
	assert_int_equal(f->resets, 0);
	out8(f->b, 0xcf9, 0x06);
	assert_int_equal(f->resets, 1);
	out8(f->b, 0xcf9, 0x06);
	assert_int_equal(f->resets, 1);
}

static void enable_pm(struct fixture *f)
{
	config_write(f, PM, 0x40, 0xb001);
	config_write8(f, PM, 0x80, 1);
}

static void pm_timer(void **state)
{
	struct fixture *f = *state;
	u32 before;

	assert_int_equal(in32(f->b, 0xb008), 0xffffffff);
	enable_pm(f);
	assert_int_equal(config_read(f, PM, 0x40), 0xb001);
	assert_int_equal(config_read(f, PM, 0x58) & 0x02000000, 0x02000000);
	before = in32(f->b, 0xb008);
	board_run(f->b, NS_PER_SEC);
	assert_in_range(in32(f->b, 0xb008) - before, 3579544, 3579546);
	board_run(f->b, 3600 * NS_PER_SEC);
	assert_in_range(in32(f->b, 0xb008), 0, 0xffffff);
	config_write(f, PM, 0x40, 0xc001); /* moved */
	assert_int_equal(in32(f->b, 0xb008), 0xffffffff);
	assert_in_range(in32(f->b, 0xc008), 0, 0xffffff);
	config_write8(f, PM, 0x80, 0);
	assert_int_equal(in32(f->b, 0xc008), 0xffffffff);
}

static void acpi_mode_and_sci(void **state)
{
	struct fixture *f = *state;

	enable_pm(f);
	assert_int_equal(in16(f->b, 0xb004) & 1, 0);
	out8(f->b, 0xb2, 0xf1);
	assert_int_equal(in16(f->b, 0xb004) & 1, 1);
	out16(f->b, 0xb002, 0x0001); /* TMR_EN */
	board_run(f->b, 2400 * MS);
	assert_true(f->b->irq[9]);
	assert_int_equal(in16(f->b, 0xb000) & 1, 1);
	out16(f->b, 0xb000, 0x0001);
	assert_int_equal(in16(f->b, 0xb000) & 1, 0);
	assert_false(f->b->irq[9]);
	board_run(f->b, 2400 * MS);
	assert_true(f->b->irq[9]);
	out8(f->b, 0xb2, 0xf0);
	assert_false(f->b->irq[9]);
	out8(f->b, 0xb3, 0x77);
	assert_int_equal(in16(f->b, 0xb2), 0x77f0);
}

static void soft_off(void **state)
{
	struct fixture *f = *state;

	enable_pm(f);
	out16(f->b, 0xb004, 0x2401); /* S3: not here */
	assert_int_equal(f->power_offs, 0);
	out16(f->b, 0xb004, 0x2001);
	assert_int_equal(f->power_offs, 1);
	assert_int_equal(in16(f->b, 0xb004), 0x0001); /* SLP_EN reads as zero */
	out8(f->b, 0xb005, 0x20);
	assert_int_equal(f->power_offs, 2);
}

static void firmware_configuration(void **state)
{
	static const struct pc_fw_file files[] = {{"vgaroms/vgabios.bin", "VGABIOS", 7}};
	struct fixture *f = *state;
	u8 buf[256];

	assert_int_equal(fw_cfg_init(&f->fw, &f->b->bus, 64 * MB, files, 1), 0);
	out16(f->b, 0x510, 0);
	for (unsigned i = 0; i < 6; i++)
		buf[i] = in8(f->b, 0x511);
	assert_memory_equal(buf, "QEMU\0\0", 6);
	out16(f->b, 0x510, 1);
	assert_int_equal(in8(f->b, 0x511), 1);
	out16(f->b, 0x510, 0x19);
	assert_int_equal(bus_ins(&f->b->bus, 0x511, 1, buf, 4 + 128 + 8), 140);
	assert_memory_equal(buf, "\0\0\0\2\0\0\0\x14\0\x20\0\0etc/e820\0", 21);
	assert_memory_equal(buf + 4 + 64, "\0\0\0\7\0\x21\0\0vgaroms/vgabios.bin\0", 28);
	out16(f->b, 0x510, 0x20);
	assert_int_equal(bus_ins(&f->b->bus, 0x511, 1, buf, 20), 20);
	assert_memory_equal(buf, "\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\0\1\0\0\0", 20);
	out16(f->b, 0x510, 0x21);
	bus_ins(&f->b->bus, 0x511, 1, buf, 9);
	assert_memory_equal(buf, "VGABIOS\0\0", 9);
	for (u32 key = 0x22; key < 0x10000; key += 77) {
		out16(f->b, 0x510, (u16)key);
		assert_int_equal(in8(f->b, 0x511), 0);
	}
}

static void too_many_files(void **state)
{
	struct fixture *f = *state;
	struct pc_fw_file files[FW_CFG_FILES_MAX];
	struct pc_fw_file long_name = {"0123456789012345678901234567890123456789012345678901234567",
				       "", 0};

	for (unsigned i = 0; i < FW_CFG_FILES_MAX; i++)
		files[i] = (struct pc_fw_file){"x", "", 0};
	assert_int_equal(fw_cfg_init(&f->fw, &f->b->bus, MB, files, FW_CFG_FILES_MAX), -1);
	assert_int_equal(fw_cfg_init(&f->fw, &f->b->bus, MB, &long_name, 1), -1);
	assert_int_equal(logged_errors(), 2);
}

static void firmware_sizes(void **state)
{
	struct fixture *f = *state;
	static u8 rom[256 * KB];

	memset(&f->pci, 0, sizeof(f->pci));
	assert_int_equal(i440fx_init(&f->bridge, &f->pci, &f->b->mem, f->shadow, rom, 1000), -1);
	assert_int_equal(i440fx_init(&f->bridge, &f->pci, &f->b->mem, f->shadow, rom, 512 * KB),
			 -1);
	assert_int_equal(logged_errors(), 2);
	memset(rom, 0x11, sizeof(rom));
	assert_int_equal(i440fx_init(&f->bridge, &f->pci, &f->b->mem, f->shadow, rom, 64 * KB), 0);
	assert_int_equal(peek(f, 0xeffff), 0xff);
	assert_int_equal(peek(f, 0xf0000), 0x11);
	memset(&f->pci, 0, sizeof(f->pci));
	assert_int_equal(i440fx_init(&f->bridge, &f->pci, &f->b->mem, f->shadow, rom, 256 * KB), 0);
	assert_int_equal(peek(f, 0xdffff), 0xff);
	assert_int_equal(peek(f, 0xe0000), 0x11);
	assert_int_equal(peek(f, 0xfffc0000), 0x11);
}

static void random_accesses(void **state)
{
	struct fixture *f = *state;
	u32 seed = 13;

	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1664525 + 1013904223;
		switch (seed >> 29) {
		case 0:
			in32(f->b, (u16)(0xcf8 + (seed >> 8 & 7)));
			break;
		case 1:
			out16(f->b, (u16)(seed >> 8), (u16)(seed >> 4));
			break;
		case 2:
			in16(f->b, (u16)(seed >> 8));
			break;
		case 3:
			config_write8(f, ISA, (u8)(seed >> 8), (u8)(seed >> 16));
			break;
		case 4:
			config_write8(f, BRIDGE, (u8)(seed >> 8), (u8)(seed >> 16));
			break;
		default:
			config_write(f, PM, (u8)(seed >> 8), seed << 7);
			break;
		}
		board_run(f->b, seed >> 8 & 0xffff);
	}
	assert_int_equal(peek(f, 0xfffffff0), 0xff);
}

/* The highest bit changes each 2.34 s: twice is no less of an event than once. */
static void pm_timer_status_after_a_whole_turn(void **state)
{
	struct fixture *f = *state;

	enable_pm(f);
	out16(f->b, 0xb000, 0x0001);
	board_run(f->b, 4700 * MS);
	assert_int_equal(in16(f->b, 0xb000) & 1, 1);
	out16(f->b, 0xb000, 0x0001);
	assert_int_equal(in16(f->b, 0xb000) & 1, 0);
}

/* Every byte of a block comes from the device. */
static void fw_cfg_blocks_of_words(void **state)
{
	static const u8 zeros[8];
	struct fixture *f = *state;
	u8 buf[8];

	assert_int_equal(fw_cfg_init(&f->fw, &f->b->bus, 64 * MB, NULL, 0), 0);
	memset(buf, 0xaa, sizeof(buf));
	assert_int_equal(bus_ins(&f->b->bus, 0x510, 2, buf, 4), 4);
	assert_memory_equal(buf, zeros, sizeof(zeros));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mechanism_1),
		TEST(rom_and_shadow),
		TEST(each_segment_on_its_own),
		TEST(video_rom),
		TEST(smram_lock),
		TEST(pirq_routing),
		TEST(reset_control),
		TEST(pm_timer),
		TEST(acpi_mode_and_sci),
		TEST(soft_off),
		TEST(firmware_configuration),
		TEST(too_many_files),
		TEST(firmware_sizes),
		TEST(random_accesses),
		TEST(pm_timer_status_after_a_whole_turn),
		TEST(fw_cfg_blocks_of_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
