/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/peer_memory.h"
#include "boot/host.h"
#include "boot/host_pci.h"
#include "lib/str.h"

static struct {
	u32 first, last;
	volatile u8 *mapped;
} window[SERVER_EXPORTS * EXPORT_MEMORY];
static unsigned windows;

bool peer_memory_start(const struct server *s)
{
	for (unsigned i = 0; i < s->exports; i++)
		for (unsigned k = 0; k < s->export[i].memories; k++) {
			const struct memory_range *r = &s->export[i].memory[k];

			window[windows].first = r->first;
			window[windows].last = r->last;
			window[windows].mapped = ioremap(r->first, r->last - r->first + 1);
			if (!window[windows++].mapped)
				return false;
		}
	return true;
}

/* The server has made sure that it is in an export. */
static volatile void *mapped(u32 addr)
{
	unsigned i = 0;

	while (addr < window[i].first || addr > window[i].last)
		i++;
	return window[i].mapped + (addr - window[i].first);
}

void peer_memory_read(void *ctx, u32 addr, unsigned width, u8 *buf, u32 count)
{
	volatile void *at = mapped(addr);

	(void)ctx;
	for (u32 i = 0; i < count; i++, buf += width) {
		u32 value = width == 1	 ? ((volatile u8 *)at)[i]
			    : width == 2 ? ((volatile u16 *)at)[i]
					 : ((volatile u32 *)at)[i];

		memcpy(buf, &value, width);
	}
}

void peer_memory_write(void *ctx, u32 addr, unsigned width, const u8 *buf, u32 count)
{
	volatile void *at = mapped(addr);

	(void)ctx;
	for (u32 i = 0; i < count; i++, buf += width) {
		u32 value = 0;

		memcpy(&value, buf, width);
		if (width == 1)
			((volatile u8 *)at)[i] = (u8)value;
		else if (width == 2)
			((volatile u16 *)at)[i] = (u16)value;
		else
			((volatile u32 *)at)[i] = value;
	}
}

/* host_pci_read() wants a register that is aligned: bytes are put together from the dword. */
u32 peer_pci_read(void *ctx, u32 addr, unsigned width)
{
	u32 value;

	(void)ctx;
	if (!host_pci_present())
		return 0xffffffff;
	value = host_pci_read((pci_address)(addr >> 8), (u8)(addr & 0xfc), 4);
	return value >> 8 * (addr & 3) & (width == 4 ? ~0u : (1u << 8 * width) - 1);
}

/* A word at an odd address is two bytes: no register is written that the client did not name. */
void peer_pci_write(void *ctx, u32 addr, unsigned width, u32 value)
{
	pci_address at = (pci_address)(addr >> 8);

	(void)ctx;
	if ((addr & (width - 1)) == 0) {
		host_pci_write(at, (u8)addr, width, value);
		return;
	}
	for (unsigned i = 0; i < width; i++)
		host_pci_write(at, (u8)(addr + i), 1, value >> 8 * i & 0xff);
}
