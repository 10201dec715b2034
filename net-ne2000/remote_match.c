/* SPDX-License-Identifier: BSD-2-Clause */
/* Which offer is the one that a route wants, and one clear line when none is. */
#include "lib/fmt.h"
#include "lib/str.h"
#include "net-ne2000/remote_parts.h"

void remote_obstacle(struct remote *r, enum remote_obstacle obstacle, const char *format, ...)
{
	struct remote_search *s = &r->search;
	va_list ap;

	if (obstacle < s->obstacle)
		return;
	s->obstacle = obstacle;
	va_start(ap, format);
	fmt_va(s->why, sizeof(s->why), format, ap);
	va_end(ap);
}

static bool covers(const struct port_export *x, const struct port_range *range)
{
	for (u32 port = range->first; port <= range->last; port++)
		if (!export_covers(x, port, 1))
			return false;
	return true;
}

static bool all_ports(const struct remote *r, const struct port_export *x)
{
	for (unsigned i = 0; i < r->config.ranges; i++)
		if (!covers(x, &r->config.range[i]))
			return false;
	return true;
}

static bool has_line(const struct remote *r, const struct port_export *x)
{
	return r->config.irq < 0 || x->irqs & BIT(r->config.irq);
}

static bool has_channel(const struct remote *r, const struct port_export *x)
{
	return !(r->config.dma & ~x->dma);
}

bool remote_covered(const struct remote *r, const struct port_export *x)
{
	return all_ports(r, x) && has_line(r, x) && has_channel(r, x);
}

/* "ide1 170-177 376 irq 15": as the peer's configuration says it. */
static void describe_export(char *buf, size_t size, const struct port_export *x)
{
	size_t len = (size_t)fmt(buf, size, "%s", x->name);

	for (unsigned i = 0; i < x->ranges && len < size; i++)
		len += (size_t)fmt(buf + len, size - len, " %x-%x", x->range[i].first,
				   x->range[i].last);
	for (unsigned line = 0; line < 16 && len < size; line++)
		if (x->irqs & BIT(line))
			len += (size_t)fmt(buf + len, size - len, " irq %u", line);
	for (unsigned channel = 0; channel < 8 && len < size; channel++)
		if (x->dma & BIT(channel))
			len += (size_t)fmt(buf + len, size - len, " dma %u", channel);
}

/* Of the route's ranges the first that the peer does not lend at all; else the first. */
static const struct port_range *missing_range(const struct remote *r, const struct offer *o)
{
	for (unsigned i = 0; i < r->config.ranges; i++) {
		const struct port_range *wanted = &r->config.range[i];
		bool lent = false;

		for (unsigned e = 0; e < o->exports; e++)
			lent |= covers(&o->export[e], wanted);
		if (!lent)
			return wanted;
	}
	return &r->config.range[0];
}

static void no_ports(struct remote *r, const struct offer *o)
{
	const struct port_range *missing = missing_range(r, o);
	char list[REMOTE_WHY] = "nothing";
	size_t len = 0;

	for (unsigned i = 0; i < o->exports && len < sizeof(list) - 1; i++) {
		if (i)
			len += (size_t)fmt(list + len, sizeof(list) - len, ", ");
		if (len < sizeof(list) - 1)
			describe_export(list + len, sizeof(list) - len, &o->export[i]);
		len = strlen(list);
	}
	remote_obstacle(r, OBSTACLE_PORTS, "%s exports no %x-%x: it exports %s", o->name,
			missing->first, missing->last, list);
}

static void no_line(struct remote *r, const struct offer *o, const struct port_export *x)
{
	bool line = !has_line(r, x);
	char has[REMOTE_WHY];
	int missing = r->config.irq;

	if (!line)
		for (missing = 0; !(r->config.dma & ~x->dma & BIT(missing));)
			missing++;
	describe_export(has, sizeof(has), x);
	remote_obstacle(r, OBSTACLE_LINES, "%s exports no %s %d with it: %s", o->name,
			line ? "irq" : "dma", missing, has);
}

static void heard(struct remote_search *s, const char *name)
{
	for (unsigned i = 0; i < s->heards; i++)
		if (!strcmp(s->heard[i], name))
			return;
	if (s->heards < REMOTE_HEARD)
		memcpy(s->heard[s->heards++], name, sizeof(s->heard[0]));
}

/* The export's number among the peer's, or -1. */
static int named_export(const struct offer *o, const char *name)
{
	for (unsigned i = 0; i < o->exports; i++)
		if (!strcmp(o->export[i].name, name))
			return (int)i;
	return -1;
}

/* The peer is the one: has it what we want? `only`: the export's number, or -1 for any. */
static int match_exports(struct remote *r, const struct offer *o, int only)
{
	int held = -1;

	for (int i = 0; i < (int)o->exports; i++) {
		const struct port_export *x = &o->export[i];

		if ((only >= 0 && i != only) || !all_ports(r, x))
			continue;
		if (!has_line(r, x) || !has_channel(r, x))
			no_line(r, o, x);
		else if (!x->held)
			return i;
		else
			held = i;
	}
	if (held >= 0)
		remote_obstacle(r, OBSTACLE_HELD, "%s of %s is held by another PC",
				o->export[held].name, o->name);
	else
		no_ports(r, o);
	/* It may be ours from before a crash: the server knows us and gives it back. */
	return r->now - r->search.began < REMOTE_HELD_NS ? -1 : held;
}

int remote_match(struct remote *r, const struct offer *o)
{
	const char *name = r->config.peer;
	int only = -1;

	heard(&r->search, o->name);
	if (!name[0] ? memcmp(o->mac, r->config.mac, 6) != 0 : strcmp(o->name, name) != 0) {
		only = name[0] ? named_export(o, name) : -1;
		if (only < 0)
			return -1;
	}
	return match_exports(r, o, only);
}

/* Whom we look for, or if that is a name whoever it may be, with another version. */
static const struct stranger *odd_peer(const struct remote *r)
{
	for (unsigned i = 0; i < r->e->strangers; i++) {
		const struct stranger *s = &r->e->stranger[i];

		if (s->again && (r->config.peer[0] || !memcmp(s->mac, r->config.mac, 6)))
			return s;
	}
	return NULL;
}

static void odd_version(struct remote *r, const struct stranger *s)
{
	remote_obstacle(r, OBSTACLE_NAME,
			"%02x:%02x:%02x:%02x:%02x:%02x speaks version %u of the protocol: "
			"expected version %u",
			s->mac[0], s->mac[1], s->mac[2], s->mac[3], s->mac[4], s->mac[5],
			s->version, PROTO_VERSION);
}

void remote_explain(struct remote *r)
{
	struct remote_search *s = &r->search;
	const struct stranger *odd = odd_peer(r);
	const u8 *mac = r->config.mac;
	char list[REMOTE_WHY] = "";
	char wanted[EXPORT_NAME + 8];
	size_t len = 0;

	if (s->obstacle > OBSTACLE_NAME)
		return;
	for (unsigned i = 0; i < s->heards && len < sizeof(list); i++)
		len += (size_t)fmt(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
				   s->heard[i]);
	fmt(wanted, sizeof(wanted), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
	    mac[4], mac[5]);
	if (r->config.peer[0])
		fmt(wanted, sizeof(wanted), "called %s", r->config.peer);
	if (odd && (!s->heards || !r->config.peer[0]))
		odd_version(r, odd);
	else if (s->heards)
		remote_obstacle(r, OBSTACLE_NAME, "no peer and no export is %s: heard of %s",
				wanted, list);
	else
		remote_obstacle(r, OBSTACLE_NAME,
				"no answer from any peer (is it on, has it the same key?)");
}
