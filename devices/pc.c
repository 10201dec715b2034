/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest PC: the chips of an i440FX/PIIX3 machine and the wires between them. */
#include "devices/pc.h"
#include "devices/acpi_pm.h"
#include "devices/bus.h"
#include "devices/cmos.h"
#include "devices/debug_port.h"
#include "devices/dma8237.h"
#include "devices/fdc.h"
#include "devices/ferr.h"
#include "devices/fw_cfg.h"
#include "devices/i440fx.h"
#include "devices/i8042.h"
#include "devices/ide.h"
#include "devices/lpt.h"
#include "devices/pci.h"
#include "devices/pic.h"
#include "devices/piix3.h"
#include "devices/piix3_ide.h"
#include "devices/pit.h"
#include "devices/port92.h"
#include "devices/rtc.h"
#include "devices/uart16550.h"
#include "cpu/physmem.h"
#include "lib/log.h"
#include "lib/str.h"

struct pc {
	struct pc_config config;
	struct bus bus;
	struct irq_lines irqs;
	struct pic pic;
	struct pit pit;
	struct rtc rtc;
	struct i8042 i8042;
	struct port92 port92;
	struct dma dma;
	struct ferr ferr;
	struct debug_port debug;
	struct fw_cfg fw_cfg;
	struct pci_bus pci;
	struct i440fx i440fx;
	struct piix3 piix3;
	struct piix3_ide piix3_ide;
	struct acpi_pm acpi_pm;
	struct ide_channel ide[2];
	struct fdc fdc;
	struct uart16550 serial[PC_SERIALS];
	struct lpt lpt;
};

/* Sources on the IRQ lines: one for a line's usual device, others for those that share a line. */
enum { SOURCE_DEVICE = 0, SOURCE_SCI = 1, SOURCE_PIRQ_FIRST = 4 };

static struct irq_pin pin(struct pc *pc, u8 line)
{
	return (struct irq_pin){&pc->irqs, line, SOURCE_DEVICE};
}

static void intr_changed(void *ctx, bool level)
{
	struct pc *pc = ctx;

	pc->config.intr(pc->config.ctx, level);
}

static void irq_taken(void *ctx, unsigned line)
{
	struct pc *pc = ctx;

	if (line == 0)
		pit_irq_taken(&pc->pit);
}

static void hard_reset(void *ctx)
{
	struct pc *pc = ctx;

	pc->config.reset(pc->config.ctx);
}

/*
 * Port 92h and the 8042 reset the CPU alone. A 286-style guest that leaves protected mode this way
 * says so in CMOS and must find its chips as they were; everything else means a restart, which the
 * firmware expects to find the whole PC reset.
 */
static void cpu_reset(void *ctx)
{
	struct pc *pc = ctx;
	u8 code = pc->rtc.cmos[CMOS_SHUTDOWN];

	if (!pc->config.cpu_init || (code != 0x05 && code != 0x09 && code != 0x0a)) {
		pc->config.reset(pc->config.ctx);
		return;
	}
	/* With the gate closed, the first fetch would miss the firmware. */
	physmem_set_a20(pc->config.mem, true);
	pc->config.cpu_init(pc->config.ctx);
}

static void power_off(void *ctx)
{
	struct pc *pc = ctx;

	pc->config.power_off(pc->config.ctx);
}

static int init_core(struct pc *pc)
{
	const struct pc_config *c = &pc->config;

	bus_init(&pc->bus);
	pic_init(&pc->pic, &pc->bus, &pc->irqs, intr_changed, irq_taken, pc);
	pit_init(&pc->pit, &pc->bus, c->clock, pin(pc, 0));
	rtc_init(&pc->rtc, &pc->bus, c->clock, pin(pc, 8));
	i8042_init(&pc->i8042, &pc->bus, c->clock, c->mem, pin(pc, 1), pin(pc, 12), cpu_reset, pc);
	port92_init(&pc->port92, &pc->bus, c->mem, cpu_reset, pc);
	dma_init(&pc->dma, &pc->bus, c->mem);
	ferr_init(&pc->ferr, &pc->bus, pin(pc, 13));
	debug_port_init(&pc->debug, &pc->bus, &c->debug);
	return fw_cfg_init(&pc->fw_cfg, &pc->bus, c->ram_size, c->fw_file, c->fw_file_count);
}

static int init_pci(struct pc *pc)
{
	const struct pc_config *c = &pc->config;
	struct irq_pin sci = {&pc->irqs, 9, SOURCE_SCI};

	pci_init(&pc->pci, &pc->bus);
	if (i440fx_init(&pc->i440fx, &pc->pci, c->mem, c->rom_shadow, c->firmware,
			c->firmware_size) ||
	    piix3_init(&pc->piix3, &pc->pci, &pc->irqs, SOURCE_PIRQ_FIRST, hard_reset, pc) ||
	    piix3_ide_init(&pc->piix3_ide, &pc->pci, &pc->bus, c->mem, &pc->ide[0], &pc->ide[1]) ||
	    acpi_pm_init(&pc->acpi_pm, &pc->pci, &pc->bus, c->clock, sci, power_off, pc))
		return -1;
	return 0;
}

static struct ide_drive_config drive_config(const struct pc_config *c, unsigned n)
{
	struct ide_drive_config drive = {0};

	if (c->cdrom[n]) {
		drive.kind = IDE_CDROM;
		drive.block = c->cdrom[n];
	} else if (c->disk[n]) {
		drive.kind = IDE_DISK;
		drive.block = c->disk[n];
		drive.geometry = (struct disk_geometry){
			c->geometry[n].cylinders, c->geometry[n].heads, c->geometry[n].sectors};
	}
	return drive;
}

static int init_ide(struct pc *pc)
{
	static const struct {
		const char *name;
		u16 command, control;
		u8 irq;
	} channel[2] = {{"ide0", 0x1f0, 0x3f6, 14}, {"ide1", 0x170, 0x376, 15}};

	for (unsigned i = 0; i < 2; i++) {
		struct ide_config config = {
			.name = channel[i].name,
			.bus = &pc->bus,
			.clock = pc->config.clock,
			.irq = pin(pc, channel[i].irq),
			.command_base = channel[i].command,
			.control_port = channel[i].control,
			.drive = {drive_config(&pc->config, i * 2),
				  drive_config(&pc->config, i * 2 + 1)},
		};

		if (ide_init(&pc->ide[i], &config))
			return -1;
	}
	return 0;
}

static int init_floppy(struct pc *pc)
{
	struct fdc_config config = {
		.bus = &pc->bus,
		.clock = pc->config.clock,
		.irq = pin(pc, 6),
		.dma = &pc->dma,
		.drive = {pc->config.floppy[0], pc->config.floppy[1]},
	};

	return fdc_init(&pc->fdc, &config);
}

static int init_ports(struct pc *pc)
{
	static const struct {
		const char *name;
		u16 base;
		u8 irq;
	} com[PC_SERIALS] = {{"com1", 0x3f8, 4}, {"com2", 0x2f8, 3}};
	struct lpt_config lpt = {
		.name = "lpt1",
		.bus = &pc->bus,
		.clock = pc->config.clock,
		.irq = pin(pc, 7),
		.base = 0x378,
		.out = pc->config.parallel,
	};

	for (unsigned i = 0; i < PC_SERIALS; i++) {
		struct uart16550_config config = {
			.name = com[i].name,
			.bus = &pc->bus,
			.clock = pc->config.clock,
			.irq = pin(pc, com[i].irq),
			.base = com[i].base,
			.out = pc->config.serial[i],
		};

		if (uart16550_init(&pc->serial[i], &config))
			return -1;
	}
	return lpt_init(&pc->lpt, &lpt);
}

/* Without an order from the configuration: a floppy somebody put in, then the disk, then the CD. */
static void fill_cmos(struct pc *pc)
{
	const struct pc_config *c = &pc->config;
	struct rtc_time time = {c->rtc.year, c->rtc.month,  c->rtc.day,
				c->rtc.hour, c->rtc.minute, c->rtc.second};
	struct cmos_setup setup = {
		.ram_size = c->ram_size,
		.floppy_type = {fdc_cmos_type(&pc->fdc, 0), fdc_cmos_type(&pc->fdc, 1)},
		.boot_order = {'a', 'c', 'd'},
	};

	for (unsigned i = 0; i < PC_DISKS; i++) {
		setup.disk[i] = ide_disk_geometry(&pc->ide[i / 2], i % 2);
		if (setup.disk[i])
			setup.translation[i] = geometry_translation(c->disk[i], setup.disk[i]);
	}
	if (c->boot_order[0])
		memcpy(setup.boot_order, c->boot_order, sizeof(setup.boot_order));
	cmos_fill(&pc->rtc, &setup);
	if (time.year)
		rtc_set_time(&pc->rtc, &time);
}

size_t pc_size(void)
{
	return sizeof(struct pc);
}

int pc_init(struct pc *pc, const struct pc_config *config)
{
	pc->config = *config;
	if (init_core(pc) || init_ide(pc) || init_pci(pc) || init_floppy(pc) || init_ports(pc))
		return -1;
	if (config->vga_rom)
		i440fx_set_vga_rom(&pc->i440fx, config->vga_rom, config->vga_rom_size);
	fill_cmos(pc);
	return 0;
}

void pc_reset(struct pc *pc)
{
	for (unsigned i = 0; i < 2; i++)
		ide_reset(&pc->ide[i]);
	for (unsigned i = 0; i < PC_SERIALS; i++)
		uart16550_reset(&pc->serial[i]);
	lpt_reset(&pc->lpt);
	fdc_reset(&pc->fdc);
	acpi_pm_reset(&pc->acpi_pm);
	piix3_ide_reset(&pc->piix3_ide);
	piix3_reset(&pc->piix3);
	i440fx_reset(&pc->i440fx);
	pci_reset(&pc->pci);
	fw_cfg_reset(&pc->fw_cfg);
	ferr_reset(&pc->ferr);
	dma_reset(&pc->dma);
	port92_reset(&pc->port92);
	i8042_reset(&pc->i8042);
	rtc_reset(&pc->rtc);
	pit_reset(&pc->pit);
	pic_reset(&pc->pic);
	physmem_set_a20(pc->config.mem, true);
}

struct bus *pc_bus(struct pc *pc)
{
	return &pc->bus;
}

struct irq_lines *pc_irqs(struct pc *pc)
{
	return &pc->irqs;
}

struct dma *pc_dma(struct pc *pc)
{
	return &pc->dma;
}

int pc_add_pci_function(struct pc *pc, u8 devfn, const struct pci_ops *ops, void *dev)
{
	return pci_add(&pc->pci, devfn, ops, dev);
}

const struct pic *pc_pic(const struct pc *pc)
{
	return &pc->pic;
}

int pc_intack(struct pc *pc)
{
	return pic_intack(&pc->pic);
}

void pc_ferr(struct pc *pc, bool level)
{
	ferr_set(&pc->ferr, level);
}

bool pc_ignne(const struct pc *pc)
{
	return pc->ferr.ignne;
}

void pc_key_scancode(struct pc *pc, u8 scancode)
{
	i8042_key(&pc->i8042, scancode);
}

unsigned pc_key_space(struct pc *pc)
{
	return ps2_keyboard_space(&pc->i8042.keyboard);
}

void pc_mouse_packet(struct pc *pc, s8 dx, s8 dy, u8 buttons)
{
	i8042_mouse(&pc->i8042, dx, dy, buttons);
}

void pc_serial_input(struct pc *pc, unsigned n, u8 byte)
{
	if (n < PC_SERIALS)
		uart16550_receive(&pc->serial[n], byte);
}

unsigned pc_serial_space(struct pc *pc, unsigned n)
{
	return n < PC_SERIALS ? uart16550_space(&pc->serial[n]) : 0;
}
