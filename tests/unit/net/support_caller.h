/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with a remote route, on the segment of support.h, which loses and repeats frames. Each
 * call is one guest instruction, and comes back when it is carried out; time passes meanwhile, and
 * the guest's interrupt handler runs.
 */
#ifndef FARBUS_TEST_NET_CALLER_H
#define FARBUS_TEST_NET_CALLER_H

#include "tests/unit/net/support.h"

#define CALLER_SAID 64

struct caller {
	struct world *w;
	unsigned node, place; /* among the routes of the node */
	struct remote *r;
	struct remote_key key; /* of the next instruction; nth counts by itself */
	bool level;	       /* of the interrupt line */
	u32 interrupts, changes, wakes;
	/* Runs between two tries of an instruction that waits; what it does has keys of its own. */
	void (*handler)(struct caller *g);
	bool in_handler;
	u64 give_up; /* an instruction that waits for so long ends the test; 0: 60 s */
	unsigned said;
	char said_text[CALLER_SAID][200];
};

/* The guest on station `node`; peer NULL: by the server's MAC. The ports are those of "device". */
struct caller *caller_new(struct world *w, unsigned node, const char *peer,
			  const struct profile *profile, enum remote_loss on_loss);
/* Any configuration. */
struct caller *caller_of(struct world *w, unsigned node, const struct remote_config *config);
void caller_free(struct caller *g);
/* Attaches; the state it comes to. */
enum remote_state caller_attach(struct caller *g);

/* From the instruction at that address. */
u32 caller_in(struct caller *g, u32 eip, u16 port, unsigned width);
void caller_out(struct caller *g, u32 eip, u16 port, unsigned width, u32 value);
void caller_ins(struct caller *g, u32 eip, u16 port, unsigned width, void *buf, u32 count);
void caller_outs(struct caller *g, u32 eip, u16 port, unsigned width, const void *buf, u32 count);
/* One try: false where it waits. */
bool caller_try_in(struct caller *g, u32 eip, u16 port, unsigned width, u32 *value);
bool caller_try_out(struct caller *g, u32 eip, u16 port, unsigned width, u32 value);
/* How often a line was said that has this in it. */
unsigned caller_said(const struct caller *g, const char *part);

#endif
