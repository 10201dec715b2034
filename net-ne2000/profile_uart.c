/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550 UART: eight ports. All its writes may be posted: none has an effect that the guest could
 * see but through a read, which sends them first, or an interrupt, whose end does.
 *
 * A driver that receives reads the line status, takes a byte, and does so again until there is
 * none. With the FIFO on, all its bytes are read along with the first status, each with the status
 * after it. What is kept here is the rest of those pairs; as long as there is any the guest must
 * find "data ready", and gets interrupts as if the bytes were still in the device.
 */
#include "net-ne2000/profile.h"

#define PORTS 8u
#define PAIRS 16u /* the FIFO */

enum { DATA, IER, IIR, LCR, MCR, LINE, MODEM }; /* reads; FCR is written where IIR is read */

#define READY	  0x01u /* LSR: data ready */
#define EMPTY	  0x60u /* LSR: transmitter */
#define NO_IRQ	  0x01u /* IIR */
#define IRQ_ID	  0x0eu
#define RECEIVED  0x04u
#define TIMED_OUT 0x0cu
#define OUT2	  0x08u /* MCR: the line to the interrupt controller */
#define DLAB	  0x80u

#define POLL_FROM 2u /* repetitions: the third read of the same */
#define POLL_US	  50000u

struct uart {
	bool dlab, fifo, receives; /* receives: with interrupts */
	bool out2;
	bool wants_data;  /* the guest is receiving */
	bool status_next; /* it has the data of pair `get`, and not its status */
	bool sent; /* it has written data since: what the pairs say of the transmitter is old */
	u8 get, put;
	u8 data[PAIRS], status[PAIRS];
};

_Static_assert(sizeof(struct uart) <= sizeof(((struct profile_state *)0)->word), "fits");

static struct uart *uart_of(struct profile_state *st)
{
	return (struct uart *)st->word;
}

static const char *attach(struct profile_state *st)
{
	if (st->ranges != 1 || st->range[0].last - st->range[0].first != PORTS - 1)
		return "expected one range of 8 ports, such as 2f8-2ff";
	return NULL;
}

static unsigned reg(const struct profile_state *st, u16 port)
{
	return (unsigned)(port - st->range[0].first);
}

/* The data register, and not half of the divisor. */
static bool is_data(struct profile_state *st, u16 port, unsigned width)
{
	return width == 1 && reg(st, port) == DATA && !uart_of(st)->dlab;
}

/* The pair whose data the guest gets next, PAIRS: none. */
static unsigned next_data(const struct uart *u)
{
	unsigned next = u->get + u->status_next;

	return next < u->put ? next : PAIRS;
}

static void empty(struct uart *u)
{
	u->get = u->put = 0;
	u->status_next = false;
}

static bool posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)st;
	(void)port;
	(void)value;
	return width == 1;
}

/*
 * Never the data register: equal bytes may follow each other. Of the status registers a read that
 * gives the same again has taken nothing.
 */
static bool poll(struct profile_state *st, u16 port, unsigned width, u32 repeats, u32 last,
		 struct profile_poll *poll)
{
	unsigned r = reg(st, port);

	/* While there are bytes here the guest does not see what the device says. */
	if (width != 1 || repeats < POLL_FROM || (r != LINE && r != MODEM) ||
	    next_data(uart_of(st)) != PAIRS)
		return false;
	*poll = (struct profile_poll){
		.mask = 0xff, .value = last, .unequal = true, .max_us = POLL_US};
	return true;
}

static bool drain(struct profile_state *st, u16 port, unsigned width, struct profile_drain *d)
{
	struct uart *u = uart_of(st);

	if (width != 1 || reg(st, port) != LINE || !u->fifo || u->dlab || !u->wants_data ||
	    u->get != u->put)
		return false;
	empty(u);
	u->sent = false;
	*d = (struct profile_drain){
		.mask = READY, .wanted = READY, .data = st->range[0].first + DATA, .times = PAIRS};
	return true;
}

static void drained(struct profile_state *st, u32 data, u32 status)
{
	struct uart *u = uart_of(st);

	if (u->put == PAIRS)
		return;
	u->data[u->put] = (u8)data;
	u->status[u->put++] = (u8)status;
}

static bool known(struct profile_state *st, u16 port, unsigned width, u32 buffered, u32 *value)
{
	const struct uart *u = uart_of(st);
	unsigned next = next_data(u);

	(void)buffered;
	if (is_data(st, port, width) && next != PAIRS) {
		*value = u->data[next];
		return true;
	}
	if (width != 1 || reg(st, port) != LINE || !u->status_next)
		return false;
	*value = u->status[u->get];
	if (u->sent)
		*value &= ~EMPTY;
	return true;
}

static void read_data(struct uart *u)
{
	u->wants_data = true;
	if (next_data(u) == PAIRS) {
		empty(u); /* from the device, and what was left was a status */
		return;
	}
	u->get += u->status_next;
	u->status_next = true;
}

static void read_line(struct uart *u, u8 *value)
{
	if (u->status_next) {
		u->status_next = false;
		u->get++;
	}
	if (next_data(u) != PAIRS)
		*value |= READY;
	else
		empty(u);
}

static void read_iir(struct uart *u, u8 *value)
{
	if (*value & NO_IRQ && next_data(u) != PAIRS && u->receives)
		*value = (u8)((*value & ~(NO_IRQ | IRQ_ID)) | RECEIVED);
	u->wants_data = !(*value & NO_IRQ) &&
			((*value & IRQ_ID) == RECEIVED || (*value & IRQ_ID) == TIMED_OUT);
}

static void read(struct profile_state *st, u16 port, unsigned width, u8 *data, u32 count)
{
	struct uart *u = uart_of(st);

	if (width != 1 || count != 1)
		return;
	if (is_data(st, port, width))
		read_data(u);
	else if (reg(st, port) == LINE)
		read_line(u, data);
	else if (reg(st, port) == IIR)
		read_iir(u, data);
	else
		u->wants_data = false;
}

static void wrote(struct profile_state *st, u16 port, unsigned width, const u8 *data, u32 count)
{
	struct uart *u = uart_of(st);
	u8 value = data[width * (count - 1)];

	if (width != 1)
		return;
	u->wants_data = false;
	switch (reg(st, port)) {
	case DATA:
		u->sent = true;
		break;
	case IER:
		u->receives = u->dlab ? u->receives : value & 1;
		break;
	case IIR: /* FCR: receive FIFO on, or emptied */
		if (u->fifo != (value & 1) || value & 2)
			empty(u);
		u->fifo = value & 1;
		break;
	case LCR:
		u->dlab = value & DLAB;
		break;
	case MCR:
		u->out2 = value & OUT2;
		break;
	default:
		break;
	}
}

static bool owes(struct profile_state *st)
{
	const struct uart *u = uart_of(st);

	return u->receives && u->out2 && next_data(u) != PAIRS;
}

/* A line that was hung up: ready to send into the void, nothing received, no interrupt. */
static u32 error(struct profile_state *st, u16 port, unsigned width)
{
	if (width != 1)
		return width == 2 ? 0xffff : 0xffffffff;
	switch (reg(st, port)) {
	case LINE:
		return EMPTY;
	case IIR:
		return NO_IRQ;
	default:
		return 0;
	}
}

const struct profile profile_uart = {.name = "uart",
				     .attach = attach,
				     .posts = posts,
				     .poll = poll,
				     .drain = drain,
				     .drained = drained,
				     .known = known,
				     .wrote = wrote,
				     .read = read,
				     .owes = owes,
				     .error = error};
