/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/str.h"
#include "tests/unit/net/support_guest_parts.h"

#define NOINLINE __attribute__((noinline))
#define EIP	 ((u32)(uintptr_t)__builtin_return_address(0))

#define MS 1000000ull

NOINLINE u8 guest_in8(struct guest *g, u16 port)
{
	return (u8)g->in(g, EIP, port, 1);
}

NOINLINE u16 guest_in16(struct guest *g, u16 port)
{
	return (u16)g->in(g, EIP, port, 2);
}

NOINLINE void guest_out8(struct guest *g, u16 port, u8 value)
{
	g->out(g, EIP, port, 1, value);
}

NOINLINE void guest_out16(struct guest *g, u16 port, u16 value)
{
	g->out(g, EIP, port, 2, value);
}

NOINLINE void guest_ins16(struct guest *g, u16 port, void *buf, u32 count)
{
	g->ins(g, EIP, port, 2, buf, count);
}

NOINLINE void guest_outs16(struct guest *g, u16 port, const void *buf, u32 count)
{
	g->outs(g, EIP, port, 2, buf, count);
}

/* --- Linux 1.3 --- */

/* ide_wait_stat() */
static bool wait_stat(struct guest *g, u8 good, u8 bad)
{
	for (unsigned tries = 0; tries < 100000; tries++) {
		u8 status;

		g->pause(g, 1000);
		status = guest_in8(g, STATUS(g));
		if (ok(status, good, bad))
			return true;
		if (!(status & BSY))
			return false;
		while (tries++ < 100000 && guest_in8(g, STATUS(g)) & BSY)
			;
	}
	return false;
}

static bool select_ready(struct guest *g)
{
	guest_out8(g, DEVICE(g), device(g, 0));
	return wait_stat(g, DRDY, BSY | DRQ);
}

/* ide_cmd(), with its interrupt and the status */
static bool drive_cmd(struct guest *g, u8 command, u8 count)
{
	if (!select_ready(g))
		return false;
	guest_out8(g, CONTROL(g), HD15);
	guest_out8(g, COUNT(g), count);
	guest_out8(g, STATUS(g), command);
	return g->irq(g) && ok(guest_in8(g, STATUS(g)), DRDY, BSY | ERR);
}

bool linux13_set_multiple(struct guest *g, u8 multiple)
{
	return drive_cmd(g, 0xc6, multiple);
}

/* try_to_identify(): waits 50 ms between looks at the alternate status. */
bool linux13_identify(struct guest *g, u8 data[512])
{
	u8 status;

	guest_out8(g, CONTROL(g), HD15 | NIEN);
	guest_out8(g, DEVICE(g), device(g, 0));
	g->pause(g, 50 * MS);
	guest_out8(g, STATUS(g), 0xec);
	for (unsigned i = 0; i < 20; i++) {
		g->pause(g, 50 * MS);
		if (!(guest_in8(g, CONTROL(g)) & BSY))
			break;
	}
	g->pause(g, 50 * MS);
	status = guest_in8(g, STATUS(g));
	if (ok(status, DRQ, BSY | ERR | DF))
		guest_ins16(g, DATA(g), data, WORDS);
	guest_out8(g, CONTROL(g), HD15);
	return ok(status, DRQ, BSY | ERR | DF);
}

/* do_rw_disk() */
static bool linux13_command(struct guest *g, u32 lba, u32 sectors, u8 command)
{
	if (!select_ready(g))
		return false;
	guest_out8(g, CONTROL(g), HD15);
	guest_out8(g, COUNT(g), (u8)sectors);
	guest_out8(g, LOW(g), (u8)lba);
	guest_out8(g, MID(g), (u8)(lba >> 8));
	guest_out8(g, HIGH(g), (u8)(lba >> 16));
	guest_out8(g, DEVICE(g), device(g, lba));
	guest_out8(g, STATUS(g), command);
	return true;
}

/* read_intr() for each interrupt */
bool linux13_read(struct guest *g, u32 lba, u32 sectors, u32 multiple, u8 *buf)
{
	if (!linux13_command(g, lba, sectors, multiple ? 0xc4 : 0x20))
		return false;
	while (sectors) {
		u32 block = least(multiple ? multiple : 1, sectors);

		if (!g->irq(g) || !ok(guest_in8(g, STATUS(g)), DRDY | DSC | DRQ, BSY | ERR | DF))
			return false;
		sectors -= block;
		while (block) {
			u32 n = least(2, block);

			guest_ins16(g, DATA(g), buf, n * WORDS);
			buf += n * SECTOR;
			block -= n;
		}
	}
	return true;
}

/* write_intr() and multwrite_intr() */
bool linux13_write(struct guest *g, u32 lba, u32 sectors, u32 multiple, const u8 *buf)
{
	if (!linux13_command(g, lba, sectors, multiple ? 0xc5 : 0x30) ||
	    !wait_stat(g, DRDY | DSC | DRQ, BSY | ERR | DF))
		return false;
	for (;;) {
		u32 block = least(multiple ? multiple : 1, sectors);
		u8 status;

		guest_outs16(g, DATA(g), buf, block * WORDS);
		buf += block * SECTOR;
		sectors -= block;
		if (!g->irq(g))
			return false;
		status = guest_in8(g, STATUS(g));
		if (!ok(status, DRDY | DSC, BSY | ERR | DF) || (sectors && !(status & DRQ)))
			return false;
		if (!sectors)
			return true;
	}
}

/* --- SeaBIOS --- */

static u8 await_not_bsy(struct guest *g)
{
	u8 status;

	do {
		status = guest_in8(g, STATUS(g));
	} while (status & BSY);
	return status;
}

static u8 pause_await_not_bsy(struct guest *g)
{
	guest_in8(g, CONTROL(g));
	return await_not_bsy(g);
}

bool seabios_read(struct guest *g, u32 lba, u32 sectors, u8 *buf)
{
	u8 status;

	guest_out8(g, CONTROL(g), HD15 | NIEN);
	await_not_bsy(g);
	guest_in8(g, DEVICE(g));
	guest_out8(g, DEVICE(g), device(g, lba));
	guest_out8(g, ERROR(g), 0);
	guest_out8(g, COUNT(g), (u8)sectors);
	guest_out8(g, LOW(g), (u8)lba);
	guest_out8(g, MID(g), (u8)(lba >> 8));
	guest_out8(g, HIGH(g), (u8)(lba >> 16));
	guest_out8(g, STATUS(g), 0x20);
	status = pause_await_not_bsy(g);
	for (; sectors && ok(status, DRQ, BSY | ERR); sectors--, buf += SECTOR) {
		guest_ins16(g, DATA(g), buf, WORDS);
		status = pause_await_not_bsy(g);
	}
	guest_out8(g, CONTROL(g), HD15);
	return !sectors && ok(status, DRDY, BSY | DRQ | ERR | DF);
}

/* --- a loader of one's own --- */

bool naive_read(struct guest *g, u32 lba, u32 sectors, u8 *buf)
{
	guest_out8(g, CONTROL(g), HD15 | NIEN);
	guest_out8(g, DEVICE(g), device(g, lba));
	guest_out8(g, COUNT(g), (u8)sectors);
	guest_out8(g, LOW(g), (u8)lba);
	guest_out8(g, MID(g), (u8)(lba >> 8));
	guest_out8(g, HIGH(g), (u8)(lba >> 16));
	guest_out8(g, STATUS(g), 0x20);
	for (; sectors; sectors--) {
		u8 status;

		do {
			status = guest_in8(g, STATUS(g));
		} while (status & BSY || !(status & (DRQ | ERR)));
		if (status & ERR)
			return false;
		for (u32 i = 0; i < WORDS; i++, buf += 2) {
			u16 word = guest_in16(g, DATA(g));

			memcpy(buf, &word, 2);
		}
	}
	return true;
}
