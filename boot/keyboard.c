/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This PC's PS/2 keyboard and mouse behind an 8042 (IBM PS/2 Technical Reference, keyboard and
 * auxiliary device controller), or whatever firmware puts in its place. The keyboard's bytes go on
 * as set 1, the mouse's as three-byte packets.
 */
#include "boot/host.h"
#include "boot/port.h"
#include "lib/log.h"

#define DATA   0x60
#define STATUS 0x64 /* and command */

#define STATUS_OUT BIT(0) /* a byte for us */
#define STATUS_IN  BIT(1) /* the controller has not taken ours yet */
#define STATUS_AUX BIT(5)

#define CMD_READ_CONFIG	 0x20
#define CMD_WRITE_CONFIG 0x60
#define CMD_AUX_OFF	 0xa7
#define CMD_AUX_ON	 0xa8
#define CMD_KEYBOARD_OFF 0xad
#define CMD_KEYBOARD_ON	 0xae
#define CMD_TO_AUX	 0xd4

#define CONFIG_IRQ1	 BIT(0)
#define CONFIG_IRQ12	 BIT(1)
#define CONFIG_NO_AUX	 BIT(5)
#define CONFIG_TRANSLATE BIT(6) /* set 2 to set 1 */

#define MOUSE_DEFAULTS 0xf6
#define MOUSE_ENABLE   0xf4
#define ACK	       0xfa

#define RING 256u

struct byte_ring {
	volatile u32 head, tail; /* free-running */
	u8 byte[RING];
};

static struct byte_ring keys, mouse;
static u8 packet[3];
static unsigned packet_len;

static void ring_put(struct byte_ring *r, u8 byte)
{
	if (r->head - r->tail < RING) {
		r->byte[r->head % RING] = byte;
		r->head++;
	}
}

static int ring_get(struct byte_ring *r)
{
	int byte;

	if (r->head == r->tail)
		return -1;
	byte = r->byte[r->tail % RING];
	r->tail++;
	return byte;
}

/* Both lines lead here: the status register says whose byte it is. */
static void interrupt(void *ctx)
{
	(void)ctx;
	for (unsigned n = 0; n < 32; n++) {
		u8 status = inb(STATUS);

		if (status == 0xff || !(status & STATUS_OUT))
			break;
		ring_put(status & STATUS_AUX ? &mouse : &keys, inb(DATA));
	}
	host_wake();
}

/* Up to 20 ms each: a controller that is not there must not hold up the boot. */
static bool wait_status(u8 mask, u8 value)
{
	for (unsigned n = 0; n < 2000; n++) {
		if ((inb(STATUS) & mask) == value)
			return true;
		host_delay_us(10);
	}
	return false;
}

static bool command(u8 byte)
{
	if (!wait_status(STATUS_IN, 0))
		return false;
	outb(STATUS, byte);
	return true;
}

static bool write_data(u8 byte)
{
	if (!wait_status(STATUS_IN, 0))
		return false;
	outb(DATA, byte);
	return true;
}

static int read_data(void)
{
	return wait_status(STATUS_OUT, STATUS_OUT) ? inb(DATA) : -1;
}

static void drain(void)
{
	for (unsigned n = 0; n < 64 && inb(STATUS) & STATUS_OUT; n++) {
		inb(DATA);
		host_delay_us(10);
	}
}

static bool mouse_command(u8 byte)
{
	return command(CMD_TO_AUX) && write_data(byte) && read_data() == ACK;
}

void host_keyboard_init(void)
{
	int config;
	bool aux;

	if (inb(STATUS) == 0xff || !command(CMD_KEYBOARD_OFF) || !command(CMD_AUX_OFF)) {
		log_info("no PS/2 keyboard controller");
		return;
	}
	drain();
	config = command(CMD_READ_CONFIG) ? read_data() : -1;
	if (config < 0) {
		log_info("the PS/2 keyboard controller does not answer");
		return;
	}
	/* AUX_OFF set this bit, unless the controller has no such port. */
	aux = config & CONFIG_NO_AUX;
	aux = aux && command(CMD_AUX_ON) && mouse_command(MOUSE_DEFAULTS) &&
	      mouse_command(MOUSE_ENABLE);
	config = (config | CONFIG_IRQ1 | CONFIG_TRANSLATE) &
		 ~(BIT(4) | CONFIG_NO_AUX | CONFIG_IRQ12);
	config |= aux ? CONFIG_IRQ12 : CONFIG_NO_AUX;
	if (command(CMD_WRITE_CONFIG))
		write_data((u8)config);
	command(CMD_KEYBOARD_ON);
	drain();
	host_irq_hook(1, interrupt, NULL);
	host_irq_hook(12, interrupt, NULL);
	host_irq_mask(1, false);
	host_irq_mask(12, !aux);
	/* What came between the drain and the hook would keep the line high: no edge ever again. */
	u32 flags = irq_save();
	interrupt(NULL);
	irq_restore(flags);
}

int host_keyboard_get(void)
{
	return ring_get(&keys);
}

bool host_mouse_get(s8 *dx, s8 *dy, u8 *buttons)
{
	int byte;

	while ((byte = ring_get(&mouse)) >= 0) {
		/* Bit 3 is set in every first byte: a way back into step after a lost one. */
		if (!packet_len && !(byte & 8))
			continue;
		packet[packet_len++] = (u8)byte;
		if (packet_len < 3)
			continue;
		packet_len = 0;
		/* Movement is nine bits with the sign in the first byte: clipped to eight here. */
		int x = packet[1] - (packet[0] & BIT(4) ? 256 : 0);
		int y = packet[2] - (packet[0] & BIT(5) ? 256 : 0);
		*dx = (s8)(x < -128 ? -128 : x > 127 ? 127 : x);
		*dy = (s8)(y < -128 ? -128 : y > 127 ? 127 : y);
		*buttons = packet[0] & 7;
		return true;
	}
	return false;
}
