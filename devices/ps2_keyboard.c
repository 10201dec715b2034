/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device: PS/2 keyboard with scan code sets 1, 2 and 3. Reference: IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboards (101- and 102-key)".
 * Modelled: all commands; make and break codes of each key in each set.
 * Not modelled: typematic repeat (the host's keyboard repeats by itself), set 3's per-key types
 * (accepted; every key makes and breaks), the LEDs' light.
 */
#include "devices/ps2_keyboard.h"
#include "lib/str.h"

#define ACK    0xfa
#define RESEND 0xfe
#define BREAK  0xf0

enum {
	CMD_LEDS = 0xed,
	CMD_ECHO = 0xee,
	CMD_SET = 0xf0,
	CMD_IDENTIFY = 0xf2,
	CMD_RATE = 0xf3,
	CMD_ENABLE = 0xf4,
	CMD_DISABLE = 0xf5,
	CMD_DEFAULTS = 0xf6,
	CMD_ALL_KEYS_FIRST = 0xf7,
	CMD_ALL_KEYS_LAST = 0xfa,
	CMD_ONE_KEY_FIRST = 0xfb,
	CMD_ONE_KEY_LAST = 0xfd,
	CMD_RESEND = 0xfe,
	CMD_RESET = 0xff,
};

#define RATE_DEFAULT 0x2b /* 10.9 characters a second after 500 ms */

/* The 8042's table, set 2 to set 1; codes from 85h on stay as they are. */
#define TRANSLATED 0x85
static const u8 translation[TRANSLATED] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
	0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
	0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
	0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
	0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
	0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
	0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
	0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, 0x80, 0x81, 0x82, 0x41, 0x54,
};

/* Set 3 by set-1 code, 0 where the key has none; set 3 has no prefixes. */
static const u8 set3_plain[0x59] = {
	0x00, 0x08, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66,
	0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x11,
	0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5c, 0x1a,
	0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7e, 0x19, 0x29, 0x14, 0x07,
	0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x76, 0x5f, 0x6c, 0x75, 0x7d, 0x84,
	0x6b, 0x73, 0x74, 0x7c, 0x69, 0x72, 0x7a, 0x70, 0x71, 0x57, 0x00, 0x13, 0x56, 0x5e,
};

static const struct {
	u8 set1, set3;
} set3_extended[] = {
	{0x1c, 0x79}, {0x1d, 0x58}, {0x35, 0x77}, {0x37, 0x57}, {0x38, 0x39}, {0x47, 0x6e},
	{0x48, 0x63}, {0x49, 0x6f}, {0x4b, 0x61}, {0x4d, 0x6a}, {0x4f, 0x65}, {0x50, 0x60},
	{0x51, 0x6d}, {0x52, 0x67}, {0x53, 0x64}, {0x5b, 0x8b}, {0x5c, 0x8c}, {0x5d, 0x8d},
};

u8 ps2_translate(u8 set2)
{
	return set2 < TRANSLATED ? translation[set2] : set2;
}

/* The inverse. F7 and SysRq have two codes each; the keyboard sends the one above 80h. */
static u8 set2_of(u8 set1)
{
	for (unsigned i = TRANSLATED; i-- > 0;)
		if (translation[i] == set1)
			return (u8)i;
	return 0;
}

static u8 set3_of(u8 set1, bool extended)
{
	if (!extended)
		return set1 < sizeof(set3_plain) ? set3_plain[set1] : 0;
	for (unsigned i = 0; i < ARRAY_SIZE(set3_extended); i++)
		if (set3_extended[i].set1 == set1)
			return set3_extended[i].set3;
	return 0;
}

static void defaults(struct ps2_keyboard *k)
{
	k->set = 2;
	k->rate = RATE_DEFAULT;
	k->leds = 0;
	k->command = 0;
	ps2_queue_clear(&k->keys);
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
	memset(k, 0, sizeof(*k));
	defaults(k);
	k->enabled = true;
}

static void reply(struct ps2_keyboard *k, u8 byte)
{
	ps2_queue_put(&k->replies, byte);
}

static void parameter(struct ps2_keyboard *k, u8 byte)
{
	u8 command = k->command;

	k->command = 0;
	reply(k, ACK);
	switch (command) {
	case CMD_LEDS:
		k->leds = byte & 7;
		break;
	case CMD_RATE:
		k->rate = byte & 0x7f;
		break;
	case CMD_SET:
		if (byte == 0)
			reply(k, k->set);
		else if (byte <= 3)
			k->set = byte;
		break;
	default: /* a key of set 3: more may follow until the next command */
		k->command = command;
		break;
	}
}

void ps2_keyboard_command(struct ps2_keyboard *k, u8 byte)
{
	if (k->command && byte < CMD_LEDS) {
		parameter(k, byte);
		return;
	}
	k->command = 0;
	ps2_queue_clear(&k->replies);
	switch (byte) {
	case CMD_ECHO:
		reply(k, CMD_ECHO);
		return;
	case CMD_RESEND:
		reply(k, k->last_sent);
		return;
	case CMD_LEDS:
	case CMD_SET:
	case CMD_RATE:
	case CMD_ONE_KEY_FIRST ... CMD_ONE_KEY_LAST:
		k->command = byte;
		break;
	case CMD_ALL_KEYS_FIRST ... CMD_ALL_KEYS_LAST:
		break;
	case CMD_ENABLE:
		ps2_queue_clear(&k->keys);
		k->enabled = true;
		break;
	case CMD_DISABLE:
		defaults(k);
		k->enabled = false;
		break;
	case CMD_DEFAULTS:
		defaults(k);
		break;
	case CMD_IDENTIFY:
		reply(k, ACK);
		reply(k, 0xab);
		reply(k, 0x83);
		return;
	case CMD_RESET:
		defaults(k);
		k->enabled = true;
		reply(k, ACK);
		reply(k, 0xaa);
		return;
	default:
		reply(k, RESEND);
		return;
	}
	reply(k, ACK);
}

bool ps2_keyboard_has_byte(const struct ps2_keyboard *k)
{
	return k->replies.count || k->keys.count;
}

u8 ps2_keyboard_byte(struct ps2_keyboard *k)
{
	k->last_sent = ps2_queue_get(k->replies.count ? &k->replies : &k->keys);
	return k->last_sent;
}

/* A key has at most three bytes. */
static bool hears_keys(const struct ps2_keyboard *k)
{
	return k->enabled && ps2_queue_space(&k->keys) >= 3;
}

/* A whole key event: no prefix, E0, or one of the two keys of the pause sequence. */
static void send_key(struct ps2_keyboard *k, u8 set1, bool extended)
{
	bool released = set1 & 0x80;
	u8 code = set1 & 0x7f;

	if (!hears_keys(k))
		return;
	if (k->set == 3) {
		code = set3_of(code, extended);
		if (!code)
			return;
	} else if (extended) {
		ps2_queue_put(&k->keys, 0xe0);
	}
	if (k->set == 1) {
		ps2_queue_put(&k->keys, set1);
		return;
	}
	if (k->set == 2)
		code = set2_of(code);
	if (released)
		ps2_queue_put(&k->keys, BREAK);
	ps2_queue_put(&k->keys, code);
}

/* Pause: E1, then two key codes pressed, E1, the same two released; in set 3 one code of its own.
 */
static void pause_byte(struct ps2_keyboard *k, u8 set1)
{
	k->pause_left--;
	if (k->set != 3)
		send_key(k, set1, false);
	else if (k->pause_left == 0 && !(set1 & 0x80) && hears_keys(k))
		ps2_queue_put(&k->keys, 0x62);
}

void ps2_keyboard_key(struct ps2_keyboard *k, u8 set1)
{
	bool extended = k->prefix_e0;

	/* Where a key's bytes begin and end must be known for those that get lost, too. */
	if (set1 == 0xe0) {
		k->prefix_e0 = true;
		return;
	}
	if (set1 == 0xe1) {
		k->pause_left = 2;
		if (k->set != 3 && hears_keys(k))
			ps2_queue_put(&k->keys, 0xe1);
		return;
	}
	k->prefix_e0 = false;
	if (k->pause_left)
		pause_byte(k, set1);
	else
		send_key(k, set1, extended);
}

unsigned ps2_keyboard_space(const struct ps2_keyboard *k)
{
	/* A set-1 byte becomes at most three, an E0 before it none. */
	return k->enabled ? ps2_queue_space(&k->keys) / 3 : 0;
}
