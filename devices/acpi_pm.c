/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: PCI function 3 of the 82371AB (PIIX4). Datasheet: 82371AB (290562), 7; ACPI 1.0b, 4.7.
 * Modelled: PM1 status, enable and control, the 3.579545 MHz timer with its overflow event, SCI,
 * soft-off (SLP_TYP 0 is S5 here, as SeaBIOS's _S5 object says), the APM ports with ACPI enable and
 * disable, general purpose event registers that stay silent.
 * Not modelled: SMM (APMC_EN is preset, so that the firmware takes SMM for set up), sleep states
 * other than S5, clock throttling, the SMBus, device monitors.
 */
#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "lib/str.h"

#define PMBASE	  0x40u
#define DEVACTB	  0x58u
#define PMREGMISC 0x80u

#define DEVACTB_APMC_EN 0x02000000u
#define PM_PORTS	64u
#define GPE_BLOCK	0xafe0u /* where SeaBIOS's FADT says it is */
#define APM_CONTROL	0xb2u

/* What SeaBIOS's FADT names as ACPI_ENABLE and ACPI_DISABLE. */
#define APM_ACPI_ENABLE	 0xf1
#define APM_ACPI_DISABLE 0xf0

#define STATUS_TIMER 0x0001u
#define STATUS_BITS  0x8d31u /* write one to clear */
#define ENABLE_BITS  0x0521u
#define CONTROL_SCI  0x0001u
#define CONTROL_BITS 0x1c07u
#define SLEEP_TYPE   0x1c00u
#define SLEEP_ENABLE 0x2000u

#define TIMER_BITS    0x00ffffffu
#define TIMER_MSB_BIT 23
#define TIMER_MSB     (1u << TIMER_MSB_BIT)

/* 2^64 * 3.579545 MHz in ticks per ns (63 / 17600), rounded up */
#define TICKS_PER_NS 0xea96cea96cea97ull

static u64 ticks(const struct acpi_pm *a)
{
	return mul_hi64(clock_now(a->clock), TICKS_PER_NS);
}

/* How often the timer's highest bit has changed. */
static u64 timer_turns(const struct acpi_pm *a)
{
	return ticks(a) >> TIMER_MSB_BIT;
}

/* TMR_STS is set whenever the timer's highest bit changes. */
static void look_at_timer(struct acpi_pm *a)
{
	u64 turns = timer_turns(a);

	if (turns != a->timer_turns)
		a->status |= STATUS_TIMER;
	a->timer_turns = turns;
}

static void update_sci(struct acpi_pm *a)
{
	bool event = (a->status & a->enable & ENABLE_BITS) || (a->gpe_status & a->gpe_enable);

	irq_set(&a->sci, (a->control & CONTROL_SCI) && event);
}

static void arm_overflow(struct acpi_pm *a)
{
	u64 next = (ticks(a) | (TIMER_MSB - 1)) + 1;

	if (a->enable & STATUS_TIMER)
		timer_arm(a->clock, &a->overflow, next / 63 * 17600 + next % 63 * 17600 / 63 + 1);
	else
		timer_cancel(a->clock, &a->overflow);
}

static void overflow_due(void *ctx)
{
	struct acpi_pm *a = ctx;

	look_at_timer(a);
	update_sci(a);
	arm_overflow(a);
}

static u32 pm_dword(struct acpi_pm *a, unsigned reg)
{
	switch (reg) {
	case 0x00:
		look_at_timer(a);
		update_sci(a);
		return a->status | (u32)a->enable << 16;
	case 0x04:
		return a->control;
	case 0x08:
		return (u32)ticks(a) & TIMER_BITS;
	default:
		return 0;
	}
}

static u32 pm_in(void *dev, u16 port, unsigned width)
{
	struct acpi_pm *a = dev;
	u32 value = pm_dword(a, (port - a->base) & (PM_PORTS - 4)) >> ((port & 3) * 8);

	return width == 4 ? value : value & (BIT(width * 8) - 1);
}

static void write_control(struct acpi_pm *a, u16 value, u16 lanes)
{
	a->control = (a->control & ~(lanes & CONTROL_BITS)) | (value & lanes & CONTROL_BITS);
	if ((value & lanes & SLEEP_ENABLE) && !(a->control & SLEEP_TYPE))
		a->power_off(a->ctx);
	update_sci(a);
}

static void pm_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct acpi_pm *a = dev;
	unsigned shift = (port & 3) * 8;
	u32 lanes = (width == 4 ? ~0u : BIT(width * 8) - 1) << shift;

	value <<= shift;
	switch ((port - a->base) & (PM_PORTS - 4)) {
	case 0x00:
		look_at_timer(a);
		a->status &= ~(value & lanes & STATUS_BITS);
		a->enable = (u16)((a->enable & ~(lanes >> 16)) |
				  (value >> 16 & lanes >> 16 & ENABLE_BITS));
		arm_overflow(a);
		update_sci(a);
		break;
	case 0x04:
		write_control(a, (u16)value, (u16)lanes);
		break;
	default:
		break;
	}
}

static u32 gpe_in(void *dev, u16 port, unsigned width)
{
	struct acpi_pm *a = dev;

	(void)width;
	return (port & 2 ? a->gpe_enable : a->gpe_status) >> ((port & 1) * 8) & 0xff;
}

static void gpe_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct acpi_pm *a = dev;
	unsigned shift = (port & 1) * 8;

	(void)width;
	if (port & 2)
		a->gpe_enable = (u16)((a->gpe_enable & ~(0xff << shift)) | value << shift);
	else
		a->gpe_status &= (u16) ~(value << shift);
	update_sci(a);
}

static u32 apm_in(void *dev, u16 port, unsigned width)
{
	struct acpi_pm *a = dev;

	(void)width;
	return port == APM_CONTROL ? a->apm_command : a->apm_status;
}

static void apm_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct acpi_pm *a = dev;

	(void)width;
	if (port != APM_CONTROL) {
		a->apm_status = (u8)value;
		return;
	}
	a->apm_command = (u8)value;
	if (value == APM_ACPI_ENABLE)
		a->control |= CONTROL_SCI;
	else if (value == APM_ACPI_DISABLE)
		a->control &= ~CONTROL_SCI;
	update_sci(a);
}

static const struct port_ops pm_ops = {.in = pm_in, .out = pm_out, .widths = 7};
static const struct port_ops gpe_ops = {.in = gpe_in, .out = gpe_out, .widths = 1};
static const struct port_ops apm_ops = {.in = apm_in, .out = apm_out, .widths = 1};

/* PMBASE and PMIOSE say where the registers are. */
static void move_registers(struct acpi_pm *a)
{
	u16 base = pci_config_get16(a->config.reg, PMBASE) & 0xffc0;

	if (!(a->config.reg[PMREGMISC] & 1))
		base = 0;
	if (base == a->base || a->handler < 0)
		return;
	if (a->base)
		bus_release(a->bus, a->handler, a->base, a->base + PM_PORTS - 1);
	if (base)
		bus_claim(a->bus, a->handler, base, base + PM_PORTS - 1);
	a->base = base;
}

static u32 config_read(void *dev, u8 reg, unsigned width)
{
	struct acpi_pm *a = dev;

	return pci_config_read(&a->config, reg, width);
}

static void config_write(void *dev, u8 reg, unsigned width, u32 value)
{
	struct acpi_pm *a = dev;

	pci_config_write(&a->config, reg, width, value);
	move_registers(a);
}

static const struct pci_ops config_ops = {.read = config_read, .write = config_write};

static void reset_config(struct pci_config *c)
{
	pci_config_identify(c, 0x8086, 0x7113, 0x068000, 0x03);
	pci_config_set16(c->reg, PCI_STATUS, 0x0280);
	c->reg[PCI_INT_LINE] = 9;
	c->reg[PCI_INT_PIN] = 1;
	c->reg[PMBASE] = 1;
	pci_config_set32(c->reg, DEVACTB, DEVACTB_APMC_EN);
	c->reg[0x90] = 1; /* SMBBA: an I/O base */
	pci_config_set16(c->mask, PCI_COMMAND, PCI_COMMAND_IO);
	c->mask[PCI_INT_LINE] = 0xff;
	pci_config_set32(c->mask, PMBASE, 0x0000ffc0);
	memset(c->mask + 0x44, 0xff, PMREGMISC - 0x44);
	c->mask[PMREGMISC] = 0x01;
	pci_config_set32(c->mask, 0x90, 0x0000fff0);
	c->mask[0xd2] = 0x0f;
}

void acpi_pm_reset(struct acpi_pm *a)
{
	reset_config(&a->config);
	move_registers(a);
	a->status = a->enable = a->control = 0;
	a->gpe_status = a->gpe_enable = 0;
	a->apm_command = a->apm_status = 0;
	a->timer_turns = timer_turns(a);
	timer_cancel(a->clock, &a->overflow);
	update_sci(a);
}

int acpi_pm_init(struct acpi_pm *a, struct pci_bus *pci, struct bus *bus, struct clock *clock,
		 struct irq_pin sci, void (*power_off)(void *ctx), void *ctx)
{
	memset(a, 0, sizeof(*a));
	a->bus = bus;
	a->clock = clock;
	a->sci = sci;
	a->power_off = power_off;
	a->ctx = ctx;
	timer_init(&a->overflow, overflow_due, a);
	a->handler = bus_register(bus, 1, 0, ROUTE_VIRTUAL, &pm_ops, a, "acpi-pm");
	if (a->handler < 0 || pci_add(pci, PCI_DEVFN(1, 3), &config_ops, a))
		return -1;
	bus_register(bus, GPE_BLOCK, GPE_BLOCK + 3, ROUTE_VIRTUAL, &gpe_ops, a, "acpi-gpe");
	bus_register(bus, APM_CONTROL, APM_CONTROL + 1, ROUTE_VIRTUAL, &apm_ops, a, "apm");
	acpi_pm_reset(a);
	return 0;
}
