/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCP socket, with RFC 2217 or just the bytes: we connect to a terminal server, whose real port
 * follows the guest's settings, or wait for one program at a time to connect to us.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/line.h"
#include "host/rfc2217.h"
#include "lib/log.h"

#define OUT_BYTES  8192u
#define OUT_ROOM   1024u /* of these for options and commands alone */
#define IN_CHARS   4096u /* a power of two */
#define READ_BYTES 1024u

struct tcp {
	struct line line; /* its fd is the connection */
	struct sockaddr_storage address;
	socklen_t address_len;
	int listener; /* -1: we connect */
	bool connecting;
	bool overflow; /* it does not read, and there is more to say than fits */
	struct rfc2217 telnet;
	unsigned out_len;
	u8 out[OUT_BYTES];
	u32 head, tail; /* of in[]; both only grow */
	struct line_char in[IN_CHARS];
};

/* --- what RFC 2217 needs --- */

static void queue_out(void *ctx, const u8 *bytes, unsigned len)
{
	struct tcp *t = ctx;

	if (len > OUT_BYTES - t->out_len) {
		t->overflow = true;
		return;
	}
	memcpy(t->out + t->out_len, bytes, len);
	t->out_len += len;
}

/* take_bytes() reads no more than fits. */
static void queue_in(void *ctx, u8 byte, u8 errors)
{
	struct tcp *t = ctx;

	t->in[t->tail++ % IN_CHARS] = (struct line_char){byte, errors};
}

static const struct rfc2217_hooks hooks = {.send = queue_out, .receive = queue_in};

/* --- coming and going --- */

static void set_options(int fd)
{
	const int one = 1, idle = 10, interval = 5, count = 3, timeout = 20000;

	/* A key typed goes at once; a peer that has lost its power is noticed. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static void connected(struct tcp *t)
{
	t->connecting = false;
	t->overflow = false;
	t->out_len = 0;
	t->line.modem = LINE_CONNECTED;
	set_options(t->line.fd);
	line_back(&t->line);
	if (!t->line.config->raw)
		rfc2217_start(&t->telnet, t->listener >= 0, &hooks, t);
}

static void start_connecting(struct tcp *t)
{
	int fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	t->line.fd = fd;
	t->connecting = true;
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&t->address, t->address_len))
		connected(t);
	else if (fd < 0 || errno != EINPROGRESS)
		line_lost(&t->line, strerror(errno));
}

static void look_whether_connected(struct tcp *t)
{
	struct pollfd fd = {.fd = t->line.fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&fd, 1, 0) <= 0)
		return;
	if (getsockopt(t->line.fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (error)
		line_lost(&t->line, strerror(error));
	else
		connected(t);
}

static void look_for_caller(struct tcp *t)
{
	int fd = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	t->line.fd = fd;
	log_info("%s: %s: connected", t->line.config->name, t->line.config->path);
	connected(t);
}

/* A caller that hangs up is nothing to worry about; the next one may. */
static void hang_up(struct tcp *t, const char *why)
{
	if (t->listener < 0) {
		line_lost(&t->line, why);
		return;
	}
	log_info("%s: %s: %s", t->line.config->name, t->line.config->path, why);
	close(t->line.fd);
	t->line.fd = -1;
	t->line.modem = 0;
}

/* --- bytes --- */

static void take_bytes(struct tcp *t)
{
	u8 bytes[READ_BYTES];

	while (t->line.fd >= 0 && IN_CHARS - (t->tail - t->head) >= READ_BYTES) {
		ssize_t got = recv(t->line.fd, bytes, sizeof(bytes), 0);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			hang_up(t, got < 0 ? strerror(errno) : "closed by the other side");
		} else if (t->line.config->raw) {
			for (ssize_t i = 0; i < got; i++)
				queue_in(t, bytes[i], 0);
		} else {
			rfc2217_take(&t->telnet, bytes, (unsigned)got);
			t->line.modem = t->telnet.modem;
		}
	}
}

static void send_bytes(struct tcp *t)
{
	ssize_t sent;

	if (t->overflow) {
		hang_up(t, "does not read what it asks for");
		return;
	}
	if (!t->out_len)
		return;
	sent = send(t->line.fd, t->out, t->out_len, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		hang_up(t, strerror(errno));
	if (sent <= 0)
		return;
	t->out_len -= (unsigned)sent;
	memmove(t->out, t->out + sent, t->out_len);
}

static void tend(struct line *l, bool leased)
{
	struct tcp *t = (struct tcp *)l;

	(void)leased;
	if (t->listener < 0 && line_due(l))
		start_connecting(t);
	else if (t->listener >= 0 && l->fd < 0 && l->ready)
		look_for_caller(t);
	else if (t->connecting && l->ready)
		look_whether_connected(t);
	if (l->fd < 0 || t->connecting)
		return;
	if (l->ready)
		take_bytes(t);
	if (l->fd >= 0)
		send_bytes(t);
}

static unsigned get(struct line *l, struct line_char *c, unsigned count)
{
	struct tcp *t = (struct tcp *)l;
	unsigned n = 0;

	while (n < count && t->head != t->tail)
		c[n++] = t->in[t->head++ % IN_CHARS];
	return n;
}

/* A terminal server that is out of reach is a loose cable; for a caller, what is sent waits. */
static unsigned put(struct line *l, const u8 *bytes, unsigned count)
{
	struct tcp *t = (struct tcp *)l;
	unsigned n = 0;

	if (l->fd < 0 || t->connecting)
		return t->listener < 0 ? count : 0;
	while (n < count && OUT_BYTES - t->out_len > OUT_ROOM &&
	       (l->config->raw || !t->telnet.suspended)) {
		if (l->config->raw)
			queue_out(t, &bytes[n++], 1);
		else
			rfc2217_put(&t->telnet, bytes[n++]);
	}
	send_bytes(t);
	return n;
}

static bool set(struct line *l, const struct uart_settings *s)
{
	struct tcp *t = (struct tcp *)l;

	if (l->fd >= 0 && !t->connecting && !l->config->raw) {
		rfc2217_set(&t->telnet, s);
		send_bytes(t);
	}
	return true;
}

static void await(struct line *l, struct pollfd *fd, bool get_now, bool put_now)
{
	const struct tcp *t = (const struct tcp *)l;
	bool room = IN_CHARS - (t->tail - t->head) >= READ_BYTES;

	(void)get_now;
	if (l->fd < 0) {
		fd->fd = t->listener;
		fd->events = POLLIN;
		return;
	}
	fd->events = room && !t->connecting ? POLLIN : 0;
	if (t->connecting || t->out_len || (put_now && (l->config->raw || !t->telnet.suspended)))
		fd->events |= POLLOUT;
	fd->fd = fd->events ? l->fd : -1;
}

/* --- opening --- */

/* [HOST:]PORT, HOST perhaps in brackets. A getaddrinfo(3) error, 0: done. */
static int look_up(struct tcp *t, bool listening)
{
	char text[PATH_BYTES];
	const char *host = listening ? "127.0.0.1" : "", *port = text;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	char *colon;
	int error;

	snprintf(text, sizeof(text), "%s", t->line.config->path);
	colon = strrchr(text, ':');
	if (colon) {
		*colon = 0;
		host = text;
		port = colon + 1;
	}
	if (*host == '[' && colon[-1] == ']') {
		colon[-1] = 0;
		host++;
	}
	error = getaddrinfo(host, port, &hints, &found);
	if (error)
		return error;
	memcpy(&t->address, found->ai_addr, found->ai_addrlen);
	t->address_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static bool listen_there(struct tcp *t)
{
	const int one = 1;
	int fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	t->listener = fd;
	return fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	       !bind(fd, (struct sockaddr *)&t->address, t->address_len) && !listen(fd, 1);
}

static void close_tcp(struct line *l)
{
	struct tcp *t = (struct tcp *)l;

	if (t->listener >= 0)
		close(t->listener);
	line_free(l);
}

static struct line *open_tcp(const struct device_config *config, struct clock *clock)
{
	struct line *l = line_new(sizeof(struct tcp), &line_tcp, config, clock);
	struct tcp *t = (struct tcp *)l;
	const char *why = NULL;
	int error;

	if (!l)
		return NULL;
	t->listener = -1;
	error = look_up(t, config->listening);
	if (error)
		why = gai_strerror(error);
	else if (config->listening && !listen_there(t))
		why = strerror(errno);
	if (!why)
		return l;
	log_error("export %s: %s %s: %s", config->name, config->listening ? "listen" : "tcp",
		  config->path, why);
	close_tcp(l);
	return NULL;
}

const struct line_ops line_tcp = {.open = open_tcp,
				  .close = close_tcp,
				  .get = get,
				  .put = put,
				  .set = set,
				  .tend = tend,
				  .await = await};
