/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the ATA profile share: profile_ata.c answers the remote route's questions,
 * profile_ata_track.c follows the channel's protocol, profile_ata_identify.c changes what the
 * drives say of themselves. Documentation: ATA/ATAPI-6 (T13 1410D), ATAPI: SFF-8020i.
 */
#ifndef FARBUS_NET_PROFILE_ATA_H
#define FARBUS_NET_PROFILE_ATA_H

#include "net-ne2000/profile.h"

/* Registers of the command block, by offset; ATA_CONTROL: the control block's only one. */
enum {
	ATA_DATA,
	ATA_ERROR,
	ATA_COUNT,
	ATA_LOW,
	ATA_MID,
	ATA_HIGH,
	ATA_DEVICE,
	ATA_STATUS,
	ATA_CONTROL,
	ATA_NONE, /* the floppy controller's 3F7h, for one */
};

#define ATA_BSY	 0x80u
#define ATA_DRDY 0x40u
#define ATA_DF	 0x20u
#define ATA_DRQ	 0x08u
#define ATA_ERR	 0x01u

#define ATA_ABRT 0x04u

#define ATA_NIEN 0x02u
#define ATA_SRST 0x04u

#define ATA_SECTOR 512u

enum ata_transfer {
	ATA_NO_DATA, /* none is expected, or nothing is known of it */
	ATA_IN,
	ATA_OUT,
	ATA_PACKET, /* the drive will ask for the packet */
	ATA_REPLY,  /* the packet's data, either way: the byte counts tell how much */
};

struct ata {
	u8 device, control, feature, count[2], command; /* as last written */
	u8 status;					/* as last read, of either kind */
	u8 block_status;				/* what it was when the block began */
	u8 transfer; /* enum ata_transfer: of the command in progress, */
	u8 drive;    /* which this drive got (device's bit) */
	u8 unit[2];  /* sectors a block of READ MULTIPLE; 0: unknown */
	u8 peek;     /* alternate status right after the block */
	bool peeked;
	bool fresh;	/* a command was given and the status not read since */
	bool unsettled; /* registers that the status depends on were written since the last read */
	bool interrupted; /* and the status register not read since: the drive still holds INTRQ */
	bool follows;	  /* a block was read along with the status that is under way */
	bool exact; /* the block's interrupt is over: the guest cannot tell when it was read */
	bool drq;   /* ATA_REPLY: data is asked for */
	u8 seen, bytes[2];
	u8 idle;       /* the drive's status when it had nothing to do and INTRQ was taken back, */
	u8 idle_drive; /* of this drive, */
	u8 idle_reads; /* good for so many reads; 0: unknown */
	bool told;     /* the read under way was answered with it */
	u32 sectors;   /* that the guest has not moved, those of a begun block among them */
	u32 block;     /* bytes of the block that it has not moved; 0: none has begun */
	u32 moved;     /* bytes of the command's data, or of the packet */
	/* IDENTIFY: */
	u8 change;    /* of the checksum, by the bytes changed so far */
	bool checked; /* the signature of a checksum was there */
	u8 multiple;
};

_Static_assert(sizeof(struct ata) <= sizeof(((struct profile_state *)0)->word),
	       "the profile's state holds struct ata");

static inline struct ata *ata_of(struct profile_state *st)
{
	return (struct ata *)st->word;
}

static inline bool ata_polled(const struct ata *a)
{
	return (a->control & ATA_NIEN) != 0;
}

/* The registers show the drive that has the command. */
static inline bool ata_selected(const struct ata *a)
{
	return a->drive == (a->device >> 4 & 1);
}

/* Nothing changes the selected drive's status but the guest, and it has been told of it. */
bool ata_idle(const struct ata *a);
/* Bytes of the next block of an ATA_IN or ATA_OUT transfer. */
u32 ata_block_size(const struct ata *a);
/* The guest has written, or got, one register's value. */
void ata_register_written(struct ata *a, unsigned reg, u8 value);
void ata_register_read(struct ata *a, unsigned reg, u8 value);
/* Bytes went through the data port, from the drive or to it. */
void ata_data_read(struct ata *a, u8 *data, u32 bytes);
void ata_data_written(struct ata *a, u32 bytes);

bool ata_is_identify(u8 command);
/* The next bytes of IDENTIFY's data, from a->moved on: takes away what says DMA. */
void ata_identify(struct ata *a, u8 *data, u32 bytes);

#endif
