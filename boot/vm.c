/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts the VM together from the configuration and the boot modules. */
#include "boot/console.h"
#include "boot/direct.h"
#include "boot/host.h"
#include "boot/lockstep.h"
#include "boot/monitor.h"
#include "boot/offer.h"
#include "boot/relocate.h"
#include "boot/route.h"
#include "boot/run.h"
#include "boot/trace.h"
#include "boot/vga.h"
#include "boot/vm.h"
#include "boot/vm_media.h"
#include "cpu/interp/fpu.h"
#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/str.h"

#define ROM_SHADOW 0xc0000u
#define VGA_HOLE   0xa0000u
/* Heap beside the interpreter's caches and the PC: consoles, serial rings, media, ROM copies. */
#define HEAP_RESERVE (1 * MB)

struct module *vm_module(struct vm *vm, const char *name)
{
	for (unsigned i = 0; i < vm->module_count; i++)
		if (!strcmp(vm->module[i].name, name))
			return &vm->module[i];
	return NULL;
}

/* What Farbus takes for a guest with `ram` bytes, page tables for it included. */
static u32 own_size(const struct config *c, u32 ram)
{
	u32 size = (u32)pc_size() + (u32)interp_arena_size(ram) + ram / PAGE_SIZE +
		   ROM_SHADOW_SIZE + HEAP_RESERVE + offer_size(c) + vm_trace_size(c);

	if (c->cpu == CONFIG_CPU_DIRECT || c->cpu == CONFIG_CPU_LOCKSTEP)
		size += direct_own_size(c, ram);
	if (c->cpu == CONFIG_CPU_LOCKSTEP)
		size += lockstep_own_size(ram);

	return size + (size / (4 * MB) + 2) * PAGE_SIZE;
}

static bool ram_fits(const struct config *c, const struct boot_info *boot, u32 ram)
{
	u32 bottom = memory_bottom(), own = own_size(c, ram);

	if (ram > boot->guest_limit || ram > bottom || own > memory_heap_left())
		return false;
	/* Farbus below the guest's end of RAM only counts where both share a range. */
	return own <= memory_left() && (ram <= bottom - own || boot->guest_limit <= bottom - own);
}

/* `cpu auto`: the direct engine, which takes more memory than the interpreter alone. */
static void choose_engine(struct config *c, const struct boot_info *boot)
{
	if (c->cpu != CONFIG_CPU_AUTO)
		return;
	c->cpu = CONFIG_CPU_DIRECT;
	if (ram_fits(c, boot, c->ram))
		return;
	c->cpu = CONFIG_CPU_INTERP;
	if (ram_fits(c, boot, c->ram))
		log_warn("cpu auto: interp: beside %u MB for the guest there is no memory for the "
			 "direct engine",
			 c->ram / MB);
}

static void reserve_ram(const struct config *c, const struct boot_info *boot)
{
	u32 ram = c->ram;

	if (ram_fits(c, boot, ram)) {
		memory_set_floor(ram);
		return;
	}
	while (ram && !ram_fits(c, boot, ram))
		ram -= MB;
	if (!ram && c->cpu == CONFIG_CPU_DIRECT && c->shadow_pool)
		boot_fail("config: shadow-pool %uK: this PC's %u MB have no room for it and a guest",
			  c->shadow_pool / KB, boot->host_mb);
	boot_fail("config: ram %uM: this PC has %u MB: at most %u MB for the guest", c->ram / MB,
		  boot->host_mb, ram / MB);
}

static void *need(void *p)
{
	if (!p)
		boot_fail("boot: out of memory: %u KB left", memory_left() / KB);
	return p;
}

static void map_memory(struct vm *vm)
{
	u32 ram = vm->config.ram, flags = ram / PAGE_SIZE < 256 ? 256 : ram / PAGE_SIZE;
	/* Machine addresses are guest addresses: what is passed through may do DMA. */
	struct phys_region low = {0, VGA_HOLE - 1, phys_ptr(0), phys_ptr(0), NULL, NULL};
	struct phys_region vga = {VGA_HOLE,	      ROM_SHADOW - 1, phys_ptr(VGA_HOLE),
				  phys_ptr(VGA_HOLE), NULL,	      NULL};
	struct phys_region high = {MB, ram - 1, phys_ptr(MB), phys_ptr(MB), NULL, NULL};

	physmem_init(&vm->mem, ram, need(host_alloc(flags)), flags);
	physmem_map(&vm->mem, &low);
	physmem_map(&vm->mem, &vga);
	if (ram > MB)
		physmem_map(&vm->mem, &high);
	memset(phys_ptr(0), 0, VGA_HOLE);
	memset(phys_ptr(MB), 0, ram - MB);
	vm->rom_shadow = need(host_alloc(ROM_SHADOW_SIZE));
}

static u64 read_clock(void *ctx)
{
	struct vm *vm = ctx;

	return (vm->stopped ? vm->stopped_since : host_ns()) - vm->stopped_ns;
}

/* The guest's debug ports, line by line into the log. */
static void debug_byte(void *ctx, u8 byte)
{
	static char line[128];
	static unsigned len;

	(void)ctx;
	if (byte >= ' ' || byte == '\t')
		line[len++] = (char)byte;
	if (len == sizeof(line) - 1 || (byte == '\n' && len)) {
		line[len] = 0;
		log_info("guest: %s", line);
		len = 0;
	}
}

static void serial_byte(void *ctx, u8 byte)
{
	serial_putc(ctx, byte);
}

static void wire_serial(struct vm *vm, struct pc_config *pc)
{
	for (unsigned n = 0; n < PC_SERIALS; n++) {
		unsigned com = vm->config.serial_com[n];

		if (!com)
			continue;
		vm->serial[n] = host_serial_open(com, vm->config.console_baud);
		if (!vm->serial[n])
			boot_fail("config: serial%u host com%u: this PC has no such port", n, com);
		pc->serial[n] = (struct pc_char){serial_byte, vm->serial[n]};
	}
}

static void wire_rtc(const struct config *c, struct pc_config *pc)
{
	struct host_date d = {c->rtc.year, c->rtc.month,  c->rtc.day,
			      c->rtc.hour, c->rtc.minute, c->rtc.second};

	if (c->rtc_host)
		host_rtc_read(&d);
	pc->rtc.year = d.year;
	pc->rtc.month = d.month;
	pc->rtc.day = d.day;
	pc->rtc.hour = d.hour;
	pc->rtc.minute = d.minute;
	pc->rtc.second = d.second;
}

static void wire_firmware(struct vm *vm, struct pc_config *pc)
{
	static struct pc_fw_file vga;
	const char *name = vm->config.firmware.source == CONFIG_MODULE ? vm->config.firmware.module
								       : "bios.bin";
	struct module *m = vm_module(vm, name);

	if (!m)
		boot_fail("config: firmware module %s: no such module was loaded", name);
	pc->firmware = m->data;
	pc->firmware_size = m->size;
	vga.data = vga_rom(vm, &vga.size, &vga.name);
	if (vga.data) {
		pc->fw_file = &vga;
		pc->fw_file_count = 1;
		pc->vga_rom = vga.data;
		pc->vga_rom_size = vga.size;
	}
}

static void build_pc(struct vm *vm)
{
	struct pc_config pc = {
		.ram_size = vm->config.ram,
		.mem = &vm->mem,
		.rom_shadow = vm->rom_shadow,
		.clock = &vm->clock,
		.debug = {debug_byte, NULL},
	};

	memcpy(pc.boot_order, vm->config.boot_order, sizeof(pc.boot_order));
	wire_firmware(vm, &pc);
	wire_rtc(&vm->config, &pc);
	wire_serial(vm, &pc);
	media_attach(vm, &pc);
	run_wire_pc(vm, &pc);
	vm->pc = need(host_alloc(pc_size()));
	if (pc_init(vm->pc, &pc))
		host_halt();
	vm->bus = pc_bus(vm->pc);
	if (vga_init(vm))
		host_halt();
}

static void build_cpu(struct vm *vm)
{
	size_t size = interp_arena_size(vm->config.ram);

	vm->vcpu.mem = &vm->mem;
	run_wire_cpu(vm);
	if (interp_init(&vm->vcpu, need(host_alloc(size)), size))
		boot_fail("boot: no memory for the interpreter");
	vm->engine = &interp_engine;
	if (vm->config.cpu == CONFIG_CPU_DIRECT || vm->config.cpu == CONFIG_CPU_LOCKSTEP)
		direct_build(vm);
	if (vm->config.cpu == CONFIG_CPU_LOCKSTEP)
		lockstep_build(vm);
}

void vm_build(struct vm *vm, const struct boot_info *boot)
{
	choose_engine(&vm->config, boot);
	reserve_ram(&vm->config, boot);
	vm->clock.read = read_clock;
	vm->clock.ctx = vm;
	map_memory(vm);
	build_cpu(vm);
	build_pc(vm);
	if (!vm_trace_init(vm))
		boot_fail("boot: no memory for the trace");
	route_init(vm);
	route_boot(vm);
	vm->monitor = monitor_create(vm);
	offer_start(&vm->config);
	if (vm->config.offer.trace)
		vm_trace_offer(vm);
	vm->console = console_create(vm);
	log_info("guest: %u MB RAM, engine %s, %u KB of Farbus's own", vm->config.ram / MB,
		 vm->engine->name, (memory_own() - boot->module_bytes) / KB);
}
