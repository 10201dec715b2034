/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes from a terminal to set-1 scan codes of a US keyboard: characters with Shift and Ctrl, the
 * escape sequences of arrows and function keys, Esc before a character as Alt. Bytes wait here
 * until the guest's keyboard has room.
 */
#ifndef FARBUS_BOOT_CONSOLE_KEYS_H
#define FARBUS_BOOT_CONSOLE_KEYS_H

#include "lib/types.h"

#define KEYS_RING	4096u /* a power of two */
#define KEYS_STROKE_MAX 12    /* scan codes of one stroke at most: three modifiers and an E0 key */

struct keys {
	u8 ring[KEYS_RING];
	u32 head, tail; /* free-running */
	u64 last_ns;	/* when the newest byte came in */
	bool after_cr;	/* an LF now belongs to the CR before it */
};

struct key_stroke {
	u8 count;
	u8 code[KEYS_STROKE_MAX];
};

void keys_init(struct keys *k);
/* Bytes that keys_add() can take now. */
static inline u32 keys_space(const struct keys *k)
{
	return KEYS_RING - (k->head - k->tail);
}
/* A byte typed at time now; dropped when there is no space. */
void keys_add(struct keys *k, u8 byte, u64 now);
/*
 * The next stroke (press and release) at time now. false: none, or the end of an escape sequence
 * has yet to come in.
 */
bool keys_next(struct keys *k, u64 now, struct key_stroke *stroke);

/*
 * A stroke by name, for the monitor: "a", "f1", "enter", with "ctrl-", "alt-", "shift-" before it.
 * false: no such key.
 */
bool keys_named(const char *name, struct key_stroke *stroke);

#endif
