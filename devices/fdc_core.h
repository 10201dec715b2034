/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the floppy controller share: fdc.c has the registers and phases, fdc_command.c
 * the commands, fdc_transfer.c those that move data, fdc_media.c the formats.
 */
#ifndef FARBUS_DEVICES_FDC_CORE_H
#define FARBUS_DEVICES_FDC_CORE_H

#include "devices/fdc.h"

/* ST0 (82077AA datasheet, table 5-1 and following) */
#define ST0_ABNORMAL  0x40
#define ST0_INVALID   0x80
#define ST0_POLLING   0xc0
#define ST0_SEEK_END  0x20
#define ST0_EQUIPMENT 0x10

#define ST1_END_OF_CYLINDER 0x80
#define ST1_OVERRUN	    0x10
#define ST1_NO_DATA	    0x04
#define ST1_NOT_WRITABLE    0x02
#define ST1_NO_ADDRESS	    0x01
#define ST1_DATA_ERROR	    0x20

#define ST2_CONTROL_MARK   0x40
#define ST2_DATA_ERROR	   0x20
#define ST2_WRONG_CYLINDER 0x10
#define ST2_SCAN_EQUAL	   0x08
#define ST2_SCAN_FAILED	   0x04

#define CONFIGURE_IMPLIED_SEEK 0x40
#define CONFIGURE_NO_FIFO      0x20
#define CONFIGURE_NO_POLL      0x10

/*
 * Times, far below those of a real drive; yet the interrupt comes after the driver that gave the
 * command is ready for it.
 */
#define FDC_RESET_NS   50000u
#define FDC_COMMAND_NS 200000u
#define FDC_STEP_NS    20000u
#define FDC_INDEX_NS   10000000u /* two index pulses pass and no address mark was seen */

/*
 * A byte may wait for 16 us and the FIFO's depth on the real chip. We give a slow CPU all the time
 * it may need for a sector; drivers that take less than they asked for, as Linux does in non-DMA
 * mode, rely on the overrun that ends the command.
 */
#define FDC_OVERRUN_NS 50000000u

/* Ends the execution phase: `step` runs after ns. */
void fdc_after(struct fdc *f, u32 ns, void (*step)(struct fdc *f));
/* Non-DMA: len bytes of buffer[] through the FIFO, then `done`; or an overrun. */
void fdc_pio(struct fdc *f, bool to_host, u32 len, void (*done)(struct fdc *f));
/* The result phase for fifo[0..len); with INT where the command's execution ends with one. */
void fdc_result(struct fdc *f, u8 len, bool interrupt);
/* Back to waiting for a command. */
void fdc_idle(struct fdc *f);
void fdc_raise(struct fdc *f);
void fdc_lower(struct fdc *f);

/* Carries out the command in fifo[0..fifo_len). */
void fdc_execute(struct fdc *f);
/* How many bytes the command with this first byte has, that one included. */
u8 fdc_command_length(u8 command);
void fdc_seek_done(void *drive);
/* The data commands; unit and head are chosen. */
void fdc_transfer(struct fdc *f);
void fdc_read_id(struct fdc *f);
void fdc_format(struct fdc *f);

/* Their common parts, in fdc_transfer.c. */
void fdc_begin(struct fdc *f);
/* Requests DMA where it is used, and runs `step` when the head is there. */
void fdc_start(struct fdc *f, void (*step)(struct fdc *f));
bool fdc_non_dma(const struct fdc *f);
bool fdc_write_protected(struct fdc *f);
/* Whether the head finds any ID on the track, and the one in c, h, r, n (else ST1 and ST2 say why).
 */
bool fdc_track_readable(struct fdc *f);
bool fdc_locate(struct fdc *f);
/* Writes the located sector. */
bool fdc_disk_write(struct fdc *f, const void *buf);
/* The result phase of seven bytes: with ST0's upper bits, or abnormal termination. */
void fdc_end(struct fdc *f, u8 st0);
void fdc_fail(struct fdc *f);

/* The selected drive, or NULL where none is connected. */
struct fdc_drive *fdc_unit(struct fdc *f);
/* Moves the head; a step with a disk in the drive ends DSKCHG. */
void fdc_step_to(struct fdc_drive *d, u8 cylinder);

/* The format of an image of so many sectors, or NULL. */
const struct fdc_format *fdc_format_of(u64 sectors);

#endif
