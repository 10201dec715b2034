/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the CD-ROM drive says of itself and its disc.
 * Documentation: MMC-3 (T10 1363-D); for the mode page 2Ah and MECHANISM STATUS, SFF-8020i.
 * The disc is one data track in one session.
 */
#include "devices/atapi.h"
#include "devices/block.h"
#include "lib/str.h"

#define TRACK_DATA   0x14 /* ADR 1; data track, uninterrupted */
#define LEAD_OUT     0xaa
#define MSF_OFFSET   150 /* LBA 0 is at 00:02:00 */
#define FRAMES	     75
#define PROFILE_NONE 0
#define PROFILE_CD   8

enum { SUBCHANNEL_POSITION = 1, SUBCHANNEL_CATALOGUE, SUBCHANNEL_ISRC };

u32 atapi_be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

u32 atapi_be32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void put16(u8 *p, u32 value)
{
	p[0] = (u8)(value >> 8);
	p[1] = (u8)value;
}

static void put32(u8 *p, u32 value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

bool atapi_has_medium(const struct ide_drive *d)
{
	return d->block && !d->tray_open;
}

static u32 disc_sectors(const struct ide_drive *d)
{
	return d->block->sectors > 0xffffffff ? 0xffffffff : (u32)d->block->sectors;
}

u32 atapi_inquiry(u8 *reply)
{
	memset(reply, 0, 36);
	reply[0] = 0x05; /* CD-ROM */
	reply[1] = 0x80; /* removable */
	reply[3] = 0x21; /* ATAPI version 2, response format 1 */
	reply[4] = 31;
	memcpy(reply + 8, "FARBUS  CD-ROM          1.0 ", 28);
	return 36;
}

u32 atapi_request_sense(const struct ide_drive *d, u8 *reply)
{
	memset(reply, 0, 18);
	reply[0] = 0x70;
	reply[2] = d->sense.key;
	reply[7] = 10;
	reply[12] = d->sense.asc;
	reply[13] = d->sense.ascq;
	return 18;
}

u32 atapi_read_capacity(const struct ide_drive *d, u8 *reply)
{
	put32(reply, disc_sectors(d) - 1);
	put32(reply + 4, CD_SECTOR);
	return 8;
}

/* An address of the TOC: 00 M S F or a logical block. */
static void put_address(u8 *p, bool msf, u32 lba)
{
	if (!msf) {
		put32(p, lba);
		return;
	}
	lba += MSF_OFFSET;
	p[0] = 0;
	p[1] = (u8)(lba / FRAMES / 60);
	p[2] = (u8)(lba / FRAMES % 60);
	p[3] = (u8)(lba % FRAMES);
}

static u8 *toc_entry(u8 *p, u8 track, bool msf, u32 lba)
{
	p[0] = 0;
	p[1] = TRACK_DATA;
	p[2] = track;
	p[3] = 0;
	put_address(p + 4, msf, lba);
	return p + 8;
}

static u32 finish_toc(u8 *reply, const u8 *end)
{
	u32 length = (u32)(end - reply);

	put16(reply, length - 2);
	return length;
}

static u8 *raw_entry(u8 *p, u8 point, u8 minute, u8 second, u8 frame)
{
	memset(p, 0, 11);
	p[0] = 1; /* session */
	p[1] = TRACK_DATA;
	p[3] = point;
	p[8] = minute;
	p[9] = second;
	p[10] = frame;
	return p + 11;
}

static u32 raw_toc(const struct ide_drive *d, u8 *reply)
{
	u32 end = disc_sectors(d) + MSF_OFFSET;
	u8 *p = reply + 4;

	p = raw_entry(p, 0xa0, 1, 0, 0); /* first track, disc type */
	p = raw_entry(p, 0xa1, 1, 0, 0); /* last track */
	p = raw_entry(p, 0xa2, (u8)(end / FRAMES / 60), (u8)(end / FRAMES % 60),
		      (u8)(end % FRAMES));
	p = raw_entry(p, 1, 0, MSF_OFFSET / FRAMES, 0);
	return finish_toc(reply, p);
}

u32 atapi_read_toc(const struct ide_drive *d, const u8 *packet, u8 *reply,
		   struct atapi_sense *sense)
{
	bool msf = (packet[1] & 0x02) != 0;
	u32 format = (packet[2] & 0x0f) ? (packet[2] & 0x0fu) : (packet[9] >> 6u);
	u8 start = packet[6], *p = reply + 4;

	reply[2] = reply[3] = 1; /* first and last track, or session */
	switch (format) {
	case 0:
		if (start > 1 && start != LEAD_OUT)
			break;
		if (start <= 1)
			p = toc_entry(p, 1, msf, 0);
		return finish_toc(reply, toc_entry(p, LEAD_OUT, msf, disc_sectors(d)));
	case 1:
		return finish_toc(reply, toc_entry(p, 1, msf, 0));
	case 2:
		return raw_toc(d, reply);
	}
	*sense = SENSE_BAD_FIELD;
	return 0;
}

static u8 *page_error_recovery(u8 *p)
{
	memset(p, 0, 8);
	p[0] = 0x01;
	p[1] = 6;
	p[3] = 5; /* retries */
	return p + 8;
}

static u8 *page_audio(u8 *p)
{
	memset(p, 0, 16);
	p[0] = 0x0e;
	p[1] = 14;
	p[2] = 0x04;
	return p + 16;
}

static u8 *page_capabilities(const struct ide_drive *d, u8 *p)
{
	memset(p, 0, 20);
	p[0] = 0x2a;
	p[1] = 18;
	p[2] = 0x03;				   /* reads CD-R and CD-RW */
	p[4] = 0x70;				   /* mode 2 form 1 and 2, multi-session */
	p[6] = 0x29 | (d->tray_locked ? 0x02 : 0); /* tray, can eject and lock */
	put16(p + 8, 706);			   /* kbyte/s at most: 4 speed */
	put16(p + 12, 512);			   /* kbyte of buffer */
	put16(p + 14, 706);			   /* kbyte/s now */
	return p + 20;
}

/* PC in bits 7-6 of byte 2: current, changeable (nothing is), default, saved (none are). */
u32 atapi_mode_sense(const struct ide_drive *d, const u8 *packet, u8 *reply,
		     struct atapi_sense *sense)
{
	u32 control = packet[2] >> 6, page = packet[2] & 0x3f;
	u8 *first = reply + 8, *p = first;

	if (control == 3) {
		*sense = SENSE_NO_SAVED_PAGES;
		return 0;
	}
	if (page == 0x01 || page == 0x3f)
		p = page_error_recovery(p);
	if (page == 0x0e || page == 0x3f)
		p = page_audio(p);
	if (page == 0x2a || page == 0x3f)
		p = page_capabilities(d, p);
	if (p == first) {
		*sense = SENSE_BAD_FIELD;
		return 0;
	}
	if (control == 1) {
		for (u8 *q = first; q < p; q += q[1] + 2)
			memset(q + 2, 0, q[1]);
	}
	memset(reply, 0, 8);
	put16(reply, (u32)(p - reply) - 2);
	reply[2] = atapi_has_medium(d) ? 0x01 : 0x70; /* 120 mm data disc; no disc */
	return (u32)(p - reply);
}

struct feature {
	u8 bytes[12], length;
};

static const struct feature features[] = {
	{{0x00, 0x00, 0x03, 4, 0, PROFILE_CD}, 8},	  /* profile list */
	{{0x00, 0x01, 0x03, 4, 0, 0, 0, 2}, 8},		  /* core: ATAPI */
	{{0x00, 0x03, 0x03, 4, 0x29}, 8},		  /* removable medium */
	{{0x00, 0x10, 0x00, 8, 0, 0, 8, 0, 0, 1, 0}, 12}, /* random readable: 2048, 1 block */
	{{0x00, 0x1e, 0x00, 4}, 8},			  /* CD read */
};

u32 atapi_get_configuration(const struct ide_drive *d, const u8 *packet, u8 *reply)
{
	u32 type = packet[1] & 3, start = atapi_be16(packet + 2);
	bool medium = atapi_has_medium(d);
	u8 *p = reply + 8;

	memset(reply, 0, 8);
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];
		u32 code = atapi_be16(f->bytes);
		bool current = (f->bytes[2] & 1) || medium;

		if (type == 2 ? code != start : code < start || (type == 1 && !current))
			continue;
		memcpy(p, f->bytes, f->length);
		if (medium)
			p[2] |= 1;
		if (code == 0)
			p[6] = medium; /* CurrentP */
		p += f->length;
	}
	put32(reply, (u32)(p - reply) - 4);
	put16(reply + 6, medium ? PROFILE_CD : PROFILE_NONE);
	return (u32)(p - reply);
}

u32 atapi_event_status(const struct ide_drive *d, const u8 *packet, u8 *reply,
		       struct atapi_sense *sense)
{
	if (!(packet[1] & 1)) { /* only polled */
		*sense = SENSE_BAD_FIELD;
		return 0;
	}
	memset(reply, 0, 8);
	reply[3] = 0x10; /* the media class is all there is */
	if (!(packet[4] & 0x10)) {
		reply[1] = 2;
		reply[2] = 0x80; /* no event of the classes asked for */
		return 4;
	}
	reply[1] = 6;
	reply[2] = 4;
	reply[4] = d->unit_attention ? 2 : 0; /* new media */
	reply[5] = (d->tray_open ? 1 : 0) | (atapi_has_medium(d) ? 2 : 0);
	return 8;
}

u32 atapi_mechanism_status(u8 *reply)
{
	memset(reply, 0, 8);
	reply[5] = 1; /* one slot, no changer */
	return 8;
}

u32 atapi_disc_information(u8 *reply)
{
	memset(reply, 0, 34);
	put16(reply, 32);
	reply[2] = 0x0e; /* complete disc, complete last session */
	reply[3] = reply[4] = reply[5] = reply[6] = 1;
	reply[7] = 0x20;
	memset(reply + 16, 0xff, 8);
	return 34;
}

/* MMC-3, 6.24. The disc has neither a catalogue number nor an ISRC: their valid bits are 0. */
u32 atapi_read_subchannel(const u8 *packet, u8 *reply, struct atapi_sense *sense)
{
	u8 format = packet[3];
	u32 length = format == SUBCHANNEL_POSITION ? 16 : 24;

	memset(reply, 0, 24);
	reply[1] = 0x15; /* no audio status to tell */
	if (!(packet[2] & 0x40))
		return 4;
	if (format < SUBCHANNEL_POSITION || format > SUBCHANNEL_ISRC) {
		*sense = SENSE_BAD_FIELD;
		return 0;
	}
	put16(reply + 2, length - 4);
	reply[4] = format;
	if (format != SUBCHANNEL_CATALOGUE) {
		reply[5] = TRACK_DATA;
		reply[6] = 1;
	}
	if (format == SUBCHANNEL_POSITION)
		reply[7] = 1; /* index */
	return length;
}
