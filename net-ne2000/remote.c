/* SPDX-License-Identifier: BSD-2-Clause */
/* A remote route's state, its interrupt line, and what time and frames bring. */
#include "lib/fmt.h"
#include "lib/str.h"
#include "net-ne2000/remote_parts.h"

size_t remote_size(void)
{
	return sizeof(struct remote);
}

u32 remote_ones(unsigned width)
{
	return width == 4 ? ~0u : (1u << 8 * width) - 1;
}

void remote_say(struct remote *r, const char *format, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, format);
	fmt_va(text, sizeof(text), format, ap);
	va_end(ap);
	r->hooks->say(r->ctx, text);
}

void remote_enter(struct remote *r, enum remote_state state)
{
	if (r->state == state)
		return;
	r->state = state;
	r->hooks->changed(r->ctx);
	r->hooks->wake(r->ctx);
}

bool remote_up(const struct remote *r)
{
	return (r->state == REMOTE_UP || r->state == REMOTE_SUSPECT) && !r->leaving;
}

enum remote_state remote_state(const struct remote *r)
{
	return r->state;
}

const struct remote_stats *remote_stats(const struct remote *r)
{
	return &r->stats;
}

const struct remote_config *remote_config(const struct remote *r)
{
	return &r->config;
}

bool remote_ping(struct remote *r, u64 now)
{
	return client_ping(&r->c, now);
}

u64 remote_echo(const struct remote *r)
{
	return client_echo(&r->c);
}

/* --- the interrupt line --- */

static void raise_irq(struct remote *r)
{
	r->held = false;
	r->raised = true;
	if (r->config.profile->interrupted)
		r->config.profile->interrupted(&r->profile);
	r->hooks->irq(r->ctx, (unsigned)r->config.irq, true);
}

void remote_release_irq(struct remote *r)
{
	if (r->held && !r->raised && (!remote_buffered(r) || r->now >= r->held_until))
		raise_irq(r);
}

void remote_lower_irq(struct remote *r)
{
	bool was = r->raised;

	r->raised = r->held = r->eoi_due = r->local = false;
	if (was)
		r->hooks->irq(r->ctx, (unsigned)r->config.irq, false);
}

static void on_irq(void *ctx, unsigned line, u16 generation)
{
	struct remote *r = ctx;

	if (r->config.irq < 0 || line != (unsigned)r->config.irq)
		return;
	r->stats.interrupts++;
	r->generation = generation;
	/* What the guest still has to read belongs to the time before. */
	r->held = true;
	r->held_until = r->now + REMOTE_HOLD_NS;
	remote_release_irq(r);
}

static void send_eoi(struct remote *r)
{
	if (!r->eoi_due || !remote_send_posts(r))
		return;
	r->eoi_due = false;
	r->stats.requests++;
	remote_cancel_polls(r);
	client_eoi(&r->c, (unsigned)r->config.irq, r->generation, r->now);
}

void remote_eoi(struct remote *r, unsigned line, u64 now)
{
	r->now = now;
	if (r->config.irq >= 0 && line == (unsigned)r->config.irq && r->raised) {
		r->raised = false;
		r->hooks->irq(r->ctx, line, false);
		r->eoi_due = remote_up(r) && !r->local;
		r->local = false;
		r->used_at = now - REMOTE_OWE_NS; /* what it has left here is due at once */
	}
	remote_send_posts(r);
	remote_pump(r);
}

/* --- DMA --- */

/* What was posted before the guest programmed the channel reaches the device before it is armed. */
bool remote_dma_ready(struct remote *r)
{
	if (!remote_dma_due(&r->dma))
		return true;
	remote_cancel_polls(r);
	return remote_send_posts(r) && remote_dma_flush(&r->dma, r->now);
}

static void dma_pump(struct remote *r)
{
	if (remote_dma_deadline(&r->dma) <= r->now)
		remote_dma_ready(r);
	remote_dma_poll(&r->dma, r->now);
}

void remote_channel(struct remote *r, unsigned channel, bool reprogrammed, u64 now)
{
	if (!remote_up(r))
		return; /* the lease begins with what is programmed then */
	r->now = now;
	remote_send_posts(r);
	remote_dma_changed(&r->dma, channel, reprogrammed, now);
}

/* --- hooks of the client --- */

static void on_done(void *ctx, u32 cookie, enum client_outcome outcome,
		    const struct proto_header *h, const u8 *body)
{
	struct remote *r = ctx;

	if (cookie & REMOTE_DMA_COOKIE) {
		remote_dma_done(&r->dma, cookie, outcome, h, body, r->now);
		r->hooks->wake(r->ctx); /* an access may wait for what the peer has to hear first */
	} else {
		remote_request_done(r, cookie, outcome, h, body);
	}
}

static void on_dma(void *ctx, unsigned channel, u16 arming, const u8 *data, u32 len)
{
	struct remote *r = ctx;

	remote_dma_moved(&r->dma, channel, arming, data, len, r->now);
}

static void on_changed(void *ctx, enum client_state state)
{
	remote_client_changed(ctx, state);
}

static const struct client_hooks client_hooks = {
	.done = on_done, .irq = on_irq, .changed = on_changed, .dma = on_dma};

void remote_init(struct remote *r, struct endpoint *e, const struct remote_config *config,
		 const struct remote_hooks *hooks, void *ctx)
{
	memset(r, 0, sizeof(*r));
	r->e = e;
	r->config = *config;
	r->hooks = hooks;
	r->ctx = ctx;
	client_init(&r->c, e, &client_hooks, r);
	remote_dma_init(&r->dma, &r->c, hooks->dma ? config->dma : 0, hooks->dma, ctx);
	remote_begin_request(r);
}

/* --- what time and frames bring --- */

void remote_pump(struct remote *r)
{
	if (r->next.first && r->now >= r->next.first + REMOTE_POST_NS)
		remote_send_posts(r);
	send_eoi(r);
	dma_pump(r);
	remote_read_ahead(r);
	remote_release_irq(r);
	remote_owe_irq(r);
	remote_leave(r);
}

void remote_flush(struct remote *r, u64 now)
{
	r->now = now;
	remote_send_posts(r);
}

void remote_guest_reset(struct remote *r, u64 now)
{
	bool fired = (r->raised && !r->local) || r->held || r->eoi_due;

	r->now = now;
	remote_send_posts(r);
	remote_cancel_polls(r);
	remote_access_forget(r);
	remote_ahead_void(r);
	remote_loop_break(r);
	remote_lower_irq(r);
	r->eoi_due = fired && remote_up(r);
	remote_pump(r);
}

static void look_at_health(struct remote *r)
{
	if (r->state != REMOTE_UP && r->state != REMOTE_SUSPECT)
		return;
	switch (client_health(&r->c, r->now)) {
	case LINK_LOST:
		remote_lose(r, "no answer for 10 s");
		break;
	case LINK_SUSPECT:
		remote_enter(r, REMOTE_SUSPECT);
		break;
	case LINK_GOOD:
		remote_enter(r, REMOTE_UP);
		break;
	}
}

bool remote_receive(struct remote *r, const struct packet *p, u64 now)
{
	bool ours;

	r->now = now;
	ours = discover_receive(&r->search.discovery, r->e, p) || client_receive(&r->c, p, now);
	if (ours) {
		look_at_health(r);
		remote_pump(r);
		if (p->h.type == PROTO_PONG) /* who awaits an echo sleeps until then */
			r->hooks->wake(r->ctx);
	}
	return ours;
}

void remote_poll(struct remote *r, u64 now)
{
	r->now = now;
	client_poll(&r->c, now);
	look_at_health(r);
	remote_search_poll(r);
	remote_pump(r);
}

u64 remote_deadline(const struct remote *r)
{
	u64 first = client_deadline(&r->c);
	u64 posts = remote_post_deadline(r);
	u64 search = remote_search_deadline(r);
	u64 dma = remote_dma_deadline(&r->dma);

	if (posts < first)
		first = posts;
	if (dma < first)
		first = dma;
	if (r->held && !r->raised && r->held_until < first)
		first = r->held_until;
	if (remote_owe_deadline(r) < first)
		first = remote_owe_deadline(r);
	return search < first ? search : first;
}
