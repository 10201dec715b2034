/* SPDX-License-Identifier: BSD-2-Clause */
/* Where `farbus trace` has the trace from. Each returns when it ends, or stop(ctx) says so. */
#ifndef FARBUS_HOST_TRACE_SOURCE_H
#define FARBUS_HOST_TRACE_SOURCE_H

#include "host/service.h"
#include "host/trace_decode.h"

struct trace_sink {
	struct trace_decoder *decoder;
	int signals; /* a signalfd(2): something comes there when it is to end */
	/* After some bytes were decoded; false: no more is wanted. */
	bool (*turn)(void *ctx);
	void *ctx;
};

/*
 * The PC that o names; the words of the filter are sent to it, so that what does not pass never
 * comes. False: logged.
 */
bool trace_from_node(const struct service_options *o, const char *filter,
		     const struct trace_sink *sink);
/* A serial port, pseudo-terminal, pipe or file; "-": standard input. False: logged. */
bool trace_from_line(const char *path, const struct trace_sink *sink);

#endif
