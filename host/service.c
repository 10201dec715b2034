/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/service.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/key.h"
#include "lib/log.h"

#define ASK_NS	 250000000ull  /* between two questions who is there */
#define TELL_NS	 3000000000ull /* until it is said that it is not there */
#define RETRY_NS 1000000000ull /* after a lease that was not granted */
#define CLOSE_NS 1000000000ull
#define FRAMES	 64u /* a turn */
#define MS	 1000000ull

/* --- who is there --- */

/* Names are any bytes: what is no printable ASCII becomes '?' on the terminal. */
static void printable(char text[EXPORT_NAME + 1], const char *name)
{
	unsigned i;

	for (i = 0; i < EXPORT_NAME && name[i]; i++)
		text[i] = name[i] > ' ' && name[i] < 127 ? name[i] : '?';
	text[i] = 0;
}

static void note_heard(struct node_service *n, const struct offer *o)
{
	char name[EXPORT_NAME + 1];
	size_t len = strlen(n->heard);

	printable(name, o->name);
	if (!strstr(n->heard, name) && len + EXPORT_NAME + 3 < sizeof(n->heard))
		snprintf(n->heard + len, sizeof(n->heard) - len, "%s%s", len ? ", " : "", name);
}

static bool is_node(const struct node_service *n, const struct offer *o)
{
	if (n->by_mac)
		return !memcmp(o->mac, n->mac, 6);
	return !strcmp(o->name, n->o.node);
}

static const struct port_export *find(const struct offer *o, const char *name)
{
	for (unsigned i = 0; name && i < o->exports; i++)
		if (!strcmp(o->export[i].name, name))
			return &o->export[i];
	return NULL;
}

/* Which of the choices can be had; SERVICE_CHOICES: none, and why. */
static unsigned choose(struct node_service *n, const struct offer *o)
{
	bool held = false;

	for (unsigned i = 0; i < SERVICE_CHOICES; i++) {
		const struct port_export *x = find(o, n->o.choice[i]);

		if (x && (!x->held || n->o.take)) {
			n->first_held = held;
			return i;
		}
		held |= x != NULL;
	}
	if (held)
		snprintf(n->why, sizeof(n->why), "%s: somebody else has its %s", n->o.node,
			 n->o.choice[0]);
	else
		snprintf(n->why, sizeof(n->why),
			 "%s offers no %s: expected 'offer %s' in its configuration", n->o.node,
			 n->o.choice[0], n->o.choice[0]);
	return SERVICE_CHOICES;
}

static void found(void *ctx, const struct offer *o)
{
	struct node_service *n = ctx;
	enum client_state state = n->s.c.state;
	unsigned choice;

	if (state != CLIENT_IDLE && state != CLIENT_FAILED)
		return;
	note_heard(n, o);
	if (!is_node(n, o))
		return;
	choice = choose(n, o);
	n->ask_at = wire_now() + RETRY_NS;
	if (choice == SERVICE_CHOICES)
		return;
	n->choice = choice;
	service_lease(&n->s, o->mac, n->o.choice[choice], wire_now());
}

static void ask(struct node_service *n, u64 now)
{
	n->ask_at = now + ASK_NS;
	discover(&n->d, &n->e);
}

/* --- the lease --- */

static void set_why(struct node_service *n)
{
	static const char *const text[] = {
		[CLIENT_NO_ANSWER] = "does not answer",
		[CLIENT_NO_SUCH_EXPORT] = "has no such service any more",
		[CLIENT_HELD] = "has given it to somebody else",
		[CLIENT_RESTARTED] = "has started anew",
		[CLIENT_EXPIRED] = "has ended the lease",
	};

	snprintf(n->why, sizeof(n->why), "%s %s", n->o.node, text[n->s.c.why]);
}

static void tell_down(struct node_service *n)
{
	if (n->is_down || n->ending)
		return;
	n->is_down = true;
	n->hooks->down(n->ctx, n->why);
}

static void on_changed(void *ctx, enum client_state state)
{
	struct node_service *n = ctx;

	if (state == CLIENT_LEASED) {
		n->was_up = true;
		n->is_down = n->is_silent = false;
		n->hooks->up(n->ctx, n->choice);
	} else if (state == CLIENT_FAILED) {
		set_why(n);
		n->ask_at = wire_now() + ASK_NS;
		if (n->was_up)
			tell_down(n);
	}
}

static void on_data(void *ctx, const u8 *data, u32 len)
{
	struct node_service *n = ctx;

	n->hooks->data(n->ctx, data, len);
}

static void on_state(void *ctx, u32 state)
{
	struct node_service *n = ctx;

	n->hooks->state(n->ctx, state);
}

static void watch_health(struct node_service *n, u64 now)
{
	enum link_health health = client_health(&n->s.c, now);
	bool silent = health != LINK_GOOD;

	if (n->s.foreign) {
		client_abandon(&n->s.c);
		snprintf(n->why, sizeof(n->why), "%s: its %s speaks another version", n->o.node,
			 n->o.choice[n->choice]);
		n->ask_at = now + RETRY_NS;
		tell_down(n);
		return;
	}
	if (health == LINK_LOST) {
		client_abandon(&n->s.c);
		snprintf(n->why, sizeof(n->why), "%s is lost: no answer for 10 s", n->o.node);
		tell_down(n);
	} else if (n->s.up && silent != n->is_silent) {
		n->is_silent = silent;
		n->hooks->silent(n->ctx, silent);
	}
}

/* Nothing yet: the reason nearest to success. */
static void tell_missing(struct node_service *n, u64 now)
{
	if (n->is_down || n->s.up || now < n->tell_at)
		return;
	if (!n->why[0])
		snprintf(n->why, sizeof(n->why), "nobody called %s with this key answers on %s%s%s",
			 n->o.node, n->wire.name, n->heard[0] ? ": heard of " : "", n->heard);
	tell_down(n);
}

/* --- frames and time --- */

static bool take_frames(struct node_service *n)
{
	u8 frame[FRAME_MAX];
	struct packet p;
	int len = 0;

	for (unsigned i = 0; i < FRAMES && (len = wire_receive(&n->wire, frame)) > 0; i++)
		if (endpoint_open(&n->e, frame, (u32)len, &p) &&
		    !discover_receive(&n->d, &n->e, &p))
			service_receive(&n->s, &p, wire_now());
	if (len >= 0 || errno == ENETDOWN)
		return true;
	log_error("%s: %s", n->wire.name, strerror(errno));
	return false;
}

u64 node_service_turn(struct node_service *n, bool *good)
{
	enum client_state state;
	u64 now, due;

	*good = take_frames(n);
	now = wire_now();
	service_poll(&n->s, now);
	watch_health(n, now);
	tell_missing(n, now);
	state = n->s.c.state;
	due = service_deadline(&n->s);
	if (state == CLIENT_LEASED) /* its silence is noticed in time */
		return due < now + 500 * MS ? due : now + 500 * MS;
	if (state != CLIENT_IDLE && state != CLIENT_FAILED)
		return due;
	if (now >= n->ask_at)
		ask(n, now);
	return n->ask_at < n->tell_at || n->is_down ? n->ask_at : n->tell_at;
}

/* --- starting and ending --- */

static bool parse_mac(const char *text, u8 mac[6])
{
	unsigned m[6];
	char rest;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
		   &rest) != 6)
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (u8)m[i];
	return true;
}

bool node_service_open(struct node_service *n, const struct service_options *o,
		       const struct node_service_hooks *hooks, void *ctx)
{
	static const struct service_client_hooks own = {
		.data = on_data, .state = on_state, .changed = on_changed};
	u8 key[SESSION_KEY] = {0};

	memset(n, 0, sizeof(*n));
	n->o = *o;
	n->hooks = hooks;
	n->ctx = ctx;
	n->by_mac = parse_mac(o->node, n->mac);
	n->wire.fd = -1;
	if ((o->key && !key_from_file(o->key, key)) || !wire_open(&n->wire, o->interface))
		return false;
	wire_endpoint(&n->wire, &n->e, false, key, FRAME_SNAP_FORM);
	n->d.found = found;
	n->d.ctx = n;
	service_client_init(&n->s, &n->e, &own, n);
	n->tell_at = wire_now() + TELL_NS;
	return true;
}

/* False: the lease is back. What was written goes out before, if that does not take long. */
static bool giving_back(struct node_service *n, u64 now, u64 end)
{
	if (n->s.c.state == CLIENT_LEASED && (!service_unsent(&n->s) || now > end - CLOSE_NS / 2))
		service_end(&n->s, now);
	return n->s.c.state == CLIENT_LEASED || n->s.c.state == CLIENT_RELEASING;
}

void node_service_close(struct node_service *n)
{
	u64 now = wire_now(), end = now + CLOSE_NS;

	n->ending = true;
	for (bool good = n->wire.fd >= 0; good && now < end && giving_back(n, now, end);
	     now = wire_now()) {
		struct pollfd fd = {.fd = n->wire.fd, .events = POLLIN};
		u64 due = service_deadline(&n->s);

		poll(&fd, 1, due > now ? (int)((due - now) / MS) + 1 : 0);
		good = take_frames(n);
		service_poll(&n->s, wire_now());
	}
	wire_close(&n->wire);
}

u32 node_service_write(struct node_service *n, const u8 *data, u32 len)
{
	return n->s.up ? service_write(&n->s, data, len, wire_now()) : 0;
}

u32 node_service_unsent(const struct node_service *n)
{
	return service_unsent(&n->s);
}
