/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A NE2000 for the driver's tests: registers, PROM, 16 or 8 KB of memory, remote DMA, ring,
 * overflow, transmission with a duration, on a clock that every access moves by a microsecond. What
 * a real DP8390 or an emulator would choke on is counted as a violation, and the first is kept.
 * Options make it behave like other chips than the data sheet's.
 */
#ifndef FARBUS_TESTS_UNIT_NET_SUPPORT_NE2000_MODEL_H
#define FARBUS_TESTS_UNIT_NET_SUPPORT_NE2000_MODEL_H

#include "net-ne2000/frame.h"
#include "net-ne2000/ne2000.h"

#define MODEL_BASE 0x300u
#define MODEL_SENT 16u

struct ne2000_model {
	/* Options. */
	bool silent_full;    /* QEMU: a full ring drops frames without OVW */
	bool tx_at_once;     /* QEMU */
	bool no_rst_on_stop; /* QEMU */
	bool refuses_32;     /* Bochs's ISA card */
	bool eight_bit;	     /* NE1000: bytes only, 8 KB at 2000h, PROM bytes once */
	bool stop_cuts_tx; /* a stop throws away the frame on the wire instead of letting it end */
	bool no_ptx;	   /* TXP falls without PTX */
	bool gone;	   /* every read is FFh */
	bool stuck_rdc, stuck_tx, stuck_reset;
	bool no_dma_wrap; /* the remote DMA runs on past PSTOP, into nothing */
	u64 gone_at;	  /* when it becomes so; 0: never */
	u64 tx_ns;	  /* what a frame takes on the wire */

	/* A frame that arrives just before the driver clears PRX, once. */
	const u8 *late;
	u32 late_len;

	u64 now;
	u8 reg[16], par[16]; /* as written, by page */
	u8 cr, isr, curr;
	u16 dma_addr, dma_left;
	u64 tx_end, stopped_at;
	bool overflowed; /* since then no frame is taken until the procedure was followed */
	u8 prom[32], ram[16384];
	bool line;
	u32 rises; /* of the interrupt line */

	u8 sent[MODEL_SENT][FRAME_MAX];
	u16 sent_len[MODEL_SENT];
	u32 sent_count, missed;
	u32 violations;
	const char *violation;
	u32 said;
	const char *last_said;
};

extern const struct ne2000_ops model_ops;

/* After the options have been set. */
void model_power_on(struct ne2000_model *m, const u8 mac[6]);
void model_pass(struct ne2000_model *m, u64 ns);
/* A frame from the wire, without checksum. False: not taken. */
bool model_receive(struct ne2000_model *m, const u8 *frame, u32 len);
u8 *model_page(struct ne2000_model *m, u8 page);

#endif
