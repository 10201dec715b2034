/* SPDX-License-Identifier: BSD-2-Clause */
/* What the log says of leases and of frames that were dropped. */
#include <stdio.h>
#include <string.h>

#include "host/node.h"
#include "lib/log.h"

#define SECOND	1000000000ull
#define TELL_NS (10 * SECOND) /* frames that anybody can send must not fill the log */

/* --- leases --- */

static void say_ended(struct node *n, unsigned i, const char *name)
{
	const struct lease_seen *seen = &n->seen[i];
	const struct server_lease *l = &n->server.lease[i];
	const char *how = l->active			       ? "asked for anew by"
			  : n->server.expired != seen->expired ? "taken back, silence of"
			  : n->server.export[i].name[0]	       ? "given back by"
							       : "taken back from";
	char mac[MAC_TEXT];

	mac_text(mac, seen->mac);
	log_info("%s %s %s after %llu s, %llu operations", name, how, mac,
		 (unsigned long long)((wire_now() - seen->since) / SECOND),
		 (unsigned long long)(l->active ? seen->operations : l->operations));
}

static void say_begun(struct node *n, unsigned i, const char *name)
{
	char mac[MAC_TEXT];

	n->seen[i].since = wire_now();
	mac_text(mac, n->server.lease[i].mac);
	log_info("%s lent to %s", name, mac);
}

static void watch_lease(struct node *n, unsigned i)
{
	const struct server_lease *l = &n->server.lease[i];
	const char *name = n->device[i]->config.name;
	struct lease_seen *seen = &n->seen[i];
	bool other = seen->active && l->active && seen->session != l->session;

	if (!seen->active && !l->active)
		return;
	if (seen->active && (!l->active || other))
		say_ended(n, i, name);
	if (l->active && (!seen->active || other))
		say_begun(n, i, name);
	seen->active = l->active;
	seen->session = l->session;
	seen->operations = l->operations;
	seen->expired = n->server.expired;
	memcpy(seen->mac, l->mac, sizeof(seen->mac));
}

void node_watch(struct node *n)
{
	for (unsigned i = 0; i < n->server.exports; i++)
		if (n->device[i])
			watch_lease(n, i);
}

/* --- dropped frames --- */

/* Other protocols' and other stations' frames are nothing to tell of, but for the last time. */
static bool worth_telling(const struct node *n, enum drop reason, bool at_once)
{
	if (at_once)
		return n->server.e.drops[reason] > 0;
	return reason != DROP_FOREIGN && reason != DROP_ADDRESS &&
	       n->server.e.drops[reason] != n->told[reason];
}

void node_tell_drops(struct node *n, bool at_once)
{
	const u64 *drops = n->server.e.drops;
	char text[256] = "";
	size_t len = 0;

	if (!at_once && wire_now() < n->tell_at)
		return;
	for (enum drop i = 0; i < DROPS; i++) {
		if (!worth_telling(n, i, at_once))
			continue;
		if (len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %llu",
						len ? ", " : "", drop_name(i),
						(unsigned long long)drops[i]);
		n->told[i] = drops[i];
	}
	if (!len)
		return;
	n->tell_at = wire_now() + TELL_NS;
	log_warn("frames dropped so far: %s", text);
}
