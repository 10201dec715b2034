/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the server. */
#ifndef FARBUS_NET_SERVER_PARTS_H
#define FARBUS_NET_SERVER_PARTS_H

#include "net-ne2000/server.h"

/* server_greet.c: HELLO to LEASE */
void server_hello(struct server *s, const struct packet *p, u64 now);
void server_auth1(struct server *s, const struct packet *p, u64 now);
void server_auth3(struct server *s, const struct packet *p, u64 now);
void server_offers(struct server *s, u64 now);

/* server_run.c: requests. The index is the export's. */
void server_request(struct server *s, unsigned i, const struct packet *p, u64 now);
void server_cancel(struct server *s, unsigned i, const struct packet *p, u64 now);
/* Goes on with the request that waits, and says PENDING when that is due. */
void server_run_poll(struct server *s, unsigned i, u64 now);

/* server_op.c */
#define SERVER_WAIT 255u /* not done yet */
/*
 * Carries out run.op, whose data for the reply (op.data_len bytes) goes to data. Returns a
 * proto_status, or SERVER_WAIT: call again at run.next_step.
 */
unsigned server_op(struct server *s, unsigned i, u8 *data, u64 now);

/* A value of width bytes on the wire. */
void server_put_value(u8 *p, unsigned width, u32 value);
u32 server_get_value(const u8 *p, unsigned width);

/* server_memory.c: MMIO_READ and MMIO_WRITE, PCI_READ and PCI_WRITE; a proto_status. */
unsigned server_memory_op(struct server *s, unsigned i, const struct proto_op *op, u8 *data);
unsigned server_pci_op(struct server *s, unsigned i, const struct proto_op *op, u8 *data);

/* server_irq.c */
void server_events(struct server *s, unsigned i, u64 now);
void server_event_ack(struct server *s, unsigned i, const struct packet *p, u64 now);
/* IRQ_MASK, IRQ_UNMASK, IRQ_EOI; a proto_status. */
unsigned server_irq_op(struct server *s, unsigned i, const struct proto_op *op);
void server_irq_end(struct server *s, unsigned i);

/* A frame of the session without a body. */
void server_say(struct server *s, unsigned i, u8 type, u32 seq, u8 tries);

#endif
