/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pseudo-terminal. Programs open the link in the configuration, as in `screen /run/farbus/com2`.
 * It is there as long as the daemon is, whoever uses it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "host/line.h"
#include "lib/log.h"

struct pty {
	struct line line; /* its fd is the master */
	/*
	 * Our own end of the slave: as long as it is open, the terminal stays raw and the master
	 * gives no error between two programs that use it.
	 */
	int slave;
	bool linked;
};

static bool make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return false;
	cfmakeraw(&t);
	return !tcsetattr(fd, TCSANOW, &t);
}

/* Only a link is ever replaced: it is most likely that of a daemon that was killed. */
static bool put_link(const char *target, const char *path)
{
	char old[8];

	if (readlink(path, old, sizeof(old)) >= 0)
		unlink(path);
	return !symlink(target, path);
}

static bool make_pair(struct pty *p)
{
	char name[64];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	p->line.fd = master;
	if (master < 0 || grantpt(master) || unlockpt(master) ||
	    ptsname_r(master, name, sizeof(name)))
		return false;
	p->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->slave < 0 || !make_raw(p->slave) || fcntl(master, F_SETFL, O_NONBLOCK))
		return false;
	p->linked = put_link(name, p->line.config->path);
	return p->linked;
}

static void close_pty(struct line *l)
{
	struct pty *p = (struct pty *)l;

	if (p->linked)
		unlink(l->config->path);
	if (p->slave >= 0)
		close(p->slave);
	line_free(l);
}

static struct line *open_pty(const struct device_config *config, struct clock *clock)
{
	struct line *l = line_new(sizeof(struct pty), &line_pty, config, clock);
	struct pty *p = (struct pty *)l;

	if (!l)
		return NULL;
	p->slave = -1;
	l->modem = LINE_CONNECTED;
	if (make_pair(p))
		return l;
	log_error("export %s: pty %s: %s", config->name, config->path, strerror(errno));
	close_pty(l);
	return NULL;
}

static unsigned get(struct line *l, struct line_char *c, unsigned count)
{
	u8 bytes[UART_FIFO];
	ssize_t got;

	/* A turn for each frame: no system call where there is nothing. */
	if (!l->ready)
		return 0;
	got = read(l->fd, bytes, count < UART_FIFO ? count : UART_FIFO);

	for (ssize_t i = 0; i < got; i++)
		c[i] = (struct line_char){bytes[i], 0};
	return got < 0 ? 0 : (unsigned)got;
}

static unsigned put(struct line *l, const u8 *bytes, unsigned count)
{
	ssize_t sent = write(l->fd, bytes, count);

	return sent < 0 ? 0 : (unsigned)sent;
}

static void await(struct line *l, struct pollfd *fd, bool get_now, bool put_now)
{
	fd->events = (short)((get_now ? POLLIN : 0) | (put_now ? POLLOUT : 0));
	fd->fd = fd->events ? l->fd : -1;
}

const struct line_ops line_pty = {
	.open = open_pty, .close = close_pty, .get = get, .put = put, .await = await};
