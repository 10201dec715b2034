/* SPDX-License-Identifier: BSD-2-Clause */
/* The replies of a CD-ROM drive's packet commands, apart from the way they travel. */
#ifndef FARBUS_DEVICES_ATAPI_H
#define FARBUS_DEVICES_ATAPI_H

#include "devices/ide.h"

#define CD_SECTOR	2048u
#define ATAPI_REPLY_MAX 512u

/* Sense keys and additional sense codes (MMC-3, annex F) */
#define SENSE_NOT_READY	     ((struct atapi_sense){2, 0x3a, 0})
#define SENSE_MEDIUM_ERROR   ((struct atapi_sense){3, 0x11, 0})
#define SENSE_BAD_OPCODE     ((struct atapi_sense){5, 0x20, 0})
#define SENSE_OUT_OF_RANGE   ((struct atapi_sense){5, 0x21, 0})
#define SENSE_BAD_FIELD	     ((struct atapi_sense){5, 0x24, 0})
#define SENSE_NO_SAVED_PAGES ((struct atapi_sense){5, 0x39, 0})
#define SENSE_REMOVAL_LOCKED ((struct atapi_sense){5, 0x53, 2})
#define SENSE_ILLEGAL_MODE   ((struct atapi_sense){5, 0x64, 0})
#define SENSE_MEDIUM_CHANGED ((struct atapi_sense){6, 0x28, 0})

/*
 * Each fills reply[0..ATAPI_REPLY_MAX) for the command packet and returns its length before the
 * packet's allocation length cuts it; 0 with *sense set: refused.
 */
u32 atapi_inquiry(u8 *reply);
u32 atapi_request_sense(const struct ide_drive *d, u8 *reply);
u32 atapi_read_capacity(const struct ide_drive *d, u8 *reply);
u32 atapi_read_toc(const struct ide_drive *d, const u8 *packet, u8 *reply,
		   struct atapi_sense *sense);
u32 atapi_mode_sense(const struct ide_drive *d, const u8 *packet, u8 *reply,
		     struct atapi_sense *sense);
u32 atapi_get_configuration(const struct ide_drive *d, const u8 *packet, u8 *reply);
u32 atapi_event_status(const struct ide_drive *d, const u8 *packet, u8 *reply,
		       struct atapi_sense *sense);
u32 atapi_mechanism_status(u8 *reply);
u32 atapi_disc_information(u8 *reply);
u32 atapi_read_subchannel(const u8 *packet, u8 *reply, struct atapi_sense *sense);

/* The PACKET command, from its first step on. */
void atapi_packet(struct ide_channel *ch);

/* A disc is in the drive and its tray closed. */
bool atapi_has_medium(const struct ide_drive *d);

u32 atapi_be16(const u8 *p);
u32 atapi_be32(const u8 *p);

#endif
