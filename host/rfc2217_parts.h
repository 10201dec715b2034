/* SPDX-License-Identifier: BSD-2-Clause */
/* Between rfc2217.c and rfc2217_port.c. */
#ifndef FARBUS_HOST_RFC2217_PARTS_H
#define FARBUS_HOST_RFC2217_PARTS_H

#include "host/rfc2217.h"

#define COM_PORT_OPTION 44

enum { OPTION_BINARY, OPTION_ECHO, OPTION_SGA, OPTION_COM_PORT };

/* Both sides have agreed on the option. */
void rfc2217_port_agreed(struct rfc2217 *r);
/* A subnegotiation of it. */
void rfc2217_port_command(struct rfc2217 *r, u8 command, const u8 *value, unsigned len);
/* Sends one; len at most RFC2217_SUB. */
void rfc2217_port_say(struct rfc2217 *r, u8 command, const u8 *value, unsigned len);

#endif
