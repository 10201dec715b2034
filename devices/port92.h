/* SPDX-License-Identifier: BSD-2-Clause */
/* System control port A (92h): a fast A20 gate and a fast CPU reset. */
#ifndef FARBUS_DEVICES_PORT92_H
#define FARBUS_DEVICES_PORT92_H

#include "lib/types.h"

struct bus;
struct physmem;

struct port92 {
	u8 value;
	struct physmem *mem;
	void (*reset)(void *ctx);
	void *ctx;
};

void port92_init(struct port92 *p, struct bus *bus, struct physmem *mem, void (*reset)(void *ctx),
		 void *ctx);
void port92_reset(struct port92 *p);

#endif
