/* SPDX-License-Identifier: BSD-2-Clause */
/* A PS/2 keyboard (MF II, 102 keys) as seen from its cable. */
#ifndef FARBUS_DEVICES_PS2_KEYBOARD_H
#define FARBUS_DEVICES_PS2_KEYBOARD_H

#include "devices/ps2_queue.h"

struct ps2_keyboard {
	struct ps2_queue replies; /* go before keys */
	struct ps2_queue keys;
	u8 command; /* waits for its parameter, 0: none */
	u8 set;	    /* scan code set 1-3 */
	u8 leds, rate;
	u8 last_sent; /* for RESEND */
	bool enabled;
	/* Where pc_key_scancode() stands inside a sequence. */
	bool prefix_e0;
	u8 pause_left; /* bytes of the E1 sequence that are still to come */
};

void ps2_keyboard_reset(struct ps2_keyboard *k);
/* A byte from the controller. */
void ps2_keyboard_command(struct ps2_keyboard *k, u8 byte);
bool ps2_keyboard_has_byte(const struct ps2_keyboard *k);
/* The next byte it sends; only after ps2_keyboard_has_byte(). */
u8 ps2_keyboard_byte(struct ps2_keyboard *k);
/* One byte of a key's set-1 code, as a PC's port 60h gives it: what happened to a key. */
void ps2_keyboard_key(struct ps2_keyboard *k, u8 set1);
/* How many bytes ps2_keyboard_key() can take without losing any. */
unsigned ps2_keyboard_space(const struct ps2_keyboard *k);

/* The 8042's translation of a set-2 code to set 1. */
u8 ps2_translate(u8 set2);

#endif
