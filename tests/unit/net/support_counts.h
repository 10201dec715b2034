/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's typical accesses cost over a remote route: round trips (accesses of the guest that
 * had to wait) and frames (of all kinds, both ways), by profile and strict. `make bench` shows the
 * lines that are printed here (tests/bench/counts.py).
 */
#ifndef FARBUS_TEST_NET_COUNTS_H
#define FARBUS_TEST_NET_COUNTS_H

#include "tests/unit/net/support_route.h"

struct cost {
	double trips, frames;	/* an operation, a sector, a byte */
	double bytes_a_carrier; /* watched ports: bytes in each frame that brings some */
};

/* Since route_reset_counts(). */
struct cost cost_of(const struct route *r, double units);
void cost_heading(void);
void cost_show(const char *what, const char *unit, struct cost strict, struct cost profile);

#endif
