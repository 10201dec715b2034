/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration's words of the network: card, key, peer mode, exports, remote routes. */
#include "boot/config_parse.h"
#include "lib/str.h"
#include "net-ne2000/export.h"
#include "net-ne2000/frame.h"
#include "net-ne2000/profile.h"

#define NIC_PORTS    0x20u /* of a NE2000 */
#define NIC_PORT_MIN 0x100u
#define NIC_PORT_MAX (0x10000u - NIC_PORTS)

/* Lines that an ISA card can have: not those of timer, keyboard, cascade, clock, mouse and FPU. */
#define NIC_LINES 0xcef8u

bool config_is_name(const char *word)
{
	size_t len = strlen(word);

	for (const char *s = word; *s; s++) {
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');

		if (!letter && (*s < '0' || *s > '9') && !strchr("-_.", *s))
			return false;
	}
	return len > 0 && len < CONFIG_PEER_MAX;
}

/* The index of `word` in `names`, -1: none of them. */
static int choice(const char *word, const char *const *names, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(word, names[i]))
			return (int)i;
	return -1;
}

static int nic_irq(struct parse *p, s8 *irq)
{
	const char *word;
	u32 line;

	if (!config_take_if(p, "irq"))
		return 0;
	word = config_take(p);
	if (!config_number(word, 0, 15, &line) || !(NIC_LINES & BIT(line)))
		return config_fail(p, config_shown(p, word),
				   "an interrupt line of a card: 3 to 7, 9 to 11, 14 or 15");
	*irq = (s8)line;
	return 0;
}

static int nic_port(struct parse *p, struct config_nic *nic)
{
	const char *word;
	u32 port;

	if (p->next == p->words || !strcmp(p->word[p->next], "irq"))
		return 0;
	word = config_take(p);
	if (!config_number(word, NIC_PORT_MIN, NIC_PORT_MAX, &port) || port % NIC_PORTS)
		return config_fail(p, word,
				   "'pci', 'irq N' or a port from 0x100 to 0xffe0 that is a "
				   "multiple of 32, as in 'nic ne2000 0x300 irq 10'");
	nic->kind = CONFIG_NIC_ISA;
	nic->port = (u16)port;
	return 0;
}

int config_set_nic(struct parse *p, unsigned index)
{
	struct config_nic nic = {.kind = CONFIG_NIC_PROBE,
				 .irq = -1,
				 .form = p->c->nic.form,
				 .line = p->line,
				 .origin = p->origin};
	const char *word = config_take(p);

	(void)index;
	if (strcmp(word, "ne2000"))
		return config_fail(p, config_shown(p, word), "'ne2000'");
	if (config_take_if(p, "pci"))
		nic.kind = CONFIG_NIC_PCI;
	else if (nic_port(p, &nic) || nic_irq(p, &nic.irq))
		return -1;
	p->c->nic = nic;
	return 0;
}

int config_set_frames(struct parse *p, unsigned index)
{
	static const char *const forms[] = {
		[FRAME_SNAP_FORM] = "snap", [FRAME_RAW_FORM] = "raw", [FRAME_ETHER_II] = "ether2"};
	const char *word = config_take(p);
	int form = choice(word, forms, ARRAY_SIZE(forms));

	(void)index;
	if (form < 0)
		return config_fail(p, config_shown(p, word), "'snap', 'raw' or 'ether2'");
	p->c->nic.form = (u8)form;
	return 0;
}

/* --- peer mode --- */

int config_set_peer(struct parse *p, unsigned index)
{
	struct config_peer *peer = &p->c->peer;
	const char *word = p->next < p->words ? config_take(p) : "farbus";

	(void)index;
	if (!config_is_name(word))
		return config_fail(p, word, CONFIG_NAME_EXPECTED);
	*peer = (struct config_peer){.on = true, .line = p->line, .origin = p->origin};
	memcpy(peer->name, word, strlen(word) + 1);
	return 0;
}

static int export_ranges(struct parse *p, struct config_export *x)
{
	const char *word = config_take(p);
	struct config_route r;

	if (config_parse_ranges(word, &r) || r.range_count > CONFIG_EXPORT_RANGES)
		return config_fail(p, config_shown(p, word),
				   "up to 4 port ranges from 0 to 0xffff, as in "
				   "'0x170-0x177,0x376'");
	memcpy(x->range, r.range, r.range_count * sizeof(x->range[0]));
	x->range_count = r.range_count;
	return 0;
}

static int export_memory(struct parse *p, struct config_export *x)
{
	while (config_take_if(p, "mem")) {
		const char *word = config_take(p), *s = word;
		struct config_memory m = {0, 0};

		if (x->memory_count == CONFIG_EXPORT_MEMORY ||
		    !config_number_at(&s, 0xffffffff, &m.first) || *s++ != '-' ||
		    !config_number_at(&s, 0xffffffff, &m.last) || *s || m.last < m.first)
			return config_fail(p, config_shown(p, word),
					   "up to 2 memory ranges, each as in "
					   "'mem 0xd0000-0xd3fff'");
		x->memory[x->memory_count++] = m;
	}
	return 0;
}

/* Bus, device and function as in 00:1f.2; the first two in hexadecimal. */
static bool pci_function(const char *word, u16 *function)
{
	static const int most[] = {15, 15, 0, 1, 15, 0, 7};
	int digit[ARRAY_SIZE(most)];

	if (strlen(word) != ARRAY_SIZE(most) || word[2] != ':' || word[5] != '.')
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(most); i++) {
		digit[i] = i == 2 || i == 5 ? 0 : config_digit(word[i]);
		if (digit[i] > most[i])
			return false;
	}
	*function =
		(u16)(digit[0] << 12 | digit[1] << 8 | digit[3] << 7 | digit[4] << 3 | digit[6]);
	return true;
}

static int export_functions(struct parse *p, struct config_export *x)
{
	while (config_take_if(p, "pci")) {
		const char *word = config_take(p);
		u16 function;

		if (x->function_count == CONFIG_EXPORT_FUNCTIONS || !pci_function(word, &function))
			return config_fail(p, config_shown(p, word),
					   "up to 2 PCI functions, each as in 'pci 00:05.0'");
		x->function[x->function_count++] = function;
	}
	return 0;
}

static int export_lines(struct parse *p, struct config_export *x)
{
	s8 irq = -1;

	if (config_take_irq(p, &irq) || config_take_dma(p, &x->dma))
		return -1;
	if (irq >= 0)
		x->irqs = (u16)BIT(irq);
	return 0;
}

int config_set_export(struct parse *p, unsigned index)
{
	struct config_export x = {.line = p->line, .origin = p->origin};
	const char *word;

	(void)index;
	if (export_ranges(p, &x) || export_memory(p, &x) || export_functions(p, &x) ||
	    export_lines(p, &x))
		return -1;
	word = config_take(p);
	if (strcmp(word, "name"))
		return config_fail(p, config_shown(p, word),
				   "'mem', 'pci', 'irq', 'dma' or 'name', in this order");
	word = config_take(p);
	if (!config_is_name(word))
		return config_fail(p, config_shown(p, word), CONFIG_NAME_EXPECTED);
	memcpy(x.name, word, strlen(word) + 1);
	if (p->c->export_count == CONFIG_EXPORTS)
		return config_fail(p, p->word[0], "at most 8 exports");
	p->c->export[p->c->export_count++] = x;
	return 0;
}

/* --- what is offered --- */

static bool offer_service(struct config_offer *o, const char *word)
{
	if (!strcmp(word, "console"))
		o->console = true;
	else if (!strcmp(word, "trace"))
		o->trace = true;
	else
		return false;
	return true;
}

int config_set_offer(struct parse *p, unsigned index)
{
	struct config_offer o = {.on = true, .line = p->line, .origin = p->origin};
	const char *name = "farbus", *word = config_take(p);

	(void)index;
	do {
		if (!offer_service(&o, word))
			return config_fail(p, config_shown(p, word), "'console' or 'trace'");
		word = p->next < p->words ? config_take(p) : "";
	} while (*word && strcmp(word, "as"));
	if (*word)
		name = config_take(p);
	if (!config_is_name(name))
		return config_fail(p, config_shown(p, name), CONFIG_NAME_EXPECTED);
	o.named = *word != 0;
	memcpy(o.name, name, strlen(name) + 1);
	p->c->offer = o;
	return 0;
}

/* --- remote routes --- */

/* Six bytes as in 52:54:00:12:34:56, of one station: no group, not all zero. */
static bool mac_address(const char *word, u8 mac[6])
{
	u8 any = 0;

	if (strlen(word) != 17)
		return false;
	for (unsigned i = 0; i < 6; i++, word += 3) {
		int high = config_digit(word[0]), low = config_digit(word[1]);

		if (high > 15 || low > 15 || (i < 5 && word[2] != ':'))
			return false;
		mac[i] = (u8)(high << 4 | low);
		any |= mac[i];
	}
	return any && !(mac[0] & 1);
}

static int remote_peer(struct parse *p, struct config_route *r)
{
	const char *word = config_take(p);

	if (mac_address(word, r->mac))
		return 0;
	if (!config_is_name(word))
		return config_fail(p, config_shown(p, word),
				   "a peer's address as in 52:54:00:12:34:56, or a peer's or an "
				   "export's name");
	memcpy(r->peer, word, strlen(word) + 1);
	return 0;
}

static int remote_profile(struct parse *p, struct config_route *r)
{
	const char *word = config_take_if(p, "profile") ? config_take(p) : "strict";

	if (!profile_find(word))
		return config_fail(p, config_shown(p, word),
				   "'strict', 'ata', 'uart', 'lpt' or 'sb16'");
	memcpy(r->profile, word, strlen(word) + 1);
	return 0;
}

static int remote_loss(struct parse *p, struct config_route *r)
{
	static const char *const policies[] = {[CONFIG_LOSS_FREEZE] = "freeze",
					       [CONFIG_LOSS_FLOAT] = "float",
					       [CONFIG_LOSS_ERROR] = "error"};
	const char *word = config_take_if(p, "on-loss") ? config_take(p) : "freeze";
	int policy = choice(word, policies, ARRAY_SIZE(policies));

	if (policy < 0)
		return config_fail(p, config_shown(p, word), "'freeze', 'float' or 'error'");
	r->on_loss = (enum config_loss)policy;
	return 0;
}

int config_set_remote(struct parse *p, struct config_route *r)
{
	if (r->range_count > EXPORT_RANGES)
		return config_fail(p, p->word[1], "at most 4 port ranges in a remote route");
	return remote_peer(p, r) || remote_profile(p, r) || remote_loss(p, r) ? -1 : 0;
}
