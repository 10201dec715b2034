/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telnet (RFC 854, 855, 856, 858) with the Com Port Control Option (RFC 2217): a serial line over a
 * byte stream, as its client (a terminal server has the real port) or as the server. Bytes in,
 * bytes out: the socket is the caller's.
 */
#ifndef FARBUS_HOST_RFC2217_H
#define FARBUS_HOST_RFC2217_H

#include "devices/uart16550.h"

#define RFC2217_SUB 32u /* bytes of a subnegotiation that are kept: more than any command needs */

struct rfc2217_hooks {
	/* To the other side, as they are. */
	void (*send)(void *ctx, const u8 *bytes, unsigned len);
	/* Arrived on the serial line; errors: UART_BREAK. */
	void (*receive)(void *ctx, u8 byte, u8 errors);
};

enum rfc2217_state {
	TELNET_DATA,
	TELNET_COMMAND, /* after IAC */
	TELNET_OPTION,	/* after IAC WILL, WONT, DO, DONT */
	TELNET_SUB,	/* between IAC SB and IAC SE */
	TELNET_SUB_COMMAND
};

/* Of an option on one side (RFC 1143, without its queue: we never change our mind). */
enum rfc2217_side { SIDE_NO, SIDE_ASKED, SIDE_YES };

struct rfc2217 {
	const struct rfc2217_hooks *hooks;
	void *ctx;
	bool server;
	enum rfc2217_state state;
	u8 verb;	   /* of TELNET_OPTION */
	u8 us[4], them[4]; /* enum rfc2217_side of each option that we know */
	u8 sub[RFC2217_SUB];
	unsigned sub_len;
	bool got_cr, sent_cr; /* the last byte of data, where the direction is not binary */
	bool agreed;	      /* that there is a com port */
	bool suspended;	      /* the other side wants no data now */
	u8 modem;	      /* UART_CTS to UART_DCD as the other side tells */
	bool has_settings;
	struct uart_settings settings; /* as last set, and told to the other side if agreed */
	/* Of the server: what the client wants to hear of, and what it last asked for. */
	u8 modem_mask, line_mask;
	u8 asked[3]; /* data bits, parity, stop bits; 0: nothing */
	u32 asked_baud;
	bool asked_break;
};

/* Says what we want. */
void rfc2217_start(struct rfc2217 *r, bool server, const struct rfc2217_hooks *hooks, void *ctx);
/* From the other side; any bytes. */
void rfc2217_take(struct rfc2217 *r, const u8 *bytes, unsigned len);
/* Sends a byte of the serial line: up to 3 bytes. */
void rfc2217_put(struct rfc2217 *r, u8 byte);
/*
 * The line's settings, modem lines and break: the client sets the other side's port so, the server
 * shows them as a null modem cable does. At most 128 bytes.
 */
void rfc2217_set(struct rfc2217 *r, const struct uart_settings *s);

#endif
