/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the IDE model share: ide.c has the channel, ide_ata.c the disk's commands,
 * atapi.c the CD-ROM's. A command is a chain of steps: ide_busy() runs the next one when BSY ends,
 * ide_data_in() and ide_data_out() when the host has moved a block of data.
 */
#ifndef FARBUS_DEVICES_IDE_CORE_H
#define FARBUS_DEVICES_IDE_CORE_H

#include "devices/ide.h"

/* Command block registers, by offset */
enum {
	IDE_REG_DATA,
	IDE_REG_ERROR_FEATURE,
	IDE_REG_COUNT,
	IDE_REG_LBA_LOW,
	IDE_REG_LBA_MID,
	IDE_REG_LBA_HIGH,
	IDE_REG_DEVICE,
	IDE_REG_STATUS_COMMAND,
};

/* Status (ATA-6, 7.15.6) */
#define IDE_BSY	 0x80
#define IDE_DRDY 0x40
#define IDE_DF	 0x20
#define IDE_DSC	 0x10
#define IDE_DRQ	 0x08
#define IDE_ERR	 0x01

/* Error (ATA-6, 7.9) */
#define IDE_UNC	 0x40
#define IDE_IDNF 0x10
#define IDE_ABRT 0x04

/* Device */
#define IDE_DEV_LBA 0x40
#define IDE_DEV_DEV 0x10

/* ATAPI interrupt reason, in the sector count register (ATA-6, 8.24) */
#define IDE_REASON_COD 0x01
#define IDE_REASON_IO  0x02

#define IDE_SECTOR	 512u
#define IDE_MULTIPLE_MAX 16u /* sectors a block of READ and WRITE MULTIPLE */

/*
 * How long the drive is busy: far less than any real one, yet long enough that the interrupt comes
 * after the instruction that asked for it, since old drivers set up their handler after that.
 */
#define IDE_COMMAND_NS 10000u
#define IDE_BLOCK_NS   4000u
#define IDE_RESET_NS   100000u

/* The drive is busy for ns, then `step` runs. */
void ide_busy(struct ide_channel *ch, u32 ns, ide_step step);
/* The drive stays busy until its block has the outcome, then `step` runs (again). */
void ide_wait_for_block(struct ide_channel *ch, ide_step step);
/* DRQ for buffer[pos, pos + len), with INTRQ; len is rounded up to whole words. */
void ide_data_in(struct ide_channel *ch, u32 pos, u32 len, ide_step after);
void ide_data_out(struct ide_channel *ch, u32 len, ide_step after, bool interrupt);
/* Ends the command with INTRQ; error 0: well. */
void ide_complete(struct ide_channel *ch, u8 error);
/* Ends the command after its last block of data was read: no INTRQ. */
void ide_finish(struct ide_channel *ch);
/* Steps that end the command: aborted, and well. */
void ide_abort(struct ide_channel *ch);
void ide_done(struct ide_channel *ch);
/* Waits for the bus master, then runs `step` with BSY set. */
void ide_dma(struct ide_channel *ch, bool write, ide_step step);

static inline bool ide_present(const struct ide_drive *d)
{
	return d->kind != IDE_NONE;
}
/* The channel's wires and timer. */
void ide_update_irq(struct ide_channel *ch);
void ide_raise_intrq(struct ide_channel *ch, struct ide_drive *d);
void ide_start_timer(struct ide_channel *ch, u32 ns, ide_step step);
/* The command in progress is over, or forgotten for a new one. */
void ide_end_command(struct ide_channel *ch);
void ide_abandon_command(struct ide_channel *ch);

/* ide_reset.c: SRST was set; its time after it was cleared is over; command 90h. */
void ide_start_software_reset(struct ide_channel *ch);
void ide_self_test_done(struct ide_channel *ch);
void ide_execute_diagnostic(struct ide_channel *ch);
/* The reset signature of the drive's kind in its task file. */
void ide_signature(struct ide_drive *d);

/* The registers, for ide_ports.c. An empty channel has none. */
bool ide_channel_empty(const struct ide_channel *ch);
/*
 * Ends BSY when its time is over: a host that polls the status need not wait for the run loop to
 * fire the timer.
 */
void ide_poll_timer(struct ide_channel *ch);
u8 ide_read_register(struct ide_channel *ch, unsigned reg);
u8 ide_read_status(struct ide_channel *ch); /* without the side effect of the status register */
void ide_write_register(struct ide_channel *ch, unsigned reg, u8 value);
void ide_write_device(struct ide_channel *ch, u8 value);
void ide_write_command(struct ide_channel *ch, u8 command);
void ide_write_control(struct ide_channel *ch, u8 value);
/* The host has moved bytes of the block of data; at its end the next step runs. */
void ide_data_moved(struct ide_channel *ch, u32 bytes);
/* Returns 0, or -1 when the bus is full (logged). */
int ide_ports_register(struct ide_channel *ch, struct bus *bus);

/* ide_transfer.c; block_size: sectors between two interrupts, 0 is refused. */
void ata_pio(struct ide_channel *ch, bool ext, bool write, u32 block_size);
void ata_dma(struct ide_channel *ch, bool ext, bool write);
void ata_verify(struct ide_channel *ch, bool ext);
/* The sector that the task file names; false: there is none (IDNF). */
bool ata_address(const struct ide_channel *ch, u64 *lba);

void ata_command(struct ide_channel *ch, u8 command);
void atapi_command(struct ide_channel *ch, u8 command);
void atapi_reset(struct ide_drive *d);
/* SET FEATURES, the same for both kinds of drive. Returns the error register: 0 or ABRT. */
u8 ide_set_features(struct ide_drive *d);

/* 512 bytes of IDENTIFY (PACKET) DEVICE data. */
void ide_identify_disk(const struct ide_channel *ch, const struct ide_drive *d, u8 *data);
void ide_identify_cdrom(const struct ide_channel *ch, const struct ide_drive *d, u8 *data);

#endif
