/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's prompt: line editing, the table of commands, and those that run the guest. */
#include "boot/monitor.h"
#include <stdarg.h>
#include "boot/console.h"
#include "boot/host.h"
#include "boot/monitor_cmd.h"
#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/str.h"

#define HOT_KEY 0x1d
#define CTRL_C	0x03
#define CTRL_U	0x15

#define STEPS_MAX 1000000u

static void help(struct monitor *m, const struct command *c);

void mon_print(struct monitor *m, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	fmt_va(text, sizeof(text), format, ap);
	va_end(ap);
	console_print(m->vm, text);
}

bool mon_hex(const char *word, u32 *value)
{
	u32 n = 0;
	unsigned digits = 0;

	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		word += 2;
	for (; *word; word++, digits++) {
		char ch = (char)(*word | 0x20);
		u32 digit = ch >= '0' && ch <= '9'   ? (u32)(ch - '0')
			    : ch >= 'a' && ch <= 'f' ? (u32)(ch - 'a' + 10)
						     : 16;

		if (digit > 15 || digits >= 8)
			return false;
		n = n << 4 | digit;
	}
	*value = n;
	return digits > 0;
}

bool mon_count(const char *word, u32 max, u32 *value)
{
	u32 n = 0;

	if (!*word)
		return false;
	for (; *word; word++) {
		if (*word < '0' || *word > '9' || n > max)
			return false;
		n = n * 10 + (u32)(*word - '0');
	}
	*value = n;
	return n >= 1 && n <= max;
}

/* --- commands that run the guest --- */

static void go_on(struct monitor *m)
{
	console_close_monitor(m->vm);
	vm_continue(m->vm);
}

static void cmd_continue(struct monitor *m, const struct command *c)
{
	(void)c;
	go_on(m);
}

static void cmd_step(struct monitor *m, const struct command *c)
{
	u32 count = 1;

	if (c->words > 1 && !mon_count(c->word[1], STEPS_MAX, &count)) {
		mon_print(m, "step: '%s': expected a count from 1 to %u\n", c->word[1], STEPS_MAX);
		return;
	}
	m->steps = count - 1;
	m->vm->single_step = true;
	vm_continue(m->vm);
}

static void cmd_reset(struct monitor *m, const struct command *c)
{
	(void)c;
	vm_request(m->vm, VM_REQ_RESET);
	go_on(m);
}

static void cmd_poweroff(struct monitor *m, const struct command *c)
{
	(void)c;
	vm_request(m->vm, VM_REQ_POWER_OFF);
}

static void cmd_nmi(struct monitor *m, const struct command *c)
{
	(void)c;
	asm volatile("orl %1, %0" : "+m"(m->vm->vcpu.events) : "i"(VCPU_EV_NMI) : "cc");
	mon_print(m, "NMI waits for the next instruction\n");
}

static void cmd_key(struct monitor *m, const struct command *c)
{
	if (c->words < 2)
		mon_print(m, "key: expected keys, as in 'key ctrl-alt-del' or 'key l s enter'\n");
	for (unsigned i = 1; i < c->words; i++)
		if (!console_press(m->vm, c->word[i]))
			mon_print(m, "key: '%s': expected a key, as in a, f1, up or ctrl-alt-del\n",
				  c->word[i]);
}

static void cmd_info(struct monitor *m, const struct command *c)
{
	static const struct {
		const char *name;
		command_fn fn;
	} what[] = {{"registers", mon_registers}, {"cpu", mon_stats},	  {"stats", mon_stats},
		    {"memory", mon_memory},	  {"routes", mon_routes}, {"irq", mon_irq},
		    {"trace", mon_trace},	  {"log", mon_log}};
	struct command rest = {.words = c->words - 1};

	for (unsigned i = 2; i < c->words; i++)
		rest.word[i - 1] = c->word[i];
	for (unsigned i = 0; c->words > 1 && i < ARRAY_SIZE(what); i++) {
		if (strncmp(what[i].name, c->word[1], strlen(c->word[1])))
			continue;
		rest.word[0] = what[i].name;
		what[i].fn(m, &rest);
		return;
	}
	mon_print(m, "info: expected registers, cpu, memory, routes, irq, trace or log\n");
}

/* The first of a name's letters that makes it this command is enough to type. */
static const struct {
	const char *name;
	u8 shortest; /* letters */
	command_fn fn;
	const char *help;
} commands[] = {
	{"help", 1, help, NULL}, /* as many lines as a screen has, without this one */
	{"info", 1, cmd_info, "registers|cpu|memory|routes|irq|trace|log"},
	{"registers", 3, mon_registers, "all registers, segments with base, limit and attributes"},
	{"stats", 3, mon_stats, "[direct|translated|shadow|lockstep|all]  what was counted"},
	{"x", 1, mon_examine, "[p:]ADDRESS [COUNT]  bytes at a linear (p: physical) address"},
	{"u", 1, mon_disassemble, "[ADDRESS] [COUNT]    instructions, from CS:EIP on"},
	{"routes", 6, mon_routes, "who answers which ports, and how often"},
	{"attach", 2, mon_attach,
	 "PORTS [irq N]        to this PC's own hardware, or with\n"
	 "             PORTS [irq N] [dma N] remote PEER [profile P] [on-loss L]"},
	{"detach", 2, mon_detach, "PORTS [irq N]        back to the chip model"},
	{"route", 5, mon_route, "PORTS [irq N] virtual|local|absent|remote PEER"},
	{"discover", 2, mon_discover, "the peers on the network and what they lend out"},
	{"ping", 2, mon_ping, "[COUNT]              echoes from the peers of all remote routes"},
	{"leases", 2, mon_leases, "the remote routes, what they have cost, and the card"},
	{"trace", 1, mon_trace,
	 "on|off|FILTER ...|[COUNT]  port accesses: keep them, show the last"},
	{"irq", 2, mon_irq, "the interrupt controllers and the lines"},
	{"log", 1, mon_log, "[COUNT]              Farbus's own log"},
	{"step", 1, cmd_step, "[COUNT]              instructions"},
	{"continue", 1, cmd_continue, "the guest runs on (so does Ctrl-C)"},
	{"key", 1, cmd_key, "KEY ...              key strokes, as in 'key ctrl-alt-del'"},
	{"nmi", 1, cmd_nmi, "a non-maskable interrupt"},
	{"reset", 5, cmd_reset, "the guest PC's reset button"},
	{"poweroff", 8, cmd_poweroff, "ends the guest and switches this PC off"},
};

static void help(struct monitor *m, const struct command *c)
{
	(void)c;
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].help)
			mon_print(m, "  %-10s %s\n", commands[i].name, commands[i].help);
	mon_print(m,
		  "Addresses are hexadecimal or [SEGMENT:]REGISTER, as in ss:esp; PORTS as in\n"
		  "0x3f8-0x3ff,0x3e8. An empty line goes on. Ctrl-] sends itself to the guest.\n");
}

/* --- the prompt --- */

static void prompt(struct monitor *m)
{
	m->len = 0;
	mon_print(m, "farbus> ");
}

static void split(struct command *c, char *line)
{
	c->words = 0;
	while (*line) {
		while (*line == ' ')
			*line++ = 0;
		if (!*line || c->words == MONITOR_WORDS)
			return;
		c->word[c->words++] = line;
		while (*line && *line != ' ')
			line++;
	}
}

/* The command of that name, or the first that begins so. */
static command_fn find_command(const char *word)
{
	size_t len = strlen(word);

	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, word))
			return commands[i].fn;
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if (len >= commands[i].shortest && !strncmp(commands[i].name, word, len))
			return commands[i].fn;
	return NULL;
}

static void run_command(struct monitor *m, bool repeated)
{
	struct command c = {.repeated = repeated};
	char line[MONITOR_LINE];
	command_fn fn;

	memcpy(line, m->last, sizeof(line));
	split(&c, line);
	if (!c.words)
		return;
	fn = find_command(c.word[0]);
	if (fn)
		fn(m, &c);
	else
		mon_print(m, "'%s': expected a command; 'help' lists them\n", c.word[0]);
}

static void enter_line(struct monitor *m)
{
	bool repeated = !m->len;

	mon_print(m, "\n");
	m->line[m->len] = 0;
	if (!repeated)
		memcpy(m->last, m->line, m->len + 1);
	run_command(m, repeated);
	if (m->vm->stopped)
		prompt(m);
}

/* The hot key again: one for the guest, and on it goes. */
static void send_hot_key(struct monitor *m)
{
	console_type(m->vm, HOT_KEY);
	go_on(m);
}

static void rub_out(struct monitor *m)
{
	if (!m->len)
		return;
	m->len--;
	mon_print(m, "\b \b");
}

void monitor_input(struct vm *vm, u8 byte)
{
	struct monitor *m = vm->monitor;

	if (!m)
		return;
	if (byte == HOT_KEY && m->fresh) {
		send_hot_key(m);
		return;
	}
	m->fresh = false;
	if (byte == '\r' || byte == '\n') {
		enter_line(m);
	} else if (byte == '\b' || byte == 0x7f) {
		rub_out(m);
	} else if (byte == CTRL_U) {
		while (m->len)
			rub_out(m);
	} else if (byte == CTRL_C) {
		mon_print(m, "continue\n");
		go_on(m);
	} else if (byte >= ' ' && byte < 0x7f && m->len < MONITOR_LINE - 1) {
		m->line[m->len++] = (char)byte;
		mon_print(m, "%c", byte);
	}
}

void monitor_enter(struct vm *vm, const char *why)
{
	struct monitor *m = vm->monitor;
	char state[256];

	if (!m || !vm->console) {
		vm_describe(vm, state, sizeof(state));
		log_warn("guest stopped: %s at %s", why, state);
		return;
	}
	if (!strcmp(why, "step")) {
		mon_show_position(m);
		if (m->steps) {
			m->steps--;
			vm->single_step = true;
			vm_continue(vm);
			return;
		}
	} else {
		m->steps = 0;
		m->fresh = true;
		m->last[0] = 0;
		console_open_monitor(vm);
		mon_print(m, "Farbus monitor: %s ('help' lists the commands)\n", why);
		mon_show_position(m);
	}
	prompt(m);
}

struct monitor *monitor_create(struct vm *vm)
{
	struct monitor *m = host_alloc(sizeof(*m));

	if (!m) {
		log_warn("no memory for the monitor");
		return NULL;
	}
	m->vm = vm;
	return m;
}
