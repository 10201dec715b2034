/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration file of `farbus serve` (docs/linux.md). */
#ifndef FARBUS_HOST_SERVE_CONFIG_H
#define FARBUS_HOST_SERVE_CONFIG_H

#include <net/if.h>

#include "net-ne2000/server.h"

#define PATH_BYTES 1024
#define USER_BYTES 33

enum device_kind { DEVICE_UART, DEVICE_ATA, DEVICE_LPT, DEVICE_PARPORT, DEVICE_PORTS };

/* Where a UART's cable leads. */
enum line_kind { LINE_PTY, LINE_TTY, LINE_TCP };

enum medium_kind { MEDIUM_NONE, MEDIUM_DISK, MEDIUM_CDROM };

struct medium_config {
	enum medium_kind kind;
	bool read_only;
	char path[PATH_BYTES];
};

struct device_config {
	enum device_kind kind;
	char name[EXPORT_NAME + 1];
	u16 base, control;		/* control: of an ATA channel */
	struct port_range range[EXPORT_RANGES]; /* of real ports */
	unsigned ranges;
	int irq;			/* -1: none */
	/* What a UART's cable leads to, what is printed to, where real ports' interrupts come from. */
	char path[PATH_BYTES];
	enum line_kind line;		/* of a UART */
	bool listening, raw;		/* of its TCP socket; raw: no RFC 2217 */
	struct medium_config medium[2]; /* master and slave of an ATA channel */
};

struct serve_config {
	char name[EXPORT_NAME + 1];
	char interface[IFNAMSIZ]; /* "": not in the file */
	char user[USER_BYTES];	  /* "": stay who we are */
	enum frame_form form;
	struct server_access key[SERVER_KEYS];
	unsigned keys;
	bool insecure; /* key[0] is all zero */
	struct device_config device[SERVER_EXPORTS];
	unsigned devices;
};

/* False with a line in the log that says what was wrong and what was expected. */
bool serve_config_read(struct serve_config *c, const char *path);

/* The ports and lines that it lends out. */
void device_export(const struct device_config *d, struct port_export *x);

#endif
