/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550 on a pseudo-terminal. Programs open the link in the configuration, as in
 * `screen /run/farbus/com2`. What the guest sends while nobody reads is kept as far as there is
 * room; what is typed while nobody has the lease waits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "devices/uart16550.h"
#include "host/device.h"
#include "lib/log.h"

#define KEPT 65536u /* bytes; a power of two */

enum { REG_IER = 1, REG_LCR = 3, REG_MCR = 4 };
#define LCR_DLAB 0x80

struct uart {
	struct uart16550 chip;
	int master;
	/*
	 * Our own end of the slave: as long as it is open, the terminal stays raw and the master
	 * gives no error between two programs that use it.
	 */
	int slave;
	bool linked, told;
	u32 head, tail; /* of kept[]; both only grow */
	u64 lost;
	u8 kept[KEPT];
};

/* --- bytes --- */

static void flush(struct uart *u)
{
	while (u->head != u->tail) {
		u32 at = u->head % KEPT, len = u->tail - u->head;
		ssize_t sent;

		if (len > KEPT - at)
			len = KEPT - at;
		sent = write(u->master, u->kept + at, len);
		if (sent <= 0)
			return;
		u->head += (u32)sent;
	}
}

static void send_byte(void *ctx, u8 byte)
{
	struct device *d = ctx;
	struct uart *u = d->chip;

	if (u->tail - u->head < KEPT) {
		u->kept[u->tail++ % KEPT] = byte;
		return;
	}
	if (!u->lost++)
		log_warn("%s: nobody reads %s: bytes are lost from now on", d->config.name,
			 d->config.path);
}

static void move(struct device *d)
{
	struct uart *u = d->chip;
	u8 bytes[UART_FIFO];

	flush(u);
	while (d->leased) {
		unsigned space = uart16550_space(&u->chip);
		ssize_t got = space ? read(u->master, bytes, space) : 0;

		if (got <= 0)
			return;
		for (ssize_t i = 0; i < got; i++)
			uart16550_receive(&u->chip, bytes[i]);
	}
}

static void await(struct device *d, struct pollfd *fd)
{
	struct uart *u = d->chip;

	fd->fd = u->master;
	fd->events = 0;
	if (d->leased && uart16550_space(&u->chip))
		fd->events |= POLLIN;
	if (u->head != u->tail)
		fd->events |= POLLOUT;
	if (!fd->events)
		fd->fd = -1;
}

/* --- the pseudo-terminal --- */

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

static bool open_pty(struct uart *u, const char *path)
{
	char name[64];

	u->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (u->master < 0 || grantpt(u->master) || unlockpt(u->master) ||
	    ptsname_r(u->master, name, sizeof(name)))
		return false;
	u->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (u->slave < 0 || !make_raw(u->slave) || fcntl(u->master, F_SETFL, O_NONBLOCK))
		return false;
	u->linked = put_link(name, path);
	return u->linked;
}

static void close_pty(struct uart *u, const char *path)
{
	if (u->linked)
		unlink(path);
	if (u->slave >= 0)
		close(u->slave);
	if (u->master >= 0)
		close(u->master);
}

/* --- the device --- */

static void quiesce(struct device *d)
{
	u16 base = d->config.base;
	u32 lcr;

	bus_in(&d->bus, base + REG_LCR, 1, &lcr);
	bus_out(&d->bus, base + REG_LCR, 1, lcr & (u32)~LCR_DLAB); /* IER is behind the divisor */
	bus_out(&d->bus, base + REG_IER, 1, 0);
	bus_out(&d->bus, base + REG_MCR, 1, 0); /* DTR and RTS, too: hang up */
}

static void reset(struct device *d)
{
	struct uart *u = d->chip;

	uart16550_reset(&u->chip);
}

static void close_uart(struct device *d)
{
	struct uart *u = d->chip;

	flush(u);
	close_pty(u, d->config.path);
	free(u);
}

static bool open_uart(struct device *d)
{
	struct uart16550_config config = {.name = d->config.name,
					  .bus = &d->bus,
					  .clock = &d->clock,
					  .irq = device_pin(d),
					  .base = d->config.base,
					  .out = {send_byte, d}};
	struct uart *u = calloc(1, sizeof(*u));

	if (!u) {
		log_error("export %s: out of memory", d->config.name);
		return false;
	}
	d->chip = u;
	u->master = u->slave = -1;
	if (!open_pty(u, d->config.path)) {
		log_error("export %s: pty %s: %s", d->config.name, d->config.path, strerror(errno));
		close_pty(u, d->config.path);
	} else if (!uart16550_init(&u->chip, &config)) {
		return true;
	} else {
		close_pty(u, d->config.path);
	}
	free(u);
	return false;
}

const struct device_ops device_uart = {.open = open_uart,
				       .close = close_uart,
				       .quiesce = quiesce,
				       .reset = reset,
				       .await = await,
				       .move = move};
