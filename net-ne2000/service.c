/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/service.h"

#include "lib/str.h"
#include "net-ne2000/server_parts.h"

static struct service *service_at(struct services *v, u16 port)
{
	for (unsigned i = 0; i < v->count; i++)
		if (port / SERVICE_PORTS == v->service[i].port / SERVICE_PORTS)
			return &v->service[i];
	return NULL;
}

static const struct service *service_of(const struct services *v, unsigned export)
{
	for (unsigned i = 0; i < v->count; i++)
		if (v->service[i].export == export)
			return &v->service[i];
	return NULL;
}

/* --- accesses --- */

static void take(const struct service *s, u8 *buf, u32 len)
{
	u32 waiting = s->ops->waiting(s->ctx);

	if (len > waiting)
		memset(buf + waiting, 0, len - waiting);
	s->ops->take(s->ctx, buf, len < waiting ? len : waiting);
}

/* Who gives more than ROOM said loses it. */
static void give(const struct service *s, const u8 *buf, u32 len)
{
	u32 room = s->ops->room(s->ctx);

	s->ops->give(s->ctx, buf, len < room ? len : room);
}

static u32 read_register(const struct service *s, unsigned offset)
{
	switch (offset) {
	case SERVICE_ID:
		s->ops->begin(s->ctx);
		return SERVICE_ID_NOW;
	case SERVICE_WAITING:
		return s->ops->waiting(s->ctx);
	case SERVICE_ROOM:
		return s->ops->room(s->ctx);
	case SERVICE_STATE:
		return s->ops->state(s->ctx);
	default:
		return 0;
	}
}

static u32 port_in(void *ctx, u16 port, unsigned width)
{
	struct services *v = ctx;
	const struct service *s = service_at(v, port);
	u8 data[4];

	if (!s)
		return v->inner->in(ctx, port, width);
	if (port - s->port == SERVICE_DATA) {
		take(s, data, width);
		return server_get_value(data, width);
	}
	return width == 4 ? read_register(s, port - s->port) : 0;
}

static void port_out(void *ctx, u16 port, unsigned width, u32 value)
{
	struct services *v = ctx;
	const struct service *s = service_at(v, port);
	u8 data[4];

	if (!s) {
		v->inner->out(ctx, port, width, value);
	} else if (port - s->port == SERVICE_DATA) {
		server_put_value(data, width, value);
		give(s, data, width);
	}
}

static void block_in(void *ctx, u16 port, unsigned width, u8 *buf, u32 count)
{
	struct services *v = ctx;
	const struct service *s = service_at(v, port);

	if (!s)
		v->inner->ins(ctx, port, width, buf, count);
	else if (port - s->port == SERVICE_DATA)
		take(s, buf, width * count);
	else
		memset(buf, 0, (size_t)width * count);
}

static void block_out(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count)
{
	struct services *v = ctx;
	const struct service *s = service_at(v, port);

	if (!s)
		v->inner->outs(ctx, port, width, buf, count);
	else if (port - s->port == SERVICE_DATA)
		give(s, buf, width * count);
}

static void irq_mask(void *ctx, unsigned line, bool masked)
{
	struct services *v = ctx;

	for (unsigned i = 0; i < v->count; i++) {
		if (v->service[i].line != line)
			continue;
		if (masked)
			v->open &= (u16)~BIT(line);
		else
			v->open |= (u16)BIT(line);
		return;
	}
	if (v->inner)
		v->inner->irq_mask(ctx, line, masked);
}

static void reset(void *ctx, unsigned export)
{
	const struct service *s = service_of(ctx, export);

	if (s)
		s->ops->end(s->ctx);
	else
		((struct services *)ctx)->inner->reset(ctx, export);
}

static void quiesce(void *ctx, unsigned export)
{
	const struct service *s = service_of(ctx, export);

	if (s)
		s->ops->end(s->ctx);
	else
		((struct services *)ctx)->inner->quiesce(ctx, export);
}

/* --- starting --- */

void services_init(struct services *v, struct server *server, const struct server_backend *inner)
{
	memset(v, 0, sizeof(*v));
	v->server = server;
	v->inner = inner;
	if (inner)
		v->backend = *inner;
	v->backend.in = port_in;
	v->backend.out = port_out;
	v->backend.ins = block_in;
	v->backend.outs = block_out;
	v->backend.irq_mask = irq_mask;
	v->backend.reset = reset;
	v->backend.quiesce = quiesce;
}

/* From the top: the devices' usual ones are below. */
static int free_line(const struct server *s)
{
	u32 used = SERVER_VITAL_LINES;

	for (unsigned i = 0; i < s->exports; i++)
		used |= s->export[i].irqs;
	for (int line = SERVER_LINES - 1; line >= 0; line--)
		if (!(used & BIT(line)))
			return line;
	return -1;
}

static u8 index_of(const struct server *s, const char *name)
{
	u8 i = 0;

	while (i < s->exports && strcmp(s->export[i].name, name))
		i++;
	return i;
}

enum export_error services_add(struct services *v, const struct service_ops *ops, void *ctx)
{
	u16 port = (u16)(SERVICE_FIRST + v->count * SERVICE_PORTS);
	int line = free_line(v->server);
	struct port_export x = {.range = {{port, (u16)(port + SERVICE_PORTS - 1)}}, .ranges = 1};
	enum export_error error;

	if (v->count == SERVICES || line < 0)
		return EXPORT_FULL;
	export_put_name((u8 *)x.name, ops->name);
	x.irqs = (u16)BIT(line);
	error = server_add(v->server, &x);
	if (error)
		return error;
	v->service[v->count++] = (struct service){.ops = ops,
						  .ctx = ctx,
						  .export = index_of(v->server, x.name),
						  .line = (u8)line,
						  .port = port};
	return EXPORT_OK;
}

void services_poll(struct services *v, u64 now)
{
	/* A line is open only while someone has its lease and has unmasked it. */
	for (unsigned i = 0; v->open && i < v->count; i++) {
		const struct service *s = &v->service[i];

		if (v->open & BIT(s->line) && s->ops->waiting(s->ctx))
			server_irq(v->server, s->line, now); /* which masks it */
	}
}

bool services_has(const struct services *v, unsigned export)
{
	return service_of(v, export) != NULL;
}
