/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: Intel 82077AA floppy disk controller in PC/AT mode, with two drives.
 * Documentation: 82077AA datasheet (290166-007).
 * Modelled: all commands, DMA and non-DMA transfers, implied seeks, LOCK and CONFIGURE as far as
 *	software sees them, the disk-change line, formats of 512-byte MFM sectors, data rates.
 * Not modelled: SRA and SRB (not there in AT mode), deleted data marks on the disk, the FIFO's
 *	threshold (INT comes for each byte), FM, motors (always up to speed), times of a real drive.
 */
#include "devices/fdc.h"
#include "devices/block.h"
#include "devices/dma8237.h"
#include "devices/fdc_core.h"
#include "lib/log.h"
#include "lib/str.h"

#define PORT_BASE 0x3f0

/* Registers, by offset */
enum {
	REG_DOR = 2,
	REG_TDR = 3,
	REG_MSR_DSR = 4,
	REG_FIFO = 5,
	REG_DIR_CCR = 7,
};

#define DOR_UNIT   0x03
#define DOR_NRESET 0x04
#define DOR_GATE   0x08 /* lets INT and DRQ out */
#define DOR_MOTOR0 0x10

#define DSR_RESET 0x80
#define DSR_RATE  0x03

#define MSR_READY     0x80
#define MSR_TO_HOST   0x40
#define MSR_NON_DMA   0x20
#define MSR_BUSY      0x10
#define DIR_CHANGED   0x80
#define CONFIGURE_DEF CONFIGURE_NO_FIFO /* no implied seek, polling */

static void update_irq(struct fdc *f)
{
	irq_set(&f->irq, f->irq_pending && (f->dor & DOR_GATE));
}

void fdc_raise(struct fdc *f)
{
	f->irq_pending = true;
	update_irq(f);
}

void fdc_lower(struct fdc *f)
{
	f->irq_pending = false;
	update_irq(f);
}

void fdc_after(struct fdc *f, u32 ns, void (*step)(struct fdc *f))
{
	f->phase = FDC_EXECUTION;
	f->step = step;
	timer_arm(f->clock, &f->timer, clock_now(f->clock) + ns);
}

static void timer_fired(void *ctx)
{
	struct fdc *f = ctx;
	void (*step)(struct fdc *) = f->step;

	f->step = NULL;
	if (step)
		step(f);
}

void fdc_idle(struct fdc *f)
{
	f->phase = FDC_COMMAND;
	f->fifo_pos = f->fifo_len = 0;
	f->pio_in = f->pio_out = false;
}

void fdc_result(struct fdc *f, u8 len, bool interrupt)
{
	f->phase = FDC_RESULT;
	f->fifo_pos = 0;
	f->fifo_len = len;
	f->pio_in = f->pio_out = false;
	if (!interrupt)
		return;
	/* What is left of the interrupt after a reset is forgotten: old drivers sense it once. */
	if (f->sense_reset)
		f->sense = 0;
	f->sense_reset = false;
	fdc_raise(f);
}

static void cancel_all(struct fdc *f)
{
	timer_cancel(f->clock, &f->timer);
	f->step = NULL;
	for (unsigned i = 0; i < FDC_DRIVES; i++)
		timer_cancel(f->clock, &f->drive[i].seek_timer);
	f->seeking = 0;
	f->sense = 0;
	fdc_idle(f);
	fdc_lower(f);
}

/* The chip polls its drives after a reset and finds all four changed (datasheet, 4.4). */
static void reset_done(struct fdc *f)
{
	fdc_idle(f);
	if (f->configure & CONFIGURE_NO_POLL)
		return;
	f->sense = 0x0f;
	f->sense_reset = true;
	for (u8 i = 0; i < 4; i++)
		f->sense_st0[i] = ST0_POLLING | i;
	fdc_raise(f);
}

static void start_reset(struct fdc *f)
{
	cancel_all(f);
	f->perpendicular &= 0x3c; /* GAP and WGATE go (datasheet, 5.2.9) */
	if (!f->lock) {
		f->configure = CONFIGURE_DEF;
		f->precomp = 0;
	}
	dma_dreq(f->dma, FDC_DMA_CHANNEL, false);
}

static void write_dor(struct fdc *f, u8 value)
{
	u8 old = f->dor;

	f->dor = value;
	if (!(value & DOR_NRESET)) {
		if (old & DOR_NRESET)
			start_reset(f);
	} else if (!(old & DOR_NRESET)) {
		fdc_after(f, FDC_RESET_NS, reset_done);
	}
	update_irq(f);
}

static void write_dsr(struct fdc *f, u8 value)
{
	f->rate = value & DSR_RATE;
	if (!(value & DSR_RESET) || !(f->dor & DOR_NRESET))
		return;
	start_reset(f);
	fdc_after(f, FDC_RESET_NS, reset_done);
}

static u8 read_msr(const struct fdc *f)
{
	if (!(f->dor & DOR_NRESET) || (f->step == reset_done))
		return 0;
	switch (f->phase) {
	case FDC_COMMAND:
		return MSR_READY | (f->fifo_pos ? MSR_BUSY : 0) | f->seeking;
	case FDC_RESULT:
		return MSR_READY | MSR_TO_HOST | MSR_BUSY | f->seeking;
	default:
		break;
	}
	if (f->pio_in)
		return MSR_READY | MSR_TO_HOST | MSR_NON_DMA | MSR_BUSY | f->seeking;
	if (f->pio_out)
		return MSR_READY | MSR_NON_DMA | MSR_BUSY | f->seeking;
	return MSR_BUSY | f->seeking;
}

/* DSKCHG of the selected drive, which drives the line only with its motor on. */
static u8 read_dir(const struct fdc *f)
{
	unsigned unit = f->dor & DOR_UNIT;

	if (unit >= FDC_DRIVES || !f->drive[unit].block || !(f->dor & (DOR_MOTOR0 << unit)))
		return 0;
	return f->drive[unit].disk_changed ? DIR_CHANGED : 0;
}

static void write_command_byte(struct fdc *f, u8 value)
{
	if (f->fifo_pos == 0)
		f->fifo_len = fdc_command_length(value);
	f->fifo[f->fifo_pos++] = value;
	if (f->fifo_pos < f->fifo_len)
		return;
	f->fifo_pos = 0;
	fdc_execute(f);
}

/* The host has let a byte wait for too long (datasheet, ST1's OR). */
static void pio_overrun(struct fdc *f)
{
	f->st1 |= ST1_OVERRUN;
	fdc_lower(f); /* the byte's interrupt ends, the result phase's one begins */
	fdc_fail(f);
}

void fdc_pio(struct fdc *f, bool to_host, u32 len, void (*done)(struct fdc *f))
{
	f->pos = 0;
	f->len = len;
	f->pio_in = to_host;
	f->pio_out = !to_host;
	f->pio_done = done;
	fdc_after(f, FDC_OVERRUN_NS, pio_overrun);
	fdc_raise(f);
}

/* A byte of a non-DMA transfer went through the FIFO; INT pulses for the next one. */
static void pio_moved(struct fdc *f)
{
	fdc_lower(f);
	if (f->pos < f->len) {
		fdc_raise(f);
		return;
	}
	timer_cancel(f->clock, &f->timer);
	f->step = NULL;
	f->pio_in = f->pio_out = false;
	f->pio_done(f);
}

static void write_fifo(struct fdc *f, u8 value)
{
	if (!(f->dor & DOR_NRESET))
		return;
	if (f->phase == FDC_COMMAND) {
		write_command_byte(f, value);
	} else if (f->phase == FDC_EXECUTION && f->pio_out) {
		f->buffer[f->pos++] = value;
		pio_moved(f);
	}
}

/*
 * The reads of the result took INT away; it comes back for a seek that has ended and that SENSE
 * INTERRUPT STATUS has not told of yet.
 */
static void result_read(struct fdc *f)
{
	fdc_idle(f);
	if (f->sense && !f->sense_reset)
		fdc_raise(f);
}

static u8 read_fifo(struct fdc *f)
{
	u8 value = 0;

	if (f->phase == FDC_RESULT) {
		fdc_lower(f);
		value = f->fifo[f->fifo_pos++];
		if (f->fifo_pos >= f->fifo_len)
			result_read(f);
	} else if (f->phase == FDC_EXECUTION && f->pio_in) {
		value = f->buffer[f->pos++];
		pio_moved(f);
	}
	return value;
}

/* As in ide.c: who polls sees the end of a step without the run loop's help. */
static void poll_timer(struct fdc *f)
{
	if (f->step && clock_now(f->clock) >= f->timer.deadline) {
		timer_cancel(f->clock, &f->timer);
		timer_fired(f);
	}
}

static u32 fdc_in(void *dev, u16 port, unsigned width)
{
	struct fdc *f = dev;

	(void)width;
	poll_timer(f);
	switch (port - PORT_BASE) {
	case REG_DOR:
		return f->dor;
	case REG_TDR:
		return f->tdr;
	case REG_MSR_DSR:
		return read_msr(f);
	case REG_FIFO:
		return read_fifo(f);
	default:
		return read_dir(f);
	}
}

static void fdc_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct fdc *f = dev;

	(void)width;
	poll_timer(f);
	switch (port - PORT_BASE) {
	case REG_DOR:
		write_dor(f, (u8)value);
		break;
	case REG_TDR:
		f->tdr = value & 3;
		break;
	case REG_MSR_DSR:
		write_dsr(f, (u8)value);
		break;
	case REG_FIFO:
		write_fifo(f, (u8)value);
		break;
	default:
		f->rate = value & DSR_RATE;
		break;
	}
}

static const struct port_ops fdc_ops = {
	.in = fdc_in,
	.out = fdc_out,
	.widths = 1,
};

struct fdc_drive *fdc_unit(struct fdc *f)
{
	if (f->unit >= FDC_DRIVES || !f->drive[f->unit].block)
		return NULL;
	return &f->drive[f->unit];
}

void fdc_step_to(struct fdc_drive *d, u8 cylinder)
{
	d->cylinder = cylinder;
	d->disk_changed = false;
}

static int init_drive(struct fdc *f, unsigned n, struct block *block)
{
	struct fdc_drive *d = &f->drive[n];
	const struct fdc_format *format;

	d->fdc = f;
	d->block = block;
	timer_init(&d->seek_timer, fdc_seek_done, d);
	if (!block)
		return 0;
	format = block->sector_size == FDC_SECTOR ? fdc_format_of(block->sectors) : NULL;
	if (!format) {
		log_error("floppy%u: %s is %llu sectors: expected a floppy format, 720 (360 KB) to "
			  "5760 (2.88 MB)",
			  n, block->name, (unsigned long long)block->sectors);
		return -1;
	}
	d->format = *format;
	return 0;
}

int fdc_init(struct fdc *f, const struct fdc_config *config)
{
	int handler;

	memset(f, 0, sizeof(*f));
	f->clock = config->clock;
	f->irq = config->irq;
	f->dma = config->dma;
	timer_init(&f->timer, timer_fired, f);
	for (unsigned n = 0; n < FDC_DRIVES; n++)
		if (init_drive(f, n, config->drive[n]) != 0)
			return -1;
	handler = bus_register(config->bus, PORT_BASE + REG_DOR, PORT_BASE + REG_FIFO,
			       ROUTE_VIRTUAL, &fdc_ops, f, "fdc");
	if (handler < 0)
		return -1;
	bus_add_range(config->bus, handler, PORT_BASE + REG_DIR_CCR, PORT_BASE + REG_DIR_CCR);
	fdc_reset(f);
	return 0;
}

void fdc_reset(struct fdc *f)
{
	cancel_all(f);
	f->dor = f->tdr = 0;
	f->rate = 2; /* 250 kbit/s (datasheet, 2.1.6) */
	f->specify[0] = f->specify[1] = 0;
	f->perpendicular = 0;
	f->lock = false;
	f->configure = CONFIGURE_DEF;
	f->precomp = 0;
	f->sense_reset = false;
	for (unsigned n = 0; n < FDC_DRIVES; n++) {
		struct fdc_drive *d = &f->drive[n];

		d->cylinder = 0;
		d->next_id = 0;
		d->disk_changed = d->block != NULL;
	}
	update_irq(f);
}

u8 fdc_cmos_type(const struct fdc *f, unsigned drive)
{
	const struct fdc_drive *d = &f->drive[drive & 1];

	return d->block ? d->format.cmos_type : 0;
}
