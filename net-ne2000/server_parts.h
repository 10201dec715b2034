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

/* server_access.c */
/* The key that a frame of the greeting is signed with, -1: with none, and it is counted. */
int server_key_of(struct server *s, const struct packet *p);
bool server_may_lease(const struct server *s, unsigned key, unsigned i);
/* The export as the key may use it. */
struct port_export server_seen_by(const struct server *s, unsigned key, unsigned i);
bool server_may_run(const struct server *s, unsigned i, const struct proto_op *op);
/* When the operation may begin by the key's rate; it is accounted for, so asked for once. */
u64 server_pace(struct server *s, unsigned i, const struct proto_op *op, u64 now);

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

/* server_event.c */
void server_queue(struct server *s, unsigned i, const struct server_event *e, u64 now);
/* Repetitions, and what waits for a place in the window. */
void server_events(struct server *s, unsigned i, u64 now);
void server_event_ack(struct server *s, unsigned i, const struct packet *p, u64 now);
/* The numbers that the events in the queue will take, up to its end as it is now. */
u32 server_events_due(struct server_lease *l);
/* Bytes of a channel in events that the client has not acknowledged. */
u32 server_events_open(struct server_lease *l, unsigned channel);

/* server_dma.c */
/* DMA_ARM, DMA_DATA, DMA_STOP; as server_op(). */
unsigned server_dma_op(struct server *s, unsigned i, u64 now);
void server_dma_poll(struct server *s, unsigned i, u64 now);
/* All that the devices have moved so far becomes events: before what the client is told next. */
void server_dma_sync(struct server *s, unsigned i, u64 now);
void server_dma_acked(struct server *s, unsigned i, u64 now);
u64 server_dma_deadline(const struct server *s, unsigned i);
void server_dma_end(struct server *s, unsigned i);

/* server_irq.c */
/* IRQ_MASK, IRQ_UNMASK, IRQ_EOI; a proto_status. */
unsigned server_irq_op(struct server *s, unsigned i, const struct proto_op *op);
void server_irq_end(struct server *s, unsigned i);

/* A frame of the session without a body. */
void server_say(struct server *s, unsigned i, u8 type, u32 seq, u8 tries);

#endif
