/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of the pcapng format (draft-ietf-opsawg-pcapng) with one interface, whose packets are the
 * trace's records (docs/trace.md).
 */
#ifndef FARBUS_HOST_PCAPNG_H
#define FARBUS_HOST_PCAPNG_H

#include <stdio.h>

#include "host/trace_decode.h"

#define PCAPNG_LINKTYPE 147u /* LINKTYPE_USER0 */
#define PCAPNG_RECORD	32u  /* bytes before a block's own */

/* name: of the PC; filter: in words, "" for none. False: it could not be written (errno). */
bool pcapng_begin(FILE *f, const char *name, const char *filter);
bool pcapng_put(FILE *f, const struct trace_event *e);
/* Statistics: what was seen and lost. */
bool pcapng_end(FILE *f, u64 ns, u64 records, u64 lost);

struct pcapng_reader {
	FILE *f;
	const char *path;
	u64 block;    /* that was read last, from 1, for messages */
	u64 number;   /* of the last record, as Wireshark counts packets */
	u32 linktype; /* of the only interface; 0: none yet */
	u8 tsresol;
	u8 data[PCAPNG_RECORD + TRACE_BLOCK_MAX + 512];
};

/* False with a line in the log. */
bool pcapng_open(struct pcapng_reader *r, const char *path);
void pcapng_close(struct pcapng_reader *r);
/* 1: the next record, its data valid until the next call; 0: the end; -1: logged. */
int pcapng_next(struct pcapng_reader *r, struct trace_event *e);

#endif
