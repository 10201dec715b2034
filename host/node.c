/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/node.h"

#include <string.h>

#include "lib/log.h"

/* --- accesses --- */

/* The server has checked that the port is an export's. Timers that are due come first. */
static struct device *device_at(struct node *n, u16 port)
{
	for (unsigned i = 0; i < n->server.exports; i++) {
		if (!n->device[i] || !export_covers(&n->server.export[i], port, 1))
			continue;
		device_run(n->device[i]);
		return n->device[i];
	}
	panic("an access to port %x, which no export has", port);
}

static u32 port_in(void *ctx, u16 port, unsigned width)
{
	u32 value = 0;

	bus_in(&device_at(ctx, port)->bus, port, width, &value);
	return value;
}

static void port_out(void *ctx, u16 port, unsigned width, u32 value)
{
	bus_out(&device_at(ctx, port)->bus, port, width, value);
}

/* A chip may take a block in parts: a drive gives one block of data at a time. */
static void block_in(void *ctx, u16 port, unsigned width, u8 *buf, u32 count)
{
	struct device *d = device_at(ctx, port);

	for (u32 done = 0; done < count;)
		done += bus_ins(&d->bus, port, width, buf + (size_t)done * width, count - done);
}

static void block_out(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count)
{
	struct device *d = device_at(ctx, port);

	for (u32 done = 0; done < count;)
		done += bus_outs(&d->bus, port, width, buf + (size_t)done * width, count - done);
}

static void irq_mask(void *ctx, unsigned line, bool masked)
{
	struct node *n = ctx;

	for (unsigned i = 0; i < n->server.exports; i++)
		if (n->device[i] && n->server.export[i].irqs & BIT(line))
			device_mask(n->device[i], masked);
}

static void reset(void *ctx, unsigned i)
{
	struct node *n = ctx;

	n->device[i]->ops->reset(n->device[i]);
}

static void quiesce(void *ctx, unsigned i)
{
	struct node *n = ctx;

	n->device[i]->ops->quiesce(n->device[i]);
}

static const struct server_backend backend = {.in = port_in,
					      .out = port_out,
					      .ins = block_in,
					      .outs = block_out,
					      .irq_mask = irq_mask,
					      .reset = reset,
					      .quiesce = quiesce};

/* --- exports --- */

static unsigned index_of(const struct node *n, const char *name)
{
	unsigned i = 0;

	while (i < n->server.exports && strcmp(n->server.export[i].name, name))
		i++;
	return i;
}

static bool add_export(struct node *n, const struct port_export *x)
{
	static const char *const why[] = {
		[EXPORT_FULL] = "at most 24 exports",
		[EXPORT_BAD] = "a name and ports",
		[EXPORT_TAKEN] = "a name, ports and a line that no other export has",
		[EXPORT_PROHIBITED] = "ports and a line that no PC lives on itself"};
	enum export_error error = server_add(&n->server, x);

	if (error)
		log_error("export %s: expected %s", x->name, why[error]);
	return error == EXPORT_OK;
}

static bool lend(struct node *n, const struct device_config *config)
{
	struct port_export x;
	struct device *d;

	device_export(config, &x);
	if (!add_export(n, &x))
		return false;
	d = device_open(config, &n->server);
	if (d)
		n->device[index_of(n, config->name)] = d;
	else
		server_remove(&n->server, index_of(n, config->name));
	return d != NULL;
}

static void take_back(struct node *n, unsigned i)
{
	server_remove(&n->server, i);
	node_watch(n);
	if (n->device[i])
		device_close(n->device[i]);
	n->device[i] = NULL;
}

/* --- starting, reloading, stopping --- */

static void set_up_server(struct node *n, const struct serve_config *c)
{
	wire_endpoint(n->wire, &n->server.e, true, c->key[0].shared, c->form);
	server_init(&n->server, c->name, &backend, n);
	server_places(&n->server, n->lease, SERVER_EXPORTS);
	for (unsigned i = 0; i < c->keys; i++)
		server_set_access(&n->server, &c->key[i]);
}

bool node_start(struct node *n, struct wire *w, const struct serve_config *c)
{
	bool good = true;

	memset(n, 0, sizeof(*n));
	n->wire = w;
	set_up_server(n, c);
	for (unsigned i = 0; i < c->devices && good; i++)
		good = lend(n, &c->device[i]);
	return good;
}

static const struct device_config *find_config(const struct serve_config *c, const char *name)
{
	for (unsigned i = 0; i < c->devices; i++)
		if (!strcmp(c->device[i].name, name))
			return &c->device[i];
	return NULL;
}

static bool same_access(const struct serve_config *a, const struct serve_config *b)
{
	return a->keys == b->keys && a->form == b->form && !strcmp(a->name, b->name) &&
	       !memcmp(a->key, b->key, sizeof(a->key));
}

void node_reload(struct node *n, const struct serve_config *old, const struct serve_config *c)
{
	bool all = !same_access(old, c);

	/* Back first: what moved from one export to another is free then. */
	for (unsigned i = 0; i < n->server.exports; i++) {
		const struct device_config *now;

		if (!n->device[i])
			continue;
		now = find_config(c, n->device[i]->config.name);
		if (all || !now || memcmp(now, &n->device[i]->config, sizeof(*now)))
			take_back(n, i);
	}
	if (all)
		set_up_server(n, c);
	for (unsigned i = 0; i < c->devices; i++)
		if (index_of(n, c->device[i].name) == n->server.exports)
			lend(n, &c->device[i]);
}

void node_stop(struct node *n)
{
	for (unsigned i = 0; i < n->server.exports; i++)
		if (n->device[i])
			take_back(n, i);
}

/* --- the loop's part --- */

void node_receive(struct node *n, const u8 *frame, u32 len)
{
	/* What has interrupted before the frame is told before its answer. */
	for (unsigned i = 0; i < n->server.exports; i++)
		if (n->device[i])
			device_run(n->device[i]);
	server_receive(&n->server, frame, len, wire_now());
	/* Now: the next frame may begin another lease where this one has ended one. */
	node_watch(n);
}

/* Before the bytes move: what the server has just carried out may have sent some. */
static void run_server(struct node *n)
{
	for (unsigned i = 0; i < n->server.exports; i++) {
		struct device *d = n->device[i];

		if (!d || device_deadline(d) > clock_now(&d->clock))
			continue;
		device_run(d);
		server_look(&n->server, i);
	}
	server_poll(&n->server, wire_now());
	node_watch(n);
}

u64 node_turn(struct node *n)
{
	u64 due, next;

	run_server(n);
	for (unsigned i = 0; i < n->server.exports; i++) {
		struct device *d = n->device[i];

		if (!d || !d->ops->move)
			continue;
		d->leased = n->server.lease[i].active;
		d->ops->move(d);
	}
	due = server_deadline(&n->server);
	for (unsigned i = 0; i < n->server.exports; i++) {
		next = n->device[i] ? device_deadline(n->device[i]) : TIMER_NEVER;
		due = next < due ? next : due;
	}
	return due;
}
