/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550 whose cable leads to a line (host/line.h). What the guest sends while the line takes
 * nothing is kept as far as there is room; what arrives while nobody has the lease waits.
 */
#include <stdlib.h>
#include <string.h>

#include "devices/uart16550.h"
#include "host/device.h"
#include "host/line.h"
#include "lib/log.h"

#define KEPT	65536u /* bytes; a power of two */
#define CHANGES 16u    /* a power of two */

enum { REG_IER = 1, REG_LCR = 3, REG_MCR = 4 };
#define LCR_DLAB 0x80

/* Settings that the bytes from `at` on want. */
struct change {
	u32 at;
	struct uart_settings settings;
};

struct uart {
	struct uart16550 chip;
	struct line *line;
	u32 head, tail; /* of kept[]; both only grow */
	u64 lost;
	u8 kept[KEPT];
	u32 changed_first, changed_next; /* of change[]; both only grow */
	struct change change[CHANGES];
	struct uart_settings settings; /* the newest in change[] */
};

/* --- settings, in their order among the bytes --- */

static bool same(const struct uart_settings *a, const struct uart_settings *b)
{
	return a->baud == b->baud && a->bits == b->bits && a->stop_bits == b->stop_bits &&
	       a->parity == b->parity && a->send_break == b->send_break && a->dtr == b->dtr &&
	       a->rts == b->rts;
}

static void queue_settings(struct uart *u)
{
	if (u->changed_next - u->changed_first == CHANGES)
		u->changed_next--; /* the newest is overwritten: what counts is how it ends */
	u->change[u->changed_next++ % CHANGES] = (struct change){u->tail, u->settings};
}

static void settings_changed(void *ctx)
{
	struct uart *u = ctx;
	struct uart_settings now;

	uart16550_settings(&u->chip, &now);
	if (!u->line->ops->set || same(&now, &u->settings))
		return;
	u->settings = now;
	queue_settings(u);
}

/* --- bytes --- */

/* How many bytes the line may have now: not those behind a change of settings. */
static u32 ready(const struct uart *u)
{
	u32 end = u->tail;

	if (u->changed_first != u->changed_next)
		end = u->change[u->changed_first % CHANGES].at;
	return end - u->head;
}

/* False: the line takes no more. */
static bool put_ready(struct uart *u)
{
	u32 left;

	while ((left = ready(u)) != 0) {
		u32 at = u->head % KEPT, len = left > KEPT - at ? KEPT - at : left;
		unsigned sent = u->line->ops->put(u->line, u->kept + at, len);

		u->head += sent;
		if (!sent)
			return false;
	}
	return true;
}

static void flush(struct uart *u)
{
	while (put_ready(u) && u->changed_first != u->changed_next) {
		const struct change *c = &u->change[u->changed_first % CHANGES];

		if (!u->line->ops->set(u->line, &c->settings))
			return;
		u->changed_first++;
	}
}

static void send_byte(void *ctx, u8 byte)
{
	struct device *d = ctx;
	struct uart *u = d->chip;

	if (u->tail - u->head < KEPT) {
		u->kept[u->tail++ % KEPT] = byte;
		return;
	}
	if (!u->lost++)
		log_warn("%s: nobody reads %s: bytes are lost from now on", d->config.name,
			 d->config.path);
}

static void receive(struct uart *u)
{
	struct line_char c[UART_FIFO];
	unsigned space, got;

	while ((space = uart16550_space(&u->chip)) != 0) {
		got = u->line->ops->get(u->line, c, space);
		for (unsigned i = 0; i < got; i++)
			uart16550_receive_bad(&u->chip, c[i].byte, c[i].errors);
		if (!got)
			return;
	}
}

static void move(struct device *d)
{
	struct uart *u = d->chip;
	struct line *l = u->line;

	l->ready = d->ready;
	if (l->ops->tend)
		l->ops->tend(l, d->leased);
	if (l->fresh && l->ops->set)
		queue_settings(u);
	l->fresh = false;
	flush(u);
	if (d->leased)
		receive(u);
	if (u->chip.far != l->modem)
		uart16550_set_modem(&u->chip, l->modem);
}

static void await(struct device *d, struct pollfd *fd)
{
	struct uart *u = d->chip;

	u->line->ops->await(u->line, fd, d->leased && uart16550_space(&u->chip), ready(u) != 0);
}

/* --- the device --- */

static void quiesce(struct device *d)
{
	u16 base = d->config.base;
	u32 lcr;

	bus_in(&d->bus, base + REG_LCR, 1, &lcr);
	bus_out(&d->bus, base + REG_LCR, 1, lcr & (u32)~LCR_DLAB); /* IER is behind the divisor */
	bus_out(&d->bus, base + REG_IER, 1, 0);
	bus_out(&d->bus, base + REG_MCR, 1, 0); /* DTR and RTS, too: hang up */
}

static void reset(struct device *d)
{
	struct uart *u = d->chip;

	uart16550_reset(&u->chip);
}

static void close_uart(struct device *d)
{
	struct uart *u = d->chip;

	flush(u);
	u->line->ops->close(u->line);
	free(u);
}

static const struct line_ops *const kinds[] = {
	[LINE_PTY] = &line_pty, [LINE_TTY] = &line_tty, [LINE_TCP] = &line_tcp};

static bool open_uart(struct device *d)
{
	struct uart *u = calloc(1, sizeof(*u));
	struct uart16550_config config = {.name = d->config.name,
					  .bus = &d->bus,
					  .clock = &d->clock,
					  .irq = device_pin(d),
					  .base = d->config.base,
					  .out = {send_byte, d},
					  .line = {settings_changed, u}};

	if (!u) {
		log_error("export %s: out of memory", d->config.name);
		return false;
	}
	d->chip = u;
	u->line = kinds[d->config.line]->open(&d->config, &d->clock);
	if (u->line && !uart16550_init(&u->chip, &config))
		return true;
	if (u->line)
		u->line->ops->close(u->line);
	free(u);
	return false;
}

const struct device_ops device_uart = {.open = open_uart,
				       .close = close_uart,
				       .quiesce = quiesce,
				       .reset = reset,
				       .await = await,
				       .move = move};
