/* SPDX-License-Identifier: BSD-2-Clause */
#include "support_ne2000_model.h"

#include "lib/str.h"
#include "net-ne2000/dp8390.h"

static void violate(struct ne2000_model *m, const char *what)
{
	if (!m->violations++)
		m->violation = what;
}

static void update_line(struct ne2000_model *m)
{
	bool level = m->isr & m->reg[DP_IMR] & 0x7f;

	if (level && !m->line)
		m->rises++;
	m->line = level;
}

static u32 ram_first(const struct ne2000_model *m)
{
	return m->eight_bit ? 0x2000 : 0x4000;
}

static u32 ram_size(const struct ne2000_model *m)
{
	return m->eight_bit ? 8192 : 16384;
}

/* Where the memory does not reach, it appears again, as on a card that decodes few lines. */
static u8 *ram_at(struct ne2000_model *m, u32 addr)
{
	return &m->ram[(addr - ram_first(m)) % ram_size(m)];
}

u8 *model_page(struct ne2000_model *m, u8 page)
{
	return ram_at(m, (u32)page << 8);
}

/* --- transmission --- */

static void tx_finish(struct ne2000_model *m)
{
	u32 len = m->reg[DP_TBCR0] | (u32)m->reg[DP_TBCR1] << 8;
	u32 slot = m->sent_count % MODEL_SENT;

	for (u32 i = 0; i < len && i < FRAME_MAX; i++)
		m->sent[slot][i] = *ram_at(m, ((u32)m->reg[DP_TPSR] << 8) + i);
	m->sent_len[slot] = (u16)len;
	m->sent_count++;
	m->cr &= (u8)~CR_TXP;
	if (!m->no_ptx)
		m->isr |= ISR_PTX;
	update_line(m);
}

static void tx_begin(struct ne2000_model *m)
{
	u32 len = m->reg[DP_TBCR0] | (u32)m->reg[DP_TBCR1] << 8;

	if (len < FRAME_MIN || len > FRAME_MAX)
		violate(m, "length of a transmission");
	if (m->cr & CR_TXP)
		violate(m, "TXP while a frame is on the wire");
	if (m->reg[DP_TCR] & TCR_LB)
		violate(m, "TXP in loopback");
	if (m->isr & (ISR_PTX | ISR_TXE))
		violate(m, "TXP before the last completion was acknowledged");
	m->cr |= CR_TXP;
	m->tx_end = m->now + m->tx_ns;
	if (m->tx_at_once)
		tx_finish(m);
}

void model_pass(struct ne2000_model *m, u64 ns)
{
	m->now += ns;
	if (m->gone_at && m->now >= m->gone_at)
		m->gone = true;
	if ((m->cr & CR_TXP) && !m->stuck_tx && m->now >= m->tx_end)
		tx_finish(m);
}

/* --- reception --- */

static void put(struct ne2000_model *m, u32 *addr, u8 byte)
{
	*ram_at(m, *addr) = byte;
	if (++*addr == (u32)m->reg[DP_PSTOP] << 8)
		*addr = (u32)m->reg[DP_PSTART] << 8;
}

static bool addressed_to(const struct ne2000_model *m, const u8 *frame)
{
	static const u8 broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (!memcmp(frame, broadcast, 6))
		return m->reg[DP_RCR] & RCR_AB;
	return !memcmp(frame, &m->par[DP_PAR0], 6);
}

static bool ring_is_full(struct ne2000_model *m, u32 pages)
{
	u32 ring = (u32)(m->reg[DP_PSTOP] - m->reg[DP_PSTART]);
	u32 used = (m->curr + ring - m->reg[DP_BNRY]) % ring;

	/* CURR may come up to BNRY, never past it. */
	return used == 0 || pages > ring - used;
}

bool model_receive(struct ne2000_model *m, const u8 *frame, u32 len)
{
	u32 pages, addr, next;

	if (len < FRAME_MIN)
		len = FRAME_MIN; /* as the wire does */
	pages = (len + 4 + 4 + 255) / 256;
	if ((m->cr & (CR_STP | CR_STA)) != CR_STA || (m->reg[DP_TCR] & TCR_LB) || m->gone ||
	    (m->reg[DP_RCR] & RCR_MON) || !addressed_to(m, frame))
		return false;
	if (m->overflowed || ring_is_full(m, pages)) {
		m->missed++;
		if (!m->silent_full) {
			m->overflowed = true;
			m->isr |= ISR_OVW;
		}
		update_line(m);
		return false;
	}
	addr = (u32)m->curr << 8;
	next = m->curr + pages;
	if (next >= m->reg[DP_PSTOP])
		next -= (u32)(m->reg[DP_PSTOP] - m->reg[DP_PSTART]);
	put(m, &addr, RSR_PRX);
	put(m, &addr, (u8)next);
	put(m, &addr, (u8)(len + 4));
	put(m, &addr, (u8)((len + 4) >> 8));
	for (u32 i = 0; i < len; i++)
		put(m, &addr, frame[i]);
	m->curr = (u8)next;
	m->isr |= ISR_PRX;
	update_line(m);
	return true;
}

/* --- remote DMA --- */

static u8 dma_step(struct ne2000_model *m, bool write, u8 byte)
{
	u32 addr = m->dma_addr;
	bool nowhere = addr >= NE_PROM_LEN && addr >= ram_first(m) + ram_size(m);

	if (!m->dma_left) {
		violate(m, "data port without bytes to transfer");
		return 0xff;
	}
	if (nowhere && m->no_dma_wrap)
		byte = 0xff;
	else if (addr < NE_PROM_LEN)
		byte = m->prom[addr];
	else if (write)
		*ram_at(m, addr) = byte;
	else
		byte = *ram_at(m, addr);
	m->dma_addr++;
	if (!m->no_dma_wrap && m->dma_addr == (u16)(m->reg[DP_PSTOP] << 8))
		m->dma_addr = (u16)(m->reg[DP_PSTART] << 8);
	if (!--m->dma_left && !m->stuck_rdc)
		m->isr |= ISR_RDC;
	update_line(m);
	return byte;
}

static bool is_word(const struct ne2000_model *m)
{
	return !m->eight_bit && (m->reg[DP_DCR] & DCR_WTS);
}

/* One access of the bus: moves a byte or a word of the card's, whatever the width asked for. */
static u32 data_port(struct ne2000_model *m, unsigned width, bool write, u32 value)
{
	u32 units = width > 2 ? 2 : 1, result = 0;

	model_pass(m, 1000);
	if (m->gone || (width == 4 && m->refuses_32))
		return 0xffffffff;
	if (!(m->cr & (write ? CR_WRITE : CR_READ)))
		violate(m, "data port without a command");
	if (is_word(m) && (m->dma_addr & 1))
		violate(m, "a word at an odd address");
	for (u32 i = 0; i < units; i++) {
		result |= (u32)dma_step(m, write, (u8)(value >> (16 * i))) << (16 * i);
		if (is_word(m))
			result |= (u32)dma_step(m, write, (u8)(value >> (16 * i + 8)))
				  << (16 * i + 8);
	}
	return result;
}

static void model_ins(void *ctx, u16 port, unsigned width, void *buf, u32 count)
{
	u8 *to = buf;

	if (port != MODEL_BASE + NE_DATA)
		violate(ctx, "string input from another port");
	for (; count; count--, to += width) {
		u32 value = data_port(ctx, width, false, 0);

		for (unsigned i = 0; i < width; i++)
			to[i] = (u8)(value >> (8 * i));
	}
}

static void model_outs(void *ctx, u16 port, unsigned width, const void *buf, u32 count)
{
	const u8 *from = buf;

	if (port != MODEL_BASE + NE_DATA)
		violate(ctx, "string output to another port");
	for (; count; count--, from += width) {
		u32 value = 0;

		for (unsigned i = 0; i < width; i++)
			value |= (u32)from[i] << (8 * i);
		data_port(ctx, width, true, value);
	}
}

/* --- registers --- */

static u8 pulse_reset(struct ne2000_model *m)
{
	m->cr = CR_NO_DMA | CR_STP;
	m->reg[DP_IMR] = 0;
	m->dma_left = 0;
	m->isr &= 0x7f;
	if (!m->stuck_reset)
		m->isr |= ISR_RST;
	update_line(m);
	return 0;
}

static u8 model_inb(void *ctx, u16 port)
{
	struct ne2000_model *m = ctx;
	u32 reg = port - MODEL_BASE;

	model_pass(m, 1000);
	if (m->gone || reg >= NE_PORTS)
		return 0xff;
	if (reg == DP_CR)
		return m->cr;
	if (reg == NE_RESET)
		return pulse_reset(m);
	if (reg >= 16)
		return 0xff;
	if ((m->cr & CR_PAGES) == CR_PAGE1)
		return reg == DP_CURR ? m->curr : m->par[reg];
	if (reg == DP_ISR)
		return m->isr;
	if (reg == DP_BNRY)
		return m->reg[reg];
	return 0;
}

/* The data sheet's rules for a chip whose ring has overflowed. */
static void check_overflow_start(struct ne2000_model *m)
{
	if (!m->overflowed)
		return;
	if (m->now - m->stopped_at < 1600000)
		violate(m, "started less than 1.6 ms after the stop");
	if (!(m->reg[DP_TCR] & TCR_LB))
		violate(m, "started out of loopback after an overflow");
	if (m->dma_left)
		violate(m, "started with remote bytes left after an overflow");
}

static void write_cr(struct ne2000_model *m, u8 value)
{
	bool was_stopped = m->cr & CR_STP;

	m->cr = (m->cr & CR_TXP) | (value & (u8)~CR_TXP);
	if (value & CR_STP) {
		if (!was_stopped)
			m->stopped_at = m->now;
		if (!m->no_rst_on_stop)
			m->isr |= ISR_RST;
		if (m->stop_cuts_tx)
			m->cr &= (u8)~CR_TXP;
		if (value & CR_TXP)
			violate(m, "TXP while stopped");
		return;
	}
	if (was_stopped)
		check_overflow_start(m);
	m->isr &= (u8)~ISR_RST;
	if (value & CR_TXP)
		tx_begin(m);
}

static void write_page0(struct ne2000_model *m, u32 reg, u8 value)
{
	if (reg == DP_ISR) {
		if ((value & ISR_PRX) && m->late) {
			model_receive(m, m->late, m->late_len);
			m->late = NULL;
		}
		m->isr &= (u8) ~(value & 0x7f);
		return;
	}
	m->reg[reg] = value;
	if (reg == DP_RBCR0 || reg == DP_RBCR1)
		m->dma_left = (u16)(m->reg[DP_RBCR0] | m->reg[DP_RBCR1] << 8);
	if (reg == DP_RSAR0 || reg == DP_RSAR1)
		m->dma_addr = (u16)(m->reg[DP_RSAR0] | m->reg[DP_RSAR1] << 8);
	if (reg == DP_TCR && !(value & TCR_LB) && m->overflowed && !(m->cr & CR_STP)) {
		if (m->isr & ISR_OVW)
			violate(m, "out of loopback with OVW still set");
		m->overflowed = false;
	}
}

static void model_outb(void *ctx, u16 port, u8 value)
{
	struct ne2000_model *m = ctx;
	u32 reg = port - MODEL_BASE;

	model_pass(m, 1000);
	if (m->gone || reg >= NE_PORTS || reg == NE_RESET)
		return;
	if (reg >= 16)
		violate(m, "a byte written to the data port");
	else if (reg == DP_CR)
		write_cr(m, value);
	else if (!(m->cr & CR_PAGES))
		write_page0(m, reg, value);
	else if ((m->cr & CR_PAGES) != CR_PAGE1)
		violate(m, "a register of page 2 or 3");
	else if (reg == DP_CURR)
		m->curr = value;
	else
		m->par[reg] = value;
	update_line(m);
}

static u64 model_now(void *ctx)
{
	struct ne2000_model *m = ctx;

	model_pass(m, 100);
	return m->now;
}

static void model_say(void *ctx, const char *text)
{
	struct ne2000_model *m = ctx;

	m->said++;
	m->last_said = text;
}

const struct ne2000_ops model_ops = {
	.inb = model_inb,
	.outb = model_outb,
	.ins = model_ins,
	.outs = model_outs,
	.now = model_now,
	.say = model_say,
};

void model_power_on(struct ne2000_model *m, const u8 mac[6])
{
	u8 once[16];

	memset(once, 0x57, sizeof(once));
	memcpy(once, mac, 6);
	for (u32 i = 0; i < NE_PROM_LEN; i++)
		m->prom[i] = m->eight_bit ? once[i % 16] : once[i / 2];
	m->cr = CR_NO_DMA | CR_STP;
	if (!m->tx_ns)
		m->tx_ns = 1200000;
}
