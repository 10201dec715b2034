/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profile of a Sound Blaster 16: the card's own 16 ports, the FM synthesizer's at 388h, the
 * MPU-401's at 330h, each where the route has them. Documentation: Creative's "Sound Blaster Series
 * Hardware Programming Guide", chapters 2 (DSP), 4 (mixer) and 6 (MIDI); Yamaha's YMF262 for the
 * pauses that it needs between writes.
 *
 * Mixer and FM registers take what comes. The DSP and the MPU-401 take a byte when they have said
 * that they are ready for it, so only a guest that has asked them has its byte posted. Nothing is
 * read ahead: reading 22Eh and 22Fh acknowledges interrupts.
 */
#include "net-ne2000/profile.h"

enum sb_port {
	SB_NONE,
	SB_FM,
	SB_MIXER,
	SB_DSP_RESET,
	SB_DSP_DATA,
	SB_DSP_WRITE,  /* the command; read: bit 7 is 0 when it may be written */
	SB_DSP_STATUS, /* bit 7: there is data */
	SB_MIDI_DATA,
	SB_MIDI_STATUS, /* bit 6 is 0 when data may be written, bit 7 is 0 when there is some */
};

#define BUSY	   0x80u
#define AVAILABLE  0x80u
#define MIDI_FLAGS 0xc0u
#define MIDI_FULL  0x40u

#define SHORT_US 500u
#define LONG_US	 10000u
/* Reads in a row that are a loop. */
#define LOOP 2u

struct sb16 {
	bool dsp_ready, midi_ready; /* the guest has seen it, and not written since */
};

static struct sb16 *sb16_of(struct profile_state *st)
{
	return (struct sb16 *)st->word;
}

static const u8 card_ports[16] = {
	SB_FM, SB_FM, SB_FM,	   SB_FM,   SB_MIXER,	  SB_MIXER, SB_DSP_RESET,  SB_NONE,
	SB_FM, SB_FM, SB_DSP_DATA, SB_NONE, SB_DSP_WRITE, SB_NONE,  SB_DSP_STATUS, SB_NONE,
};

static bool is_card(const struct port_range *r)
{
	return r->last - r->first == 15 && (r->first & 15) == 0;
}

static bool is_fm(const struct port_range *r)
{
	return r->first == 0x388 && r->last - r->first <= 3;
}

static bool is_midi(const struct port_range *r)
{
	return (r->first == 0x330 || r->first == 0x300) && r->last - r->first == 1;
}

static enum sb_port port_of(const struct profile_state *st, u16 port)
{
	for (unsigned i = 0; i < st->ranges; i++) {
		const struct port_range *r = &st->range[i];

		if (port < r->first || port > r->last)
			continue;
		if (is_card(r))
			return card_ports[port & 15];
		if (is_fm(r))
			return SB_FM;
		return port & 1 ? SB_MIDI_STATUS : SB_MIDI_DATA;
	}
	return SB_NONE;
}

static const char *sb16_attach(struct profile_state *st)
{
	for (unsigned i = 0; i < st->ranges; i++)
		if (!is_card(&st->range[i]) && !is_fm(&st->range[i]) && !is_midi(&st->range[i]))
			return "expected the card's 16 ports, FM or MIDI, as in "
			       "0x220-0x22f,0x388-0x38b,0x330-0x331";
	return NULL;
}

/* DSP reset is a pulse that the guest times (3 us), and MIDI commands are rare. */
static bool posts_byte(struct profile_state *st, u16 port)
{
	switch (port_of(st, port)) {
	case SB_FM:
	case SB_MIXER:
		return true;
	case SB_DSP_WRITE:
		return sb16_of(st)->dsp_ready;
	case SB_MIDI_DATA:
		return sb16_of(st)->midi_ready;
	default:
		return false;
	}
}

static bool sb16_posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)value;
	for (unsigned i = 0; i < width; i++)
		if (!posts_byte(st, (u16)(port + i)))
			return false;
	return true;
}

/* Whoever reads 22Ch wants to write; 22Eh is read to acknowledge an interrupt, too. */
static bool sb16_poll(struct profile_state *st, u16 port, unsigned width, u32 repeats, u32 last,
		      struct profile_poll *poll)
{
	if (width != 1)
		return false;
	switch (port_of(st, port)) {
	case SB_DSP_WRITE:
		*poll = (struct profile_poll){.mask = BUSY, .value = 0};
		break;
	case SB_DSP_STATUS:
		*poll = (struct profile_poll){.mask = AVAILABLE, .value = AVAILABLE};
		if (repeats < LOOP || last & AVAILABLE)
			return false;
		break;
	case SB_MIDI_STATUS:
		*poll = (struct profile_poll){
			.mask = MIDI_FLAGS, .value = last & MIDI_FLAGS, .unequal = true};
		if (repeats < LOOP)
			return false;
		break;
	default:
		return false;
	}
	poll->max_us = repeats < LOOP ? SHORT_US : LONG_US;
	return true;
}

static void sb16_wrote(struct profile_state *st, u16 port, unsigned width, const u8 *data,
		       u32 count)
{
	struct sb16 *s = sb16_of(st);

	(void)data;
	(void)count;
	for (unsigned i = 0; i < width; i++) {
		enum sb_port what = port_of(st, (u16)(port + i));

		if (what == SB_DSP_WRITE || what == SB_DSP_RESET)
			s->dsp_ready = false;
		else if (what == SB_MIDI_DATA || what == SB_MIDI_STATUS)
			s->midi_ready = false;
	}
}

static void sb16_read(struct profile_state *st, u16 port, unsigned width, u8 *data, u32 count)
{
	struct sb16 *s = sb16_of(st);

	for (u32 i = 0; i < count * width; i++) {
		enum sb_port what = port_of(st, (u16)(port + i % width));

		if (what == SB_DSP_WRITE)
			s->dsp_ready = !(data[i] & BUSY);
		else if (what == SB_MIDI_STATUS)
			s->midi_ready = !(data[i] & MIDI_FULL);
	}
}

/* A lost card is no card: all ones. */
const struct profile profile_sb16 = {
	.name = "sb16",
	.attach = sb16_attach,
	.posts = sb16_posts,
	.timed = true, /* FM */
	.poll = sb16_poll,
	.wrote = sb16_wrote,
	.read = sb16_read,
};
