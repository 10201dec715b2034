/* SPDX-License-Identifier: BSD-2-Clause */
/* `farbus serve`: a peer daemon. One loop awaits frames, its devices' files, signals and time. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "host/command.h"
#include "host/command_line.h"
#include "host/node.h"
#include "host/privileges.h"
#include "lib/log.h"

#define FRAMES_A_TURN 64u
#define SLEEP_NS      5000u /* falling asleep and waking up take about as long */
#define AWAKE_MAX     64u   /* turns without a look at what else is awaited */
#define SECOND	      1000000000ull

static const char help[] =
	"usage: farbus serve [-i IF] -c FILE\n\n"
	"Lends out what FILE says to PCs that run Farbus, until SIGTERM. SIGHUP reads FILE\n"
	"again.\n\n"
	"  -c, --config FILE    lines with the words name, interface, user, key, frames, export\n"
	"  -i, --interface IF   instead of the file's; default: the only Ethernet interface\n"
	"                       that is up\n"
	"  -n, --check          only reads FILE and says whether it is good\n\n"
	"A line for each device:\n"
	"  export uart PORT [irq N] pty LINK | tty DEVICE name X\n"
	"  export uart PORT [irq N] tcp HOST:PORT | listen [HOST:]PORT [raw] name X\n"
	"  export ata PORT,PORT [irq N] disk FILE [read-only] [cdrom FILE] name X\n"
	"  export lpt PORT [irq N] file FILE | parport DEVICE name X\n"
	"  export ports RANGES [irq N uio DEVICE] name X\n";

struct options {
	const char *config, *interface;
	bool check;
};

enum { FD_WIRE, FD_SIGNALS, FD_DEVICES };

static struct {
	struct options o;
	struct serve_config config;
	struct wire wire;
	struct node node;
	int signals;
	unsigned awake; /* turns since the last sleep */
	bool end;
	int status;
	u8 frame[FRAME_MAX];
} serve;

/* --- signals --- */

static void reload(void)
{
	static struct serve_config fresh;

	if (!serve_config_read(&fresh, serve.o.config)) {
		log_warn("reload: nothing is changed");
		return;
	}
	if (strcmp(fresh.user, serve.config.user) ||
	    strcmp(fresh.interface, serve.config.interface))
		log_warn("reload: another user or interface: expected a restart for that");
	node_reload(&serve.node, &serve.config, &fresh);
	serve.config = fresh;
	log_info("reload: done");
}

static void take_signals(void)
{
	struct signalfd_siginfo s;

	while (read(serve.signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGHUP)
			reload();
		else
			serve.end = true;
	}
}

static bool open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	serve.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (serve.signals < 0)
		log_error("signals: %s", strerror(errno));
	return serve.signals >= 0;
}

/* --- the loop --- */

static void take_frames(void)
{
	for (unsigned n = 0; n < FRAMES_A_TURN; n++) {
		u32 len = wire_next(&serve.wire, serve.frame);

		if (!len)
			return;
		node_receive(&serve.node, serve.frame, len);
	}
}

/* An interface that is down may come up again; one that is gone ends the socket. */
static void look_at_wire(void)
{
	if (wire_good(&serve.wire) || errno == ENETDOWN)
		return;
	log_error("%s: %s", serve.wire.name, strerror(errno));
	serve.status = STATUS_FAILED;
	serve.end = true;
}

/* The devices' files behind the others; returns how many are awaited in all. */
static nfds_t list_devices(struct pollfd *fd, struct device *who[])
{
	nfds_t count = FD_DEVICES;

	for (unsigned i = 0; i < SERVER_EXPORTS; i++) {
		struct device *d = serve.node.device[i];

		if (!d || !d->ops->await)
			continue;
		d->ready = 0;
		fd[count] = (struct pollfd){.fd = -1};
		d->ops->await(d, &fd[count]);
		if (fd[count].fd >= 0)
			who[count++] = d;
	}
	return count;
}

/* What it is of frames and devices, the next turn finds. */
static void await(u64 due)
{
	struct pollfd fd[FD_DEVICES + SERVER_EXPORTS];
	struct device *who[FD_DEVICES + SERVER_EXPORTS];
	u64 now = wire_now(), wait = due > now ? due - now : 0;
	struct timespec t = {(time_t)(wait / SECOND), (long)(wait % SECOND)};
	nfds_t count;

	if (wait < SLEEP_NS && serve.awake++ < AWAKE_MAX)
		return;
	serve.awake = 0;
	fd[FD_WIRE] = (struct pollfd){.fd = serve.wire.fd, .events = POLLIN};
	fd[FD_SIGNALS] = (struct pollfd){.fd = serve.signals, .events = POLLIN};
	count = list_devices(fd, who);
	if (ppoll(fd, count, due == ~0ull ? NULL : &t, NULL) <= 0)
		return;
	for (nfds_t i = FD_DEVICES; i < count; i++)
		who[i]->ready = fd[i].revents;
	if (fd[FD_SIGNALS].revents)
		take_signals();
	if (fd[FD_WIRE].revents & ~POLLIN)
		look_at_wire();
}

static void loop(void)
{
	while (!serve.end) {
		u64 due;

		take_frames();
		due = node_turn(&serve.node);
		node_tell_drops(&serve.node, false);
		await(due);
	}
}

/* --- starting --- */

static bool start(void)
{
	const char *interface = serve.o.interface;

	if (!interface && serve.config.interface[0])
		interface = serve.config.interface;
	/* Another daemon's waits are as exact as they need; a POLL's are every 20 us. */
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
	if (!open_signals() || !wire_open(&serve.wire, interface))
		return false;
	return node_start(&serve.node, &serve.wire, &serve.config) &&
	       privileges_drop(serve.config.user);
}

static void say_started(void)
{
	char mac[MAC_TEXT];

	mac_text(mac, serve.wire.mac);
	if (serve.config.insecure)
		log_warn("key insecure: whoever is on the segment may use what is lent out");
	log_info("%s lends out %u device%s on %s, %s", serve.config.name, serve.config.devices,
		 serve.config.devices == 1 ? "" : "s", serve.wire.name, mac);
}

static bool take_option(void *options, int option)
{
	struct options *o = options;

	switch (option) {
	case 'c':
		o->config = optarg;
		return true;
	case 'i':
		o->interface = optarg;
		return true;
	case 'n':
		o->check = true;
		return true;
	default:
		return false;
	}
}

static bool check_options(void *options, char **words)
{
	const struct options *o = options;

	if (words[0])
		log_error("serve: '%s': expected no more words", words[0]);
	else if (!o->config)
		log_error("serve: expected -c FILE");
	else
		return true;
	return false;
}

static const struct option longs[] = {
	{"config", required_argument, NULL, 'c'},
	{"interface", required_argument, NULL, 'i'},
	{"check", no_argument, NULL, 'n'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct command_line line = {
	.help = help,
	.letters = "c:i:nh",
	.longs = longs,
	.take = take_option,
	.check = check_options,
};

int command_serve(int argc, char **argv)
{
	int status = command_line_read(&line, &serve.o, argc, argv);

	if (status >= 0)
		return status;
	if (!serve_config_read(&serve.config, serve.o.config))
		return STATUS_FAILED;
	if (serve.o.check)
		return STATUS_OK;
	if (start()) {
		say_started();
		loop();
		log_info("ends");
	} else {
		serve.status = STATUS_FAILED;
	}
	node_stop(&serve.node);
	node_tell_drops(&serve.node, true);
	wire_close(&serve.wire);
	return serve.status;
}
