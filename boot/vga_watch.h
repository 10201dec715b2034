/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VGA displays, learned from what is written to its ports, so that its registers need not be
 * read behind the guest's back (reading some of them changes others). Also the Bochs VBE registers
 * of the emulated adapters of Bochs and QEMU.
 */
#ifndef FARBUS_BOOT_VGA_WATCH_H
#define FARBUS_BOOT_VGA_WATCH_H

#include "boot/console_screen.h"
#include "lib/types.h"

#define VGA_CRTC_REGS 25
#define VGA_SEQ_REGS  5
#define VGA_GC_REGS   9
#define VBE_REGS      16

enum vbe_reg {
	VBE_ID,
	VBE_XRES,
	VBE_YRES,
	VBE_BPP,
	VBE_ENABLE,
	VBE_MEMORY_64K = 10,
};

struct vga_watch {
	u8 crtc_index, seq_index, gc_index, attr_index, vbe_index;
	u8 crtc[VGA_CRTC_REGS], seq[VGA_SEQ_REGS], gc[VGA_GC_REGS];
	u8 attr_mode;	 /* attribute controller register 10h */
	bool attr_data;	 /* the next write to 3C0h is data */
	bool start_half; /* one half of the start address was written, the other not yet */
	u16 vbe[VBE_REGS];
};

/* A byte written to or read from a VGA port; other ports do nothing. */
void vga_watch_write(struct vga_watch *w, u16 port, u8 value);
void vga_watch_read(struct vga_watch *w, u16 port);
/* A 16-bit write to 1CEh (index) or 1CFh (data). */
void vga_watch_vbe(struct vga_watch *w, u16 port, u16 value);

/* The start address, in cells. */
static inline u16 vga_watch_start(const struct vga_watch *w)
{
	return (u16)(w->crtc[0x0c] << 8 | w->crtc[0x0d]);
}

/*
 * Fills in what is displayed; view->cells is memory at B0000h or B8000h, for which the caller gives
 * the pointer to A0000h.
 */
void vga_watch_view(struct vga_watch *w, const u8 *memory_a0000, struct screen_view *view);

#endif
