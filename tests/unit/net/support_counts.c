/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tests/unit/net/support_counts.h"

struct cost cost_of(const struct route *r, double units)
{
	return (struct cost){
		.trips = (double)r->trips / units,
		.frames = (double)r->frames / units,
		.bytes_a_carrier = r->carriers ? (double)r->carried / (double)r->carriers : 0,
	};
}

void cost_show(const char *what, const char *unit, struct cost strict, struct cost profile)
{
	char line[80];

	snprintf(line, sizeof(line), "%s, per %s", what, unit);
	printf("%-58s %8.2f %8.2f %9.2f %8.2f\n", line, strict.trips, strict.frames, profile.trips,
	       profile.frames);
}

void cost_heading(void)
{
	printf("%-58s %17s %18s\n", "", "strict", "by profile");
	printf("%-58s %8s %8s %9s %8s\n", "", "trips", "frames", "trips", "frames");
}
