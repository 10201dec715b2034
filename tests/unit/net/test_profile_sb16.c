/* SPDX-License-Identifier: BSD-2-Clause */
/* The Sound Blaster's profile: what is posted, and what waits for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net-ne2000/profile.h"

#define RESET	    0x226
#define DSP_DATA    0x22a
#define DSP_WRITE   0x22c
#define DSP_STATUS  0x22e
#define ACK_16	    0x22f
#define MIDI_DATA   0x330
#define MIDI_STATUS 0x331

static const struct profile *const p = &profile_sb16;

static struct profile_state fresh(void)
{
	return (struct profile_state){.range = {{0x220, 0x22f}, {0x388, 0x38b}, {0x330, 0x331}},
				      .ranges = 3};
}

static void wrote(struct profile_state *st, u16 port, u8 value)
{
	p->wrote(st, port, 1, &value, 1);
}

static void got(struct profile_state *st, u16 port, u8 value)
{
	p->read(st, port, 1, &value, 1);
}

static void takes_the_parts_of_a_card(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	assert_null(p->attach(&st));
	st.ranges = 1;
	assert_null(p->attach(&st));
	st.range[0] = (struct port_range){0x240, 0x24f};
	assert_null(p->attach(&st));
	st.range[0] = (struct port_range){0x300, 0x301};
	assert_null(p->attach(&st));
	st.range[0] = (struct port_range){0x220, 0x227};
	assert_non_null(p->attach(&st));
	st.range[0] = (struct port_range){0x3f8, 0x3ff};
	assert_non_null(p->attach(&st));
}

static void posts_registers(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	assert_true(p->posts(&st, 0x224, 1, 0x22));
	assert_true(p->posts(&st, 0x224, 2, 0xcc22));
	assert_true(p->posts(&st, 0x388, 1, 1));
	assert_true(p->posts(&st, 0x223, 1, 1));
	assert_true(p->timed);
	assert_false(p->posts(&st, RESET, 1, 1));
	assert_false(p->posts(&st, 0x225, 2, 0)); /* the second byte is the reset's */
	assert_false(p->posts(&st, MIDI_STATUS, 1, 0x3f));
	assert_false(p->posts(&st, ACK_16, 1, 0));
}

/* One byte for each time that the card has said it is ready. */
static void posts_to_the_dsp_when_it_was_asked(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	assert_false(p->posts(&st, DSP_WRITE, 1, 0x40));
	got(&st, DSP_WRITE, 0xff);
	assert_false(p->posts(&st, DSP_WRITE, 1, 0x40));
	got(&st, DSP_WRITE, 0x7f);
	assert_true(p->posts(&st, DSP_WRITE, 1, 0x40));
	wrote(&st, DSP_WRITE, 0x40);
	assert_false(p->posts(&st, DSP_WRITE, 1, 0xd3));
	got(&st, DSP_WRITE, 0x7f);
	wrote(&st, RESET, 1);
	assert_false(p->posts(&st, DSP_WRITE, 1, 0xd3));
}

static void posts_to_midi_when_it_was_asked(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	assert_false(p->posts(&st, MIDI_DATA, 1, 0x90));
	got(&st, MIDI_STATUS, 0xc0);
	assert_false(p->posts(&st, MIDI_DATA, 1, 0x90));
	got(&st, MIDI_STATUS, 0x80);
	assert_true(p->posts(&st, MIDI_DATA, 1, 0x90));
	wrote(&st, MIDI_DATA, 0x90);
	assert_false(p->posts(&st, MIDI_DATA, 1, 0x90));
}

static void waits(void **state)
{
	struct profile_state st = fresh();
	struct profile_poll w;

	(void)state;
	assert_true(p->poll(&st, DSP_WRITE, 1, 0, 0, &w)); /* read for nothing else */
	assert_int_equal(w.mask, 0x80);
	assert_int_equal(w.value, 0);
	assert_false(w.unequal);
	/* 22Eh acknowledges an interrupt: only a loop waits */
	assert_false(p->poll(&st, DSP_STATUS, 1, 0, 0, &w));
	assert_false(p->poll(&st, DSP_STATUS, 1, 1, 0x7f, &w));
	assert_true(p->poll(&st, DSP_STATUS, 1, 2, 0x7f, &w));
	assert_int_equal(w.mask, 0x80);
	assert_int_equal(w.value, 0x80);
	assert_false(p->poll(&st, DSP_STATUS, 1, 2, 0xff, &w));
	assert_true(p->poll(&st, MIDI_STATUS, 1, 2, 0xc0, &w));
	assert_true(w.unequal);
	assert_int_equal(w.value, 0xc0);
	assert_false(p->poll(&st, DSP_DATA, 1, 9, 0, &w));
	assert_false(p->poll(&st, 0x388, 1, 9, 0, &w)); /* reads of FM are the guest's pauses */
	assert_false(p->poll(&st, ACK_16, 1, 9, 0, &w));
}

static void reads_nothing_ahead(void **state)
{
	(void)state;
	assert_null(p->ahead);
	assert_null(p->follow);
	assert_null(p->known);
	assert_null(p->error); /* all ones */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_parts_of_a_card),
		cmocka_unit_test(posts_registers),
		cmocka_unit_test(posts_to_the_dsp_when_it_was_asked),
		cmocka_unit_test(posts_to_midi_when_it_was_asked),
		cmocka_unit_test(waits),
		cmocka_unit_test(reads_nothing_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
