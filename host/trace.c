/* SPDX-License-Identifier: BSD-2-Clause */
/* `farbus trace`: the port accesses of a running guest, as text or as a file for Wireshark. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/command.h"
#include "host/command_line.h"
#include "host/pcapng.h"
#include "host/trace_source.h"
#include "host/trace_text.h"
#include "lib/log.h"

#define FILTER_TEXT 200u

static const char help[] =
	"usage: farbus trace [-i IF] (-k FILE | --insecure) [-w FILE] [-n COUNT] NODE [FILTER "
	"...]\n"
	"       farbus trace --serial FILE [-w FILE] [-n COUNT] [FILTER ...]\n\n"
	"Shows the port accesses of the guest on a PC that runs Farbus, a line for each, until it "
	"ends\n"
	"or Ctrl-C. NODE has 'offer trace' in its configuration.\n\n"
	"  -i, --interface IF   default: the only Ethernet interface that is up\n"
	"  -k, --key FILE       the shared key: 32 bytes or 64 hexadecimal digits\n"
	"      --insecure       a PC that runs without a key\n"
	"  -s, --serial FILE    instead the serial line of a PC with 'trace ... to comN': a port, "
	"a\n"
	"                       pseudo-terminal, a file, or - for standard input\n"
	"  -w, --write FILE     a pcapng file instead of lines; - for standard output, as in\n"
	"                       farbus trace ... -w - | wireshark -k -i -\n"
	"  -n, --count COUNT    ends after so many records\n\n"
	"FILTER: in, out, virtual, local, remote, absent, events (interrupts and resets) and ports "
	"as in\n"
	"0x3f8-0x3ff,0x61. Words of one sort add up.\n";

struct options {
	struct service_options node;
	bool insecure;
	const char *serial, *file;
	unsigned long long count;
	struct trace_filter filter;
	char filter_text[FILTER_TEXT];
};

static struct {
	struct options o;
	struct trace_decoder decoder;
	FILE *out;
	bool failed;
	u64 shown, since, last;
	u64 lost;
} trace = {.o = {.count = ~0ull}};

/* --- records --- */

static bool wanted(const struct trace_event *e)
{
	if (e->kind == TRACE_LOST)
		return true;
	return trace_filter_wants(&trace.o.filter, TRACE_WHAT(e->kind, e->width, e->port),
				  e->route);
}

static void show(void *ctx, const struct trace_event *e)
{
	bool good;

	(void)ctx;
	if (!wanted(e) || trace.failed || trace.shown == trace.o.count)
		return;
	if (e->kind != TRACE_LOST)
		trace.shown++;
	if (!trace.since)
		trace.since = e->ns;
	trace.last = e->ns;
	good = trace.o.file ? pcapng_put(trace.out, e) : trace_print(trace.out, e, trace.since);
	trace.failed = !good;
}

/* What has come is out before more is awaited: whoever looks on sees it. */
static bool turn(void *ctx)
{
	(void)ctx;
	if (fflush(trace.out))
		trace.failed = true;
	return !trace.failed && trace.shown < trace.o.count;
}

/* --- the file --- */

static bool open_file(void)
{
	const char *path = trace.o.file;

	trace.out = stdout;
	if (path && strcmp(path, "-"))
		trace.out = fopen(path, "we");
	if (!trace.out) {
		log_error("%s: %s", path, strerror(errno));
		return false;
	}
	if (path && isatty(fileno(trace.out))) {
		log_error("trace: -w %s is a terminal: expected a file, or a pipe to Wireshark",
			  path);
		return false;
	}
	return !path || pcapng_begin(trace.out, trace.o.serial ? trace.o.serial : trace.o.node.node,
				     trace.o.filter_text);
}

static bool close_file(void)
{
	bool good = !trace.failed;

	if (good && trace.o.file)
		good = pcapng_end(trace.out, trace.last, trace.shown, trace.decoder.lost);
	good &= !fflush(trace.out);
	/* Who looks on has seen enough. */
	if (!good && errno == EPIPE)
		return true;
	if (!good)
		log_error("%s: %s", trace.o.file ? trace.o.file : "standard output",
			  strerror(errno));
	if (trace.out != stdout)
		fclose(trace.out);
	return good;
}

static void say_end(void)
{
	log_info("trace: %llu records, %llu lost, %llu damaged packets",
		 (unsigned long long)trace.shown, (unsigned long long)trace.decoder.lost,
		 (unsigned long long)trace.decoder.damaged);
	if (!trace.decoder.greeted && !trace.o.serial)
		log_warn("trace: it ended before anything came");
	else if (!trace.decoder.greeted)
		log_warn("trace: no greeting came: expected a PC with 'trace ... to comN' at the "
			 "other end");
}

/* --- options --- */

static bool take_count(struct options *o, const char *word)
{
	char *end;

	o->count = strtoull(word, &end, 10);
	if (*word >= '0' && *word <= '9' && !*end && o->count)
		return true;
	log_error("trace: -n '%s': expected a number of records", word);
	return false;
}

static bool take_filter(struct options *o, char **words)
{
	for (; *words; words++) {
		size_t len = strlen(o->filter_text);

		if (!trace_filter_word(&o->filter, *words)) {
			log_error("trace: '%s': expected " TRACE_FILTER_EXPECTED, *words);
			return false;
		}
		snprintf(o->filter_text + len, FILTER_TEXT - len, "%s%s", len ? " " : "", *words);
	}
	return true;
}

static bool take_option(void *options, int option)
{
	struct options *o = options;

	switch (option) {
	case 'i':
		o->node.interface = optarg;
		return true;
	case 'k':
		o->node.key = optarg;
		return true;
	case 'I':
		o->insecure = true;
		return true;
	case 's':
		o->serial = optarg;
		return true;
	case 'w':
		o->file = optarg;
		return true;
	case 'n':
		return take_count(o, optarg);
	default:
		return false;
	}
}

/* Who, and what. */
static bool check_options(void *options, char **words)
{
	struct options *o = options;
	bool wire = o->node.interface || o->node.key || o->insecure;

	if (o->serial && wire)
		log_error("trace: expected either --serial or a NODE with -k or --insecure");
	else if (!o->serial && o->insecure != (o->node.key == NULL))
		log_error("trace: expected either -k FILE or --insecure, or --serial FILE");
	else if (!o->serial && !*words)
		log_error("trace: expected the NODE whose guest is traced");
	else if (o->serial)
		return take_filter(o, words);
	else {
		o->node.node = words[0];
		o->node.choice[0] = "trace";
		return take_filter(o, words + 1);
	}
	return false;
}

static const struct option longs[] = {
	{"interface", required_argument, NULL, 'i'},
	{"key", required_argument, NULL, 'k'},
	{"insecure", no_argument, NULL, 'I'},
	{"serial", required_argument, NULL, 's'},
	{"write", required_argument, NULL, 'w'},
	{"count", required_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct command_line line = {
	.help = help,
	.letters = "+i:k:s:w:n:h",
	.longs = longs,
	.take = take_option,
	.check = check_options,
};

static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		log_error("signals: %s", strerror(errno));
	return fd;
}

int command_trace(int argc, char **argv)
{
	struct trace_sink sink = {.decoder = &trace.decoder, .turn = turn};
	int status = command_line_read(&line, &trace.o, argc, argv);
	bool good;

	if (status >= 0)
		return status;
	sink.signals = open_signals();
	if (sink.signals < 0 || !open_file())
		return STATUS_FAILED;
	trace_decoder_init(&trace.decoder, show, NULL);
	good = trace.o.serial ? trace_from_line(trace.o.serial, &sink)
			      : trace_from_node(&trace.o.node, trace.o.filter_text, &sink);
	good &= close_file();
	say_end();
	return good && trace.decoder.greeted ? STATUS_OK : STATUS_FAILED;
}
