/* SPDX-License-Identifier: BSD-2-Clause */
/* What `farbus send` is told to do: a file with a step a line (docs/linux.md). */
#ifndef FARBUS_HOST_SEND_SCRIPT_H
#define FARBUS_HOST_SEND_SCRIPT_H

#include "host/words.h"
#include "net-ne2000/export.h"

#define SEND_VALUES 29u

enum send_kind {
	SEND_LEASE,
	SEND_IN,
	SEND_OUT,
	SEND_INS,
	SEND_TEXT,
	SEND_POLL,
	SEND_DELAY,
	SEND_IRQ,
	SEND_EOI,
	SEND_RESET,
	SEND_QUIESCE
};

struct send_step {
	enum send_kind kind;
	unsigned line; /* of the file */
	u8 width;
	u16 port;
	/*
	 * OUT: what is written. IN: mask and wanted value, if count is 2. INS: elements. POLL:
	 * mask, wanted value, ms. DELAY: us. IRQ: line, ms. EOI: line.
	 */
	u32 value[SEND_VALUES];
	unsigned count;
	char export[EXPORT_NAME + 1], peer[EXPORT_NAME + 1]; /* peer "": whoever has it */
	char *text;
};

struct send_script {
	struct send_step *step;
	unsigned steps;
};

/* All of it; the first step is a lease. False with a line in the log; send_script_free() anyway. */
bool send_script_read(struct send_script *s, const char *path);
void send_script_free(struct send_script *s);

#endif
