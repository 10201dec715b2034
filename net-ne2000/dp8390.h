/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of National Semiconductor's DP8390D network controller (data sheet, July 1995, section
 * 10) and what the NE2000 puts around it. Offsets are from the card's base port.
 */
#ifndef FARBUS_NET_DP8390_H
#define FARBUS_NET_DP8390_H

#include "lib/types.h"

/* All pages. */
#define DP_CR 0x00

#define CR_STP	  0x01u
#define CR_STA	  0x02u
#define CR_TXP	  0x04u
#define CR_READ	  0x08u
#define CR_WRITE  0x10u
#define CR_NO_DMA 0x20u
#define CR_PAGE1  0x40u
#define CR_PAGES  0xc0u

/* Page 0. Several are one register when read and another when written. */
#define DP_PSTART 0x01
#define DP_PSTOP  0x02
#define DP_BNRY	  0x03
#define DP_TPSR	  0x04
#define DP_TBCR0  0x05
#define DP_TBCR1  0x06
#define DP_ISR	  0x07
#define DP_RSAR0  0x08
#define DP_RSAR1  0x09
#define DP_RBCR0  0x0a
#define DP_RBCR1  0x0b
#define DP_RCR	  0x0c
#define DP_TCR	  0x0d
#define DP_DCR	  0x0e
#define DP_IMR	  0x0f
#define DP_CNTR0  0x0d /* read: frame alignment errors; clears itself */
#define DP_CNTR1  0x0e /* read: checksum errors */
#define DP_CNTR2  0x0f /* read: frames missed */

/* Page 1. */
#define DP_PAR0 0x01
#define DP_CURR 0x07
#define DP_MAR0 0x08
#define DP_MAR5 0x0d /* where page 0 has CNTR0 */

#define ISR_PRX 0x01u
#define ISR_PTX 0x02u
#define ISR_RXE 0x04u
#define ISR_TXE 0x08u
#define ISR_OVW 0x10u
#define ISR_CNT 0x20u
#define ISR_RDC 0x40u
#define ISR_RST 0x80u

#define RCR_AB	0x04u /* broadcasts too; our own address always */
#define RCR_MON 0x20u

#define TCR_NORMAL   0x00u
#define TCR_LOOPBACK 0x02u /* mode 1, inside the chip */
#define TCR_LB	     0x06u

#define DCR_WTS 0x01u
#define DCR_LS	0x08u /* normal operation: loopback is chosen by TCR alone */
#define DCR_FT8 0x40u /* FIFO threshold: 8 bytes */

/* The first of the four bytes that the chip puts before a received frame. */
#define RSR_PRX	   0x01u
#define RSR_ERRORS 0x0eu

/* The NE2000's own ports. */
#define NE_DATA	 0x10
#define NE_RESET 0x1f
#define NE_PORTS 0x20u

#define NE_PROM_LEN 32u

#endif
