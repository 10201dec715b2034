/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyboard controller's commands, and the answers of the keyboard and the mouse behind it.
 * Nobody types: each byte that comes is an answer.
 */
#include "tests/guests/rt/rt.h"

enum { DATA = 0x60, STATUS = 0x64, FULL = 0x01, BUSY = 0x02, FROM_MOUSE = 0x20 };

#define POLLS 5000u /* several times a byte's 1 ms on any host */

static bool comes(void)
{
	for (u32 i = 0; i < POLLS; i++)
		if (inb(STATUS) & FULL)
			return true;
	return false;
}

/* Prints all that comes: m marks the mouse's bytes. */
static void answers(const char *label, u8 sent)
{
	u8 status;

	print("%s %02x:", label, sent);
	while (comes()) {
		status = inb(STATUS);
		print(" %02x%s", inb(DATA), status & FROM_MOUSE ? "m" : "");
	}
	print("\n");
}

static void write(u16 port, u8 value)
{
	while (inb(STATUS) & BUSY)
		;
	outb(port, value);
}

static void controller(u8 command)
{
	write(STATUS, command);
	answers("controller", command);
}

static void controller_with(u8 command, u8 value)
{
	write(STATUS, command);
	print("status of a command %x\n", inb(STATUS) & 0x0c);
	write(DATA, value);
	print("status of data %x\n", inb(STATUS) & 0x0c);
	answers("with data", value);
}

/* The output port's other bits are lines that Bochs leaves low. */
static void a20_gate(u8 command)
{
	write(STATUS, command);
	write(STATUS, 0xd0);
	print("A20 %02x: %u", command, comes());
	print(" %x\n", inb(DATA) & 3);
}

static void keyboard(u8 value)
{
	write(DATA, value);
	answers("keyboard", value);
}

static void mouse(u8 value)
{
	write(STATUS, 0xd4);
	write(DATA, value);
	answers("mouse", value);
}

static void list(void (*to)(u8), const u8 *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		to(bytes[i]);
}

static void mode(u8 value)
{
	controller_with(0x60, value);
	controller(0x20);
}

int main(void)
{
	static const u8 tests[] = {0xaa, 0xab, 0xa9, 0xc0};
	static const u8 switches[] = {0xad, 0x20, 0xae, 0x20, 0xa7, 0x20, 0xa8, 0x20};
	static const u8 keys[] = {0xff, 0xee, 0xf2, 0xed, 0x07, 0xf3, 0x20, 0xf0, 0x00, 0xf0, 0x01,
				  0xf0, 0x00, 0xf0, 0x03, 0xf0, 0x00, 0xf6, 0xf0, 0x00, 0xf5, 0xf4};
	/* Not F0h 00h: Bochs does not translate the answer. */
	static const u8 translated[] = {0xff, 0xee, 0xf2, 0xed, 0x00, 0xf5, 0xf4};
	static const u8 moves[] = {0xff, 0xf2, 0xe9, 0xe7, 0xe8, 0x03, 0xf3, 0x28, 0xe9, 0xf4, 0xe9,
				   0xf0, 0xe9, 0xeb, 0xea, 0xf5, 0xe9, 0xee, 0xf2, 0xe9, 0xec, 0xf6,
				   0xe9, 0xf3, 200,  0xf3, 100,	 0xf3, 80,   0xf2, 0xff};

	print("[begin ps2]\n");
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	list(controller, tests, sizeof(tests));
	mode(0x00);
	list(controller, switches, sizeof(switches));
	a20_gate(0xdd);
	a20_gate(0xdf);
	controller_with(0xd2, 0x5a);
	controller_with(0xd3, 0xa5);
	list(keyboard, keys, sizeof(keys));
	list(mouse, moves, sizeof(moves));
	mode(0x40);
	list(keyboard, translated, sizeof(translated));
	write(STATUS, 0xad);
	keyboard(0xee);
	controller(0x20);
	print("[end]\n");
	return 0;
}
