/* SPDX-License-Identifier: BSD-2-Clause */
/* The words behind a sub-command's name. */
#ifndef FARBUS_HOST_COMMAND_LINE_H
#define FARBUS_HOST_COMMAND_LINE_H

#include <getopt.h>
#include <stdbool.h>

struct command_line {
	const char *help;    /* what -h and --help print */
	const char *letters; /* getopt_long()'s; 'h' among them */
	const struct option *longs;
	/* One option, with optarg; and then the words that are none, NULL behind the last. False:
	 * not to be used, after a message. */
	bool (*take)(void *options, int option);
	bool (*check)(void *options, char **words);
};

/* -1: go on; else the exit status: help was asked for, or something is wrong. */
int command_line_read(const struct command_line *c, void *options, int argc, char **argv);

/* Whether just one of -k and --insecure is there; a message where not. */
bool command_line_key(const char *name, const char *key, bool insecure);

#endif
