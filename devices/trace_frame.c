/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/trace_frame.h"

#define CRC_BYTES 4u
#define RUN_MAX	  0xffu /* the code of 254 bytes without a zero behind them */

static u32 crc_add(u32 crc, u8 byte)
{
	/* The polynomial EDB88320h, four bits at a time. */
	static const u32 table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
				      0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
				      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
				      0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

	crc = crc >> 4 ^ table[(crc ^ byte) & 15];
	return crc >> 4 ^ table[(crc ^ byte >> 4) & 15];
}

/* The run under way: where its code goes, and where its next byte. */
struct packer {
	u8 *code, *next;
};

static void pack_byte(struct packer *p, u8 byte)
{
	if (byte)
		*p->next++ = byte;
	if (byte && p->next - p->code < (s32)RUN_MAX)
		return;
	*p->code = (u8)(p->next - p->code);
	p->code = p->next++;
}

u32 trace_frame_pack(u8 *line, const u8 *packet, u32 len)
{
	struct packer p = {line, line + 1};
	u32 crc = ~0u;

	for (u32 i = 0; i < len; i++) {
		crc = crc_add(crc, packet[i]);
		pack_byte(&p, packet[i]);
	}
	crc = ~crc;
	for (unsigned i = 0; i < CRC_BYTES; i++)
		pack_byte(&p, (u8)(crc >> (i * 8)));
	*p.code = (u8)(p.next - p.code);
	*p.next++ = 0;
	return (u32)(p.next - line);
}

/* Length of what the runs hold; -1: they do not fit. */
static s32 unpack_runs(u8 *line, u32 len)
{
	u32 from = 0, to = 0;

	while (from < len) {
		u32 code = line[from++], run = code - 1;

		if (!code || run > len - from)
			return -1;
		for (u32 i = 0; i < run; i++)
			line[to++] = line[from++];
		/* The last zero is the end's own. */
		if (code != RUN_MAX && from < len)
			line[to++] = 0;
	}
	return (s32)to;
}

s32 trace_frame_unpack(u8 *line, u32 len)
{
	s32 got = unpack_runs(line, len);
	u32 crc = ~0u, wanted = 0;

	if (got < (s32)CRC_BYTES)
		return -1;
	got -= (s32)CRC_BYTES;
	for (s32 i = 0; i < got; i++)
		crc = crc_add(crc, line[i]);
	for (unsigned i = 0; i < CRC_BYTES; i++)
		wanted |= (u32)line[(u32)got + i] << (i * 8);
	return wanted == ~crc ? got : -1;
}
