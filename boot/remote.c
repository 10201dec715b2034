/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's access to a remote port goes to remote_in() and its like; where the answer is not there
 * yet, the bus is told so, the instruction is restarted later, and the guest takes its interrupts
 * meanwhile. Frames come in between guest instructions only, from the run loop.
 */
#include "boot/host.h"
#include "boot/net.h"
#include "boot/offer.h"
#include "boot/remote_parts.h"
#include "boot/vm.h"
#include "devices/bus.h"
#include "devices/irq.h"
#include "lib/log.h"

#define DELAY_PORT    0x80
#define REMOTE_SOURCE 30 /* of remote lines on the guest's wires */

/* --- the guest's accesses --- */

/*
 * Port accesses so far. Those to port 80h do not count (nor the DMA page registers, which share its
 * handler): drivers write to it between two reads of a loop only to let a microsecond pass.
 */
static u64 accesses(const struct vm *vm)
{
	const struct vcpu_stats *s = &vm->vcpu.stats;
	const struct bus_handler *delay = &vm->bus->handler[vm->bus->route[DELAY_PORT]];
	u64 all = s->io_in + s->io_out + s->io_string;

	return delay->kind == ROUTE_VIRTUAL ? all - delay->accesses : all;
}

static struct remote_key key_of(const struct vm *vm)
{
	const struct vcpu *v = &vm->vcpu;

	return (struct remote_key){
		.eip = v->seg[SEG_CS].base + v->eip,
		.esp = v->seg[SEG_SS].base + v->gpr[REG_ESP],
		.cr3 = v->cr3,
		.nth = accesses(vm),
	};
}

/* Accesses to different peers reach them in the guest's order. */
static void take_turn(struct remote_route *m, u64 now)
{
	struct remotes *all = m->vm->remotes;

	if (all->last && all->last != m)
		remote_flush(all->last->r, now);
	all->last = m;
}

/* Posted writes and repetitions may be due before the run loop comes round by itself. */
static void set_timer(const struct remote_route *m)
{
	u64 deadline = remote_deadline(m->r);

	if (deadline != TIMER_NEVER)
		host_timer_set(deadline);
}

static u32 guest_in(void *dev, u16 port, unsigned width)
{
	struct remote_route *m = dev;
	struct remote_key key = key_of(m->vm);
	u64 now = host_ns();
	u32 value = 0;

	take_turn(m, now);
	if (!remote_in(m->r, &key, port, width, &value, now))
		m->vm->bus->wait = true;
	set_timer(m);
	return value;
}

static void guest_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct remote_route *m = dev;
	struct remote_key key = key_of(m->vm);
	u64 now = host_ns();

	take_turn(m, now);
	if (!remote_out(m->r, &key, port, width, value, now))
		m->vm->bus->wait = true;
	set_timer(m);
}

static u32 guest_ins(void *dev, u16 port, unsigned width, void *buf, u32 count)
{
	struct remote_route *m = dev;
	struct remote_key key = key_of(m->vm);
	u64 now = host_ns();
	u32 done;

	take_turn(m, now);
	done = remote_ins(m->r, &key, port, width, buf, count, now);
	set_timer(m);
	return done;
}

static u32 guest_outs(void *dev, u16 port, unsigned width, const void *buf, u32 count)
{
	struct remote_route *m = dev;
	struct remote_key key = key_of(m->vm);
	u64 now = host_ns();
	u32 done;

	take_turn(m, now);
	done = remote_outs(m->r, &key, port, width, buf, count, now);
	set_timer(m);
	return done;
}

const struct port_ops remote_route_ops = {
	.in = guest_in,
	.out = guest_out,
	.ins = guest_ins,
	.outs = guest_outs,
	.widths = 1 | 2 | 4,
	.unaligned = true,
};

/* --- what the peer brings --- */

void remote_route_line(struct remote_route *m, bool level)
{
	struct irq_pin pin = {pc_irqs(m->vm->pc), (u8)m->route.irq, REMOTE_SOURCE};

	m->raised = level;
	irq_set(&pin, level);
}

static void line_changed(void *ctx, unsigned line, bool level)
{
	struct remote_route *m = ctx;

	if (m->route.irq == (int)line)
		remote_route_line(m, level);
}

static void answer_came(void *ctx)
{
	struct remote_route *m = ctx;

	vcpu_event_set(&m->vm->vcpu, VCPU_EV_HOST);
}

static void state_changed(void *ctx)
{
	struct remote_route *m = ctx;
	char text[CONFIG_ERROR_MAX];

	remote_describe(m->r, text, sizeof(text));
	if (remote_state(m->r) == REMOTE_SUSPECT || remote_state(m->r) == REMOTE_LOST)
		log_warn("remote %s", text);
	else if (remote_state(m->r) == REMOTE_UP || remote_state(m->r) == REMOTE_OFF)
		log_info("remote %s", text);
}

static void say(void *ctx, const char *text)
{
	struct remote_route *m = ctx;

	log_warn("remote %s: %s", m->name, text);
}

const struct remote_hooks remote_route_hooks = {
	.irq = line_changed,
	.wake = answer_came,
	.changed = state_changed,
	.say = say,
	.dma = &remote_route_dma,
};

static void receive(void *ctx, const u8 *frame, u32 len)
{
	struct remotes *all = ctx;
	u64 now = host_ns();
	struct packet p;
	bool taken;

	if (offer_frame(frame, len, now))
		return;
	if (!endpoint_open(&all->e, frame, len, &p)) {
		net_tell_strangers(&all->e);
		return;
	}
	taken = all->discovery.found && discover_receive(&all->discovery, &all->e, &p);
	for (unsigned i = 0; i < REMOTE_ROUTES && !taken; i++)
		taken = all->route[i].used && remote_receive(all->route[i].r, &p, now);
	if (!taken)
		endpoint_drop(&all->e, DROP_SESSION);
}

u64 remote_route_poll(struct vm *vm, u64 now)
{
	static bool inside;
	u64 deadline, next;

	/* What a frame brings may be printed far away, which waits for frames. */
	if (!vm->remotes || inside)
		return TIMER_NEVER;
	inside = true;
	deadline = net_poll(now, receive, vm->remotes);
	for (unsigned i = 0; i < REMOTE_ROUTES; i++) {
		struct remote_route *m = &vm->remotes->route[i];

		if (!m->used)
			continue;
		remote_poll(m->r, host_ns());
		next = remote_deadline(m->r);
		deadline = next < deadline ? next : deadline;
	}
	next = offer_poll(host_ns());
	inside = false;
	return next < deadline ? next : deadline;
}

/* Lets the network run until an interrupt or `until`. */
void remote_route_wait(struct vm *vm, u64 until)
{
	u64 deadline;

	vcpu_event_clear(&vm->vcpu, VCPU_EV_HOST);
	deadline = remote_route_poll(vm, host_ns());
	host_timer_set(deadline < until ? deadline : until);
	vm->idle_cycles += host_idle(&vm->vcpu.events, VCPU_EV_HOST);
}

/* --- the run loop's notes --- */

void remote_route_flush(struct vm *vm)
{
	if (!vm->remotes || !vm->remotes->last)
		return;
	remote_flush(vm->remotes->last->r, host_ns());
	set_timer(vm->remotes->last);
}

void remote_route_eoi(struct vm *vm, unsigned line)
{
	for (unsigned i = 0; vm->remotes && i < REMOTE_ROUTES; i++) {
		struct remote_route *m = &vm->remotes->route[i];

		if (!m->used || !m->raised || m->route.irq != (int)line)
			continue;
		remote_eoi(m->r, line, host_ns());
		set_timer(m);
	}
}

void remote_route_reset(struct vm *vm)
{
	for (unsigned i = 0; vm->remotes && i < REMOTE_ROUTES; i++)
		if (vm->remotes->route[i].used)
			remote_guest_reset(vm->remotes->route[i].r, host_ns());
}
