/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/net/support_ledger.h"

#include "lib/str.h"

#define ORDERS 16u /* twice the window */

struct order {
	bool there;
	u32 seq, len;
	u8 body[PROTO_OPS_MAX];
};

static struct {
	struct world *w;
	u16 session;
	struct order order[ORDERS], offered;
	/* Where the execution is: */
	u32 seq, at, replied; /* replied: bytes of the answer so far */
	bool may_end;	      /* an operation was passed that may have ended the request */
	bool polled;	      /* the POLL at `at` was read and not satisfied */
	const char *wrong;
	u64 accesses;
} ledger;

static struct server_backend checked;

struct access {
	u8 opcode, width;
	u16 count;
	u32 addr;
	const u8 *data;
};

static void complain(const char *what)
{
	if (!ledger.wrong)
		ledger.wrong = what;
}

static const struct server_lease *lease(void)
{
	return &ledger.w->server.lease[0];
}

static void begin_request(u32 seq)
{
	ledger.seq = seq;
	ledger.at = ledger.replied = 0;
	ledger.may_end = ledger.polled = false;
}

static void new_session(void)
{
	if (lease()->session == ledger.session)
		return;
	ledger.session = lease()->session;
	memset(ledger.order, 0, sizeof(ledger.order));
	begin_request(0);
}

static const struct order *order_of(u32 seq)
{
	const struct order *o = &ledger.order[seq % ORDERS];

	if (o->there && o->seq == seq)
		return o;
	return ledger.offered.there && ledger.offered.seq == seq ? &ledger.offered : NULL;
}

static bool next_op(const struct order *o, struct proto_op *op)
{
	const u8 *p = o->body + ledger.at;

	if (ledger.at >= o->len)
		return false;
	op->opcode = p[0];
	op->width = p[1] & 15;
	op->note = p[1] >> 4;
	op->count = (u16)(p[2] | p[3] << 8);
	op->addr = p[4] | p[5] << 8 | p[6] << 16 | (u32)p[7] << 24;
	op->data = p + 8;
	return true;
}

static bool is_access(u8 opcode)
{
	return opcode <= PROTO_PCI_WRITE && opcode != PROTO_DELAY;
}

/* By the numbers of support.h. */
static bool is_granted(const struct proto_op *op)
{
	u64 bytes = op->width;
	u32 first = DEVICE_PORT, last = DEVICE_LAST;

	if (op->opcode == PROTO_MMIO_READ || op->opcode == PROTO_MMIO_WRITE) {
		first = DEVICE_MEMORY;
		last = DEVICE_MEMORY + 0xff;
		bytes *= op->count;
	} else if (op->opcode == PROTO_PCI_READ || op->opcode == PROTO_PCI_WRITE) {
		u32 reg = op->addr & 0xff;

		if ((op->addr & 3) + op->width > 4)
			return false;
		if (op->opcode == PROTO_PCI_WRITE &&
		    ((reg >= 0x10 && reg <= 0x27) || (reg >= 0x30 && reg <= 0x33)))
			return false;
		first = DEVICE_FUNCTION << 8;
		last = first + 0xff;
	}
	return bytes && op->addr >= first && op->addr <= last && op->addr + bytes - 1 <= last;
}

/* An answer that would outgrow its frame ends a request, too. */
static bool answer_fits(const struct order *o, const struct proto_op *op)
{
	u32 after = ledger.at + proto_op_len(op->opcode, op->width, op->count, false);
	u32 need = proto_op_len(op->opcode, op->width, op->count, true);

	return ledger.replied + need + (after < o->len ? 16 : 0) <= PROTO_OPS_MAX;
}

static void pass(const struct proto_op *op)
{
	ledger.at += proto_op_len(op->opcode, op->width, op->count, false);
	ledger.replied += proto_op_len(op->opcode, op->width, op->count, true);
	ledger.polled = false;
}

/* To the next operation that has an access. False: the request ends before there is one. */
static bool find_access(const struct order *o, struct proto_op *op)
{
	while (next_op(o, op)) {
		if (is_access(op->opcode))
			return is_granted(op) && answer_fits(o, op);
		ledger.may_end = true;
		pass(op);
	}
	return false;
}

static void follow_to(u32 seq)
{
	struct proto_op op;

	for (; ledger.seq != seq; begin_request(ledger.seq + 1)) {
		const struct order *o = order_of(ledger.seq);

		if (!o || seq - ledger.seq > ORDERS) {
			complain("a request that nobody sent was carried out");
			begin_request(seq);
			return;
		}
		if (find_access(o, &op) && !ledger.may_end && !ledger.polled)
			complain("an operation was left out");
	}
}

void ledger_follow(void)
{
	const struct server_lease *l = lease();

	new_session();
	if (l->active)
		follow_to(l->requests.running ? l->run.h.seq : l->requests.expected);
}

static bool same_access(const struct proto_op *op, const struct access *a)
{
	u32 bytes = a->width *
		    (a->opcode == PROTO_OUTS || a->opcode == PROTO_MMIO_WRITE ? a->count : 1u);
	bool value = a->opcode == PROTO_IN && op->opcode == PROTO_POLL;

	if ((op->opcode != a->opcode && !value) || op->width != a->width || op->addr != a->addr)
		return false;
	switch (a->opcode) {
	case PROTO_INS:
	case PROTO_MMIO_READ:
		return op->count == a->count;
	case PROTO_OUTS:
	case PROTO_MMIO_WRITE:
		return op->count == a->count && !memcmp(op->data, a->data, bytes);
	case PROTO_OUT:
	case PROTO_PCI_WRITE:
		return !memcmp(op->data, a->data, bytes);
	default:
		return true;
	}
}

/* Returns the operation that the access belongs to, in *op. */
static bool check_access(const struct access *a, struct proto_op *op)
{
	const struct order *o;

	ledger.accesses++;
	new_session();
	if (!lease()->active || !lease()->requests.running) {
		complain("an access while no request runs");
		return false;
	}
	follow_to(lease()->run.h.seq);
	o = order_of(ledger.seq);
	if (!o || !find_access(o, op) || !same_access(op, a)) {
		complain("an access that nobody asked for");
		return false;
	}
	if (op->opcode != PROTO_POLL)
		pass(op);
	return true;
}

static u32 checked_in(void *ctx, u16 port, unsigned width)
{
	struct access a = {.opcode = PROTO_IN, .width = (u8)width, .addr = port};
	u32 value = world_device.in(ctx, port, width), mask, wanted;
	struct proto_op op;

	if (!check_access(&a, &op) || op.opcode != PROTO_POLL)
		return value;
	memcpy(&mask, op.data, 4);
	memcpy(&wanted, op.data + 4, 4);
	ledger.polled = true;
	if (((value & mask) == wanted) != (op.note == PROTO_POLL_UNEQUAL))
		pass(&op);
	return value;
}

static void checked_out(void *ctx, u16 port, unsigned width, u32 value)
{
	struct access a = {
		.opcode = PROTO_OUT, .width = (u8)width, .addr = port, .data = (const u8 *)&value};
	struct proto_op op;

	check_access(&a, &op);
	world_device.out(ctx, port, width, value);
}

static void checked_ins(void *ctx, u16 port, unsigned width, u8 *buf, u32 count)
{
	struct access a = {
		.opcode = PROTO_INS, .width = (u8)width, .count = (u16)count, .addr = port};
	struct proto_op op;

	check_access(&a, &op);
	world_device.ins(ctx, port, width, buf, count);
}

static void checked_outs(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count)
{
	struct access a = {.opcode = PROTO_OUTS,
			   .width = (u8)width,
			   .count = (u16)count,
			   .addr = port,
			   .data = buf};
	struct proto_op op;

	check_access(&a, &op);
	world_device.outs(ctx, port, width, buf, count);
}

static void checked_mem_read(void *ctx, u32 addr, unsigned width, u8 *buf, u32 count)
{
	struct access a = {
		.opcode = PROTO_MMIO_READ, .width = (u8)width, .count = (u16)count, .addr = addr};
	struct proto_op op;

	check_access(&a, &op);
	world_device.mem_read(ctx, addr, width, buf, count);
}

static void checked_mem_write(void *ctx, u32 addr, unsigned width, const u8 *buf, u32 count)
{
	struct access a = {.opcode = PROTO_MMIO_WRITE,
			   .width = (u8)width,
			   .count = (u16)count,
			   .addr = addr,
			   .data = buf};
	struct proto_op op;

	check_access(&a, &op);
	world_device.mem_write(ctx, addr, width, buf, count);
}

static u32 checked_pci_read(void *ctx, u32 addr, unsigned width)
{
	struct access a = {.opcode = PROTO_PCI_READ, .width = (u8)width, .addr = addr};
	struct proto_op op;

	check_access(&a, &op);
	return world_device.pci_read(ctx, addr, width);
}

static void checked_pci_write(void *ctx, u32 addr, unsigned width, u32 value)
{
	struct access a = {.opcode = PROTO_PCI_WRITE, .width = (u8)width, .addr = addr};
	struct proto_op op;
	u32 asked = value;

	if ((addr & 0xff) == 4) {
		if (value & 4)
			complain("a bus master was let loose");
		/* Its bit is the only one that may differ. */
		new_session();
		follow_to(lease()->run.h.seq);
		if (order_of(ledger.seq) && find_access(order_of(ledger.seq), &op))
			asked |= op.data[0] & 4;
	}
	a.data = (const u8 *)&asked;
	check_access(&a, &op);
	world_device.pci_write(ctx, addr, width, value);
}

void ledger_attach(struct world *w)
{
	memset(&ledger, 0, sizeof(ledger));
	ledger.w = w;
	checked = world_device;
	checked.in = checked_in;
	checked.out = checked_out;
	checked.ins = checked_ins;
	checked.outs = checked_outs;
	checked.mem_read = checked_mem_read;
	checked.mem_write = checked_mem_write;
	checked.pci_read = checked_pci_read;
	checked.pci_write = checked_pci_write;
	w->server.backend = &checked;
}

void ledger_offer(u32 seq, const u8 *body, u32 len)
{
	ledger_follow();
	ledger.offered.there = len <= PROTO_OPS_MAX;
	ledger.offered.seq = seq;
	ledger.offered.len = len;
	if (ledger.offered.there)
		memcpy(ledger.offered.body, body, len);
}

void ledger_settle(bool accepted)
{
	struct order *o = &ledger.order[ledger.offered.seq % ORDERS];

	/* The first one of its number counts: later ones are repetitions, whatever is in them. */
	if (accepted && ledger.offered.there && !(o->there && o->seq == ledger.offered.seq))
		*o = ledger.offered;
	ledger.offered.there = false;
	ledger_follow();
}

const char *ledger_wrong(void)
{
	return ledger.wrong;
}

u64 ledger_accesses(void)
{
	return ledger.accesses;
}
