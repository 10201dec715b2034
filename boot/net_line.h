/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network card's interrupt line. The handler only masks it and leaves a note: the driver is in
 * the midst of the card's registers at any time, so all work is done from the run loop, which lets
 * the line through again afterwards. That is right for both triggers: an edge that comes meanwhile
 * is remembered by the 8259A, a level is still there.
 */
#ifndef FARBUS_BOOT_NET_LINE_H
#define FARBUS_BOOT_NET_LINE_H

#include "net-ne2000/ne2000.h"

/*
 * Hooks the line, and has the card, which was started without interrupts, raise it once. level: of
 * a PCI card. False, after one line in the log: no interrupt came, or others came too.
 */
bool net_line_start(struct ne2000 *card, unsigned irq, bool level);
void net_line_stop(void);
/* Whether it has interrupted since this was last asked. */
bool net_line_take(void);
/*
 * Lets the line through again, after what the interrupt was for has been done. worked: there was
 * something. False, after one line in the log: it only calls for nothing; it is stopped.
 */
bool net_line_open(bool worked);

#endif
