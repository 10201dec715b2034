/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "host/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/log.h"

/* --- whether it is there --- */

/* A disk that was pulled is no longer what the path leads to; one that was cut off is shorter. */
static bool still_there(const struct medium *m)
{
	const struct block *b = &m->block;
	struct stat ours, now;
	off_t size = lseek(m->fd, 0, SEEK_END);

	return !fstat(m->fd, &ours) && !stat(m->absence.path, &now) && ours.st_dev == now.st_dev &&
	       ours.st_ino == now.st_ino && size >= 0 && (u64)size >= b->sectors * b->sector_size;
}

static int failed(struct medium *m, const char *what, u64 lba)
{
	int error = errno;

	if (error == ENOMEDIUM || error == ENXIO || error == ENODEV || !still_there(m)) {
		m->lost = true;
		return -1;
	}
	/* A guest tries a bad sector often, and then all others. */
	m->bad_sectors++;
	if ((m->bad_sectors & (m->bad_sectors - 1)) == 0)
		log_error("%s: %s: sector %llu: %s: %s (%llu so far)", m->absence.name,
			  m->absence.path, (unsigned long long)lba, what, strerror(error),
			  (unsigned long long)m->bad_sectors);
	return -1;
}

/* --- sectors --- */

static bool inside(const struct medium *m, u64 lba, u32 count)
{
	const struct block *b = &m->block;

	return m->fd >= 0 && !m->lost && lba <= b->sectors && count <= b->sectors - lba;
}

static int medium_read(struct block *b, u64 lba, u32 count, void *buf)
{
	struct medium *m = b->ctx;
	size_t left = (size_t)count * b->sector_size;
	off_t at = (off_t)(lba * b->sector_size);
	char *to = buf;

	if (!inside(m, lba, count))
		return -1;
	while (left) {
		ssize_t got = pread(m->fd, to, left, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0) /* the file has become shorter */
			errno = ENODATA;
		if (got <= 0)
			return failed(m, "not read", lba);
		to += got;
		at += got;
		left -= (size_t)got;
	}
	return 0;
}

int medium_read_at_once(struct block *b, u64 lba, u32 count, void *buf)
{
	const struct medium *m = b->ctx;
	struct iovec to = {buf, (size_t)count * b->sector_size};

	if (!inside(m, lba, count))
		return BLOCK_FAILED;
	/* Some file systems do not know the flag; all else that is wrong is for medium_read(). */
	return preadv2(m->fd, &to, 1, (off_t)(lba * b->sector_size), RWF_NOWAIT) ==
			       (ssize_t)to.iov_len
		       ? BLOCK_DONE
		       : BLOCK_LATER;
}

static int medium_write(struct block *b, u64 lba, u32 count, const void *buf)
{
	struct medium *m = b->ctx;
	size_t left = (size_t)count * b->sector_size;
	off_t at = (off_t)(lba * b->sector_size);
	const char *from = buf;

	if (!inside(m, lba, count) || b->read_only)
		return -1;
	while (left) {
		ssize_t put = pwrite(m->fd, from, left, at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return failed(m, "not written", lba);
		from += put;
		at += put;
		left -= (size_t)put;
	}
	return 0;
}

static int medium_flush(struct block *b)
{
	struct medium *m = b->ctx;

	if (m->fd < 0 || m->lost)
		return -1;
	return fdatasync(m->fd) && errno != EINVAL ? failed(m, "not flushed", 0) : 0;
}

static const struct block_ops ops = {medium_read, medium_write, medium_flush};

/* --- coming and going --- */

/* Opened, of a good size, and locked: NULL. Else what is wrong, and fd is -1. */
static const char *try_open(struct medium *m)
{
	struct block *b = &m->block;
	const char *why = NULL;
	off_t size;

	m->fd = open(m->absence.path, (b->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	size = m->fd < 0 ? -1 : lseek(m->fd, 0, SEEK_END);
	if (size < 0)
		why = strerror(errno);
	else if (!size || size % b->sector_size)
		why = b->sector_size == 512 ? "expected a whole number of 512-byte sectors"
					    : "expected a whole number of 2048-byte sectors";
	else if (b->sectors && !m->removable && (u64)size != b->sectors * b->sector_size)
		why = "it is of another size now: expected the same disk";
	else if (flock(m->fd, (b->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
		why = "another program has locked it: expected one that is free";
	if (why) {
		medium_close(m);
		return why;
	}
	b->sectors = (u64)size / b->sector_size;
	return NULL;
}

bool medium_open(struct medium *m, const char *name, const char *path, u32 sector_size,
		 bool read_only, bool removable, struct clock *clock)
{
	const char *why;

	*m = (struct medium){.fd = -1, .removable = removable};
	m->block = (struct block){.ops = &ops,
				  .name = path,
				  .sector_size = sector_size,
				  .read_only = read_only,
				  .ctx = m};
	absence_init(&m->absence, name, path, clock);
	why = try_open(m);
	if (!why)
		return true;
	if (removable && errno == ENOMEDIUM) {
		absence_begin(&m->absence, why);
		return true;
	}
	log_error("export %s: %s: %s", name, path, why);
	return false;
}

bool medium_tend(struct medium *m)
{
	const char *why;

	if (m->lost) {
		m->lost = false;
		medium_close(m);
		absence_begin(&m->absence, "no disk any more");
		return true;
	}
	if (m->fd >= 0 || !m->block.ops || !absence_due(&m->absence))
		return false;
	why = try_open(m);
	if (why)
		absence_begin(&m->absence, why);
	else
		absence_end(&m->absence);
	return !why;
}

void medium_close(struct medium *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}
