/* SPDX-License-Identifier: BSD-2-Clause */
/* The byte queue inside a PS/2 device. */
#ifndef FARBUS_DEVICES_PS2_QUEUE_H
#define FARBUS_DEVICES_PS2_QUEUE_H

#include "lib/types.h"

#define PS2_QUEUE_SIZE 256u /* indices are u8 and wrap by themselves */

struct ps2_queue {
	u8 data[PS2_QUEUE_SIZE];
	u8 head;
	u16 count;
};

static inline void ps2_queue_clear(struct ps2_queue *q)
{
	q->count = 0;
}

static inline unsigned ps2_queue_space(const struct ps2_queue *q)
{
	return PS2_QUEUE_SIZE - q->count;
}

/* Drops the byte when the queue is full. */
static inline void ps2_queue_put(struct ps2_queue *q, u8 byte)
{
	if (q->count < PS2_QUEUE_SIZE)
		q->data[(u8)(q->head + q->count++)] = byte;
}

/* Only while count is not 0. */
static inline u8 ps2_queue_get(struct ps2_queue *q)
{
	q->count--;
	return q->data[q->head++];
}

#endif
