/* SPDX-License-Identifier: BSD-2-Clause */
/* `farbus`: one program with sub-commands. */
#include <stdio.h>
#include <string.h>

#include "host/command.h"
#include "lib/log.h"

struct command {
	const char *name, *what;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{"console", "the screen and keyboard of a PC that runs Farbus", command_console},
	{"discover", "a table of the peers on an Ethernet segment", command_discover},
	{"keygen", "writes a new shared key", command_keygen},
	{"replay", "plays a trace against a chip model or a peer", command_replay},
	{"send", "carries out a file of port accesses at a peer's device", command_send},
	{"serve", "lends out devices to PCs that run Farbus", command_serve},
	{"trace", "shows the port accesses of a running guest", command_trace},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	fprintf(out, "usage: farbus COMMAND [OPTION ...]\n\n");
	for (unsigned i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].what);
	fprintf(out, "\n`farbus COMMAND --help` says more about each.\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		help(stdout);
		return STATUS_OK;
	}
	for (unsigned i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	log_error("'%s': expected console, discover, keygen, replay, send, serve or trace; farbus "
		  "--help says more",
		  name);
	return STATUS_USAGE;
}
