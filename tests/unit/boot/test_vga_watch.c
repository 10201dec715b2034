/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/vga_watch.c: what is displayed, learned from what is written to the ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/vga_watch.h"

static struct vga_watch watch;
static struct screen_view view;
static u8 memory[0x20000];

static void indexed(u16 port, u8 index, u8 value)
{
	vga_watch_write(&watch, port, index);
	vga_watch_write(&watch, port + 1, value);
}

/* Mode 3, as the VGA BIOS sets it (IBM VGA Technical Reference, BIOS mode tables). */
static void set_mode3(void)
{
	static const u8 crtc[VGA_CRTC_REGS] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00,
					       0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e,
					       0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};

	memset(&watch, 0, sizeof(watch));
	indexed(0x3c4, 4, 0x02);
	indexed(0x3ce, 5, 0x10);
	indexed(0x3ce, 6, 0x0e);
	for (u8 i = 0; i < VGA_CRTC_REGS; i++)
		indexed(0x3d4, i, crtc[i]);
	vga_watch_read(&watch, 0x3da);
	vga_watch_write(&watch, 0x3c0, 0x10);
	vga_watch_write(&watch, 0x3c0, 0x0c);
}

static void look(void)
{
	vga_watch_view(&watch, memory, &view);
}

static void text_mode(void **state)
{
	(void)state;
	set_mode3();
	look();
	assert_true(view.text && !view.unstable && view.cursor_on && view.blink);
	assert_int_equal(view.columns, 80);
	assert_int_equal(view.rows, 25);
	assert_int_equal(view.pitch, 80);
	assert_ptr_equal(view.cells, memory + 0x18000);
	indexed(0x3d4, 0x09, 0x47); /* 8-line font: 50 rows */
	look();
	assert_int_equal(view.rows, 50);
	indexed(0x3d4, 0x0e, 0x01);
	indexed(0x3d4, 0x0f, 0x23);
	indexed(0x3d4, 0x0a, 0x2d);
	look();
	assert_int_equal(view.cursor, 0x123);
	assert_false(view.cursor_on);
}

static void start_address_in_halves(void **state)
{
	(void)state;
	set_mode3();
	indexed(0x3d4, 0x0c, 0x01);
	look();
	assert_true(view.unstable);
	look(); /* a guest that writes one half only is believed the next time */
	assert_false(view.unstable);
	indexed(0x3d4, 0x0c, 0x02);
	indexed(0x3d4, 0x0d, 0x80);
	look();
	assert_false(view.unstable);
	assert_int_equal(view.start, 0x280);
}

static void font_loading_is_unstable(void **state)
{
	(void)state;
	set_mode3();
	indexed(0x3c4, 4, 0x06);
	look();
	assert_true(view.unstable);
	indexed(0x3c4, 4, 0x02);
	indexed(0x3ce, 6, 0x04);
	look();
	assert_true(view.unstable);
}

static void write_protection(void **state)
{
	(void)state;
	set_mode3();
	indexed(0x3d4, 1, 0x27); /* registers 0-7 are locked by bit 7 of register 11h */
	look();
	assert_int_equal(view.columns, 80);
	indexed(0x3d4, 0x11, 0x0e);
	indexed(0x3d4, 1, 0x27);
	look();
	assert_int_equal(view.columns, 40);
}

static void graphics(void **state)
{
	(void)state;
	set_mode3();
	indexed(0x3ce, 6, 0x05);
	indexed(0x3ce, 5, 0x40);
	indexed(0x3d4, 9, 0x41);
	look();
	assert_false(view.text);
	assert_int_equal(view.width, 320);
	assert_int_equal(view.height, 200);
	assert_int_equal(view.depth, 8);
	vga_watch_vbe(&watch, 0x1ce, VBE_XRES);
	vga_watch_vbe(&watch, 0x1cf, 1024);
	vga_watch_vbe(&watch, 0x1ce, VBE_YRES);
	vga_watch_vbe(&watch, 0x1cf, 768);
	vga_watch_vbe(&watch, 0x1ce, VBE_BPP);
	vga_watch_vbe(&watch, 0x1cf, 32);
	vga_watch_vbe(&watch, 0x1ce, VBE_ENABLE);
	vga_watch_vbe(&watch, 0x1cf, 0x41);
	look();
	assert_int_equal(view.width, 1024);
	assert_int_equal(view.height, 768);
	assert_int_equal(view.depth, 32);
	vga_watch_vbe(&watch, 0x1cf, 0);
	indexed(0x3ce, 6, 0x0e);
	look();
	assert_true(view.text);
}

/* Any writes at all: no index leads outside. */
static void random_writes(void **state)
{
	(void)state;
	srand(2);
	for (unsigned i = 0; i < 1000000; i++) {
		u16 port = (u16)(0x3b0 + rand() % 0x30);

		if (rand() % 8)
			vga_watch_write(&watch, port, (u8)rand());
		else
			vga_watch_vbe(&watch, (u16)(0x1ce + rand() % 2), (u16)rand());
		vga_watch_read(&watch, port);
		if (i % 16 == 0)
			look();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_mode),
		cmocka_unit_test(start_address_in_halves),
		cmocka_unit_test(font_loading_is_unstable),
		cmocka_unit_test(write_protection),
		cmocka_unit_test(graphics),
		cmocka_unit_test(random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
