/* SPDX-License-Identifier: BSD-2-Clause */
/* `farbus replay`: a trace once more, against a chip model or another machine's device. */
#include "host/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/command.h"
#include "host/command_line.h"
#include "host/pcapng.h"
#include "lib/log.h"

#define RECORDS_MAX (1u << 28)

static const char help[] =
	"usage: farbus replay --model uart|lpt|ata [-p PORT] [--disk FILE] [--cdrom FILE]\n"
	"                     [--geometry C/H/S] FILE\n"
	"       farbus replay --peer NAME [-i IF] (-k FILE | --insecure) [--fast] FILE\n\n"
	"Plays the accesses in FILE, which 'farbus trace -w' wrote, against a chip model or the\n"
	"export NAME of a peer, and says where the first value that is read differs.\n\n"
	"  -m, --model KIND     a 16550, a printer port or an ATA channel, as Farbus has them\n"
	"  -p, --port PORT      the first port; default 0x3f8, 0x378 or 0x1f0\n"
	"      --disk FILE      the channel's master, then its slave; what the trace writes does "
	"not\n"
	"                       reach the file\n"
	"      --cdrom FILE     the same, a CD\n"
	"      --geometry C/H/S of the master, as in the PC's configuration\n"
	"      --peer NAME      an export, or a peer that has only one\n"
	"  -i, --interface IF   default: the only Ethernet interface that is up\n"
	"  -k, --key FILE       the shared key: 32 bytes or 64 hexadecimal digits\n"
	"      --insecure       a peer that runs without a key\n"
	"      --fast           without the recorded times between the accesses\n";

struct options {
	const char *model, *file;
	bool insecure;
	u32 port; /* 0: the usual one */
	unsigned drives;
	struct replay_model_options m;
	struct replay_peer_options p;
};

enum { OPTION_DISK = 256, OPTION_CDROM, OPTION_GEOMETRY, OPTION_PEER, OPTION_FAST };

enum replay_verdict replay_compare(const struct trace_event *e, const u8 *got,
				   struct replay_difference *d)
{
	for (d->at = 0; d->at < e->len; d->at++) {
		d->expected = e->data[d->at];
		d->got = got[d->at];
		if (d->got != d->expected)
			return REPLAY_DIFFERENT;
	}
	return REPLAY_SAME;
}

/* --- the file --- */

static bool add_record(struct replay_list *l, const struct pcapng_reader *r,
		       const struct trace_event *e)
{
	struct replay_record *record = l->record;
	u8 *data = NULL;

	if (!(l->count & (l->count - 1)) && l->count < RECORDS_MAX) {
		record = realloc(record, (l->count ? 2 * (size_t)l->count : 1) * sizeof(*record));
		if (record)
			l->record = record;
	}
	if (record && e->len)
		data = malloc(e->len);
	if (!record || l->count == RECORDS_MAX || (e->len && !data)) {
		log_error("replay: %s: too long for this machine's memory", r->path);
		return false;
	}
	if (data)
		memcpy(data, e->data, e->len);
	record[l->count] = (struct replay_record){r->number, *e};
	record[l->count++].e.data = data;
	return true;
}

static bool read_file(struct replay_list *l, const char *path)
{
	struct pcapng_reader r;
	struct trace_event e;
	int got = -1;

	if (!pcapng_open(&r, path))
		return false;
	while ((got = pcapng_next(&r, &e)) > 0) {
		if (e.kind != TRACE_IRQ && !add_record(l, &r, &e)) {
			got = -1;
			break;
		}
	}
	pcapng_close(&r);
	return got == 0;
}

static void free_list(struct replay_list *l)
{
	for (u32 i = 0; i < l->count; i++)
		free((void *)l->record[i].e.data);
	free(l->record);
}

/* --- playing --- */

static bool covered(const struct replay_target *t, const struct trace_event *e)
{
	if (e->kind >= TRACE_IRQ)
		return true;
	for (unsigned i = 0; i < t->ranges; i++)
		if (e->port >= t->range[i].first && e->port <= t->range[i].last)
			return true;
	return false;
}

static void tell_difference(const struct replay_record *r, const struct replay_difference *d)
{
	const struct trace_event *e = &r->e;
	char at[32] = "";

	if (e->kind == TRACE_INS)
		snprintf(at, sizeof(at), ", byte %u", d->at);
	printf("record %llu: %04x:%08x %s %04x%s: expected %0*x, got %0*x\n",
	       (unsigned long long)r->number, e->cs, e->eip, trace_kind_name(e->kind), e->port, at,
	       e->kind == TRACE_INS ? 2 : e->width * 2, d->expected,
	       e->kind == TRACE_INS ? 2 : e->width * 2, d->got);
}

/* What stands in the way of playing it at all; NULL: nothing. */
static const char *unplayable(const struct trace_event *e)
{
	if (e->kind == TRACE_LOST)
		return "records are missing here: expected a trace without losses";
	if (e->kind == TRACE_OUTS && e->len < e->value * e->width)
		return "the block's bytes are missing: expected a trace with them";
	return NULL;
}

static int play_all(struct replay_target *t, const struct replay_list *l)
{
	unsigned long long played = 0, cut = 0;

	for (u32 i = 0; i < l->count; i++) {
		const struct replay_record *r = &l->record[i];
		struct replay_difference d = {.at = 0};
		enum replay_verdict verdict;

		if (!covered(t, &r->e))
			continue;
		if (unplayable(&r->e)) {
			log_error("replay: record %llu: %s", (unsigned long long)r->number,
				  unplayable(&r->e));
			return STATUS_FAILED;
		}
		verdict = t->play(t, l, i, &d);
		if (verdict == REPLAY_DIFFERENT)
			tell_difference(r, &d);
		if (verdict != REPLAY_SAME)
			return STATUS_FAILED;
		played += r->e.kind < TRACE_IRQ;
		cut += r->e.kind == TRACE_INS && r->e.len < r->e.value * r->e.width;
	}
	if (!played)
		log_error("replay: no access to these ports is in the file");
	else
		printf("%llu accesses, no difference\n", played);
	if (cut)
		log_warn("replay: the bytes of %llu blocks are not in the file: they were not "
			 "compared",
			 cut);
	return played ? STATUS_OK : STATUS_FAILED;
}

/* --- options --- */

static bool take_model(struct options *o, const char *word)
{
	static const struct {
		const char *word;
		enum device_kind kind;
		u16 port;
	} models[] = {{"uart", DEVICE_UART, 0x3f8},
		      {"lpt", DEVICE_LPT, 0x378},
		      {"ata", DEVICE_ATA, 0x1f0}};

	for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
		if (strcmp(word, models[i].word))
			continue;
		o->model = word;
		o->m.kind = models[i].kind;
		o->m.base = models[i].port;
		return true;
	}
	log_error("replay: --model '%s': expected uart, lpt or ata", word);
	return false;
}

static bool take_port(struct options *o, const char *word)
{
	char *end;
	unsigned long port = strtoul(word, &end, 0);

	if (*word < '0' || *word > '9' || *end || !port || port > 0xfc00) {
		log_error("replay: -p '%s': expected a first port up to 0xfc00, as in 0x2f8", word);
		return false;
	}
	o->port = (u32)port;
	return true;
}

static bool take_drive(struct options *o, const char *path, bool cd)
{
	if (o->drives == 2) {
		log_error("replay: '%s': expected at most two drives", path);
		return false;
	}
	o->m.cdrom[o->drives] = cd;
	o->m.disk[o->drives++] = path;
	return true;
}

static bool take_geometry(struct options *o, const char *word)
{
	u32 *g = o->m.geometry;
	char rest;

	if (sscanf(word, "%5u/%2u/%2u%c", &g[0], &g[1], &g[2], &rest) == 3 && g[0] >= 1 &&
	    g[0] <= 16383 && g[1] >= 1 && g[1] <= 16 && g[2] >= 1 && g[2] <= 63)
		return true;
	log_error("replay: --geometry '%s': expected cylinders/heads/sectors, at most 16383/16/63",
		  word);
	return false;
}

static bool take_option(void *options, int option)
{
	struct options *o = options;

	switch (option) {
	case 'm':
		return take_model(o, optarg);
	case 'p':
		return take_port(o, optarg);
	case OPTION_DISK:
	case OPTION_CDROM:
		return take_drive(o, optarg, option == OPTION_CDROM);
	case OPTION_GEOMETRY:
		return take_geometry(o, optarg);
	case OPTION_PEER:
		o->p.name = optarg;
		return true;
	case 'i':
		o->p.interface = optarg;
		return true;
	case 'k':
		o->p.key = optarg;
		return true;
	case 'I':
		o->insecure = true;
		return true;
	case OPTION_FAST:
		o->p.fast = true;
		return true;
	default:
		return false;
	}
}

static bool check_options(void *options, char **words)
{
	struct options *o = options;

	if (!o->model == !o->p.name)
		log_error("replay: expected either --model KIND or --peer NAME");
	else if (o->drives && (!o->model || o->m.kind != DEVICE_ATA))
		log_error("replay: expected --disk and --cdrom with --model ata only");
	else if (!words[0] || words[1])
		log_error("replay: %s: expected one FILE", words[0] ? words[1] : "end of line");
	else if (o->model || command_line_key("replay", o->p.key, o->insecure)) {
		o->file = words[0];
		if (o->port)
			o->m.base = (u16)o->port;
		return true;
	}
	return false;
}

static const struct option longs[] = {
	{"model", required_argument, NULL, 'm'},
	{"port", required_argument, NULL, 'p'},
	{"disk", required_argument, NULL, OPTION_DISK},
	{"cdrom", required_argument, NULL, OPTION_CDROM},
	{"geometry", required_argument, NULL, OPTION_GEOMETRY},
	{"peer", required_argument, NULL, OPTION_PEER},
	{"interface", required_argument, NULL, 'i'},
	{"key", required_argument, NULL, 'k'},
	{"insecure", no_argument, NULL, 'I'},
	{"fast", no_argument, NULL, OPTION_FAST},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct command_line line = {
	.help = help,
	.letters = "m:p:i:k:h",
	.longs = longs,
	.take = take_option,
	.check = check_options,
};

int command_replay(int argc, char **argv)
{
	static struct options o;
	struct replay_list l = {NULL, 0};
	struct replay_target *t = NULL;
	int status = command_line_read(&line, &o, argc, argv);

	if (status >= 0)
		return status;
	status = STATUS_FAILED;
	if (read_file(&l, o.file))
		t = o.model ? replay_model(&o.m, &l) : replay_peer(&o.p);
	if (t) {
		status = play_all(t, &l);
		t->close(t);
	}
	free_list(&l);
	return status;
}
