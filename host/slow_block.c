/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/slow_block.h"

#include <string.h>
#include <unistd.h>

/* --- the thread --- */

static int carry_out(struct slow_block *s)
{
	const struct block_ops *ops = s->inner->ops;

	switch (s->job) {
	case SLOW_READ:
		return ops->read(s->inner, s->lba, s->count, s->data);
	case SLOW_WRITE:
		return ops->write(s->inner, s->lba, s->count, s->data);
	default:
		return ops->flush ? ops->flush(s->inner) : BLOCK_DONE;
	}
}

static void tell(const struct slow_block *s)
{
	u64 one = 1;

	/* It can only fail when it is full: then it is readable already. */
	if (write(s->event, &one, sizeof(one)) < 0)
		return;
}

/* With the lock; the job's own fields are the thread's as long as it runs. */
static void run_job(struct slow_block *s)
{
	int outcome;

	pthread_mutex_unlock(&s->lock);
	outcome = carry_out(s);
	pthread_mutex_lock(&s->lock);
	s->outcome = outcome;
	s->state = SLOW_OVER;
	pthread_cond_broadcast(&s->changed);
	tell(s);
}

/* A flush that nobody waits for comes after the job that it was asked for behind. */
static void run_flush(struct slow_block *s)
{
	s->flush = false;
	s->job = SLOW_FLUSH;
	s->state = SLOW_RUNNING;
	run_job(s);
	s->state = SLOW_IDLE;
}

static void *work(void *ctx)
{
	struct slow_block *s = ctx;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		if (s->state == SLOW_RUNNING)
			run_job(s);
		else if (s->flush)
			run_flush(s);
		else if (s->end)
			break;
		else
			pthread_cond_wait(&s->changed, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* --- for the chip --- */

/* With the lock. Whether the job that is over is the one that is asked for (again). */
static bool is_outcome(const struct slow_block *s, enum slow_job job, u64 lba, u32 count,
		       const void *written)
{
	if (s->state != SLOW_OVER || s->job != job)
		return false;
	if (job == SLOW_FLUSH)
		return true;
	return s->lba == lba && s->count == count &&
	       (!written || !memcmp(s->data, written, (size_t)count * s->inner->sector_size));
}

static void start_job(struct slow_block *s, enum slow_job job, u64 lba, u32 count,
		      const void *written)
{
	s->job = job;
	s->lba = lba;
	s->count = count;
	if (written)
		memcpy(s->data, written, (size_t)count * s->inner->sector_size);
	s->state = SLOW_RUNNING;
	pthread_cond_broadcast(&s->changed);
}

/* False: there is no thread, and none can be made. */
static bool has_thread(struct slow_block *s)
{
	if (!s->thread_runs)
		s->thread_runs = !pthread_create(&s->thread, NULL, work, s);
	return s->thread_runs;
}

/*
 * A job that is over and that nobody asks for any more, after a reset in its midst, has had its
 * effect and is forgotten with the next one.
 */
static int ask(struct slow_block *s, enum slow_job job, u64 lba, u32 count, const void *written)
{
	int outcome = BLOCK_LATER;

	pthread_mutex_lock(&s->lock);
	if (is_outcome(s, job, lba, count, written)) {
		outcome = s->outcome;
		s->state = SLOW_IDLE;
	} else if (s->state != SLOW_RUNNING && !s->flush) {
		start_job(s, job, lba, count, written);
	}
	pthread_mutex_unlock(&s->lock);
	return outcome;
}

static bool fits(const struct slow_block *s, u32 count)
{
	return count <= SLOW_BLOCK_MAX / s->inner->sector_size;
}

static bool may_go_at_once(struct slow_block *s)
{
	bool may;

	if (!s->at_once)
		return false;
	pthread_mutex_lock(&s->lock);
	may = s->state == SLOW_IDLE && !s->flush;
	pthread_mutex_unlock(&s->lock);
	return may;
}

static bool waits(struct slow_block *s, u32 count)
{
	return !s->begun || !fits(s, count) || !has_thread(s);
}

static int slow_read(struct block *b, u64 lba, u32 count, void *buf)
{
	struct slow_block *s = b->ctx;
	int outcome = BLOCK_LATER;

	if (waits(s, count))
		return s->inner->ops->read(s->inner, lba, count, buf);
	if (may_go_at_once(s))
		outcome = s->at_once(s->inner, lba, count, buf);
	if (outcome != BLOCK_LATER)
		return outcome;
	outcome = ask(s, SLOW_READ, lba, count, NULL);
	if (outcome == BLOCK_DONE)
		memcpy(buf, s->data, (size_t)count * s->inner->sector_size);
	return outcome;
}

static int slow_write(struct block *b, u64 lba, u32 count, const void *buf)
{
	struct slow_block *s = b->ctx;

	if (waits(s, count))
		return s->inner->ops->write(s->inner, lba, count, buf);
	return ask(s, SLOW_WRITE, lba, count, buf);
}

static int slow_flush(struct block *b)
{
	struct slow_block *s = b->ctx;

	if (waits(s, 0))
		return s->inner->ops->flush ? s->inner->ops->flush(s->inner) : BLOCK_DONE;
	return ask(s, SLOW_FLUSH, 0, 0, NULL);
}

static const struct block_ops ops = {slow_read, slow_write, slow_flush};

/* --- coming and going --- */

void slow_block_init(struct slow_block *s, struct block *inner, int event)
{
	memset(s, 0, sizeof(*s));
	s->inner = inner;
	s->event = event;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->block = *inner;
	s->block.ops = &ops;
	s->block.ctx = s;
}

void slow_block_begin(struct slow_block *s)
{
	s->begun = true;
}

bool slow_block_busy(struct slow_block *s)
{
	bool busy;

	pthread_mutex_lock(&s->lock);
	busy = s->state == SLOW_RUNNING || s->flush;
	pthread_mutex_unlock(&s->lock);
	return busy;
}

void slow_block_resized(struct slow_block *s)
{
	s->block.sectors = s->inner->sectors;
}

void slow_block_flush(struct slow_block *s)
{
	if (waits(s, 0)) {
		slow_flush(&s->block);
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->flush = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void slow_block_end(struct slow_block *s)
{
	pthread_mutex_lock(&s->lock);
	s->end = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->thread_runs)
		pthread_join(s->thread, NULL);
	s->thread_runs = s->begun = false;
}
