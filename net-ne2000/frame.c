/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/frame.h"

#include "lib/str.h"
#include "net-ne2000/proto.h"

static const u8 snap[FRAME_SNAP] = {
	0xaa, 0xaa, 0x03, 0, 0, 0, FARBUS_ETHERTYPE >> 8, FARBUS_ETHERTYPE & 0xff};

unsigned frame_overhead(enum frame_form form)
{
	return form == FRAME_SNAP_FORM ? FRAME_HEADER + FRAME_SNAP : FRAME_HEADER;
}

u32 frame_finish(u8 *buf, enum frame_form form, const u8 dst[6], const u8 src[6], u32 len)
{
	u32 total = frame_overhead(form) + len;
	u32 type = form == FRAME_ETHER_II ? FARBUS_ETHERTYPE : total - FRAME_HEADER;

	memcpy(buf, dst, 6);
	memcpy(buf + 6, src, 6);
	buf[12] = (u8)(type >> 8);
	buf[13] = (u8)type;
	if (form == FRAME_SNAP_FORM)
		memcpy(buf + FRAME_HEADER, snap, FRAME_SNAP);
	if (total < FRAME_MIN) {
		memset(buf + total, 0, FRAME_MIN - total);
		total = FRAME_MIN;
	}
	return total;
}

static bool has_magic(const u8 *payload, u32 len)
{
	return len >= 2 && (payload[0] | payload[1] << 8) == PROTO_MAGIC;
}

bool frame_parse(const u8 *buf, u32 len, struct frame_view *view)
{
	u32 type;

	if (len < FRAME_HEADER + 2 || len > FRAME_MAX)
		return false;
	type = (u32)buf[12] << 8 | buf[13];
	view->dst = buf;
	view->src = buf + 6;
	view->payload = buf + FRAME_HEADER;
	view->len = len - FRAME_HEADER;
	if (type == FARBUS_ETHERTYPE) {
		view->form = FRAME_ETHER_II;
		return has_magic(view->payload, view->len);
	}
	if (type > view->len)
		return false; /* another Ethernet II type, or cut off */
	view->len = type;
	if (type > FRAME_SNAP && !memcmp(view->payload, snap, FRAME_SNAP)) {
		view->form = FRAME_SNAP_FORM;
		view->payload += FRAME_SNAP;
		view->len -= FRAME_SNAP;
	} else {
		view->form = FRAME_RAW_FORM;
	}
	return has_magic(view->payload, view->len);
}
