/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/trace.h"

#include "boot/host.h"
#include "boot/port.h"
#include "boot/trace_offer.h"
#include "boot/trace_serial.h"
#include "devices/bus.h"
#include "lib/log.h"

static struct {
	struct bus *bus;
	const struct vcpu *vcpu;
	struct trace trace;
} tracing;

static u32 power_of_two(u32 most)
{
	u32 n = 1;

	while (n <= most / 2)
		n *= 2;
	return n;
}

static u32 records(const struct config *c)
{
	return power_of_two(c->trace.ring / sizeof(struct trace_record));
}

static u32 data_bytes(const struct config *c)
{
	return power_of_two(c->trace.ring / 4);
}

u32 vm_trace_size(const struct config *c)
{
	return records(c) * sizeof(struct trace_record) + data_bytes(c);
}

/* --- what is recorded --- */

/*
 * Every access comes this way while all are kept: an IN of a chip model takes some 250 instructions
 * in the interpreter, and each one here shows in the bench.
 */
static BUS_TRACE_FN void record_access(struct bus *b, u32 what, u32 value)
{
	struct trace_record *r = trace_next(&tracing.trace);
	const struct vcpu *v = tracing.vcpu;

	r->value = value;
	r->what = what;
	((u8 *)&r->what)[3] = b->route[TRACE_PORT(what)]; /* shorter than what | ... << 24 */
	r->eip = v->eip;
	r->cs_count = v->seg[SEG_CS].sel;
	r->stamp = rdtsc();
}

static BUS_TRACE_FN void record_wanted(struct bus *b, u32 what, u32 value)
{
	if (trace_wants(&tracing.trace, b, what))
		record_access(b, what, value);
}

static void record_piece(struct bus *b, u32 what, const u8 *bytes, u32 count)
{
	u32 place = trace_keep(&tracing.trace, bytes, count * TRACE_WIDTH(what));
	const struct vcpu *v = tracing.vcpu;

	*trace_next(&tracing.trace) = (struct trace_record){
		.stamp = rdtsc(),
		.eip = v->eip,
		.value = place,
		.what = what | (u32)b->route[TRACE_PORT(what)] << 24,
		.cs_count = v->seg[SEG_CS].sel | count << 16,
	};
}

static void record_block(struct bus *b, u32 what, const void *buf, u32 count)
{
	const u8 *bytes = buf;
	u32 width = TRACE_WIDTH(what), most = TRACE_BLOCK_MAX / width;

	if (tracing.trace.filtered && !trace_wants(&tracing.trace, b, what))
		return;
	for (; count > most; count -= most, bytes += most * width)
		record_piece(b, what, bytes, most);
	record_piece(b, what, bytes, count);
}

void vm_trace_event(enum trace_kind kind, u32 value)
{
	if (vm_trace_is_on() && trace_wants_event(&tracing.trace))
		record_access(tracing.bus, TRACE_WHAT(kind, 0, value), 0);
}

/* --- on and off --- */

void vm_trace_on(const struct trace_filter *f)
{
	static const struct bus_trace all = {.access = record_access, .block = record_block};
	static const struct bus_trace wanted = {.access = record_wanted, .block = record_block};

	trace_set_filter(&tracing.trace, f);
	tracing.bus->trace = tracing.trace.filtered ? &wanted : &all;
}

void vm_trace_off(void)
{
	tracing.bus->trace = NULL;
}

bool vm_trace_is_on(void)
{
	return tracing.bus && tracing.bus->trace;
}

const struct trace *vm_trace(void)
{
	return &tracing.trace;
}

/* A line that is not there keeps no guest from starting. */
static void start_serial(const struct config *c)
{
	if (!c->trace.com)
		return;
	if (trace_serial_start(&tracing.trace, tracing.bus, c->trace.com))
		log_info("trace: sent to com%u", c->trace.com);
	else
		log_warn("trace: this PC has no com%u: expected one; it is kept for the monitor",
			 c->trace.com);
}

bool vm_trace_init(struct vm *vm)
{
	const struct config *c = &vm->config;
	struct trace_record *r = host_alloc(records(c) * sizeof(*r));
	u8 *data = host_alloc(data_bytes(c));

	if (!r || !data)
		return false;
	trace_init(&tracing.trace, r, records(c), data, data_bytes(c));
	tracing.bus = vm->bus;
	tracing.vcpu = &vm->vcpu;
	start_serial(c);
	if (c->trace.on)
		vm_trace_on(&c->trace.filter);
	return true;
}

/* --- on its way out --- */

static bool asleep(void *ctx)
{
	const struct vm *vm = ctx;

	return vm->stopped || vm->vcpu.halted;
}

void vm_trace_offer(struct vm *vm)
{
	trace_offer_start(&tracing.trace, tracing.bus, asleep, vm);
}

u64 vm_trace_poll(struct vm *vm, u64 now)
{
	u64 serial = trace_serial_poll(now, asleep(vm)), offer = trace_offer_due(now);

	return serial < offer ? serial : offer;
}
