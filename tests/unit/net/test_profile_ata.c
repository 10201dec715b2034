/* SPDX-License-Identifier: BSD-2-Clause */
/* The ATA profile: what it says of the protocol's states. */
#include "tests/unit/net/support_ata.h"

static void took(struct profile_state *st, u32 bytes)
{
	u8 data[512] = {0};

	for (; bytes > 512; bytes -= 512)
		p->read(st, DATA, 2, data, 256);
	p->read(st, DATA, 2, data, bytes / 2);
}

static void gave(struct profile_state *st, u32 bytes)
{
	u8 data[512] = {0};

	p->wrote(st, DATA, 2, data, bytes / 2);
}

static void needs_both_blocks(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	assert_null(p->attach(&st));
	st.range[1] = (struct port_range){0x374, 0x377}; /* as a PCI function has it */
	assert_null(p->attach(&st));
	st.ranges = 1;
	assert_non_null(p->attach(&st));
	st = fresh();
	st.range[0].last = 0x176;
	assert_non_null(p->attach(&st));
	st = fresh();
	st.range[1] = (struct port_range){0x377, 0x377};
	assert_non_null(p->attach(&st));
}

static void posts_all_but_reset(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	for (u16 port = DATA; port <= STATUS; port++)
		assert_true(p->posts(&st, port, 1, 0xff));
	assert_true(p->posts(&st, DATA, 4, ~0u));
	assert_true(p->posts(&st, CONTROL, 1, NIEN));
	assert_false(p->posts(&st, CONTROL, 1, SRST));
	assert_false(p->posts(&st, 0x377, 1, 0));
}

static void blocks_are_known_once_drq_is_seen(void **state)
{
	struct profile_state st = fresh();
	u32 value = 0;

	(void)state;
	command(&st, READ, 3);
	assert_int_equal(p->ahead(&st, DATA), 0);
	got(&st, STATUS, BUSY);
	assert_int_equal(p->ahead(&st, DATA), 0);
	for (unsigned sector = 0; sector < 3; sector++) {
		got(&st, STATUS, DRQ);
		assert_int_equal(p->ahead(&st, DATA), 512);
		assert_int_equal(p->ahead(&st, ERROR), 0);
		took(&st, 100);
		assert_int_equal(p->ahead(&st, DATA), 412);
		assert_true(p->known(&st, STATUS, 1, 412, &value));
		assert_int_equal(value, DRQ);
		assert_true(p->known(&st, CONTROL, 1, 412, &value));
		assert_false(p->known(&st, COUNT, 1, 412, &value));
		took(&st, 412);
		assert_int_equal(p->ahead(&st, DATA), 0);
		assert_false(p->known(&st, STATUS, 1, 0, &value));
	}
	got(&st, STATUS, DRQ); /* a fourth one is none of this command's */
	assert_int_equal(p->ahead(&st, DATA), 0);
}

static void an_error_ends_it(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	command(&st, READ, 3);
	got(&st, STATUS, BAD | 8);
	assert_int_equal(p->ahead(&st, DATA), 0);
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 0);
}

/* INTRQ is taken back by the status register only: the next block's would be no new edge. */
static void alternate_status_leaves_the_interrupt(void **state)
{
	struct profile_state st = fresh();
	struct profile_follow f;

	(void)state;
	command(&st, READ, 2);
	assert_false(p->follow(&st, CONTROL, 1, &f)); /* a pause after the command */
	got(&st, CONTROL, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 0);
	p->interrupted(&st);
	assert_true(p->follow(&st, CONTROL, 1, &f));
	assert_int_equal(f.first, STATUS);
	assert_int_equal(f.data, DATA);
	assert_int_equal(f.bytes, 512);
	got(&st, CONTROL, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 512);
	took(&st, 512);
	assert_false(p->follow(&st, CONTROL, 1, &f)); /* that interrupt is over */
	assert_true(p->follow(&st, STATUS, 1, &f));
	assert_int_equal(f.first, 0);
	wrote(&st, CONTROL, NIEN);
	assert_true(p->follow(&st, CONTROL, 1, &f));
	assert_int_equal(f.first, 0);
}

static void the_look_after_a_block_is_good_once(void **state)
{
	struct profile_state st = fresh();
	u32 value = 0;

	(void)state;
	assert_int_equal(p->after_ahead(&st), CONTROL);
	command(&st, READ, 2);
	got(&st, STATUS, DRQ);
	p->peeked(&st, CONTROL, BUSY);
	took(&st, 512);
	assert_false(p->known(&st, STATUS, 1, 0, &value));
	assert_true(p->known(&st, CONTROL, 1, 0, &value));
	assert_int_equal(value, BUSY);
	got(&st, CONTROL, BUSY);
	assert_false(p->known(&st, CONTROL, 1, 0, &value));
	p->peeked(&st, CONTROL, BUSY);
	p->interrupted(&st); /* tells more */
	assert_false(p->known(&st, CONTROL, 1, 0, &value));
}

static void multiple_mode(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	command(&st, READ_MULTI, 20); /* of unknown size */
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 0);
	command(&st, SET_MULTIPLE, 8);
	got(&st, STATUS, READY);
	command(&st, READ_MULTI, 20);
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 8 * 512);
	took(&st, 8 * 512);
	got(&st, STATUS, DRQ);
	took(&st, 8 * 512);
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 4 * 512);
	wrote(&st, DEVICE, 0xf0); /* the other drive is not in that mode */
	command(&st, READ_MULTI, 20);
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 0);
	wrote(&st, DEVICE, 0xe0);
	command(&st, SET_MULTIPLE, 99);
	got(&st, STATUS, BAD);
	command(&st, READ_MULTI, 20);
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 0);
}

static void reset_forgets(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	command(&st, SET_MULTIPLE, 8);
	got(&st, STATUS, READY);
	command(&st, READ, 2);
	got(&st, STATUS, DRQ);
	assert_true(p->drops_ahead(&st, CONTROL, 1, SRST));
	assert_true(p->drops_ahead(&st, STATUS, 1, READ));
	assert_false(p->drops_ahead(&st, CONTROL, 1, NIEN));
	assert_false(p->drops_ahead(&st, DEVICE, 1, 0xe0));
	wrote(&st, CONTROL, SRST);
	assert_int_equal(p->ahead(&st, DATA), 0);
	wrote(&st, CONTROL, 0);
	command(&st, READ_MULTI, 8);
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 0);
}

static void counts_of_48_bits(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	wrote(&st, COUNT, 1);
	wrote(&st, COUNT, 0); /* 256 sectors */
	wrote(&st, STATUS, 0x24);
	for (unsigned i = 0; i < 256; i++) {
		got(&st, STATUS, DRQ);
		assert_int_equal(p->ahead(&st, DATA), 512);
		took(&st, 512);
	}
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 0);
}

/* What the drive asks for, with which direction: only then more is read than the guest asks for. */
static void packet_data(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	wrote(&st, STATUS, PACKET);
	got(&st, STATUS, DRQ);
	gave(&st, 12);
	got(&st, STATUS, DRQ);
	got(&st, COUNT, 2);
	got(&st, MID, 0xff);
	assert_int_equal(p->ahead(&st, DATA), 0);
	got(&st, HIGH, 0x07);
	assert_int_equal(p->ahead(&st, DATA), 0x800); /* 7ffh bytes are 400h words */
	took(&st, 0x800);
	assert_int_equal(p->ahead(&st, DATA), 0);
	got(&st, MID, 0);
	got(&st, HIGH, 2); /* without DRQ these mean nothing */
	assert_int_equal(p->ahead(&st, DATA), 0);
	got(&st, STATUS, DRQ);
	got(&st, COUNT, 0); /* to the drive */
	got(&st, MID, 0);
	got(&st, HIGH, 2);
	assert_int_equal(p->ahead(&st, DATA), 0);
}

static void waits(void **state)
{
	struct profile_state st = fresh();
	struct profile_poll w;

	(void)state;
	command(&st, READ, 1);
	assert_int_equal(p->settle(&st, STATUS, 1), 1);
	/* with interrupts on, one look is no wait; nor are a few at the alternate status */
	assert_false(p->poll(&st, STATUS, 1, 0, 0, &w));
	got(&st, STATUS, BUSY);
	assert_int_equal(p->settle(&st, STATUS, 1), 0);
	assert_true(p->poll(&st, STATUS, 1, 1, BUSY, &w));
	assert_int_equal(w.mask, 0x80);
	assert_int_equal(w.value, 0);
	assert_false(w.unequal);
	assert_int_equal(w.max_us, 50000);
	assert_false(p->poll(&st, CONTROL, 1, 1, BUSY, &w));
	assert_true(p->poll(&st, CONTROL, 1, 2, BUSY, &w));
	assert_int_equal(w.max_us, 500);
	assert_true(p->poll(&st, CONTROL, 1, 20, BUSY, &w));
	assert_int_equal(w.max_us, 50000);
	/* a drive asks for a packet and for the first data without an interrupt */
	command(&st, WRITE, 1);
	assert_true(p->poll(&st, STATUS, 1, 0, 0, &w));
	assert_int_equal(w.max_us, 500);
	got(&st, STATUS, READY);
	assert_true(p->poll(&st, STATUS, 1, 1, READY, &w));
	assert_true(w.unequal);
	assert_int_equal(w.mask, 0xa9);
	gave(&st, 512);
	got(&st, STATUS, READY); /* and when it is done, it is done */
	assert_false(p->poll(&st, STATUS, 1, 9, READY, &w));
	/* with interrupts off there is nothing but to look */
	wrote(&st, CONTROL, NIEN);
	command(&st, READ, 1);
	assert_true(p->poll(&st, CONTROL, 1, 0, 0, &w));
	assert_int_equal(w.max_us, 50000);
	assert_false(p->poll(&st, ERROR, 1, 9, 0, &w));
}

static void idle_status_is_known(void **state)
{
	struct profile_state st = fresh();
	u32 value = 0, known = 0;

	(void)state;
	got(&st, CONTROL, READY); /* INTRQ may be there */
	assert_false(p->known(&st, STATUS, 1, 0, &value));
	got(&st, STATUS, READY);
	wrote(&st, DEVICE, 0xf0);
	assert_false(p->known(&st, STATUS, 1, 0, &value));
	wrote(&st, DEVICE, 0xe0);
	while (known < 100 && p->known(&st, STATUS, 1, 0, &value)) {
		assert_int_equal(value, READY);
		got(&st, STATUS, READY);
		known++;
	}
	assert_int_equal(known, 8);
	got(&st, STATUS, READY);
	assert_true(p->known(&st, STATUS, 1, 0, &value));
	command(&st, 0xe7, 0);
	assert_false(p->known(&st, STATUS, 1, 0, &value));
	got(&st, STATUS, READY);
	p->interrupted(&st);
	assert_false(p->known(&st, STATUS, 1, 0, &value));
}

static void errors_of_a_lost_drive(void **state)
{
	struct profile_state st = fresh();

	(void)state;
	assert_int_equal(p->error(&st, STATUS, 1), 0x41);
	assert_int_equal(p->error(&st, CONTROL, 1), 0x41);
	assert_int_equal(p->error(&st, ERROR, 1), 0x04);
	assert_int_equal(p->error(&st, COUNT, 1), 0xff);
	assert_int_equal(p->error(&st, DATA, 2), 0x04ff);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(needs_both_blocks),
		TEST(posts_all_but_reset),
		TEST(blocks_are_known_once_drq_is_seen),
		TEST(an_error_ends_it),
		TEST(alternate_status_leaves_the_interrupt),
		TEST(the_look_after_a_block_is_good_once),
		TEST(multiple_mode),
		TEST(reset_forgets),
		TEST(counts_of_48_bits),
		TEST(packet_data),
		TEST(waits),
		TEST(idle_status_is_known),
		TEST(errors_of_a_lost_drive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
