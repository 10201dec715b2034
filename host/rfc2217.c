/* SPDX-License-Identifier: BSD-2-Clause */
/* Telnet: bytes, options and subnegotiations. rfc2217_port.c has what they mean for a port. */
#include "host/rfc2217.h"

#include <string.h>

#include "host/rfc2217_parts.h"

enum { IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, BRK = 243, SE = 240 };
enum { CR = 13, LF = 10 };

/* Options that we know; their places in us[] and them[]. */
static const u8 options[] = {[OPTION_BINARY] = 0,
			     [OPTION_ECHO] = 1,
			     [OPTION_SGA] = 3,
			     [OPTION_COM_PORT] = COM_PORT_OPTION};

/* --- options --- */

static void say(struct rfc2217 *r, u8 verb, u8 option)
{
	const u8 bytes[] = {IAC, verb, option};

	r->hooks->send(r->ctx, bytes, sizeof(bytes));
}

/* Who echoes is the server: what is typed there goes to the guest, which does. */
static bool we_may(const struct rfc2217 *r, unsigned o)
{
	return o != OPTION_ECHO || r->server;
}

static bool they_may(const struct rfc2217 *r, unsigned o)
{
	return o != OPTION_ECHO || !r->server;
}

static void look_whether_agreed(struct rfc2217 *r)
{
	bool agreed = r->us[OPTION_COM_PORT] == SIDE_YES || r->them[OPTION_COM_PORT] == SIDE_YES;

	if (agreed == r->agreed)
		return;
	r->agreed = agreed;
	if (agreed)
		rfc2217_port_agreed(r);
}

static void switch_option(struct rfc2217 *r, unsigned o)
{
	bool ours = r->verb == DO || r->verb == DONT, on = r->verb == DO || r->verb == WILL;
	u8 *side = ours ? &r->us[o] : &r->them[o];
	u8 yes = ours ? WILL : DO, no = ours ? WONT : DONT;
	enum rfc2217_side before = *side;

	if (on && !(ours ? we_may(r, o) : they_may(r, o))) {
		say(r, no, options[o]);
		return;
	}
	*side = on ? SIDE_YES : SIDE_NO;
	if (on && before == SIDE_NO)
		say(r, yes, options[o]);
	if (!on && before == SIDE_YES)
		say(r, no, options[o]);
	look_whether_agreed(r);
}

static void take_option(struct rfc2217 *r, u8 option)
{
	for (unsigned o = 0; o < sizeof(options); o++) {
		if (options[o] == option) {
			switch_option(r, o);
			return;
		}
	}
	if (r->verb == DO)
		say(r, WONT, option);
	if (r->verb == WILL)
		say(r, DONT, option);
}

static void ask(struct rfc2217 *r, u8 verb, unsigned o)
{
	*(verb == WILL ? &r->us[o] : &r->them[o]) = SIDE_ASKED;
	say(r, verb, options[o]);
}

void rfc2217_start(struct rfc2217 *r, bool server, const struct rfc2217_hooks *hooks, void *ctx)
{
	memset(r, 0, sizeof(*r));
	r->hooks = hooks;
	r->ctx = ctx;
	r->server = server;
	r->modem = UART_CTS | UART_DSR | UART_DCD; /* until someone says more */
	r->modem_mask = 0xff;
	ask(r, server ? DO : WILL, OPTION_COM_PORT);
	ask(r, WILL, OPTION_BINARY);
	ask(r, DO, OPTION_BINARY);
	ask(r, WILL, OPTION_SGA);
	ask(r, DO, OPTION_SGA);
	if (server)
		ask(r, WILL, OPTION_ECHO);
}

/* --- bytes that arrive --- */

static void take_data(struct rfc2217 *r, u8 byte)
{
	bool padding = r->got_cr && byte == 0 && r->them[OPTION_BINARY] != SIDE_YES;

	r->got_cr = byte == CR;
	if (!padding)
		r->hooks->receive(r->ctx, byte, 0);
}

static enum rfc2217_state take_command(struct rfc2217 *r, u8 byte)
{
	switch (byte) {
	case IAC:
		take_data(r, byte);
		return TELNET_DATA;
	case WILL:
	case WONT:
	case DO:
	case DONT:
		r->verb = byte;
		return TELNET_OPTION;
	case SB:
		r->sub_len = 0;
		return TELNET_SUB;
	case BRK:
		r->hooks->receive(r->ctx, 0, UART_BREAK);
		return TELNET_DATA;
	default:
		return TELNET_DATA;
	}
}

static void take_sub(struct rfc2217 *r, u8 byte)
{
	if (r->sub_len < RFC2217_SUB)
		r->sub[r->sub_len++] = byte;
}

static void end_sub(struct rfc2217 *r)
{
	if (r->sub_len >= 2 && r->sub[0] == COM_PORT_OPTION && r->agreed)
		rfc2217_port_command(r, r->sub[1], r->sub + 2, r->sub_len - 2);
}

static enum rfc2217_state take(struct rfc2217 *r, u8 byte)
{
	switch (r->state) {
	case TELNET_DATA:
		if (byte == IAC)
			return TELNET_COMMAND;
		take_data(r, byte);
		return TELNET_DATA;
	case TELNET_COMMAND:
		return take_command(r, byte);
	case TELNET_OPTION:
		take_option(r, byte);
		return TELNET_DATA;
	case TELNET_SUB:
		if (byte == IAC)
			return TELNET_SUB_COMMAND;
		take_sub(r, byte);
		return TELNET_SUB;
	default: /* TELNET_SUB_COMMAND */
		if (byte == IAC) {
			take_sub(r, byte);
			return TELNET_SUB;
		}
		if (byte == SE)
			end_sub(r);
		return TELNET_DATA;
	}
}

void rfc2217_take(struct rfc2217 *r, const u8 *bytes, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		r->state = take(r, bytes[i]);
}

/* --- bytes that are sent --- */

/* Outside of binary mode a CR is followed by LF or by a NUL that does not count (RFC 854). */
void rfc2217_put(struct rfc2217 *r, u8 byte)
{
	u8 bytes[3];
	unsigned len = 0;

	if (r->sent_cr && byte != LF && r->us[OPTION_BINARY] != SIDE_YES)
		bytes[len++] = 0;
	if (byte == IAC)
		bytes[len++] = IAC;
	bytes[len++] = byte;
	r->sent_cr = byte == CR;
	r->hooks->send(r->ctx, bytes, len);
}

void rfc2217_port_say(struct rfc2217 *r, u8 command, const u8 *value, unsigned len)
{
	u8 bytes[2 * RFC2217_SUB + 6] = {IAC, SB, COM_PORT_OPTION, command};
	unsigned n = 4;

	for (unsigned i = 0; i < len && i < RFC2217_SUB; i++) {
		if (value[i] == IAC)
			bytes[n++] = IAC;
		bytes[n++] = value[i];
	}
	bytes[n++] = IAC;
	bytes[n++] = SE;
	r->hooks->send(r->ctx, bytes, n);
}
