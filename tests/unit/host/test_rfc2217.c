/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 2217: both of our ends with each other, options that nobody knows, and any bytes whatever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "host/rfc2217.h"

#define PIPE 4096u

enum { IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240 };
enum { COM_PORT = 44 };

/* One end: what it has sent and the other has not taken yet, and what has arrived at its line. */
struct end {
	struct rfc2217 r;
	u8 sent[PIPE];
	unsigned sent_len;
	u8 got[PIPE], errors[PIPE];
	unsigned got_len;
};

static void sends(void *ctx, const u8 *bytes, unsigned len)
{
	struct end *e = ctx;

	assert_true(len <= PIPE - e->sent_len);
	memcpy(e->sent + e->sent_len, bytes, len);
	e->sent_len += len;
}

static void receives(void *ctx, u8 byte, u8 errors)
{
	struct end *e = ctx;

	assert_true(e->got_len < PIPE);
	e->got[e->got_len] = byte;
	e->errors[e->got_len++] = errors;
}

static const struct rfc2217_hooks hooks = {.send = sends, .receive = receives};

static void begin(struct end *e, bool server)
{
	memset(e, 0, sizeof(*e));
	rfc2217_start(&e->r, server, &hooks, e);
}

static void carry(struct end *from, struct end *to)
{
	u8 bytes[PIPE];
	unsigned len = from->sent_len;

	memcpy(bytes, from->sent, len);
	from->sent_len = 0;
	rfc2217_take(&to->r, bytes, len);
}

/* Until both are quiet; two ends that agree on nothing would go on for ever. */
static void settle(struct end *a, struct end *b)
{
	unsigned rounds = 0;

	while (a->sent_len || b->sent_len) {
		assert_true(rounds++ < 10);
		carry(a, b);
		carry(b, a);
	}
}

static const struct uart_settings fast = {.baud = 115200,
					  .bits = 8,
					  .stop_bits = 1,
					  .parity = UART_NO_PARITY,
					  .dtr = true,
					  .rts = true};

static void put_all(struct end *e)
{
	for (unsigned i = 0; i < 256; i++)
		rfc2217_put(&e->r, (u8)i);
}

static void check_all(struct end *e)
{
	assert_int_equal(e->got_len, 256);
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(e->got[i], i);
	e->got_len = 0;
}

static void both_of_ours(void **state)
{
	static struct end client, server;
	struct uart_settings s = fast;

	(void)state;
	begin(&client, false);
	begin(&server, true);
	rfc2217_set(&client.r, &fast);
	rfc2217_set(&server.r, &fast);
	settle(&client, &server);
	assert_true(client.r.agreed && server.r.agreed);
	assert_int_equal(client.r.modem, UART_CTS | UART_DSR | UART_DCD);
	assert_int_equal(server.r.modem, UART_CTS | UART_DSR | UART_DCD);
	assert_int_equal(server.r.asked_baud, 115200);
	put_all(&client);
	put_all(&server);
	settle(&client, &server);
	check_all(&client);
	check_all(&server);

	s.rts = false;
	s.send_break = true;
	rfc2217_set(&client.r, &s);
	settle(&client, &server);
	assert_int_equal(server.r.modem, UART_DSR | UART_DCD);
	assert_int_equal(server.got_len, 1);
	assert_int_equal(server.errors[0], UART_BREAK);
	s = fast;
	s.dtr = false;
	s.send_break = true;
	rfc2217_set(&server.r, &s);
	settle(&client, &server);
	assert_int_equal(client.r.modem, UART_CTS);
	assert_int_equal(client.got_len, 1);
	assert_int_equal(client.errors[0], UART_BREAK);
}

/* What has not changed is not said again. */
static void only_changes(void **state)
{
	static struct end client, server;
	static const u8 size[] = {IAC, SB, COM_PORT, 2, 7, IAC, SE};
	struct uart_settings s = fast;

	(void)state;
	begin(&client, false);
	begin(&server, true);
	rfc2217_set(&client.r, &fast);
	settle(&client, &server);
	rfc2217_set(&client.r, &fast);
	assert_int_equal(client.sent_len, 0);
	s.bits = 7;
	rfc2217_set(&client.r, &s);
	assert_int_equal(client.sent_len, sizeof(size));
	assert_memory_equal(client.sent, size, sizeof(size));
}

/* A value with an FF in it is doubled, and comes out whole. */
static void values_with_iac(void **state)
{
	static struct end client, server;
	struct uart_settings s = fast;

	(void)state;
	begin(&client, false);
	begin(&server, true);
	s.baud = 0xffff;
	rfc2217_set(&client.r, &s);
	settle(&client, &server);
	assert_int_equal(server.r.asked_baud, 0xffff);
}

static void unknown_options(void **state)
{
	static struct end e;
	static const u8 asks[] = {IAC, DO, 31, IAC, WILL, 31, IAC, DONT, 31, IAC, WONT, 31};
	static const u8 answers[] = {IAC, WONT, 31, IAC, DONT, 31};

	(void)state;
	begin(&e, false);
	e.sent_len = 0;
	rfc2217_take(&e.r, asks, sizeof(asks));
	assert_int_equal(e.sent_len, sizeof(answers));
	assert_memory_equal(e.sent, answers, sizeof(answers));
}

/* Between the bytes of a command there may be any time. */
static void byte_by_byte(void **state)
{
	static struct end e;
	static const u8 bytes[] = {IAC,	     DO,  COM_PORT, 'a', IAC, IAC, IAC, SB,
				   COM_PORT, 107, UART_DSR, IAC, SE,  IAC, 243, 'b'};

	(void)state;
	begin(&e, false);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		rfc2217_take(&e.r, &bytes[i], 1);
	assert_int_equal(e.r.modem, UART_DSR);
	assert_int_equal(e.got_len, 4);
	assert_memory_equal(e.got, "a\xff\0b", 4);
	assert_int_equal(e.errors[2], UART_BREAK);
}

/* Those that mean something come often. */
static u8 any_byte(void)
{
	static const u8 often[] = {IAC, IAC, IAC, SB, SE, DO, WILL, DONT, WONT, COM_PORT, 0, 1, 13};

	return rand() % 2 ? (u8)rand() : often[(unsigned)rand() % sizeof(often)];
}

static void any_bytes(void **state)
{
	static struct end e;

	(void)state;
	srand(2217);
	for (unsigned server = 0; server < 2; server++) {
		begin(&e, server);
		for (unsigned i = 0; i < 2000000; i++) {
			u8 byte = any_byte();

			e.sent_len = e.got_len = 0;
			rfc2217_take(&e.r, &byte, 1);
			/* An answer is never much longer than the question: nobody is flooded. */
			assert_true(e.sent_len <= 128 && e.got_len <= 1);
			if (rand() % 8 == 0)
				rfc2217_put(&e.r, byte);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_of_ours),	   cmocka_unit_test(only_changes),
		cmocka_unit_test(values_with_iac), cmocka_unit_test(unknown_options),
		cmocka_unit_test(byte_by_byte),	   cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
