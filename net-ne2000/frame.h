/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes on the wire around our bytes: one of three Ethernet forms (docs/protocol.md, "Frames").
 */
#ifndef FARBUS_NET_FRAME_H
#define FARBUS_NET_FRAME_H

#include "lib/types.h"

#define FRAME_MAX    1514u /* without the checksum */
#define FRAME_MIN    60u   /* shorter ones are padded with zeros */
#define FRAME_HEADER 14u
#define FRAME_SNAP   8u

#define FARBUS_ETHERTYPE 0x88b5u /* IEEE 802, local experimental 1 */

enum frame_form {
	FRAME_SNAP_FORM, /* IEEE 802.3 length, LLC/SNAP AA AA 03 00 00 00, type 88B5 */
	FRAME_RAW_FORM,	 /* IEEE 802.3 length, then our magic */
	FRAME_ETHER_II,	 /* type 88B5; padding is removed by our own length field */
	FRAME_FORMS,
};

/* Bytes before the payload in that form: 14 or 22. */
unsigned frame_overhead(enum frame_form form);

/*
 * Writes the addresses and the header before a payload of len bytes that stands at
 * buf + frame_overhead(form), and pads. Returns the frame's length.
 */
u32 frame_finish(u8 *buf, enum frame_form form, const u8 dst[6], const u8 src[6], u32 len);

struct frame_view {
	const u8 *dst, *src, *payload;
	u32 len; /* of the payload; may still hold padding in FRAME_ETHER_II */
	enum frame_form form;
};

/* False when the frame is none of ours: too short, another type, a length that does not fit. */
bool frame_parse(const u8 *buf, u32 len, struct frame_view *view);

#endif
