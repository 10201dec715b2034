/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A serial port of this machine. Speed, format, break and the modem lines that go out follow the
 * guest's; those that come in, breaks and bad characters go to the guest.
 */
#include <asm/termbits.h> /* not termios.h: it has no struct termios2 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/line.h"
#include "lib/log.h"

#define LOOK_NS	 (20 * 1000000ull) /* between two looks at the modem lines */
#define GONE_NS	 NS_PER_SEC	   /* without a lease: whether it is still there */
#define DRAIN_NS (2 * 1000000ull)  /* between two looks whether all has left */

struct tty {
	struct line line;
	u64 looked;    /* when the modem lines were */
	bool no_modem; /* it has none */
	u8 mark[2];    /* what has come of a mark so far (PARMRK, termios(3)) */
	u8 marks;
};

/* --- settings --- */

static tcflag_t format_flags(const struct uart_settings *s)
{
	static const tcflag_t size[] = {CS5, CS6, CS7, CS8};
	static const tcflag_t parity[] = {[UART_NO_PARITY] = 0,
					  [UART_ODD] = PARENB | PARODD,
					  [UART_EVEN] = PARENB,
					  [UART_MARK] = PARENB | PARODD | CMSPAR,
					  [UART_SPACE] = PARENB | CMSPAR};

	return size[s->bits - 5] | parity[s->parity] | (s->stop_bits > 1 ? CSTOPB : 0);
}

static bool apply_format(struct tty *t, const struct uart_settings *s)
{
	struct termios2 now, t2 = {.c_iflag = PARMRK};

	if (s->parity != UART_NO_PARITY)
		t2.c_iflag |= INPCK;
	t2.c_cflag = CREAD | CLOCAL | HUPCL | BOTHER | format_flags(s);
	t2.c_ispeed = t2.c_ospeed = s->baud;
	t2.c_cc[VMIN] = 1;
	if (ioctl(t->line.fd, TCSETS2, &t2) || ioctl(t->line.fd, TCGETS2, &now))
		return false;
	/* An UART copes with 2% on its own side. */
	if (now.c_ospeed > s->baud + s->baud / 50 || now.c_ospeed < s->baud - s->baud / 50)
		log_warn("%s: %s: %u baud instead of %u: it has no such rate", t->line.config->name,
			 t->line.config->path, now.c_ospeed, s->baud);
	return true;
}

static void apply_outputs(struct tty *t, const struct uart_settings *s)
{
	int on = (s->dtr ? TIOCM_DTR : 0) | (s->rts ? TIOCM_RTS : 0);
	int off = (TIOCM_DTR | TIOCM_RTS) & ~on;

	/* A terminal that is no serial port has neither. */
	ioctl(t->line.fd, TIOCMBIS, &on);
	ioctl(t->line.fd, TIOCMBIC, &off);
	ioctl(t->line.fd, s->send_break ? TIOCSBRK : TIOCCBRK);
}

static bool set(struct line *l, const struct uart_settings *s)
{
	struct tty *t = (struct tty *)l;
	int waiting = 0;

	if (l->fd < 0)
		return true; /* line_back() asks for them again */
	if (!ioctl(l->fd, TIOCOUTQ, &waiting) && waiting > 0) {
		line_wake(l, DRAIN_NS);
		return false;
	}
	if (apply_format(t, s))
		apply_outputs(t, s);
	else
		line_lost(l, strerror(errno));
	return true;
}

/* --- modem lines --- */

static u8 modem_bits(int lines)
{
	return (u8)((lines & TIOCM_CTS ? UART_CTS : 0) | (lines & TIOCM_DSR ? UART_DSR : 0) |
		    (lines & TIOCM_RI ? UART_RI : 0) | (lines & TIOCM_CD ? UART_DCD : 0));
}

/* False: the device has gone. */
static bool look(struct tty *t)
{
	int lines;

	t->looked = clock_now(t->line.clock);
	if (!t->no_modem && !ioctl(t->line.fd, TIOCMGET, &lines)) {
		t->line.modem = modem_bits(lines);
		return true;
	}
	if (!t->no_modem && errno != ENOTTY && errno != EINVAL)
		return false;
	t->no_modem = true;
	t->line.modem = LINE_CONNECTED;
	return !ioctl(t->line.fd, TIOCOUTQ, &lines);
}

/* --- coming and going --- */

/* 0, or an errno; EWOULDBLOCK: another program has locked it. */
static int open_device(struct tty *t)
{
	struct termios2 now;
	int fd = open(t->line.config->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (ioctl(fd, TCGETS2, &now) || flock(fd, LOCK_EX | LOCK_NB)) {
		int error = errno;

		close(fd);
		return error;
	}
	ioctl(fd, TIOCEXCL);
	t->line.fd = fd;
	t->marks = 0;
	t->no_modem = false;
	line_back(&t->line);
	return 0;
}

static const char *why_not(int error)
{
	switch (error) {
	case EWOULDBLOCK:
		return "another program has locked it: expected one that is free";
	case ENOTTY:
		return "expected a serial port";
	default:
		return strerror(error);
	}
}

static void tend(struct line *l, bool leased)
{
	struct tty *t = (struct tty *)l;
	u64 every = leased ? LOOK_NS : GONE_NS;
	int error = 0;

	if (line_due(l))
		error = open_device(t);
	if (error)
		line_lost(l, why_not(error));
	if (l->fd < 0)
		return;
	if (clock_now(l->clock) >= t->looked + every && !look(t))
		line_lost(l, strerror(errno));
	else
		line_wake(l, every);
}

static void close_tty(struct line *l)
{
	if (l->fd >= 0) {
		ioctl(l->fd, TIOCCBRK);
		ioctl(l->fd, TIOCNXCL);
	}
	line_free(l);
}

/* An adapter that is not plugged in yet may be so later. */
static bool may_come(int error)
{
	return error == ENOENT || error == ENXIO || error == ENODEV || error == EIO;
}

static struct line *open_tty(const struct device_config *config, struct clock *clock)
{
	struct line *l = line_new(sizeof(struct tty), &line_tty, config, clock);
	int error;

	if (!l)
		return NULL;
	error = open_device((struct tty *)l);
	if (!error)
		return l;
	if (may_come(error)) {
		line_lost(l, strerror(error));
		return l;
	}
	log_error("export %s: tty %s: %s", config->name, config->path, why_not(error));
	line_free(l);
	return NULL;
}

/* --- bytes --- */

/* FF FF is one FF, FF 00 00 a break, FF 00 X a bad X. False: nothing yet. */
static bool unmark(struct tty *t, u8 byte, struct line_char *c)
{
	*c = (struct line_char){byte, 0};
	if (t->marks == 0 && byte != 0xff)
		return true;
	if (t->marks == 0 || (t->marks == 1 && byte == 0)) {
		t->mark[t->marks++] = byte;
		return false;
	}
	if (t->marks == 2)
		c->errors = byte ? UART_PARITY : UART_BREAK;
	t->marks = 0;
	return true;
}

static unsigned get(struct line *l, struct line_char *c, unsigned count)
{
	u8 bytes[UART_FIFO];
	unsigned n = 0;
	ssize_t got;

	if (l->fd < 0 || !l->ready)
		return 0;
	got = read(l->fd, bytes, count < UART_FIFO ? count : UART_FIFO);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0) {
		line_lost(l, got < 0 ? strerror(errno) : "hung up");
		return 0;
	}
	for (ssize_t i = 0; i < got; i++)
		n += unmark((struct tty *)l, bytes[i], &c[n]);
	return n;
}

static unsigned put(struct line *l, const u8 *bytes, unsigned count)
{
	ssize_t sent = l->fd < 0 ? (ssize_t)count : write(l->fd, bytes, count);

	if (sent >= 0)
		return (unsigned)sent;
	if (errno != EAGAIN && errno != EINTR)
		line_lost(l, strerror(errno));
	return 0;
}

static void await(struct line *l, struct pollfd *fd, bool get_now, bool put_now)
{
	fd->events = (short)((get_now ? POLLIN : 0) | (put_now ? POLLOUT : 0));
	fd->fd = fd->events ? l->fd : -1;
}

const struct line_ops line_tty = {.open = open_tty,
				  .close = close_tty,
				  .get = get,
				  .put = put,
				  .set = set,
				  .tend = tend,
				  .await = await};
