/* SPDX-License-Identifier: BSD-2-Clause */
/* Monitor commands about ports, interrupt lines and the map of memory. */
#include "boot/local.h"
#include "boot/monitor_cmd.h"
#include "boot/route.h"
#include "boot/trace.h"
#include "devices/bus.h"
#include "devices/irq.h"
#include "devices/pic.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define PORTS_EXPECTED "ports, as in 0x3f8-0x3ff,0x3e8"

static const char *const kind_name[] = {
	[ROUTE_ABSENT] = "absent",
	[ROUTE_VIRTUAL] = "virtual",
	[ROUTE_LOCAL] = "local",
	[ROUTE_REMOTE] = "remote",
};

/* --- routes --- */

void mon_routes(struct monitor *m, const struct command *c)
{
	const struct bus *b = m->vm->bus;
	u32 first = 0;

	(void)c;
	while (first < 0x10000) {
		const struct bus_handler *h = &b->handler[b->route[first]];
		u32 last = first;

		while (last < 0xffff && b->route[last + 1] == b->route[first])
			last++;
		if (b->route[first])
			mon_print(m, "%04x-%04x  %-8s %-12s %llu accesses\n", first, last,
				  kind_name[h->kind & 3], h->name, h->accesses);
		else if (b->home[first])
			mon_print(m, "%04x-%04x  absent\n", first, last);
		first = last + 1;
	}
	mon_print(m, "all else absent: %llu accesses, the last to %04x\nlocal interrupt lines:",
		  b->absent_accesses, b->last_absent_port);
	for (unsigned line = 0; line < IRQ_LINES; line++)
		if (local_irq_mask() & BIT(line))
			mon_print(m, " %u", line);
	mon_print(m, local_irq_mask() ? "\n" : " none\n");
}

void mon_memory(struct monitor *m, const struct command *c)
{
	const struct physmem *pm = &m->vm->mem;

	(void)c;
	for (unsigned i = 0; i < pm->region_count; i++) {
		const struct phys_region *r = &pm->region[i];

		mon_print(m, "%08x-%08x  read %-7s write %s\n", r->first, r->last,
			  r->rd	    ? "memory"
			  : r->mmio ? "device"
				    : "ones",
			  r->wr	    ? "memory"
			  : r->mmio ? "device"
				    : "ignored");
	}
	mon_print(m, "A20 is %s\n", physmem_a20(pm) ? "on" : "off");
}

/* The command as a route line of the configuration, `kind` behind it. */
static void apply(struct monitor *m, const struct command *c, const char *kind)
{
	struct config *config = &m->vm->config;
	char text[MONITOR_LINE + CONFIG_NAME_MAX] = "";
	char error[CONFIG_ERROR_MAX];
	struct config_route r;
	const char *what;
	size_t n = 0;

	for (unsigned i = 0; i < c->words; i++)
		n += (size_t)fmt(text + n, sizeof(text) - n, "%s ", c->word[i]);
	fmt(text + n, sizeof(text) - n, "%s", kind);
	if (!config_parse_route(config, text, &r)) {
		if (route_apply(m->vm, &r, error, sizeof(error)))
			mon_print(m, "%s: %s\n", c->word[0], error);
		return;
	}
	what = strchr(config->error, ' '); /* behind where the line would stand */
	mon_print(m, "%s:%s\n", c->word[0], what ? what : "");
	config->error[0] = 0;
}

static bool has_word(const struct command *c, const char *word)
{
	for (unsigned i = 2; i < c->words; i++)
		if (!strcmp(c->word[i], word))
			return true;
	return false;
}

void mon_attach(struct monitor *m, const struct command *c)
{
	apply(m, c, has_word(c, "remote") ? "" : "local");
}

void mon_detach(struct monitor *m, const struct command *c)
{
	apply(m, c, "virtual");
}

void mon_route(struct monitor *m, const struct command *c)
{
	apply(m, c, "");
}

/* --- trace --- */

static void show_value(struct monitor *m, unsigned width, u32 value)
{
	if (width == 1)
		mon_print(m, "%02x", value);
	else if (width == 2)
		mon_print(m, "%04x", value);
	else
		mon_print(m, "%08x", value);
}

static void show_event(struct monitor *m, const struct trace_record *r)
{
	mon_print(m, "%04x:%08x  ", r->cs_count & 0xffff, r->eip);
	if (TRACE_KIND(r->what) == TRACE_IRQ)
		mon_print(m, "interrupt, vector %02x\n", TRACE_PORT(r->what));
	else
		mon_print(m, "reset\n");
}

static void show_record(struct monitor *m, const struct trace_record *r)
{
	static const char *const name[] = {"in", "out", "ins", "outs"};
	unsigned width = TRACE_WIDTH(r->what), kind = TRACE_KIND(r->what);

	if (kind >= TRACE_IRQ) {
		show_event(m, r);
		return;
	}
	mon_print(m, "%04x:%08x  %-4s %04x  ", r->cs_count & 0xffff, r->eip, name[kind],
		  TRACE_PORT(r->what));
	if (TRACE_COUNT(r))
		mon_print(m, "%u * %u bytes", TRACE_COUNT(r), width);
	else
		show_value(m, width, r->value);
	mon_print(m, "  %s\n", m->vm->bus->handler[TRACE_HANDLER(r->what)].name);
}

static void show_trace(struct monitor *m, u32 count)
{
	const struct trace *t = vm_trace();
	u32 head = trace_head(t), kept = t->rounds ? t->mask + 1 : head;

	for (u32 i = head - (count < kept ? count : kept); i != head; i++)
		show_record(m, &t->record[i & t->mask]);
	mon_print(m, "trace is %s, %u records so far\n", vm_trace_is_on() ? "on" : "off", head);
}

/* The words of a filter, from the second on. */
static void set_trace(struct monitor *m, const struct command *c)
{
	struct trace_filter filter = {.ranges = 0};

	for (unsigned i = 1; i < c->words; i++) {
		if (trace_filter_word(&filter, c->word[i]) || !strcmp(c->word[i], "on"))
			continue;
		mon_print(m, "trace: '%s': expected on, off, a count, " TRACE_FILTER_EXPECTED "\n",
			  c->word[i]);
		return;
	}
	vm_trace_on(&filter);
}

/* A number alone is a count: a port alone has to be written with 0x. */
void mon_trace(struct monitor *m, const struct command *c)
{
	u32 count = 20;

	if (c->words < 2 || (c->words == 2 && mon_count(c->word[1], TRACE_SHOWN, &count)))
		show_trace(m, count);
	else if (!strcmp(c->word[1], "off") && c->words == 2)
		vm_trace_off();
	else
		set_trace(m, c);
}

/* --- interrupt lines --- */

void mon_irq(struct monitor *m, const struct command *c)
{
	const struct pic *pic = pc_pic(m->vm->pc);
	const struct irq_lines *lines = pc_irqs(m->vm->pc);

	(void)c;
	for (unsigned i = 0; i < 2; i++) {
		const struct pic_chip *p = &pic->chip[i];

		mon_print(m, "%s: irr %02x isr %02x imr %02x elcr %02x vectors %02x-%02x%s\n",
			  i ? "slave " : "master", p->irr, p->isr, p->imr, p->elcr, p->vector,
			  p->vector + 7, p->auto_eoi ? " auto-eoi" : "");
	}
	mon_print(m, "INTR %s; lines high:", pic->intr_level ? "high" : "low");
	for (unsigned line = 0; line < IRQ_LINES; line++)
		if (lines->sources[line])
			mon_print(m, " %u", line);
	mon_print(m, "\n");
}
