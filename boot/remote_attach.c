/* SPDX-License-Identifier: BSD-2-Clause */
/* Remote routes come and go: at boot, and by the monitor's attach and detach. */
#include "boot/host.h"
#include "boot/local.h"
#include "boot/net.h"
#include "boot/remote_parts.h"
#include "boot/vm.h"
#include "devices/bus.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define SETTLE_NS   (6 * NS_PER_SEC)
#define DISCOVER_NS NS_PER_SEC
#define ASK_NS	    (NS_PER_SEC / 4)
#define END_NS	    NS_PER_SEC
#define PING_NS	    NS_PER_SEC

/* --- routes that come and go --- */

static bool ranges_meet(const struct config_route *a, const struct config_route *b)
{
	for (unsigned i = 0; i < a->range_count; i++)
		for (unsigned j = 0; j < b->range_count; j++)
			if (a->range[i].first <= b->range[j].last &&
			    b->range[j].first <= a->range[i].last)
				return true;
	return false;
}

/* Why the route cannot be, NULL: it can. */
static const char *conflict(const struct remotes *all, const struct config_route *r)
{
	if (!all || !net_up())
		return "remote: expected a network card: see 'nic'";
	if (r->range_count > EXPORT_RANGES)
		return "remote: expected at most 4 port ranges";
	if (r->irq >= 0 && local_irq_mask() & BIT(r->irq))
		return "remote: expected an interrupt line that is not routed locally";
	for (unsigned i = 0; i < REMOTE_ROUTES; i++) {
		const struct remote_route *m = &all->route[i];

		if (!m->used)
			continue;
		if (ranges_meet(&m->route, r))
			return "remote: expected ports that are not remote already: detach them "
			       "first";
		if (r->irq >= 0 && m->route.irq == r->irq)
			return "remote: expected an interrupt line that is not remote already";
		if (m->route.dma & r->dma)
			return "remote: expected a DMA channel that is not remote already";
	}
	return NULL;
}

static struct remote_route *free_place(struct vm *vm)
{
	for (unsigned i = 0; i < REMOTE_ROUTES; i++) {
		struct remote_route *m = &vm->remotes->route[i];

		if (m->used)
			continue;
		if (!m->r)
			m->r = host_alloc(remote_size());
		if (!m->r)
			return NULL;
		/* No ports yet: an empty range. */
		if (m->handler <= 0)
			m->handler = bus_register(vm->bus, 1, 0, ROUTE_REMOTE, &remote_route_ops, m,
						  m->name);
		return m->handler > 0 ? m : NULL;
	}
	return NULL;
}

static void remote_config_of(const struct config_route *r, struct remote_config *c)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->peer, r->peer, sizeof(c->peer));
	memcpy(c->mac, r->mac, sizeof(c->mac));
	for (unsigned i = 0; i < r->range_count; i++)
		c->range[i] = (struct port_range){r->range[i].first, r->range[i].last};
	c->ranges = r->range_count;
	c->irq = r->irq;
	c->dma = r->dma;
	c->profile = profile_find(r->profile[0] ? r->profile : "strict");
	c->on_loss = (enum remote_loss)r->on_loss;
}

static void name_route(struct remote_route *m)
{
	const u8 *mac = m->route.mac;

	if (m->route.peer[0])
		fmt(m->name, sizeof(m->name), "%s", m->route.peer);
	else
		fmt(m->name, sizeof(m->name), "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2],
		    mac[3], mac[4], mac[5]);
}

int remote_route_begin(struct vm *vm, const struct config_route *r, char *error, size_t size)
{
	const char *why = conflict(vm->remotes, r);
	struct remote_route *m = why ? NULL : free_place(vm);
	struct remote_config c;

	for (unsigned i = 0; i < r->range_count; i++)
		bus_make_absent(vm->bus, r->range[i].first, r->range[i].last);
	if (!m) {
		fmt(error, size, "%s", why ? why : "remote: expected at most 8 remote routes");
		return -1;
	}
	m->vm = vm;
	m->route = *r;
	m->used = true;
	name_route(m);
	remote_config_of(r, &c);
	memset(m->r, 0, remote_size());
	remote_init(m->r, &vm->remotes->e, &c, &remote_route_hooks, m);
	remote_attach(m->r, host_ns());
	return 0;
}

static struct remote_route *find(struct vm *vm, const struct config_route *r)
{
	for (unsigned i = 0; i < REMOTE_ROUTES; i++)
		if (vm->remotes->route[i].used && ranges_meet(&vm->remotes->route[i].route, r))
			return &vm->remotes->route[i];
	return NULL;
}

/* Up or failed: nothing more will happen by itself soon. */
static bool settled(const struct remote_route *m)
{
	enum remote_state state = remote_state(m->r);

	return state != REMOTE_LOOKING && state != REMOTE_LEASING;
}

int remote_route_settle(struct vm *vm, const struct config_route *r, char *error, size_t size)
{
	struct remote_route *m = find(vm, r);
	u64 until = host_ns() + SETTLE_NS;

	while (m && !settled(m) && host_ns() < until)
		remote_route_wait(vm, until);
	if (!m || !settled(m) || remote_state(m->r) == REMOTE_FAILED) {
		fmt(error, size, "remote: no answer");
		if (m)
			remote_describe(m->r, error, size);
		if (m)
			m->used = false;
		return -1;
	}
	for (unsigned i = 0; i < r->range_count; i++)
		bus_add_range(vm->bus, m->handler, r->range[i].first, r->range[i].last);
	remote_route_listen(m, true);
	return 0;
}

static void end_route(struct remote_route *m, u64 now)
{
	struct remotes *all = m->vm->remotes;

	if (m->raised)
		remote_route_line(m, false);
	if (all->last == m)
		all->last = NULL;
	remote_route_listen(m, false);
	remote_detach(m->r, now);
}

/* Until the leases of routes that were ended are given back. */
static void wait_for_ends(struct vm *vm, u32 ended)
{
	u64 until = host_ns() + END_NS;

	for (unsigned i = 0; i < REMOTE_ROUTES; i++) {
		struct remote_route *m = &vm->remotes->route[i];

		if (!(ended & BIT(i)))
			continue;
		while (remote_state(m->r) != REMOTE_OFF && host_ns() < until)
			remote_route_wait(vm, until);
		m->used = false;
	}
}

void remote_route_collect(struct vm *vm)
{
	u32 ended = 0;

	for (unsigned i = 0; vm->remotes && i < REMOTE_ROUTES; i++) {
		struct remote_route *m = &vm->remotes->route[i];

		if (!m->used || bus_routed(vm->bus, m->handler))
			continue;
		end_route(m, host_ns());
		ended |= BIT(i);
	}
	wait_for_ends(vm, ended);
}

void remote_route_end(struct vm *vm)
{
	u32 ended = 0;

	for (unsigned i = 0; vm->remotes && i < REMOTE_ROUTES; i++) {
		if (!vm->remotes->route[i].used)
			continue;
		end_route(&vm->remotes->route[i], host_ns());
		ended |= BIT(i);
	}
	wait_for_ends(vm, ended);
}

static struct remote_route *nth_route(struct vm *vm, unsigned n)
{
	for (unsigned i = 0; vm->remotes && i < REMOTE_ROUTES; i++)
		if (vm->remotes->route[i].used && !n--)
			return &vm->remotes->route[i];
	return NULL;
}

bool remote_route_describe(struct vm *vm, unsigned n, char *buf, size_t size)
{
	const struct remote_route *m = nth_route(vm, n);
	const struct remote_stats *s;
	char state[128];

	if (!m)
		return false;
	s = remote_stats(m->r);
	remote_describe(m->r, state, sizeof(state));
	fmt(buf, size,
	    "%04x %s\n  %llu accesses: %llu round trips, %llu posted, %llu polls, %llu "
	    "answered here; %llu frames, %llu interrupts, %llu of unknown outcome",
	    m->route.range[0].first, state, s->accesses, s->waits, s->posted, s->polls, s->local,
	    s->requests, s->interrupts, s->unknown);
	return true;
}

void remote_route_drops(struct vm *vm, char *buf, size_t size)
{
	const u64 *drops = vm->remotes->e.drops;
	size_t n = (size_t)fmt(buf, size, "frames dropped:");
	bool any = false;

	for (unsigned i = 0; i < DROPS; i++) {
		if (!drops[i])
			continue;
		n += (size_t)fmt(buf + n, size - n, " %s %llu", drop_name((enum drop)i), drops[i]);
		any = true;
	}
	if (!any)
		fmt(buf + n, size - n, " none");
}

int remote_route_ping(struct vm *vm, unsigned n, u32 count, u64 *average, u64 *longest)
{
	struct remote_route *m = nth_route(vm, n);
	u64 sum = 0;
	int back = 0;

	if (!m)
		return -1;
	*longest = 0;
	for (u32 i = 0; i < count && remote_ping(m->r, host_ns()); i++) {
		u64 until = host_ns() + PING_NS, echo;

		while (!(echo = remote_echo(m->r)) && host_ns() < until)
			remote_route_wait(vm, until);
		if (!echo)
			continue;
		back++;
		sum += echo;
		*longest = echo > *longest ? echo : *longest;
	}
	*average = back ? sum / (u32)back : 0;
	return back;
}

int remote_route_discover(struct vm *vm, void (*found)(void *ctx, const struct offer *offer),
			  void *ctx, char *error, size_t size)
{
	u64 until = host_ns() + DISCOVER_NS;

	if (!vm->remotes || !net_up()) {
		fmt(error, size, "expected a network card: see 'nic'");
		return -1;
	}
	vm->remotes->discovery.found = found;
	vm->remotes->discovery.ctx = ctx;
	while (host_ns() < until) {
		u64 again = host_ns() + ASK_NS;

		discover(&vm->remotes->discovery, &vm->remotes->e);
		while (host_ns() < again && host_ns() < until)
			remote_route_wait(vm, again);
	}
	vm->remotes->discovery.found = NULL;
	return 0;
}

int remote_route_init(struct vm *vm)
{
	if (!net_up())
		return 0;
	vm->remotes = host_alloc(sizeof(*vm->remotes));
	if (!vm->remotes)
		return -1;
	net_endpoint(&vm->remotes->e, &vm->config, false);
	return 0;
}
