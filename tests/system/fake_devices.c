/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into `farbus serve` by tests: what a serial port, a parallel port and /dev/port of this
 * machine would do at the system calls, for machines that have none. The file FAKE_STATE is shared
 * with the test: 16 bytes at its front are the devices' state, text behind them is what was done.
 */
#define _GNU_SOURCE
#include <asm/termbits.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/parport.h>
#include <linux/ppdev.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	MODEM_LOW,
	MODEM_HIGH,
	GONE,
	PP_STATUS,
	PP_DATA,
	PP_CONTROL,
	PP_INTERRUPTS,
	STATE_BYTES = 16
};

static int (*real_ioctl)(int fd, unsigned long request, ...);
static int (*real_open)(const char *path, int flags, ...);

static int state_file(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = real_open(getenv("FAKE_STATE"), O_RDWR | O_APPEND | O_CLOEXEC);
	return fd;
}

__attribute__((constructor)) static void begin(void)
{
	real_ioctl = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	state_file(); /* while we may */
}

static unsigned state(unsigned at)
{
	unsigned char byte = 0;

	if (pread(state_file(), &byte, 1, at) != 1)
		abort();
	return byte;
}

/* With O_APPEND pwrite() appends (pwrite(2)): another descriptor. */
static void set_state(unsigned at, unsigned value)
{
	unsigned char byte = (unsigned char)value;
	static int fd = -1;

	if (fd < 0)
		fd = real_open(getenv("FAKE_STATE"), O_RDWR | O_CLOEXEC);
	if (pwrite(fd, &byte, 1, at) != 1)
		abort();
}

__attribute__((format(printf, 1, 2))) static int done(const char *format, ...)
{
	char text[128];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (write(state_file(), text, (size_t)len) != len)
		abort();
	return 0;
}

/* --- the serial port: a pseudo-terminal keeps the rest --- */

static const char *format_text(const struct termios2 *t)
{
	static char text[8];
	unsigned bits = 5 + (t->c_cflag & CSIZE) / CS6;
	char parity = 'N';

	if (t->c_cflag & PARENB)
		parity = t->c_cflag & CMSPAR ? (t->c_cflag & PARODD ? 'M' : 'S')
					     : (t->c_cflag & PARODD ? 'O' : 'E');
	snprintf(text, sizeof(text), "%u%c%d", bits, parity, t->c_cflag & CSTOPB ? 2 : 1);
	return text;
}

static int serial(int fd, unsigned long request, void *arg)
{
	const struct termios2 *t = arg;

	switch (request) {
	case TCSETS2:
		done("set %u %s\n", t->c_ospeed, format_text(t));
		return real_ioctl(fd, request, arg);
	case TIOCMGET:
		*(int *)arg = (int)(state(MODEM_LOW) | state(MODEM_HIGH) << 8);
		return 0;
	case TIOCMBIS:
		return done("on %x\n", *(int *)arg);
	case TIOCMBIC:
		return done("off %x\n", *(int *)arg);
	case TIOCSBRK:
		return done("break\n");
	case TIOCCBRK:
		return done("no break\n");
	default:
		return real_ioctl(fd, request, arg);
	}
}

/* --- the parallel port (linux/ppdev.h) --- */

static int parallel(unsigned long request, void *arg)
{
	unsigned char *byte = arg;

	if (state(GONE)) {
		errno = ENODEV;
		return -1;
	}
	switch (request) {
	case PPEXCL:
		return done("exclusive\n");
	case PPCLAIM:
		return done("claim\n");
	case PPRELEASE:
		return done("release\n");
	case PPRSTATUS:
		*byte = (unsigned char)state(PP_STATUS);
		return 0;
	case PPRDATA:
		*byte = (unsigned char)state(PP_DATA);
		return 0;
	case PPRCONTROL:
		*byte = (unsigned char)state(PP_CONTROL);
		return 0;
	case PPWDATA:
		set_state(PP_DATA, *byte);
		return done("data %02x\n", *byte);
	case PPWCONTROL:
		set_state(PP_CONTROL, *byte);
		return done("control %02x\n", *byte);
	case PPDATADIR:
		return done("reverse %d\n", *(int *)arg);
	case PPCLRIRQ:
		/* The test may count one between the two: what was 0 stays as it is now. */
		*(int *)arg = (int)state(PP_INTERRUPTS);
		if (*(int *)arg)
			set_state(PP_INTERRUPTS, 0);
		return 0;
	default:
		errno = EINVAL;
		return -1;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (_IOC_TYPE(request) == PP_IOCTL)
		return parallel(request, arg);
	return serial(fd, request, arg);
}

/* --- /proc/ioports, as FAKE_IOPORTS has it --- */

FILE *fopen(const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *) =
		(FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
	const char *ports = getenv("FAKE_IOPORTS");

	return real(ports && !strcmp(path, "/proc/ioports") ? ports : path, mode);
}

/* --- /dev/port: a file whose bytes are the ports, on a kernel without ioperm(2) --- */

int ioperm(unsigned long from, unsigned long count, int on)
{
	(void)from;
	(void)count;
	(void)on;
	errno = ENOSYS;
	return -1;
}

int open(const char *path, int flags, ...)
{
	const char *ports = getenv("FAKE_PORTS");
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	return real_open(ports && !strcmp(path, "/dev/port") ? ports : path, flags, mode);
}
