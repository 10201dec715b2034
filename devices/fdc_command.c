/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floppy controller's commands that move no data (82077AA datasheet, 5.2), and the table of
 * all.
 */
#include "devices/block.h"
#include "devices/fdc_core.h"
#include "lib/str.h"

#define VERSION_82077 0x90

#define ST3_WRITE_PROTECTED 0x40
#define ST3_READY	    0x20
#define ST3_TRACK0	    0x10
#define ST3_TWO_SIDES	    0x08

#define RECALIBRATE_STEPS 79

static void invalid(struct fdc *f)
{
	f->fifo[0] = ST0_INVALID;
	fdc_result(f, 1, false);
}

static void select_unit(struct fdc *f)
{
	f->unit = f->fifo[1] & 3;
	f->head = (f->fifo[1] >> 2) & 1;
}

static void specify(struct fdc *f)
{
	f->specify[0] = f->fifo[1];
	f->specify[1] = f->fifo[2];
	fdc_idle(f);
}

static void sense_drive(struct fdc *f)
{
	const struct fdc_drive *d;
	u8 st3 = (f->fifo[1] & 7) | ST3_READY | ST3_TWO_SIDES;

	select_unit(f);
	d = fdc_unit(f);
	if (d && d->block->read_only)
		st3 |= ST3_WRITE_PROTECTED;
	if (d && d->cylinder == 0)
		st3 |= ST3_TRACK0;
	f->fifo[0] = st3;
	fdc_result(f, 1, false);
}

static u8 position(const struct fdc *f, unsigned unit)
{
	return unit < FDC_DRIVES ? f->drive[unit].cylinder : 0;
}

static void sense_interrupt(struct fdc *f)
{
	u8 unit = 0;

	fdc_lower(f);
	if (!f->sense) {
		invalid(f);
		return;
	}
	while (!(f->sense & BIT(unit)))
		unit++;
	f->sense &= ~BIT(unit);
	f->fifo[0] = f->sense_st0[unit];
	f->fifo[1] = position(f, unit);
	fdc_result(f, 2, false);
}

static void seek_interrupt(struct fdc *f, u8 unit, u8 st0)
{
	f->seeking &= ~BIT(unit);
	if (f->sense_reset)
		f->sense = 0;
	f->sense_reset = false;
	f->sense |= BIT(unit);
	f->sense_st0[unit] = st0 | unit;
	fdc_raise(f);
}

void fdc_seek_done(void *drive)
{
	struct fdc_drive *d = drive;
	u8 unit = (u8)(d - d->fdc->drive);

	/* Without a drive nobody says TRACK 0, and RECALIBRATE gives up (datasheet, 5.2.1). */
	if (!d->block && d->recalibrating) {
		seek_interrupt(d->fdc, unit, ST0_ABNORMAL | ST0_SEEK_END | ST0_EQUIPMENT);
		return;
	}
	if (d->block)
		fdc_step_to(d, d->seek_target);
	seek_interrupt(d->fdc, unit, ST0_SEEK_END);
}

static void start_seek(struct fdc *f, u8 target, bool recalibrate)
{
	u8 from, steps;
	struct fdc_drive *d;

	select_unit(f);
	fdc_idle(f);
	if (f->unit >= FDC_DRIVES) { /* nothing is wired to DS2 and DS3 */
		seek_interrupt(f, f->unit,
			       recalibrate ? ST0_ABNORMAL | ST0_SEEK_END | ST0_EQUIPMENT
					   : ST0_SEEK_END);
		return;
	}
	d = &f->drive[f->unit];
	from = d->cylinder;
	steps = target > from ? target - from : from - target;
	if (!d->block)
		steps = RECALIBRATE_STEPS;
	d->seek_target = target;
	d->recalibrating = recalibrate;
	f->seeking |= BIT(f->unit);
	timer_arm(f->clock, &d->seek_timer,
		  clock_now(f->clock) + FDC_COMMAND_NS + (u64)steps * FDC_STEP_NS);
}

static void recalibrate(struct fdc *f)
{
	start_seek(f, 0, true);
}

static void seek(struct fdc *f)
{
	start_seek(f, f->fifo[2], false);
}

static void relative_seek(struct fdc *f)
{
	bool inwards = (f->fifo[0] & 0x40) != 0;
	u8 from = position(f, f->fifo[1] & 3), steps = f->fifo[2];
	u8 target = inwards ? from + steps : from - steps;

	if (inwards && target < from)
		target = 0xff;
	if (!inwards && target > from)
		target = 0;
	start_seek(f, target, false);
}

static void dump_registers(struct fdc *f)
{
	for (unsigned i = 0; i < 4; i++)
		f->fifo[i] = position(f, i);
	f->fifo[4] = f->specify[0];
	f->fifo[5] = f->specify[1];
	f->fifo[6] = f->eot;
	f->fifo[7] = (f->lock ? 0x80 : 0) | (f->perpendicular & 0x3f);
	f->fifo[8] = f->configure;
	f->fifo[9] = f->precomp;
	fdc_result(f, 10, false);
}

static void version(struct fdc *f)
{
	f->fifo[0] = VERSION_82077;
	fdc_result(f, 1, false);
}

static void perpendicular(struct fdc *f)
{
	u8 value = f->fifo[1];

	/* The drives' bits change only with OW set. */
	f->perpendicular = (value & 3) | (value & 0x80 ? value & 0x3c : f->perpendicular & 0x3c);
	fdc_idle(f);
}

static void configure(struct fdc *f)
{
	f->configure = f->fifo[2] & 0x7f;
	f->precomp = f->fifo[3];
	fdc_idle(f);
}

static void lock(struct fdc *f)
{
	f->lock = (f->fifo[0] & 0x80) != 0;
	f->fifo[0] = f->lock ? 0x10 : 0;
	fdc_result(f, 1, false);
}

static void unit_transfer(struct fdc *f)
{
	select_unit(f);
	fdc_transfer(f);
}

static void unit_read_id(struct fdc *f)
{
	select_unit(f);
	fdc_read_id(f);
}

static void unit_format(struct fdc *f)
{
	select_unit(f);
	fdc_format(f);
}

/* mask leaves out the MT, MF and SK bits where the command has them. */
static const struct command {
	u8 mask, code, length;
	void (*run)(struct fdc *f);
} commands[] = {
	{0x1f, 0x06, 9, unit_transfer},	  /* READ DATA */
	{0x1f, 0x0c, 9, unit_transfer},	  /* READ DELETED DATA */
	{0x3f, 0x05, 9, unit_transfer},	  /* WRITE DATA */
	{0x3f, 0x09, 9, unit_transfer},	  /* WRITE DELETED DATA */
	{0x9f, 0x02, 9, unit_transfer},	  /* READ TRACK */
	{0x1f, 0x16, 9, unit_transfer},	  /* VERIFY */
	{0x1f, 0x11, 9, unit_transfer},	  /* SCAN EQUAL */
	{0x1f, 0x19, 9, unit_transfer},	  /* SCAN LOW OR EQUAL */
	{0x1f, 0x1d, 9, unit_transfer},	  /* SCAN HIGH OR EQUAL */
	{0xbf, 0x0d, 6, unit_format},	  /* FORMAT TRACK */
	{0xbf, 0x0a, 2, unit_read_id},	  /* READ ID */
	{0xff, 0x07, 2, recalibrate},	  /* RECALIBRATE */
	{0xff, 0x08, 1, sense_interrupt}, /* SENSE INTERRUPT STATUS */
	{0xff, 0x03, 3, specify},	  /* SPECIFY */
	{0xff, 0x04, 2, sense_drive},	  /* SENSE DRIVE STATUS */
	{0xff, 0x0f, 3, seek},		  /* SEEK */
	{0xbf, 0x8f, 3, relative_seek},	  /* RELATIVE SEEK */
	{0xff, 0x0e, 1, dump_registers},  /* DUMPREG */
	{0xff, 0x10, 1, version},	  /* VERSION */
	{0xff, 0x12, 2, perpendicular},	  /* PERPENDICULAR MODE */
	{0xff, 0x13, 4, configure},	  /* CONFIGURE */
	{0x7f, 0x14, 1, lock},		  /* LOCK, UNLOCK */
};

/* NULL: no command of this chip; PART ID and its like came with the 82078. */
static const struct command *find(u8 first)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
		if ((first & commands[i].mask) == commands[i].code)
			return &commands[i];
	return NULL;
}

u8 fdc_command_length(u8 first)
{
	const struct command *c = find(first);

	return c ? c->length : 1;
}

void fdc_execute(struct fdc *f)
{
	const struct command *c = find(f->fifo[0]);

	if (c)
		c->run(f);
	else
		invalid(f);
}
