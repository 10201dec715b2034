/* SPDX-License-Identifier: BSD-2-Clause */
/* What the words of the network must be together; judged when all of them were read. */
#include "boot/config_parse.h"
#include "lib/fmt.h"
#include "lib/str.h"

static const char nic_expected[] = "a nic line as well, as in 'nic ne2000 0x300 irq 10'";

static int check_key(struct config *c)
{
	if (c->nic.kind == CONFIG_NIC_NONE || c->key != CONFIG_KEY_NONE ||
	    (c->access_count && c->peer.on))
		return 0;
	return config_fail_at(c, c->nic.origin, c->nic.line, "nic",
			      "a key line: 'key file NAME', 'key HEX' or 'key insecure'");
}

/* An export's or a service's: a name that is mistyped would be a device that nobody gets. */
static bool is_lent(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->export_count; i++)
		if (!strcmp(c->export[i].name, name))
			return true;
	return (c->offer.console && (!strcmp(name, "console") || !strcmp(name, "screen"))) ||
	       (c->offer.trace && !strcmp(name, "trace"));
}

static int check_names(struct config *c)
{
	for (unsigned i = 0; i < c->access_count; i++) {
		const struct config_access *a = &c->access[i];

		for (unsigned k = 0; k < a->names; k++)
			if (!is_lent(c, a->name[k]))
				return config_fail_at(c, a->origin, a->line, a->name[k],
						      "the name of an export, or of what is "
						      "offered");
	}
	return 0;
}

/* Limits are a server's; without a key, the limits of another one would mean nothing. */
static int check_access(struct config *c)
{
	const struct config_access *a = &c->access[0];

	if (!c->access_count)
		return 0;
	if (c->key == CONFIG_KEY_INSECURE)
		return config_fail_at(c, a->origin, a->line, "key",
				      "no other key beside 'key insecure'");
	if (!c->peer.on && !c->offer.on)
		return config_fail_at(
			c, a->origin, a->line, "key",
			"a peer or offer line as well: only who lends out has limits");
	return check_names(c);
}

/* COM1 has line 4, COM2 line 3. */
static int check_line(struct config *c)
{
	for (unsigned com = 1; com <= 2; com++) {
		bool used = c->console_com == com || c->trace.com == com;
		char word[8];

		if (c->nic.irq != (com == 1 ? 4 : 3))
			continue;
		for (unsigned i = 0; !c->peer.on && i < CONFIG_SERIALS; i++)
			used |= c->serial_com[i] == com;
		fmt(word, sizeof(word), "irq %d", c->nic.irq);
		if (used)
			return config_fail_at(
				c, c->nic.origin, c->nic.line, word,
				com == 1 ? "another line than that of com1, which is in use"
					 : "another line than that of com2, which is in use");
	}
	return 0;
}

/* A peer has no guest: its routes are not looked at, as no other word of the guest's is. */
static int check_routes(struct config *c)
{
	for (unsigned i = 0; i < c->route_count; i++) {
		const struct config_route *r = &c->route[i];

		if (r->kind == CONFIG_ROUTE_REMOTE && c->nic.kind == CONFIG_NIC_NONE)
			return config_fail_at(c, r->origin, r->line, "remote", nic_expected);
	}
	return 0;
}

static bool overlap(const struct config_export *a, const struct config_export *b)
{
	for (unsigned i = 0; i < a->range_count; i++)
		for (unsigned k = 0; k < b->range_count; k++)
			if (a->range[i].first <= b->range[k].last &&
			    b->range[k].first <= a->range[i].last)
				return true;
	return false;
}

static bool memory_overlap(const struct config_export *a, const struct config_export *b)
{
	for (unsigned i = 0; i < a->memory_count; i++)
		for (unsigned k = 0; k < b->memory_count; k++)
			if (a->memory[i].first <= b->memory[k].last &&
			    b->memory[k].first <= a->memory[i].last)
				return true;
	return false;
}

static bool same_function(const struct config_export *a, const struct config_export *b)
{
	for (unsigned i = 0; i < a->function_count; i++)
		for (unsigned k = 0; k < b->function_count; k++)
			if (a->function[i] == b->function[k])
				return true;
	return false;
}

/* What both have, NULL: nothing. A lease is on a whole export, so no two may share anything. */
static const char *shared(const struct config_export *a, const struct config_export *b)
{
	if (!strcmp(a->name, b->name))
		return "another name";
	if (overlap(a, b))
		return "other ports";
	if (memory_overlap(a, b))
		return "other memory";
	if (same_function(a, b))
		return "another PCI function";
	if (a->irqs & b->irqs)
		return "another interrupt line";
	return a->dma & b->dma ? "another DMA channel" : NULL;
}

static int check_exports(struct config *c)
{
	for (unsigned i = 0; i < c->export_count; i++) {
		const struct config_export *x = &c->export[i];

		if (!c->peer.on)
			return config_fail_at(c, x->origin, x->line, "export",
					      "a peer line as well: only a peer exports");
		for (unsigned k = 0; k < i; k++) {
			const char *what = shared(x, &c->export[k]);
			char expected[80];

			if (!what)
				continue;
			fmt(expected, sizeof(expected), "%s than that of export '%s'", what,
			    c->export[k].name);
			return config_fail_at(c, x->origin, x->line, x->name, expected);
		}
	}
	return 0;
}

static int check_peer(struct config *c)
{
	const struct config_peer *p = &c->peer;

	if (p->on && c->nic.kind == CONFIG_NIC_NONE)
		return config_fail_at(c, p->origin, p->line, "peer", nic_expected);
	if (p->on && !c->export_count)
		return config_fail_at(c, p->origin, p->line, "peer",
				      "an export line as well, as in 'export 0x2f8-0x2ff irq 3 "
				      "name com2'");
	return 0;
}

static int check_offer(struct config *c)
{
	const struct config_offer *o = &c->offer;

	if (o->on && c->nic.kind == CONFIG_NIC_NONE)
		return config_fail_at(c, o->origin, o->line, "offer", nic_expected);
	if (o->trace && c->peer.on)
		return config_fail_at(c, o->origin, o->line, "trace",
				      "it on a PC with a guest only: a peer has no trace");
	if (o->named && c->peer.on)
		return config_fail_at(c, o->origin, o->line, "as",
				      "no name here: the peer line says it");
	return 0;
}

int config_check_net(struct config *c)
{
	if (check_key(c) || check_access(c) || check_line(c) || check_peer(c) || check_exports(c) ||
	    check_offer(c))
		return -1;
	return c->peer.on ? 0 : check_routes(c);
}
