/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device: PS/2 mouse. Reference: IBM PS/2 Hardware Interface Technical Reference, "Auxiliary
 * Device".
 * Modelled: all commands, stream and remote mode, wrap mode, scaling, movement summed up while the
 * guest does not read.
 * Not modelled: the wheel protocols (no host device of ours reports one), the sample rate's pace
 * (a packet is ready when the one before it has been read).
 */
#include "devices/ps2_mouse.h"
#include "lib/str.h"

#define ACK    0xfa
#define RESEND 0xfe

enum {
	CMD_SCALE_1_1 = 0xe6,
	CMD_SCALE_2_1 = 0xe7,
	CMD_RESOLUTION = 0xe8,
	CMD_STATUS = 0xe9,
	CMD_STREAM = 0xea,
	CMD_READ = 0xeb,
	CMD_END_WRAP = 0xec,
	CMD_WRAP = 0xee,
	CMD_REMOTE = 0xf0,
	CMD_IDENTIFY = 0xf2,
	CMD_RATE = 0xf3,
	CMD_ENABLE = 0xf4,
	CMD_DISABLE = 0xf5,
	CMD_DEFAULTS = 0xf6,
	CMD_RESEND = 0xfe,
	CMD_RESET = 0xff,
};

#define MOVE_MAX 255 /* a packet's movement is nine bits with the sign */

static void defaults(struct ps2_mouse *m)
{
	m->rate = 100;
	m->resolution = 2;
	m->scale_2_1 = false;
	m->stream = true;
	m->wrap = false;
	m->enabled = false;
	m->command = 0;
	m->dx = m->dy = 0;
	m->changed = false;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
	memset(m, 0, sizeof(*m));
	defaults(m);
}

static void send(struct ps2_mouse *m, u8 byte)
{
	ps2_queue_put(&m->queue, byte);
}

static s32 clamp(s32 value)
{
	return value > MOVE_MAX ? MOVE_MAX : value < -MOVE_MAX ? -MOVE_MAX : value;
}

/* 2:1 scaling of small movements (reference, "Set Scaling 2:1"); stream mode only. */
static s32 scale(const struct ps2_mouse *m, s32 move)
{
	static const u8 table[6] = {0, 1, 1, 3, 6, 9};
	s32 size = move < 0 ? -move : move;

	if (!m->scale_2_1 || !m->stream)
		return move;
	size = size < 6 ? table[size] : size * 2;
	return clamp(move < 0 ? -size : size);
}

static void send_packet(struct ps2_mouse *m)
{
	s32 dx = clamp(m->dx), dy = clamp(m->dy);

	m->dx -= dx;
	m->dy -= dy;
	m->changed = m->dx || m->dy;
	dx = scale(m, dx);
	dy = scale(m, dy);
	send(m, (u8)(0x08 | m->buttons | (dx < 0) << 4 | (dy < 0) << 5));
	send(m, (u8)dx);
	send(m, (u8)dy);
}

static void send_status(struct ps2_mouse *m)
{
	u8 buttons = (u8)((m->buttons & 1) << 2 | (m->buttons & 4) >> 1 | (m->buttons & 2) >> 1);

	send(m, (u8)(!m->stream << 6 | m->enabled << 5 | m->scale_2_1 << 4 | buttons));
	send(m, m->resolution);
	send(m, m->rate);
}

static void parameter(struct ps2_mouse *m, u8 byte)
{
	if (m->command == CMD_RATE)
		m->rate = byte;
	else
		m->resolution = byte & 3;
	m->command = 0;
	send(m, ACK);
}

static void set_mode(struct ps2_mouse *m, u8 command)
{
	switch (command) {
	case CMD_SCALE_1_1:
	case CMD_SCALE_2_1:
		m->scale_2_1 = command == CMD_SCALE_2_1;
		break;
	case CMD_STREAM:
	case CMD_REMOTE:
		m->stream = command == CMD_STREAM;
		break;
	case CMD_WRAP:
	case CMD_END_WRAP:
		m->wrap = command == CMD_WRAP;
		break;
	case CMD_ENABLE:
	case CMD_DISABLE:
		m->enabled = command == CMD_ENABLE;
		m->dx = m->dy = 0;
		m->changed = false;
		break;
	default:
		defaults(m);
		break;
	}
}

void ps2_mouse_command(struct ps2_mouse *m, u8 byte)
{
	if (m->wrap && byte != CMD_RESET && byte != CMD_END_WRAP) {
		send(m, byte);
		return;
	}
	if (m->command) {
		parameter(m, byte);
		return;
	}
	if (byte == CMD_RESEND) {
		send(m, m->last_sent);
		return;
	}
	ps2_queue_clear(&m->queue);
	send(m, ACK);
	switch (byte) {
	case CMD_RESOLUTION:
	case CMD_RATE:
		m->command = byte;
		break;
	case CMD_STATUS:
		send_status(m);
		break;
	case CMD_READ:
		send_packet(m);
		break;
	case CMD_IDENTIFY:
		send(m, 0x00);
		break;
	case CMD_RESET:
		defaults(m);
		send(m, 0xaa);
		send(m, 0x00);
		break;
	case CMD_SCALE_1_1:
	case CMD_SCALE_2_1:
	case CMD_STREAM:
	case CMD_END_WRAP:
	case CMD_WRAP:
	case CMD_REMOTE:
	case CMD_ENABLE:
	case CMD_DISABLE:
	case CMD_DEFAULTS:
		set_mode(m, byte);
		break;
	default:
		ps2_queue_clear(&m->queue);
		send(m, RESEND);
		break;
	}
}

bool ps2_mouse_has_byte(struct ps2_mouse *m)
{
	if (!m->queue.count && m->changed && m->enabled && m->stream && !m->wrap && !m->command)
		send_packet(m);
	return m->queue.count != 0;
}

u8 ps2_mouse_byte(struct ps2_mouse *m)
{
	m->last_sent = ps2_queue_get(&m->queue);
	return m->last_sent;
}

void ps2_mouse_move(struct ps2_mouse *m, s8 dx, s8 dy, u8 buttons)
{
	const s32 limit = 1 << 15;

	if (m->dx < limit && m->dx > -limit)
		m->dx += dx;
	if (m->dy < limit && m->dy > -limit)
		m->dy += dy;
	m->changed |= dx || dy || buttons != m->buttons;
	m->buttons = buttons & 7;
}
