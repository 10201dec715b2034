/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole PC: that the wires between the chips lead where a PC's do. */
#include "tests/unit/devices/support.h"
#include "devices/block.h"
#include "devices/pc.h"
#include "devices/pci.h"
#include <string.h>

struct fixture {
	struct board *b;
	struct pc *pc;
	struct block disk;
	bool intr;
	unsigned resets, inits, power_offs;
	char debug[16];
	u8 shadow[256 * KB], rom[64 * KB], image[20808 * 512];
};

static void intr(void *ctx, bool level)
{
	((struct fixture *)ctx)->intr = level;
}

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static void cpu_init(void *ctx)
{
	((struct fixture *)ctx)->inits++;
}

static void power_off(void *ctx)
{
	((struct fixture *)ctx)->power_offs++;
}

static void debug(void *ctx, u8 byte)
{
	struct fixture *f = ctx;

	strncat(f->debug, (char[]){(char)byte, 0}, sizeof(f->debug) - strlen(f->debug) - 1);
}

static void out(struct fixture *f, u16 port, u8 value)
{
	bus_out(pc_bus(f->pc), port, 1, value);
}

static u8 in(struct fixture *f, u16 port)
{
	u32 value = 0;

	bus_in(pc_bus(f->pc), port, 1, &value);
	return (u8)value;
}

static u8 cmos(struct fixture *f, u8 index)
{
	out(f, 0x70, index);
	return in(f, 0x71);
}

/* DLX's partition table: one partition up to the end of the disk, 306/4/17. */
static void partition(u8 *sector)
{
	static const u8 entry[16] = {0x80, 1, 1, 0, 0x81, 3, 0x51, 0x31, 17, 0, 0, 0, 0x37, 0x51};

	memcpy(sector + 446, entry, sizeof(entry));
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct pc_config config = {
		.ram_size = BOARD_RAM,
		.rom_shadow = f->shadow,
		.firmware = f->rom,
		.firmware_size = sizeof(f->rom),
		.debug = {debug, f},
		.rtc = {1996, 4, 15, 19, 46, 15},
		.intr = intr,
		.reset = reset,
		.cpu_init = cpu_init,
		.power_off = power_off,
		.ctx = f,
	};

	f->b = board_new();
	partition(f->image);
	assert_int_equal(block_from_memory(&f->disk, "disk", f->image, sizeof(f->image), 512), 0);
	config.mem = &f->b->mem;
	config.clock = &f->b->clock;
	config.disk[0] = &f->disk;
	f->pc = test_calloc(1, pc_size());
	assert_int_equal(pc_init(f->pc, &config), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	board_free(f->b);
	test_free(f->pc);
	test_free(f);
	return 0;
}

static void unmask(struct fixture *f)
{
	static const u8 icw[4] = {0x11, 0x20, 0x04, 0x01}, icw_slave[4] = {0x11, 0x28, 0x02, 0x01};

	for (unsigned i = 0; i < 4; i++) {
		out(f, i ? 0x21 : 0x20, icw[i]);
		out(f, i ? 0xa1 : 0xa0, icw_slave[i]);
	}
}

static void timer_interrupt(void **state)
{
	struct fixture *f = *state;

	unmask(f);
	out(f, 0x43, 0x34);
	out(f, 0x40, 0x00);
	out(f, 0x40, 0x10);
	board_run(f->b, 4 * MS);
	assert_true(f->intr);
	assert_int_equal(pc_intack(f->pc), 0x20);
}

static void keyboard_interrupt(void **state)
{
	struct fixture *f = *state;

	unmask(f);
	out(f, 0x64, 0x60);
	out(f, 0x60, 0x41);
	assert_true(pc_key_space(f->pc) > 0);
	pc_key_scancode(f->pc, 0x1c);
	board_run(f->b, 2 * MS);
	assert_int_equal(pc_intack(f->pc), 0x21);
	assert_int_equal(in(f, 0x60), 0x1c);
}

static void fpu_interrupt(void **state)
{
	struct fixture *f = *state;

	unmask(f);
	pc_ferr(f->pc, true);
	assert_true(f->intr);
	assert_int_equal(pc_intack(f->pc), 0x2d);
	assert_false(pc_ignne(f->pc));
	out(f, 0xf0, 0);
	assert_true(pc_ignne(f->pc)); /* the handler may use the FPU */
	pc_ferr(f->pc, true);
	out(f, 0xa0, 0x20);
	out(f, 0x20, 0x20);
	assert_false(f->intr);
	pc_ferr(f->pc, false);
	assert_false(pc_ignne(f->pc));
	pc_ferr(f->pc, true);
	assert_int_equal(pc_intack(f->pc), 0x2d);
}

static void serial_interrupt(void **state)
{
	struct fixture *f = *state;

	unmask(f);
	out(f, 0x3fc, 0x08);
	out(f, 0x3f9, 0x01);
	assert_true(pc_serial_space(f->pc, 0) > 0);
	assert_int_equal(pc_serial_space(f->pc, 7), 0);
	pc_serial_input(f->pc, 7, 'x');
	pc_serial_input(f->pc, 0, 'x');
	board_run(f->b, 20 * MS);
	assert_int_equal(pc_intack(f->pc), 0x24);
	assert_int_equal(in(f, 0x3f8), 'x');
}

static void set_up(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(cmos(f, 0x12), 0xf0);
	assert_int_equal(cmos(f, 0x1b) | cmos(f, 0x1c) << 8, 306);
	assert_int_equal(cmos(f, 0x09), 0x96);
	assert_int_equal(cmos(f, 0x32), 0x19);
	assert_int_equal(cmos(f, 0x04), 0x19);
	assert_int_equal(cmos(f, 0x17) | cmos(f, 0x18) << 8, 1024);
}

static void ways_to_reset(void **state)
{
	struct fixture *f = *state;

	out(f, 0x64, 0xfe);
	out(f, 0x92, 0x03);
	out(f, 0xcf9, 0x06);
	assert_int_equal(f->resets, 3);
	assert_int_equal(f->inits, 0);
	out(f, 0x70, 0x0f);
	out(f, 0x71, 0x0a); /* jump through 40:67h: back from protected mode */
	out(f, 0x64, 0xfe);
	assert_int_equal(f->inits, 1);
	out(f, 0xcf9, 0x00);
	out(f, 0xcf9, 0x06);
	assert_int_equal(f->resets, 4);
}

/* The CPU's first fetch is at FFFFFFF0h: no gate may stand in its way, however it was left. */
static void a_cpu_reset_opens_a20(void **state)
{
	struct fixture *f = *state;

	out(f, 0x70, 0x0f);
	out(f, 0x71, 0x05);
	out(f, 0x92, 0x01);
	assert_int_equal(f->inits, 1);
	assert_true(physmem_a20(&f->b->mem));
	out(f, 0x64, 0xd1);
	out(f, 0x60, 0xdd);
	assert_false(physmem_a20(&f->b->mem));
	out(f, 0x64, 0xfe);
	assert_int_equal(f->inits, 2);
	assert_true(physmem_a20(&f->b->mem));
	out(f, 0x64, 0xd1);
	out(f, 0x60, 0xdc);
	assert_int_equal(f->inits, 3);
	assert_true(physmem_a20(&f->b->mem));
}

static void reset_restores_the_chips(void **state)
{
	struct fixture *f = *state;

	unmask(f);
	out(f, 0x43, 0x34);
	out(f, 0x40, 0x00);
	out(f, 0x40, 0x10);
	out(f, 0x92, 0x00);
	board_run(f->b, 10 * MS);
	assert_true(f->intr);
	pc_reset(f->pc);
	assert_false(f->intr);
	assert_true(physmem_a20(&f->b->mem));
	board_run(f->b, 10 * NS_PER_SEC);
	assert_false(f->intr);
	assert_int_equal(cmos(f, 0x12), 0xf0);
	assert_int_equal(cmos(f, 0x00), 0x25); /* the clock ran on */
}

static void power_and_debug(void **state)
{
	struct fixture *f = *state;

	out(f, 0x402, 'o');
	out(f, 0xe9, 'k');
	assert_string_equal(f->debug, "ok");
	assert_int_equal(in(f, 0x402), 0xe9);
	bus_out(pc_bus(f->pc), 0xcf8, 4, 0x80000b40);
	bus_out(pc_bus(f->pc), 0xcfc, 4, 0xb001);
	bus_out(pc_bus(f->pc), 0xcf8, 4, 0x80000b80);
	bus_out(pc_bus(f->pc), 0xcfc, 1, 1);
	bus_out(pc_bus(f->pc), 0xb004, 2, 0x2000);
	assert_int_equal(f->power_offs, 1);
}

static u32 foreign_read(void *dev, u8 reg, unsigned width)
{
	(void)dev;
	(void)width;
	return reg;
}

static void a_foreign_pci_function(void **state)
{
	static const struct pci_ops ops = {.read = foreign_read};
	struct fixture *f = *state;
	u32 value;

	assert_int_equal(pc_add_pci_function(f->pc, PCI_DEVFN(2, 0), &ops, NULL), 0);
	assert_int_equal(pc_add_pci_function(f->pc, PCI_DEVFN(1, 0), &ops, NULL), -1);
	bus_out(pc_bus(f->pc), 0xcf8, 4, 0x80001010);
	bus_in(pc_bus(f->pc), 0xcfc, 4, &value);
	assert_int_equal(value, 0x10);
}

/* Block transfers, keys, the mouse and a serial line in the middle of it all. */
static void random_traffic(struct fixture *f, u32 seed)
{
	static u8 buf[4096];
	unsigned width = 1u << (seed >> 4 & 3) % 3;

	if (seed & 1)
		bus_ins(pc_bus(f->pc), (u16)(seed >> 8), width, buf, sizeof(buf) / width);
	else
		bus_outs(pc_bus(f->pc), (u16)(seed >> 8), width, buf, 1024);
	pc_key_scancode(f->pc, (u8)(seed >> 16));
	pc_mouse_packet(f->pc, (s8)seed, (s8)(seed >> 8), 3);
	pc_serial_input(f->pc, seed >> 20 & 1, (u8)seed);
}

/* A guest that writes anything anywhere: mostly where the chips are. */
static void random_ports(void **state)
{
	struct fixture *f = *state;
	u32 seed = 17, value;

	for (unsigned i = 0; i < 1000000; i++) {
		unsigned width;
		u16 port;

		seed = seed * 1664525 + 1013904223;
		width = 1u << (seed >> 28 & 3) % 3;
		port = seed >> 12 & (seed >> 9 & 7 ? 0x7ff : 0xffff);
		if (seed >> 31)
			bus_out(pc_bus(f->pc), port, width, seed * 3);
		else
			bus_in(pc_bus(f->pc), port, width, &value);
		if (f->intr && (seed & 0x100))
			assert_in_range(pc_intack(f->pc), 0, 255);
		if (!(i % 64)) {
			random_traffic(f, seed * 5);
			board_run(f->b, seed >> 4 & 0xffff);
		}
		if (!(i % 100000))
			pc_reset(f->pc);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timer_interrupt),
		TEST(keyboard_interrupt),
		TEST(fpu_interrupt),
		TEST(serial_interrupt),
		TEST(set_up),
		TEST(ways_to_reset),
		TEST(a_cpu_reset_opens_a20),
		TEST(reset_restores_the_chips),
		TEST(power_and_debug),
		TEST(a_foreign_pci_function),
		TEST(random_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
