/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/log.h"

static bool inside(const struct block *b, u64 lba, u32 count)
{
	return lba <= b->sectors && count <= b->sectors - lba;
}

static int failed(const struct block *b, const char *what, u64 lba)
{
	log_error("%s: sector %llu: %s: %s", b->name, (unsigned long long)lba, what,
		  strerror(errno));
	return -1;
}

static int medium_read(struct block *b, u64 lba, u32 count, void *buf)
{
	const struct medium *m = b->ctx;
	size_t left = (size_t)count * b->sector_size;
	off_t at = (off_t)(lba * b->sector_size);
	char *to = buf;

	if (!inside(b, lba, count))
		return -1;
	while (left) {
		ssize_t got = pread(m->fd, to, left, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0) /* the file has become shorter */
			errno = ENODATA;
		if (got <= 0)
			return failed(b, "not read", lba);
		to += got;
		at += got;
		left -= (size_t)got;
	}
	return 0;
}

static int medium_write(struct block *b, u64 lba, u32 count, const void *buf)
{
	const struct medium *m = b->ctx;
	size_t left = (size_t)count * b->sector_size;
	off_t at = (off_t)(lba * b->sector_size);
	const char *from = buf;

	if (!inside(b, lba, count) || b->read_only)
		return -1;
	while (left) {
		ssize_t put = pwrite(m->fd, from, left, at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return failed(b, "not written", lba);
		from += put;
		at += put;
		left -= (size_t)put;
	}
	return 0;
}

static int medium_flush(struct block *b)
{
	const struct medium *m = b->ctx;

	return fdatasync(m->fd) && errno != EINVAL ? failed(b, "not flushed", 0) : 0;
}

static const struct block_ops ops = {medium_read, medium_write, medium_flush};

/* Opened, of a good size, and locked; its size in bytes, -1 with a line in the log. */
static off_t open_locked(struct medium *m, const char *path, u32 sector_size, bool read_only)
{
	off_t size;

	m->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	size = m->fd < 0 ? -1 : lseek(m->fd, 0, SEEK_END);
	if (size < 0)
		log_error("%s: %s", path, strerror(errno));
	else if (!size || size % sector_size)
		log_error("%s is %lld bytes: expected a whole number of %u-byte sectors", path,
			  (long long)size, sector_size);
	else if (flock(m->fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
		log_error("%s: another program has locked it: expected one that is free", path);
	else
		return size;
	return -1;
}

bool medium_open(struct medium *m, const char *path, u32 sector_size, bool read_only)
{
	off_t size = open_locked(m, path, sector_size, read_only);

	if (size < 0) {
		medium_close(m);
		return false;
	}
	m->block = (struct block){.ops = &ops,
				  .name = path,
				  .sectors = (u64)size / sector_size,
				  .sector_size = sector_size,
				  .read_only = read_only,
				  .ctx = m};
	return true;
}

void medium_close(struct medium *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}
