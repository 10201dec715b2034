/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of the Com Port Control Option (RFC 2217, section 3). */
#include <string.h>

#include "host/rfc2217_parts.h"

/* As the client sends them; the server's answers are 100 higher. */
enum {
	SIGNATURE,
	SET_BAUDRATE,
	SET_DATASIZE,
	SET_PARITY,
	SET_STOPSIZE,
	SET_CONTROL,
	NOTIFY_LINESTATE,
	NOTIFY_MODEMSTATE,
	FLOWCONTROL_SUSPEND,
	FLOWCONTROL_RESUME,
	SET_LINESTATE_MASK,
	SET_MODEMSTATE_MASK,
	PURGE_DATA,
	FROM_SERVER = 100
};

enum {
	NO_FLOW_CONTROL = 1,
	ASK_BREAK = 4,
	BREAK_ON,
	BREAK_OFF,
	ASK_DTR,
	DTR_ON,
	DTR_OFF,
	ASK_RTS,
	RTS_ON,
	RTS_OFF
};

#define LINESTATE_BREAK 0x10

static void say_byte(struct rfc2217 *r, unsigned command, u8 value)
{
	rfc2217_port_say(r, (u8)command, &value, 1);
}

static void say_number(struct rfc2217 *r, unsigned command, u32 value)
{
	const u8 bytes[] = {(u8)(value >> 24), (u8)(value >> 16), (u8)(value >> 8), (u8)value};

	rfc2217_port_say(r, (u8)command, bytes, sizeof(bytes));
}

/* --- the client: the other side's port is as ours --- */

static u8 parity_code(const struct uart_settings *s)
{
	return (u8)(s->parity + 1);
}

static u8 stop_code(const struct uart_settings *s)
{
	if (s->stop_bits == 1)
		return 1;
	return s->bits == 5 ? 3 : 2;
}

/* old NULL: all of it. */
static void tell_port(struct rfc2217 *r, const struct uart_settings *s,
		      const struct uart_settings *old)
{
	if (!old || s->baud != old->baud)
		say_number(r, SET_BAUDRATE, s->baud);
	if (!old || s->bits != old->bits)
		say_byte(r, SET_DATASIZE, s->bits);
	if (!old || s->parity != old->parity)
		say_byte(r, SET_PARITY, parity_code(s));
	if (!old || stop_code(s) != stop_code(old))
		say_byte(r, SET_STOPSIZE, stop_code(s));
	if (!old || s->dtr != old->dtr)
		say_byte(r, SET_CONTROL, s->dtr ? DTR_ON : DTR_OFF);
	if (!old || s->rts != old->rts)
		say_byte(r, SET_CONTROL, s->rts ? RTS_ON : RTS_OFF);
	if (!old || s->send_break != old->send_break)
		say_byte(r, SET_CONTROL, s->send_break ? BREAK_ON : BREAK_OFF);
}

static void client_agreed(struct rfc2217 *r)
{
	say_byte(r, SET_CONTROL, NO_FLOW_CONTROL); /* the guest does its own */
	if (r->has_settings)
		tell_port(r, &r->settings, NULL);
	say_byte(r, SET_LINESTATE_MASK, LINESTATE_BREAK);
	say_byte(r, SET_MODEMSTATE_MASK, 0xff);
}

static void client_command(struct rfc2217 *r, unsigned command, const u8 *value, unsigned len)
{
	switch (command) {
	case FROM_SERVER + NOTIFY_LINESTATE:
		if (len && value[0] & LINESTATE_BREAK)
			r->hooks->receive(r->ctx, 0, UART_BREAK);
		break;
	case FROM_SERVER + NOTIFY_MODEMSTATE:
		if (len)
			r->modem = value[0] & (UART_CTS | UART_DSR | UART_RI | UART_DCD);
		break;
	case FROM_SERVER + FLOWCONTROL_SUSPEND:
		r->suspended = true;
		break;
	case FROM_SERVER + FLOWCONTROL_RESUME:
		r->suspended = false;
		break;
	default: /* what the port is set to now; it does what it can */
		break;
	}
}

/* --- the server: a null modem cable between the client and the guest --- */

static u8 far_lines(const struct uart_settings *s)
{
	return (u8)((s->dtr ? UART_DSR | UART_DCD : 0) | (s->rts ? UART_CTS : 0));
}

static void tell_client(struct rfc2217 *r, const struct uart_settings *s,
			const struct uart_settings *old)
{
	u8 lines = far_lines(s), delta = old ? (u8)(lines ^ far_lines(old)) : 0;

	if (!old || delta & r->modem_mask)
		say_byte(r, FROM_SERVER + NOTIFY_MODEMSTATE, lines | delta >> 4);
	if (old && s->send_break && !old->send_break && r->line_mask & LINESTATE_BREAK)
		say_byte(r, FROM_SERVER + NOTIFY_LINESTATE, LINESTATE_BREAK);
}

static void set_modem(struct rfc2217 *r, u8 lines, bool on)
{
	r->modem = on ? r->modem | lines : r->modem & (u8)~lines;
}

static void server_control(struct rfc2217 *r, u8 value)
{
	switch (value) {
	case 0: /* which flow control, out; 13: in */
	case 13:
		value = value ? 14 : NO_FLOW_CONTROL;
		break;
	case ASK_BREAK:
		value = r->asked_break ? BREAK_ON : BREAK_OFF;
		break;
	case BREAK_ON:
	case BREAK_OFF:
		if (value == BREAK_ON && !r->asked_break)
			r->hooks->receive(r->ctx, 0, UART_BREAK);
		r->asked_break = value == BREAK_ON;
		break;
	case ASK_DTR:
		value = r->modem & UART_DSR ? DTR_ON : DTR_OFF;
		break;
	case DTR_ON:
	case DTR_OFF:
		set_modem(r, UART_DSR | UART_DCD, value == DTR_ON);
		break;
	case ASK_RTS:
		value = r->modem & UART_CTS ? RTS_ON : RTS_OFF;
		break;
	case RTS_ON:
	case RTS_OFF:
		set_modem(r, UART_CTS, value == RTS_ON);
		break;
	default: /* flow control is between the client and the guest */
		break;
	}
	say_byte(r, FROM_SERVER + SET_CONTROL, value);
}

/* This cable carries any speed and format: the client gets what it asks for. */
static void server_format(struct rfc2217 *r, unsigned command, u8 value)
{
	u8 *asked = &r->asked[command - SET_DATASIZE];
	const u8 ours[] = {r->settings.bits, parity_code(&r->settings), stop_code(&r->settings)};

	if (value)
		*asked = value;
	if (!*asked)
		*asked = ours[command - SET_DATASIZE];
	say_byte(r, FROM_SERVER + command, *asked);
}

static void server_baud(struct rfc2217 *r, const u8 *value)
{
	u32 baud = (u32)value[0] << 24 | (u32)value[1] << 16 | (u32)value[2] << 8 | value[3];

	if (baud)
		r->asked_baud = baud;
	if (!r->asked_baud)
		r->asked_baud = r->settings.baud;
	say_number(r, FROM_SERVER + SET_BAUDRATE, r->asked_baud);
}

static void server_byte(struct rfc2217 *r, unsigned command, u8 value)
{
	switch (command) {
	case SET_DATASIZE:
	case SET_PARITY:
	case SET_STOPSIZE:
		server_format(r, command, value);
		break;
	case SET_CONTROL:
		server_control(r, value);
		break;
	case SET_LINESTATE_MASK:
		r->line_mask = value;
		say_byte(r, FROM_SERVER + command, value);
		break;
	case SET_MODEMSTATE_MASK:
		r->modem_mask = value;
		say_byte(r, FROM_SERVER + command, value);
		tell_client(r, &r->settings, NULL);
		break;
	case PURGE_DATA: /* nothing waits here for long */
		say_byte(r, FROM_SERVER + command, value);
		break;
	default:
		break;
	}
}

static void server_command(struct rfc2217 *r, unsigned command, const u8 *value, unsigned len)
{
	static const char signature[] = "Farbus";

	if (command == SIGNATURE && !len)
		rfc2217_port_say(r, FROM_SERVER + SIGNATURE, (const u8 *)signature,
				 sizeof(signature) - 1);
	else if (command == SET_BAUDRATE && len >= 4)
		server_baud(r, value);
	else if (command == FLOWCONTROL_SUSPEND || command == FLOWCONTROL_RESUME)
		r->suspended = command == FLOWCONTROL_SUSPEND;
	else if (len)
		server_byte(r, command, value[0]);
}

/* --- both --- */

void rfc2217_port_agreed(struct rfc2217 *r)
{
	if (r->server)
		tell_client(r, &r->settings, NULL);
	else
		client_agreed(r);
}

void rfc2217_port_command(struct rfc2217 *r, u8 command, const u8 *value, unsigned len)
{
	if (r->server)
		server_command(r, command, value, len);
	else
		client_command(r, command, value, len);
}

void rfc2217_set(struct rfc2217 *r, const struct uart_settings *s)
{
	struct uart_settings old = r->settings;

	/* Between the agreement and the first settings nothing was told. */
	if (r->agreed && r->server)
		tell_client(r, s, &old);
	else if (r->agreed)
		tell_port(r, s, r->has_settings ? &old : NULL);
	r->settings = *s;
	r->has_settings = true;
}
