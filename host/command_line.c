/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/command_line.h"
#include "host/command.h"
#include "lib/log.h"
#include <stdio.h>

int command_line_read(const struct command_line *c, void *options, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, c->letters, c->longs, NULL)) >= 0) {
		if (option == 'h') {
			fputs(c->help, stdout);
			return STATUS_OK;
		}
		/* getopt has said what is wrong */
		if (option == '?' || !c->take(options, option))
			return STATUS_USAGE;
	}
	return c->check(options, argv + optind) ? -1 : STATUS_USAGE;
}

bool command_line_key(const char *name, const char *key, bool insecure)
{
	if (insecure == (key == NULL))
		return true;
	log_error("%s: expected either -k FILE or --insecure", name);
	return false;
}
