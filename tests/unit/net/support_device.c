/* SPDX-License-Identifier: BSD-2-Clause */
/* The device that counts, behind the server of a test. */
#include "lib/str.h"
#include "tests/unit/net/support_sound.h"

static void touch(struct world *w, u16 port)
{
	const struct server_lease *l = &w->server.lease[0];

	if (l->session != w->user && w->dirty)
		w->unclean++;
	w->user = l->session;
	w->dirty = true;
	if (port < DEVICE_PORT || port > DEVICE_LAST)
		w->outside++;
}

static u32 device_in(void *ctx, u16 port, unsigned width)
{
	struct world *w = ctx;
	u32 all = width == 4 ? ~0u : (1u << 8 * width) - 1;

	if (sound_has(w, port))
		return sound_in(w, port);
	touch(w, port);
	switch (port) {
	case DEVICE_PORT:
		return w->series++ & all;
	case DEVICE_IRQS:
		return w->fired & all;
	case DEVICE_READY:
		return w->now >= w->ready_at ? 0x80 : 0;
	default:
		return all;
	}
}

static void device_out(void *ctx, u16 port, unsigned width, u32 value)
{
	struct world *w = ctx;
	u32 all = width == 4 ? ~0u : (1u << 8 * width) - 1;

	if (sound_has(w, port)) {
		sound_out(w, port, value);
		return;
	}
	touch(w, port);
	if (port == DEVICE_PORT && value != (w->series++ & all))
		w->wrong++;
	if (port != DEVICE_FIRE)
		return;
	if (w->masked) {
		w->dropped_irqs++;
		return;
	}
	w->fired++;
	server_irq(&w->server, DEVICE_LINE, w->now);
}

static void device_ins(void *ctx, u16 port, unsigned width, u8 *buf, u32 count)
{
	for (; count > 0; count--, buf += width) {
		u32 value = device_in(ctx, port, width);

		memcpy(buf, &value, width);
	}
}

static void device_outs(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count)
{
	for (; count > 0; count--, buf += width) {
		u32 value = 0;

		memcpy(&value, buf, width);
		device_out(ctx, port, width, value);
	}
}

static u8 *device_memory(struct world *w, u32 addr, u32 bytes)
{
	u32 offset = addr - DEVICE_MEMORY;

	w->dirty = true;
	if (offset < sizeof(w->memory) && bytes <= sizeof(w->memory) - offset)
		return w->memory + offset;
	w->outside++;
	return NULL;
}

static void device_mem_read(void *ctx, u32 addr, unsigned width, u8 *buf, u32 count)
{
	const u8 *from = device_memory(ctx, addr, width * count);

	if (from)
		memcpy(buf, from, width * count);
}

static void device_mem_write(void *ctx, u32 addr, unsigned width, const u8 *buf, u32 count)
{
	u8 *to = device_memory(ctx, addr, width * count);

	if (to)
		memcpy(to, buf, width * count);
}

static u32 device_pci_read(void *ctx, u32 addr, unsigned width)
{
	struct world *w = ctx;
	u32 value = 0;

	if (addr >> 8 == BRIDGE_FUNCTION)
		return (addr & 0xff) == 0x0e ? 0x81 : 0;
	if (addr >> 8 == ISA_BRIDGE_FUNCTION)
		return (addr & 0xff) == 0x0b ? 0x06 : 0;
	if (addr >> 8 == DEVICE_FUNCTION)
		memcpy(&value, w->pci + (addr & 0xff), width);
	else
		w->outside++;
	return value;
}

static void device_pci_write(void *ctx, u32 addr, unsigned width, u32 value)
{
	struct world *w = ctx;

	if (addr >> 8 == DEVICE_FUNCTION)
		memcpy(w->pci + (addr & 0xff), &value, width);
	else
		w->outside++;
}

static void device_mask(void *ctx, unsigned line, bool masked)
{
	struct world *w = ctx;

	if (line == DEVICE_LINE)
		w->masked = masked;
	else if (line == SOUND_LINE && w->sound)
		sound_mask(w, masked);
}

static void device_reset(void *ctx, unsigned export)
{
	(void)export;
	((struct world *)ctx)->resets++;
}

static void device_quiesce(void *ctx, unsigned export)
{
	struct world *w = ctx;

	if (w->sound && !strcmp(w->server.export[export].name, "sound"))
		sound_quiesce(w);
	if (export != 0)
		return;
	w->quiesced++;
	w->dirty = false;
}

const struct server_backend world_device = {
	.in = device_in,
	.out = device_out,
	.ins = device_ins,
	.outs = device_outs,
	.mem_read = device_mem_read,
	.mem_write = device_mem_write,
	.pci_read = device_pci_read,
	.pci_write = device_pci_write,
	.irq_mask = device_mask,
	.dma_arm = sound_dma_arm,
	.dma_run = sound_dma_run,
	.dma_position = sound_dma_position,
	.dma_put = sound_dma_put,
	.dma_get = sound_dma_get,
	.reset = device_reset,
	.quiesce = device_quiesce,
};
