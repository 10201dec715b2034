/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets on a line that knows only bytes and may lose some, or be listened to from the middle:
 * COBS (Cheshire and Baker, 1999), so that a zero byte is the end of a packet and nothing else, and
 * the CRC-32 of IEEE 802.3 as the packet's last four bytes.
 */
#ifndef FARBUS_DEVICES_TRACE_FRAME_H
#define FARBUS_DEVICES_TRACE_FRAME_H

#include "lib/types.h"

/* Bytes that a packet of len bytes takes on the line, at most. */
#define TRACE_FRAME_SIZE(len) ((len) + ((len) + 4) / 254 + 6)

/* From packet to line; returns the bytes in line[], the zero at the end included. */
u32 trace_frame_pack(u8 *line, const u8 *packet, u32 len);
/* From what stood between two zeros to the packet, in place. Its length; -1: damaged. */
s32 trace_frame_unpack(u8 *line, u32 len);

#endif
