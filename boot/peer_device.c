/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/peer_device.h"
#include "boot/host.h"
#include "boot/port.h"

/* ATA (ATA-1, X3.221): device control, at the command block + 206h. */
#define ATA_CONTROL 0x206
#define ATA_NIEN    BIT(1)
#define ATA_SRST    BIT(2)
#define ATA_8	    BIT(3) /* some of the first drives want it */

/* 16550 (PC16550D). */
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4

/* Printer port (IBM PC Technical Reference): control. */
#define LPT_CONTROL 2
#define LPT_INIT    BIT(2) /* low: the printer resets itself */
#define LPT_SELECT  BIT(3)

/* Sound Blaster (Creative's hardware programming guide). */
#define SB_MIXER       4
#define SB_MIXER_DATA  5
#define SB_RESET       6
#define SB_MIXER_RESET 0

/* 82077AA. */
#define FDC_DOR	       2
#define FDC_DOR_ENABLE 0x0c /* out of reset, interrupt and DMA let out */

struct device_class {
	const char *name;
	u16 base[4];
	u16 needs[2]; /* first and last offset that the export has to have */
	void (*quiesce)(u16 base);
	void (*reset)(u16 base);
};

/* SRST has to last 5 us; the drive then takes as long as it likes, and says so in its status. */
static void ata_pulse(u16 base, u8 after)
{
	outb(base + ATA_CONTROL, ATA_8 | ATA_NIEN | ATA_SRST);
	host_delay_us(10);
	outb(base + ATA_CONTROL, after);
}

static void ata_quiesce(u16 base)
{
	ata_pulse(base, ATA_8 | ATA_NIEN);
}

static void ata_reset(u16 base)
{
	ata_pulse(base, ATA_8);
}

static void uart_quiesce(u16 base)
{
	outb(base + UART_LCR, inb(base + UART_LCR) & 0x7f); /* IER is behind the divisor */
	outb(base + UART_IER, 0);
	outb(base + UART_MCR, 0); /* OUT2 lets the interrupt out; DTR and RTS: hang up */
}

static void uart_reset(u16 base)
{
	uart_quiesce(base);
	outb(base + UART_FCR, 0x07); /* both FIFOs emptied */
	outb(base + UART_FCR, 0);
	outb(base + UART_LCR, 0);
}

static void lpt_quiesce(u16 base)
{
	outb(base + LPT_CONTROL, LPT_SELECT | LPT_INIT);
}

static void lpt_reset(u16 base)
{
	outb(base + LPT_CONTROL, LPT_SELECT);
	host_delay_us(100);
	lpt_quiesce(base);
}

static void sb_quiesce(u16 base)
{
	outb(base + SB_RESET, 1);
	host_delay_us(10);
	outb(base + SB_RESET, 0);
}

static void sb_reset(u16 base)
{
	sb_quiesce(base);
	outb(base + SB_MIXER, SB_MIXER_RESET);
	outb(base + SB_MIXER_DATA, 0);
}

static void fdc_quiesce(u16 base)
{
	outb(base + FDC_DOR, 0);
}

static void fdc_reset(u16 base)
{
	fdc_quiesce(base);
	host_delay_us(10);
	outb(base + FDC_DOR, FDC_DOR_ENABLE);
}

static const struct device_class classes[] = {
	{"ATA", {0x1f0, 0x170, 0x1e8, 0x168}, {ATA_CONTROL, ATA_CONTROL}, ata_quiesce, ata_reset},
	{"UART", {0x3f8, 0x2f8, 0x3e8, 0x2e8}, {0, 7}, uart_quiesce, uart_reset},
	{"LPT", {0x378, 0x278, 0x3bc}, {0, 2}, lpt_quiesce, lpt_reset},
	{"SB", {0x220, 0x240, 0x260, 0x280}, {4, 15}, sb_quiesce, sb_reset},
	{"FDC", {0x3f0, 0x370}, {2, 5}, fdc_quiesce, fdc_reset},
};

static bool has(const struct port_export *x, u16 first, u16 last)
{
	for (unsigned i = 0; i < x->ranges; i++)
		if (x->range[i].first <= first && x->range[i].last >= last)
			return true;
	return false;
}

/* The base of the n-th device of that class that the export has all of; 0: no more. */
static u16 find(const struct port_export *x, const struct device_class *class, unsigned n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(class->base) && class->base[i]; i++) {
		u16 base = class->base[i];

		if (has(x, base + class->needs[0], base + class->needs[1]) && !n--)
			return base;
	}
	return 0;
}

static void each(const struct port_export *x, bool reset)
{
	for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
		const struct device_class *class = &classes[i];
		u16 base;

		for (unsigned n = 0; (base = find(x, class, n)) != 0; n++)
			(reset ? class->reset : class->quiesce)(base);
	}
}

void peer_device_quiesce(const struct port_export *x)
{
	each(x, false);
}

void peer_device_reset(const struct port_export *x)
{
	each(x, true);
}

const char *peer_device_name(const struct port_export *x)
{
	for (unsigned i = 0; i < ARRAY_SIZE(classes); i++)
		if (find(x, &classes[i], 0))
			return classes[i].name;
	return "device";
}
