/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Something of this machine that a device stands on has gone away (an adapter was pulled, a disk
 * gives errors, a peer hung up): it is told once, and tried again every second until it is back.
 */
#ifndef FARBUS_HOST_ABSENCE_H
#define FARBUS_HOST_ABSENCE_H

#include "devices/timer.h"

struct absence {
	const char *name, *path; /* of the export, of what it stands on: the caller's */
	struct clock *clock;
	struct timer retry; /* only wakes the loop */
	bool told;
};

void absence_init(struct absence *a, const char *name, const char *path, struct clock *clock);
/* It is gone, or still is. */
void absence_begin(struct absence *a, const char *why);
/* Since absence_begin(): whether it is time to try again. */
bool absence_due(const struct absence *a);
/* A try has succeeded. */
void absence_end(struct absence *a);
/* The device is closed. */
void absence_stop(struct absence *a);

#endif
