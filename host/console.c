/* SPDX-License-Identifier: BSD-2-Clause */
/* `farbus console`: the screen and keyboard of a Farbus machine, in a terminal or through pipes. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "boot/terminal.h"
#include "host/command.h"
#include "host/console_options.h"
#include "host/console_view.h"
#include "lib/log.h"

#define SECOND	 1000000000ull
#define INPUT	 512u /* bytes at once */
#define STUCK_NS (2 * SECOND)
#define LONGEST	 10u  /* times the quiet that is waited for */
#define HOT_KEY	 0x1d /* Ctrl-], the monitor's (docs/monitor.md) */

static struct {
	struct console_options o;
	struct node_service node;
	struct console_view view;
	struct termios before;
	bool raw, interactive;
	bool types;    /* the lease takes what is typed */
	bool has_been; /* up once */
	bool in_monitor;
	bool input_over, end;
	bool line_begins, escaped;
	int status;
	u64 shown_at, over_at;
	u32 unsent;   /* bytes, */
	u64 moved_at; /* so many since then */
} console;

static volatile sig_atomic_t ended, resized;

/* --- what the service brings --- */

static bool somebody_types(void)
{
	return !console.o.watch && console.node.first_held;
}

static void set_status(void)
{
	const char *who = console.types	     ? ""
			  : somebody_types() ? ", somebody else types, you only watch"
					     : ", you only watch";
	char text[160], escape[48] = "";

	if (console.o.escape >= 0)
		snprintf(escape, sizeof(escape), "; Enter %c ? lists what can be done",
			 console.o.escape);
	snprintf(text, sizeof(text), "%.40s%s%s%s", console.o.service.node,
		 console.in_monitor ? ": the monitor" : "", who, escape);
	view_set_status(&console.view, text);
}

static void on_up(void *ctx, unsigned choice)
{
	(void)ctx;
	console.types = !console.o.watch && choice == 0;
	console.has_been = true;
	console.shown_at = wire_now();
	view_restart(&console.view);
	set_status();
}

static void on_data(void *ctx, const u8 *data, u32 len)
{
	(void)ctx;
	view_feed(&console.view, data, len);
	console.shown_at = wire_now();
}

static void on_state(void *ctx, u32 state)
{
	bool in_monitor = state & TERMINAL_MONITOR;

	(void)ctx;
	if (in_monitor == console.in_monitor)
		return;
	console.in_monitor = in_monitor;
	set_status();
}

static void tell(const char *text)
{
	char line[280];

	if (!console.raw) {
		log_warn("console: %s", text);
		return;
	}
	snprintf(line, sizeof(line), "farbus: %s", text);
	view_message(&console.view, line);
}

static void on_silent(void *ctx, bool silent)
{
	char text[128];

	(void)ctx;
	snprintf(text, sizeof(text), "%s %s", console.o.service.node,
		 silent ? "does not answer" : "answers again");
	tell(text);
}

/* A terminal waits for the machine to come back; a pipe has lost what it was for. */
static void on_down(void *ctx, const char *why)
{
	char text[256];

	(void)ctx;
	if (console.interactive && console.has_been) {
		snprintf(text, sizeof(text), "%s: it is looked for", why);
		tell(text);
		return;
	}
	log_error("console: %s", why);
	console.status = STATUS_FAILED;
	console.end = true;
}

static const struct node_service_hooks hooks = {
	.up = on_up, .data = on_data, .state = on_state, .silent = on_silent, .down = on_down};

/* --- what is typed --- */

static void type(u8 byte)
{
	if (!console.types || !node_service_write(&console.node, &byte, 1))
		view_bell(&console.view);
	console.line_begins = byte == '\r';
}

static void list_escapes(void)
{
	static const char *const lines[] = {".   ends", "r   draws all again",
					    "m   Ctrl-], for the monitor", "?   this list"};
	char text[64];

	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "  Enter %c %s", console.o.escape, lines[i]);
		view_message(&console.view, text);
	}
}

/* What stands behind the escape character. */
static void take_escaped(u8 byte)
{
	console.escaped = false;
	if (byte == '.') {
		console.end = true;
	} else if (byte == 'r') {
		view_redraw(&console.view);
	} else if (byte == 'm') {
		type(HOT_KEY);
	} else if (byte == '?') {
		list_escapes();
	} else {
		type((u8)console.o.escape);
		if (byte != console.o.escape)
			type(byte);
	}
}

static void take_key(u8 byte)
{
	if (console.escaped)
		take_escaped(byte);
	else if (console.line_begins && byte == console.o.escape)
		console.escaped = true;
	else
		type(byte);
}

static void cannot_type(void)
{
	log_error("console: %s: %s", console.o.service.node,
		  somebody_types()  ? "somebody else types there"
		  : console.o.watch ? "it is only watched: expected no input"
				    : "with this key it can only be watched");
	console.status = STATUS_FAILED;
	console.end = true;
}

static void take_piped(const u8 *data, u32 len)
{
	if (console.types)
		node_service_write(&console.node, data, len);
	else
		cannot_type();
}

static void take_input(void)
{
	u8 data[INPUT];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		console.input_over = true;
		console.end |= console.interactive;
		console.shown_at = console.over_at = wire_now();
		return;
	}
	if (!console.interactive) {
		take_piped(data, (u32)n);
		return;
	}
	view_go_on(&console.view);
	for (ssize_t i = 0; i < n && !console.end; i++)
		take_key(data[i]);
}

/* Whether nothing of what was typed has gone out for so long that somebody must be told. */
static bool is_stuck(void)
{
	u32 unsent = node_service_unsent(&console.node);

	if (unsent != console.unsent) {
		console.unsent = unsent;
		console.moved_at = wire_now();
	}
	return wire_now() > console.moved_at + STUCK_NS;
}

/*
 * While the service takes no more, a pasted text waits where it is. When it takes none at all, what
 * is typed is heard all the same, for the sake of ~. and a bell.
 */
static bool wants_input(void)
{
	bool stuck = is_stuck();

	if (console.input_over)
		return false;
	if (console.interactive && (!console.node.s.up || stuck))
		return true;
	return console.node.s.up && service_space(&console.node.s) >= INPUT;
}

/* --- the terminal --- */

static void on_signal(int number)
{
	if (number == SIGWINCH)
		resized = 1;
	else
		ended = 1;
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};

/* Blocked but while the loop waits: none is missed. */
static void catch_signals(sigset_t *waiting)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, waiting);
	signal(SIGPIPE, SIG_IGN);
}

static void make_raw(void)
{
	struct termios raw;

	if (!console.interactive || tcgetattr(STDIN_FILENO, &console.before))
		return;
	raw = console.before;
	cfmakeraw(&raw);
	console.raw = !tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/* --- the loop --- */

/* When it is over without a terminal: a clock on the screen is never quiet. */
static u64 quiet_at(void)
{
	u64 quiet = console.shown_at + console.o.quiet * SECOND;
	u64 last = console.over_at + LONGEST * console.o.quiet * SECOND;

	if (!console.input_over || console.interactive || !console.node.s.up ||
	    node_service_unsent(&console.node))
		return ~0ull;
	return quiet < last ? quiet : last;
}

static void await(u64 due, const sigset_t *waiting)
{
	struct pollfd fd[2] = {{.fd = node_service_fd(&console.node), .events = POLLIN},
			       {.fd = wants_input() ? STDIN_FILENO : -1, .events = POLLIN}};
	u64 now = wire_now(), quiet = quiet_at(), wait;
	struct timespec t;

	due = quiet < due ? quiet : due;
	wait = due > now ? due - now : 0;
	t = (struct timespec){(time_t)(wait / SECOND), (long)(wait % SECOND)};
	if (ppoll(fd, 2, &t, waiting) > 0 && fd[1].revents)
		take_input();
}

static void loop(const sigset_t *waiting)
{
	while (!console.end && !ended && !console.view.failed) {
		bool good;
		u64 due = node_service_turn(&console.node, &good);

		if (!console.interactive && node_service_refused(&console.node))
			cannot_type();
		if (resized) {
			resized = 0;
			view_resize(&console.view);
		}
		if (console.node.s.up)
			view_draw(&console.view);
		if (!good)
			console.status = STATUS_FAILED;
		if (!good || wire_now() >= quiet_at())
			return;
		if (!console.end)
			await(due, waiting);
	}
}

int command_console(int argc, char **argv)
{
	sigset_t waiting;
	int status;

	status = console_options(&console.o, argc, argv);
	if (status >= 0)
		return status;
	console.interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	console.line_begins = true;
	if (!node_service_open(&console.node, &console.o.service, &hooks, NULL))
		return STATUS_FAILED;
	catch_signals(&waiting);
	view_init(&console.view, console.interactive);
	make_raw();
	loop(&waiting);
	view_end(&console.view);
	if (console.raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &console.before);
	node_service_close(&console.node);
	return console.status;
}
