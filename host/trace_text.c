/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/trace_text.h"

#define SHOWN 16u /* bytes of a block */

static void print_block(FILE *f, const struct trace_event *e)
{
	fprintf(f, "%u * %u", e->value, e->width);
	for (u32 i = 0; i < e->len && i < SHOWN; i++)
		fprintf(f, "%s%02x", i ? " " : "  ", e->data[i]);
	if (e->len > SHOWN)
		fprintf(f, " ...");
	else if (e->len < e->value * e->width)
		fprintf(f, "  (its bytes were lost)");
}

static void print_value(FILE *f, const struct trace_event *e)
{
	int ch = (int)e->value;

	fprintf(f, "%0*x", e->width * 2, e->value);
	if (e->width == 1 && ch > ' ' && ch < 127)
		fprintf(f, " '%c'", ch);
}

static void print_access(FILE *f, const struct trace_event *e)
{
	fprintf(f, "%-4s %04x  ", trace_kind_name(e->kind), e->port);
	if (e->kind == TRACE_INS || e->kind == TRACE_OUTS)
		print_block(f, e);
	else
		print_value(f, e);
	fprintf(f, "  %s %s", trace_route_name(e->route), e->name);
}

bool trace_print(FILE *f, const struct trace_event *e, u64 since)
{
	u64 ns = e->ns - since;

	fprintf(f, "%5llu.%09llu  ", (unsigned long long)(ns / 1000000000u),
		(unsigned long long)(ns % 1000000000u));
	if (e->kind == TRACE_LOST && e->value) {
		fprintf(f, "... %u records lost", e->value);
	} else if (e->kind == TRACE_LOST) {
		fprintf(f, "... records lost: a damaged packet");
	} else {
		fprintf(f, "%04x:%08x  ", e->cs, e->eip);
		if (e->kind < TRACE_IRQ)
			print_access(f, e);
		else if (e->kind == TRACE_IRQ)
			fprintf(f, "irq  vector %02x", e->port);
		else
			fprintf(f, "%s", trace_kind_name(e->kind));
	}
	return fprintf(f, "\n") > 0;
}
