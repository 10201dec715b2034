/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace of a PC on the segment, which has `offer trace` in its configuration. */
#define _GNU_SOURCE
#include <poll.h>
#include <string.h>
#include <time.h>

#include "host/trace_source.h"
#include "lib/log.h"

#define SECOND 1000000000ull

static struct {
	struct node_service node;
	struct trace_decoder *decoder;
	const char *filter;
	bool over, good;
} from;

static void on_up(void *ctx, unsigned choice)
{
	(void)ctx;
	(void)choice;
	node_service_write(&from.node, (const u8 *)from.filter, (u32)strlen(from.filter));
	node_service_write(&from.node, (const u8 *)"\n", 1);
}

static void on_data(void *ctx, const u8 *data, u32 len)
{
	(void)ctx;
	trace_decode(from.decoder, data, len);
}

static void on_state(void *ctx, u32 state)
{
	(void)ctx;
	(void)state;
}

static void on_silent(void *ctx, bool silent)
{
	(void)ctx;
	log_warn("trace: %s %s", from.node.o.node, silent ? "does not answer" : "answers again");
}

/* A trace with a hole that nobody can measure is over. */
static void on_down(void *ctx, const char *why)
{
	(void)ctx;
	log_error("trace: %s", why);
	from.over = true;
	from.good = false;
}

static const struct node_service_hooks hooks = {
	.up = on_up, .data = on_data, .state = on_state, .silent = on_silent, .down = on_down};

/* False: a signal. */
static bool await(u64 due, int signals)
{
	struct pollfd fd[2] = {{.fd = node_service_fd(&from.node), .events = POLLIN},
			       {.fd = signals, .events = POLLIN}};
	u64 now = wire_now(), wait = due > now ? due - now : 0;
	struct timespec t = {(time_t)(wait / SECOND), (long)(wait % SECOND)};

	ppoll(fd, 2, &t, NULL);
	return !fd[1].revents;
}

static void tell_refused(bool *told)
{
	if (*told || !node_service_refused(&from.node))
		return;
	*told = true;
	log_warn("trace: with this key no filter can be set there: what is recorded anyway comes");
}

bool trace_from_node(const struct service_options *o, const char *filter,
		     const struct trace_sink *sink)
{
	bool told = false;

	from.decoder = sink->decoder;
	from.filter = filter;
	from.good = true;
	if (!node_service_open(&from.node, o, &hooks, NULL))
		return false;
	while (!from.over) {
		u64 due = node_service_turn(&from.node, &from.good);

		tell_refused(&told);
		if (!sink->turn(sink->ctx) || from.over || !from.good || !await(due, sink->signals))
			break;
	}
	node_service_close(&from.node);
	return from.good;
}
