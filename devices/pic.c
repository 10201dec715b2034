/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: two 8259A as in the PIIX3. Datasheet: Intel 8259A (231468-003); 82371SB (290550), 4.5.
 * Modelled: fully nested and special fully nested mode, automatic EOI, rotation (automatic and
 * specific), special mask mode, polling, cascading, spurious IRQ 7 and 15, ELCR (4D0h, 4D1h).
 * Not modelled: MCS-80/85 mode, buffered mode (no effect on a PC), LTIM (the PIIX3 replaces it by
 * the ELCR).
 */
#include "devices/pic.h"
#include "devices/bus.h"
#include "devices/irq.h"
#include "lib/str.h"

#define NONE	8u /* "no input" as a priority or a number */
#define CASCADE 2u

enum { MASTER, SLAVE };

#define ICW1_INIT   0x10u
#define ICW1_SINGLE 0x02u
#define ICW1_ICW4   0x01u
#define ICW4_SFNM   0x10u
#define ICW4_AEOI   0x02u
#define OCW3_SELECT 0x08u

/* Inputs count from the highest priority, the one after `lowest`, to the lowest. */
static unsigned priority_of(const struct pic_chip *c, unsigned input)
{
	return (input - c->lowest - 1) & 7;
}

/* The input of highest priority in a bit set, or NONE. */
static unsigned highest(const struct pic_chip *c, u8 set)
{
	unsigned first = (c->lowest + 1) & 7;
	u32 turned = (set | (u32)set << 8) >> first;

	return set ? (first + (unsigned)__builtin_ctz(turned)) & 7 : NONE;
}

/* The request that the chip's INT output stands for, or NONE. */
static unsigned requesting(const struct pic_chip *c, bool is_master)
{
	unsigned request = highest(c, c->irr & ~c->imr), service;

	if (request == NONE)
		return NONE;
	/* In special mask mode a masked input in service holds nothing back (datasheet p. 17). */
	service = highest(c, c->special_mask ? c->isr & ~c->imr : c->isr);
	if (service == NONE)
		return request;
	if (priority_of(c, request) < priority_of(c, service))
		return request;
	/* SFNM: the slave may ask again while it is in service (datasheet p. 19). */
	if (is_master && c->special_nested && request == CASCADE && service == CASCADE)
		return request;
	return NONE;
}

/* A level on an input; edge-triggered requests last until taken or until the line falls. */
static void set_input(struct pic_chip *c, unsigned input, bool level)
{
	u8 bit = BIT(input);

	if (!level) {
		c->lines &= ~bit;
		c->irr &= ~bit;
		return;
	}
	if (!(c->lines & bit) || (c->elcr & bit))
		c->irr |= bit;
	c->lines |= bit;
}

/*
 * Follows the requests to the slave's and the master's INT outputs. A request that goes away takes
 * INT with it only when the chip is next written or acknowledged: until then the CPU still sees it,
 * and its INTA finds the "default IR7" that the datasheet describes (p. 18) and Bochs carries out.
 */
static void update(struct pic *p, bool may_fall)
{
	bool level = requesting(&p->chip[SLAVE], false) != NONE;

	if (level || may_fall)
		set_input(&p->chip[MASTER], CASCADE, level);
	level = requesting(&p->chip[MASTER], true) != NONE;
	if (level != p->intr_level && (level || may_fall)) {
		p->intr_level = level;
		p->intr(p->ctx, level);
	}
}

static void line_changed(void *ctx, unsigned line, bool level)
{
	struct pic *p = ctx;

	/* The slave hangs on the master's input 2: IRQ 2 of the ISA bus is the slave's input 1. */
	if (line == CASCADE)
		return;
	set_input(&p->chip[line >> 3], line & 7, level);
	update(p, false);
}

static bool line_in_service(void *ctx, unsigned line)
{
	struct pic *p = ctx;

	return p->chip[line >> 3].isr & BIT(line & 7);
}

/* The end of service of one input, however it came about. */
static void end_of_interrupt(struct pic *p, unsigned chip, unsigned input)
{
	p->chip[chip].isr &= ~BIT(input);
	if (p->lines->eoi)
		p->lines->eoi(p->lines->eoi_ctx, chip * 8 + input);
}

/* What the first INTA cycle (or a poll) does to the chip whose request it takes. */
static void take(struct pic *p, unsigned chip, unsigned input)
{
	struct pic_chip *c = &p->chip[chip];

	if (!(c->elcr & BIT(input)))
		c->irr &= ~BIT(input);
	if (p->acknowledged && !(chip == MASTER && input == CASCADE))
		p->acknowledged(p->ctx, chip * 8 + input);
	if (!c->auto_eoi) {
		c->isr |= BIT(input);
		return;
	}
	if (c->rotate_on_auto_eoi)
		c->lowest = (u8)input;
	end_of_interrupt(p, chip, input);
}

int pic_intack(struct pic *p)
{
	struct pic_chip *master = &p->chip[MASTER], *slave = &p->chip[SLAVE];
	unsigned input = requesting(master, true);
	int vector;

	if (input == NONE) {
		vector = master->vector + 7;
	} else if (input != CASCADE) {
		take(p, MASTER, input);
		vector = master->vector + (int)input;
	} else {
		/* The slave's INT falls with the acknowledge, so a second request is a new edge. */
		take(p, MASTER, CASCADE);
		set_input(master, CASCADE, false);
		input = requesting(slave, false);
		if (input == NONE)
			input = 7;
		else
			take(p, SLAVE, input);
		vector = slave->vector + (int)input;
	}
	update(p, true);
	return vector;
}

bool pic_pending(const struct pic *p, unsigned line)
{
	return p->chip[(line >> 3) & 1].irr & BIT(line & 7);
}

/* No EOI comes any more for what was in service or asked for: whoever waits for one is told. */
static void abandon_interrupts(struct pic *p, const struct pic_chip *c)
{
	unsigned first = c == &p->chip[MASTER] ? 0 : 8;

	for (unsigned i = 0; p->lines->eoi && i < 8; i++)
		p->lines->eoi(p->lines->eoi_ctx, first + i);
}

static void write_icw1(struct pic *p, struct pic_chip *c, u8 value)
{
	abandon_interrupts(p, c);
	c->irr = c->lines & c->elcr;
	c->isr = 0;
	c->imr = 0;
	c->lowest = 7;
	c->special_mask = c->special_nested = false;
	c->auto_eoi = c->rotate_on_auto_eoi = false;
	c->read_isr = c->poll = false;
	c->single = value & ICW1_SINGLE;
	c->want_icw4 = value & ICW1_ICW4;
	c->next_icw = 2;
	update(p, true);
}

static void write_icw(struct pic *p, struct pic_chip *c, u8 value)
{
	switch (c->next_icw) {
	case 2:
		c->vector = value & 0xf8;
		c->next_icw = !c->single ? 3 : c->want_icw4 ? 4 : 0;
		break;
	case 3:
		c->icw3 = value;
		c->next_icw = c->want_icw4 ? 4 : 0;
		break;
	default:
		c->special_nested = value & ICW4_SFNM;
		c->auto_eoi = value & ICW4_AEOI;
		c->next_icw = 0;
		break;
	}
	update(p, true);
}

static void write_ocw2(struct pic *p, unsigned chip, u8 value)
{
	struct pic_chip *c = &p->chip[chip];
	bool rotate = value & 0x80, specific = value & 0x40, eoi = value & 0x20;
	unsigned input = value & 7;

	if (!eoi) {
		if (rotate && specific)
			c->lowest = (u8)input;
		else if (!specific)
			c->rotate_on_auto_eoi = rotate;
	} else {
		/* A masked input stays in service at a non-specific EOI in special mask mode. */
		if (!specific)
			input = highest(c, c->special_mask ? c->isr & ~c->imr : c->isr);
		if (input != NONE) {
			end_of_interrupt(p, chip, input);
			if (rotate)
				c->lowest = (u8)input;
		}
	}
	update(p, true);
}

static void write_ocw3(struct pic *p, struct pic_chip *c, u8 value)
{
	if (value & 0x04)
		c->poll = true;
	else if (value & 0x02)
		c->read_isr = value & 0x01;
	if (value & 0x40) {
		c->special_mask = value & 0x20;
		update(p, true);
	}
}

static void pic_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct pic *p = dev;
	unsigned chip = port >= 0xa0 ? SLAVE : MASTER;
	struct pic_chip *c = &p->chip[chip];
	u8 byte = (u8)value;

	(void)width;
	if (port & 1) {
		if (c->next_icw) {
			write_icw(p, c, byte);
		} else {
			c->imr = byte;
			update(p, true);
		}
	} else if (byte & ICW1_INIT) {
		write_icw1(p, c, byte);
	} else if (byte & OCW3_SELECT) {
		write_ocw3(p, c, byte);
	} else {
		write_ocw2(p, chip, byte);
	}
}

/* The poll command's answer: acts as an INTA cycle of this one chip (datasheet p. 18). */
static u8 poll(struct pic *p, unsigned chip)
{
	unsigned input = requesting(&p->chip[chip], chip == MASTER);

	p->chip[chip].poll = false;
	if (input == NONE)
		return 0x07;
	take(p, chip, input);
	if (chip == SLAVE)
		set_input(&p->chip[MASTER], CASCADE, false);
	update(p, true);
	return (u8)(0x80 | input);
}

static u32 pic_in(void *dev, u16 port, unsigned width)
{
	struct pic *p = dev;
	unsigned chip = port >= 0xa0 ? SLAVE : MASTER;
	struct pic_chip *c = &p->chip[chip];

	(void)width;
	if (c->poll)
		return poll(p, chip);
	if (port & 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static u32 elcr_in(void *dev, u16 port, unsigned width)
{
	struct pic *p = dev;

	(void)width;
	return p->chip[port & 1].elcr;
}

static void elcr_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct pic *p = dev;
	struct pic_chip *c = &p->chip[port & 1];

	(void)width;
	c->elcr = (u8)value & c->elcr_mask;
	c->irr |= c->lines & c->elcr;
	update(p, true);
}

static const struct port_ops pic_ops = {.in = pic_in, .out = pic_out, .widths = 1};
static const struct port_ops elcr_ops = {.in = elcr_in, .out = elcr_out, .widths = 1};

static void reset_chip(struct pic_chip *c, u8 elcr_mask)
{
	u8 lines = c->lines;

	memset(c, 0, sizeof(*c));
	c->lines = lines;
	c->elcr_mask = elcr_mask;
	c->imr = 0xff;
	c->lowest = 7;
}

void pic_reset(struct pic *p)
{
	/* 82371SB 2.5.2: IRQ 0, 1, 2, 8 and 13 are always edge-triggered. */
	reset_chip(&p->chip[MASTER], 0xf8);
	reset_chip(&p->chip[SLAVE], 0xde);
	update(p, true);
}

void pic_init(struct pic *p, struct bus *bus, struct irq_lines *lines,
	      void (*intr)(void *ctx, bool level), void (*acknowledged)(void *ctx, unsigned line),
	      void *ctx)
{
	int ports;

	memset(p, 0, sizeof(*p));
	p->lines = lines;
	p->intr = intr;
	p->acknowledged = acknowledged;
	p->ctx = ctx;
	lines->changed = line_changed;
	lines->in_service = line_in_service;
	lines->ctx = p;
	pic_reset(p);
	ports = bus_register(bus, 0x20, 0x21, ROUTE_VIRTUAL, &pic_ops, p, "pic");
	if (ports >= 0)
		bus_add_range(bus, ports, 0xa0, 0xa1);
	bus_register(bus, 0x4d0, 0x4d1, ROUTE_VIRTUAL, &elcr_ops, p, "elcr");
}
