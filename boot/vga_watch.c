/* SPDX-License-Identifier: BSD-2-Clause */
/* IBM VGA Technical Reference, "VGA Function": CRT controller, sequencer, graphics controller. */
#include "boot/vga_watch.h"
#include "lib/str.h"

#define CRTC_COLUMNS	1 /* horizontal display end: characters less 1 */
#define CRTC_OVERFLOW	7
#define CRTC_CELL	9  /* scan lines of a cell less 1; bit 7: each line twice */
#define CRTC_CURSOR_TOP 10 /* bit 5: no cursor */
#define CRTC_CURSOR_END 11
#define CRTC_START	12
#define CRTC_CURSOR	14
#define CRTC_HEIGHT	18 /* vertical display end, low bits */
#define CRTC_PITCH	19
#define CRTC_PROTECT	17 /* bit 7: registers 0-7 cannot be written */

#define SEQ_MEMORY	4
#define SEQ_NO_ODD_EVEN BIT(2)

#define GC_MODE	     5
#define GC_SHIFT_256 BIT(6)
#define GC_SHIFT_CGA BIT(5)
#define GC_MISC	     6
#define GC_GRAPHICS  BIT(0)
#define GC_MAP_TEXT  BIT(3) /* memory at B0000h or B8000h, 32 KB */
#define GC_MAP_B8000 BIT(2)

#define ATTR_MODE	0x10
#define ATTR_MODE_BLINK BIT(3)

#define VBE_ENABLED BIT(0)

static void write_crtc(struct vga_watch *w, u8 value)
{
	u8 i = w->crtc_index;

	if (i >= VGA_CRTC_REGS || (i < 8 && (w->crtc[CRTC_PROTECT] & 0x80)))
		return;
	if (i == CRTC_START)
		w->start_half = true;
	if (i == CRTC_START + 1)
		w->start_half = false;
	w->crtc[i] = value;
}

static void write_attribute(struct vga_watch *w, u8 value)
{
	if (!w->attr_data)
		w->attr_index = value & 0x1f;
	else if (w->attr_index == ATTR_MODE)
		w->attr_mode = value;
	w->attr_data = !w->attr_data;
}

void vga_watch_write(struct vga_watch *w, u16 port, u8 value)
{
	switch (port) {
	case 0x3b4:
	case 0x3d4:
		w->crtc_index = value;
		break;
	case 0x3b5:
	case 0x3d5:
		write_crtc(w, value);
		break;
	case 0x3c0:
		write_attribute(w, value);
		break;
	case 0x3c4:
		w->seq_index = value;
		break;
	case 0x3c5:
		if (w->seq_index < VGA_SEQ_REGS)
			w->seq[w->seq_index] = value;
		break;
	case 0x3ce:
		w->gc_index = value;
		break;
	case 0x3cf:
		if (w->gc_index < VGA_GC_REGS)
			w->gc[w->gc_index] = value;
		break;
	}
}

void vga_watch_read(struct vga_watch *w, u16 port)
{
	/* Reading input status 1 sets the attribute controller's flip-flop to "index". */
	if (port == 0x3ba || port == 0x3da)
		w->attr_data = false;
}

void vga_watch_vbe(struct vga_watch *w, u16 port, u16 value)
{
	if (port == 0x1ce)
		w->vbe_index = (u8)(value < VBE_REGS ? value : VBE_REGS);
	else if (w->vbe_index < VBE_REGS)
		w->vbe[w->vbe_index] = value;
}

/* Displayed scan lines (the display end register has 10 bits, in three places). */
static unsigned scan_lines(const struct vga_watch *w)
{
	u8 over = w->crtc[CRTC_OVERFLOW];
	unsigned end = w->crtc[CRTC_HEIGHT] | (over & 0x02u) << 7 | (over & 0x40u) << 3;

	return (w->crtc[CRTC_CELL] & 0x80) ? (end + 1) / 2 : end + 1;
}

static unsigned cell_height(const struct vga_watch *w)
{
	return (w->crtc[CRTC_CELL] & 0x1fu) + 1;
}

static void view_graphics(const struct vga_watch *w, struct screen_view *v)
{
	if (w->vbe[VBE_ENABLE] & VBE_ENABLED) {
		v->width = w->vbe[VBE_XRES];
		v->height = w->vbe[VBE_YRES];
		v->depth = (u8)w->vbe[VBE_BPP];
		return;
	}
	v->width = (u16)((w->crtc[CRTC_COLUMNS] + 1) * 8);
	v->height = (u16)(scan_lines(w) / cell_height(w));
	if (w->gc[GC_MODE] & GC_SHIFT_256) {
		/* Eight bits are two of the dot clock's pixels. */
		v->width /= 2;
		v->depth = 8;
	} else if (w->gc[GC_MODE] & GC_SHIFT_CGA) {
		v->depth = 2;
	}
}

static void view_text(const struct vga_watch *w, const u8 *memory, struct screen_view *v)
{
	u8 top = w->crtc[CRTC_CURSOR_TOP];
	unsigned columns = w->crtc[CRTC_COLUMNS] + 1u, rows = scan_lines(w) / cell_height(w);

	v->columns = (u8)(columns > 255 ? 255 : columns);
	v->rows = (u8)(rows > 255 ? 255 : rows);
	v->pitch = (u16)(w->crtc[CRTC_PITCH] * 2);
	v->start = vga_watch_start(w);
	v->cursor = (u16)(w->crtc[CRTC_CURSOR] << 8 | w->crtc[CRTC_CURSOR + 1]);
	v->cursor_on = !(top & 0x20) && (top & 0x1f) <= (w->crtc[CRTC_CURSOR_END] & 0x1f);
	v->blink = w->attr_mode & ATTR_MODE_BLINK;
	v->cells = (const volatile u16 *)(memory +
					  ((w->gc[GC_MISC] & GC_MAP_B8000) ? 0x18000 : 0x10000));
	v->cell_mask = 0x3fff;
}

void vga_watch_view(struct vga_watch *w, const u8 *memory, struct screen_view *v)
{
	memset(v, 0, sizeof(*v));
	v->text = !(w->vbe[VBE_ENABLE] & VBE_ENABLED) && !(w->gc[GC_MISC] & GC_GRAPHICS);
	if (!v->text) {
		view_graphics(w, v);
		return;
	}
	view_text(w, memory, v);
	/* While a font is being loaded, the planes are not seen as cells. */
	v->unstable = w->start_half || (w->seq[SEQ_MEMORY] & SEQ_NO_ODD_EVEN) ||
		      !(w->gc[GC_MISC] & GC_MAP_TEXT);
	/* A guest that only ever writes one half is taken at its word the next time. */
	w->start_half = false;
}
