/* SPDX-License-Identifier: BSD-2-Clause */
/* What the monitor's files share. Inside boot/monitor*.c only. */
#ifndef FARBUS_BOOT_MONITOR_CMD_H
#define FARBUS_BOOT_MONITOR_CMD_H

#include "boot/vm.h"

#define MONITOR_LINE  128
#define MONITOR_WORDS 12

#define TRACE_SHOWN 1024u /* records that `trace COUNT` shows at most */

struct monitor {
	struct vm *vm;
	char line[MONITOR_LINE];
	unsigned len;
	char last[MONITOR_LINE]; /* what an empty line repeats: x and u go on, step steps */
	bool fresh;		 /* nothing was typed yet: the hot key again sends itself */
	u32 steps;		 /* still to go after this one */
	u32 next_address;	 /* where x and u go on */
	bool next_physical;
};

/* A command line, cut into words. */
struct command {
	unsigned words;
	const char *word[MONITOR_WORDS];
	bool repeated; /* by an empty line */
};

/* printf to the console. */
__attribute__((format(printf, 2, 3))) void mon_print(struct monitor *m, const char *format, ...);

/* Runs one command; they print their own mistakes, one line each. */
typedef void (*command_fn)(struct monitor *m, const struct command *c);

/* A hexadecimal number, 0x allowed; false: it is none. */
bool mon_hex(const char *word, u32 *value);
/* A decimal count from 1 to max. */
bool mon_count(const char *word, u32 max, u32 *value);

/* boot/monitor_stats.c */
void mon_stats(struct monitor *m, const struct command *c);
/* boot/monitor_show.c */
void mon_registers(struct monitor *m, const struct command *c);
void mon_examine(struct monitor *m, const struct command *c);
void mon_disassemble(struct monitor *m, const struct command *c);
void mon_log(struct monitor *m, const struct command *c);
/* One line: where the guest is and what it does next. */
void mon_show_position(struct monitor *m);

/* boot/monitor_bus.c */
void mon_routes(struct monitor *m, const struct command *c);
void mon_attach(struct monitor *m, const struct command *c);
void mon_detach(struct monitor *m, const struct command *c);
void mon_route(struct monitor *m, const struct command *c);
void mon_trace(struct monitor *m, const struct command *c);
void mon_memory(struct monitor *m, const struct command *c);
void mon_irq(struct monitor *m, const struct command *c);

/* boot/monitor_net.c */
void mon_discover(struct monitor *m, const struct command *c);
void mon_leases(struct monitor *m, const struct command *c);
void mon_ping(struct monitor *m, const struct command *c);

#endif
