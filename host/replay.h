/* SPDX-License-Identifier: BSD-2-Clause */
/* Recorded accesses, and what they are played against. */
#ifndef FARBUS_HOST_REPLAY_H
#define FARBUS_HOST_REPLAY_H

#include "host/serve_config.h"
#include "host/trace_decode.h"
#include "net-ne2000/export.h"

struct replay_record {
	u64 number; /* in the file, from 1, as Wireshark counts */
	struct trace_event e;
};

struct replay_list {
	struct replay_record *record;
	u32 count;
};

/* Where a recorded value and that of now differ. */
struct replay_difference {
	u32 at; /* byte within a block */
	u32 expected, got;
};

enum replay_verdict { REPLAY_SAME, REPLAY_DIFFERENT, REPLAY_FAILED /* logged */ };

struct replay_target {
	/* Plays l's record i. */
	enum replay_verdict (*play)(struct replay_target *t, const struct replay_list *l, u32 i,
				    struct replay_difference *d);
	void (*close)(struct replay_target *t);
	struct port_range range[EXPORT_RANGES];
	unsigned ranges;
};

/* Bytes of a block that differ from the recorded ones into *d. */
enum replay_verdict replay_compare(const struct trace_event *e, const u8 *got,
				   struct replay_difference *d);

struct replay_model_options {
	enum device_kind kind;
	u16 base;
	const char *disk[2]; /* files of a channel's drives, NULL: none */
	bool cdrom[2];	     /* that one is a CD */
	u32 geometry[3];     /* of the first disk; 0: as Farbus guesses it */
};

/* NULL: logged. The models are those of devices/, as Farbus and `farbus serve` use them. */
struct replay_target *replay_model(const struct replay_model_options *o,
				   const struct replay_list *l);

struct replay_peer_options {
	const char *interface, *key; /* as those of `farbus trace` */
	const char *name;	     /* of an export, or of a peer that has only one */
	bool fast; /* as fast as it answers, not with the recorded times between */
};

struct replay_target *replay_peer(const struct replay_peer_options *o);

#endif
