/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace from the other end of a serial line, or from what was recorded there. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "host/trace_source.h"
#include "lib/log.h"

static bool set_line(int fd)
{
	struct termios t;

	if (!isatty(fd))
		return true;
	if (tcgetattr(fd, &t))
		return false;
	cfmakeraw(&t);
	cfsetspeed(&t, B115200);
	t.c_cflag |= CLOCAL | CREAD;
	return !tcsetattr(fd, TCSANOW, &t);
}

/* 1: some bytes; 0: the end; -1: an error (errno). */
static int read_some(int fd, const struct trace_sink *sink)
{
	u8 bytes[16384];
	ssize_t got = read(fd, bytes, sizeof(bytes));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	/* A pseudo-terminal whose other end was closed. */
	if (got < 0 && errno == EIO)
		return 0;
	if (got > 0)
		trace_decode_line(sink->decoder, bytes, (u32)got);
	return got < 0 ? -1 : got > 0;
}

static int read_until(int fd, const struct trace_sink *sink)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = fd, .events = POLLIN},
				      {.fd = sink->signals, .events = POLLIN}};
		int more;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (p[1].revents)
			return 0;
		more = read_some(fd, sink);
		if (!sink->turn(sink->ctx))
			return 0;
		if (more <= 0)
			return more;
	}
}

bool trace_from_line(const char *path, const struct trace_sink *sink)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC) : STDIN_FILENO;
	bool good = fd >= 0 && set_line(fd) && read_until(fd, sink) >= 0;

	if (!good)
		log_error("%s: %s", path, strerror(errno));
	if (fd > STDIN_FILENO)
		close(fd);
	return good;
}
