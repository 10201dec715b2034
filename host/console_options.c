/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/console_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/command.h"
#include "host/command_line.h"
#include "lib/log.h"

static const char help[] =
	"usage: farbus console [-i IF] [-w] [-e CHAR] [-q SECONDS] (-k FILE | --insecure) NODE\n\n"
	"The text screen and keyboard of the machine called NODE (or with that Ethernet address),\n"
	"which has 'offer console' in its configuration. Ctrl-] is for its monitor.\n\n"
	"  -i, --interface IF   default: the only Ethernet interface that is up\n"
	"  -k, --key FILE       the shared key: 32 bytes or 64 hexadecimal digits\n"
	"      --insecure       a machine that runs without a key\n"
	"  -w, --watch          only look; also when somebody else types there\n"
	"      --take           take it over from a `farbus console` of this machine\n"
	"  -e, --escape CHAR    instead of '~'; none: there is none\n"
	"  -q, --quiet SECONDS  without a terminal: ends when nothing more was shown for so long\n"
	"                       after the end of the input, 1 to 3600; default 1; after ten times\n"
	"                       as long in any case\n\n"
	"At the beginning of a line:\n"
	"  ~.   ends    ~r   draws all again    ~m   Ctrl-]    ~~   one '~'    ~?   this list\n\n"
	"Without a terminal, standard input is typed, and the text is printed as it leaves the\n"
	"screen, at the end what is still on it.\n";

static bool take_escape(struct console_options *o, const char *word)
{
	if (!strcmp(word, "none")) {
		o->escape = -1;
		return true;
	}
	o->escape = word[0];
	if (word[0] > ' ' && word[0] < 127 && !word[1])
		return true;
	log_error("console: -e '%s': expected one character or none", word);
	return false;
}

static bool take_quiet(struct console_options *o, const char *word)
{
	char *rest;

	o->quiet = (unsigned)strtoul(word, &rest, 10);
	if (!*rest && o->quiet >= 1 && o->quiet <= 3600)
		return true;
	log_error("console: -q '%s': expected 1 to 3600 seconds", word);
	return false;
}

static bool take_option(void *options, int option)
{
	struct console_options *o = options;

	switch (option) {
	case 'i':
		o->service.interface = optarg;
		return true;
	case 'k':
		o->service.key = optarg;
		return true;
	case 'I':
		o->insecure = true;
		return true;
	case 'T':
		o->service.take = true;
		return true;
	case 'w':
		o->watch = true;
		return true;
	case 'e':
		return take_escape(o, optarg);
	case 'q':
		return take_quiet(o, optarg);
	default:
		return false;
	}
}

static bool check_options(void *options, char **words)
{
	struct console_options *o = options;

	if (!words[0] || words[1]) {
		log_error("console: expected one NODE, a name or an address");
		return false;
	}
	if (!command_line_key("console", o->service.key, o->insecure))
		return false;
	o->service.node = words[0];
	o->service.choice[0] = o->watch ? "screen" : "console";
	o->service.choice[1] = o->watch ? "console" : "screen";
	return true;
}

static const struct option longs[] = {
	{"interface", required_argument, NULL, 'i'},
	{"key", required_argument, NULL, 'k'},
	{"insecure", no_argument, NULL, 'I'},
	{"watch", no_argument, NULL, 'w'},
	{"take", no_argument, NULL, 'T'},
	{"escape", required_argument, NULL, 'e'},
	{"quiet", required_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct command_line line = {
	.help = help,
	.letters = "i:k:we:q:h",
	.longs = longs,
	.take = take_option,
	.check = check_options,
};

int console_options(struct console_options *o, int argc, char **argv)
{
	*o = (struct console_options){.escape = '~', .quiet = 1};
	return command_line_read(&line, o, argc, argv);
}
