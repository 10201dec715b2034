/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FARBUS_HOST_CONSOLE_OPTIONS_H
#define FARBUS_HOST_CONSOLE_OPTIONS_H

#include "host/service.h"

struct console_options {
	struct service_options service;
	bool insecure, watch;
	int escape;	/* a character; -1: none */
	unsigned quiet; /* s */
};

/* The words behind `farbus console`. -1: go on; else the exit status, after a message. */
int console_options(struct console_options *o, int argc, char **argv);

#endif
