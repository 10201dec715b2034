/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's 8237 and remote routes: what the guest programs is told to the route, and what the
 * peer's device does with it moves the guest's memory and registers.
 */
#include "boot/host.h"
#include "boot/remote_parts.h"
#include "boot/vm.h"
#include "devices/dma8237.h"
#include "lib/log.h"

static struct dma *dma_of(const struct remote_route *m)
{
	return pc_dma(m->vm->pc);
}

static bool programmed(void *ctx, unsigned channel, struct remote_dma_program *p)
{
	struct dma_program found;

	if (!dma_programmed(dma_of(ctx), channel, &found))
		return false;
	*p = (struct remote_dma_program){found.left, found.block, found.mode};
	return true;
}

static u32 look(void *ctx, unsigned channel, u32 skip, u8 *buf, u32 len)
{
	return dma_look(dma_of(ctx), channel, skip, buf, len);
}

static void account(void *ctx, unsigned channel, const u8 *data, u32 len)
{
	dma_account(dma_of(ctx), channel, data, len);
}

static void refused(void *ctx, unsigned channel, const char *text)
{
	const struct remote_route *m = ctx;

	log_warn("remote %s: DMA channel %u: %s", m->name, channel, text);
}

const struct remote_dma_hooks remote_route_dma = {
	.programmed = programmed,
	.look = look,
	.account = account,
	.refused = refused,
};

/* The peer is told from the run loop, soon, or before the guest's next access to the device. */
static void channel_changed(void *ctx, unsigned channel, bool reprogrammed)
{
	struct remote_route *m = ctx;

	remote_channel(m->r, channel, reprogrammed, host_ns());
	vcpu_event_set(&m->vm->vcpu, VCPU_EV_HOST);
}

void remote_route_listen(struct remote_route *m, bool on)
{
	for (unsigned channel = 0; channel < DMA_CHANNELS; channel++)
		if (m->route.dma & BIT(channel))
			dma_listen(dma_of(m), channel, on ? channel_changed : NULL, m);
}
