/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that translated code leaves to Farbus and goes on behind: no unit is looked for, and
 * for a port access nothing changes but EAX. What cannot go on leaves translated code for good.
 */
#include "cpu/direct/private.h"
#include "cpu/direct/switch.h"

static bool access_port(struct vcpu *v, const struct translate_call *c)
{
	struct direct_frame *f = &direct_frame;
	u32 width = c->port & TRANSLATE_PORT_WIDTH, mask = ~0u >> (32 - width * 8), value = 0;
	u16 port = c->port & TRANSLATE_PORT_DX ? (u16)f->edx : c->number;

	if (c->port & TRANSLATE_PORT_OUT) {
		if (!v->ops->out(v->ops_ctx, port, width, f->eax & mask))
			return false;
		v->stats.io_out++;
		return true;
	}
	if (!v->ops->in(v->ops_ctx, port, width, &value))
		return false;
	f->eax = (f->eax & ~mask) | (value & mask);
	v->stats.io_in++;
	return true;
}

/* The port access that translated code was left for, or NULL. */
static const struct translate_call *port_call(const struct direct *d)
{
	const struct translate_call *c;

	if (direct_frame.vector != DIRECT_LEAVE_VECTOR ||
	    direct_frame.eip != (u32)(uintptr_t)d->host.code + DIRECT_LEAVE_SIZE)
		return NULL;
	c = translate_called(d->translator);
	return c && c->port ? c : NULL;
}

bool direct_call_ports(struct direct *d, struct vcpu *v, u32 root, u32 *cr2)
{
	const struct translate_call *c = port_call(d);
	u32 generation = v->generation, calls = 0, cr0;
	bool on = true;

	if (!c || d->single || d->lockstep)
		return true;
	cr0 = direct_cr0(d, v);
	do {
		/* What a trace, or a peer that is asked, takes down. */
		v->eip = c->eip;
		v->gpr[REG_ESP] = direct_frame.esp;
		if (!access_port(v, c))
			break; /* no answer yet */
		calls++;
		direct_frame.eip = c->native;
		direct_irq_off();
		/* A device may have changed code, where it lies, and what the CPU is. */
		on = v->generation == generation && !direct_kernel_events(d, v);
		if (!on) {
			direct_irq_on();
			break;
		}
		d->host.state->pending = v->events & ~v->event_hold & VCPU_EV_INTR;
		direct_go_on(d, root, cr0, cr2);
	} while ((c = port_call(d)));
	d->stats.translated_calls += calls;
	return on;
}

bool direct_call_goes_on(struct direct *d, struct vcpu *v, u64 dropped)
{
	const struct translate_call *c = translate_called(d->translator);

	if (!c || v->eip != c->eip + c->len || v->cpl != 0 || direct_events(v))
		return false;
	if (!direct_kernel_fit(d, v) || !kernel_map_check(d, v))
		return false;
	if (translate_stats(d->translator)->dropped != dropped)
		return false;
	d->stats.translated_calls++;
	direct_kernel_frame(d, v, c->native);
	return true;
}
