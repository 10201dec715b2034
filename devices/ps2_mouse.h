/* SPDX-License-Identifier: BSD-2-Clause */
/* A PS/2 mouse with three buttons as seen from its cable. */
#ifndef FARBUS_DEVICES_PS2_MOUSE_H
#define FARBUS_DEVICES_PS2_MOUSE_H

#include "devices/ps2_queue.h"

struct ps2_mouse {
	struct ps2_queue queue;
	u8 command; /* waits for its parameter, 0: none */
	u8 rate, resolution;
	bool scale_2_1, stream, wrap, enabled;
	s32 dx, dy;   /* moved since the last packet; dy grows upwards */
	u8 buttons;   /* bit 0 left, 1 right, 2 middle */
	bool changed; /* something to report */
	u8 last_sent;
};

void ps2_mouse_reset(struct ps2_mouse *m);
void ps2_mouse_command(struct ps2_mouse *m, u8 byte);
bool ps2_mouse_has_byte(struct ps2_mouse *m);
/* The next byte it sends; only after ps2_mouse_has_byte(). */
u8 ps2_mouse_byte(struct ps2_mouse *m);
void ps2_mouse_move(struct ps2_mouse *m, s8 dx, s8 dy, u8 buttons);

#endif
