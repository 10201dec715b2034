/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block whose accesses may take long, in a thread of its own, so that whoever asks need not wait:
 * BLOCK_LATER until the outcome is there.
 */
#ifndef FARBUS_HOST_SLOW_BLOCK_H
#define FARBUS_HOST_SLOW_BLOCK_H

#include <pthread.h>

#include "devices/block.h"

#define SLOW_BLOCK_MAX 16384u /* bytes in an access: a chip's buffer (ide.h) */

enum slow_job { SLOW_READ, SLOW_WRITE, SLOW_FLUSH };
enum slow_state { SLOW_IDLE, SLOW_RUNNING, SLOW_OVER };

struct slow_block {
	struct block block;  /* for the chip */
	struct block *inner; /* its read, write and flush take long and run in the thread */
	/* BLOCK_LATER: it would take long; inner's own work then. May be NULL: it always does. */
	int (*at_once)(struct block *inner, u64 lba, u32 count, void *buf);
	int event; /* an eventfd(2), of the caller's: readable when an outcome is there */
	bool begun, thread_runs;
	pthread_t thread;     /* from the first job on: it has what rights the program has then */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	enum slow_state state;
	bool flush, end; /* when the job is over */
	enum slow_job job;
	u64 lba;
	u32 count;
	int outcome;
	u8 data[SLOW_BLOCK_MAX];
};

/* In front of inner. Until slow_block_begin() accesses are inner's, and wait. */
void slow_block_init(struct slow_block *s, struct block *inner, int event);
void slow_block_begin(struct slow_block *s);
/* Whether a job runs: inner is the thread's then. */
bool slow_block_busy(struct slow_block *s);
/* The inner block has another size now. */
void slow_block_resized(struct slow_block *s);
/* What was written gets safe, in the thread; nobody is told of the outcome. */
void slow_block_flush(struct slow_block *s);
/* Waits for the job; from then on accesses are inner's again. */
void slow_block_end(struct slow_block *s);

#endif
