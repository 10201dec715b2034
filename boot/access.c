/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/access.h"
#include "lib/log.h"
#include "lib/str.h"

_Static_assert(CONFIG_ACCESS_NAMES <= SERVER_EXPORTS, "names of a key");
_Static_assert(CONFIG_ACCESS_RANGES <= SERVER_KEY_RANGES, "ranges of a key");
_Static_assert(CONFIG_ACCESSES < SERVER_KEYS, "the server's own key has a place as well");

void access_set(struct server *s, const struct config *c)
{
	for (unsigned i = 0; i < c->access_count; i++) {
		const struct config_access *from = &c->access[i];
		struct server_access a = {.names = from->names,
					  .ranges = from->ranges,
					  .no_irqs = from->no_irqs,
					  .no_dma = from->no_dma,
					  .read_only = from->read_only,
					  .rate = from->rate};

		memcpy(a.shared, from->bytes, SESSION_KEY);
		for (unsigned k = 0; k < from->names; k++)
			memcpy(a.name[k], from->name[k], CONFIG_PEER_MAX);
		for (unsigned k = 0; k < from->ranges; k++)
			a.range[k] = (struct port_range){from->range[k].first, from->range[k].last};
		if (!server_set_access(s, &a))
			panic("no place for a key");
	}
}
