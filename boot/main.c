/* SPDX-License-Identifier: BSD-2-Clause */
/* From the loader to the run loop: the order in which Farbus comes up. */
#include "boot/config.h"
#include "boot/fpu_host.h"
#include "boot/host.h"
#include "boot/log.h"
#include "boot/net.h"
#include "boot/peer.h"
#include "boot/power.h"
#include "boot/relocate.h"
#include "boot/trap.h"
#include "boot/vm.h"
#include "lib/str.h"

static struct vm vm;
static struct boot_info boot;

void boot_main(u32 mbi);

static bool have_module(void *ctx, const char *name)
{
	return vm_module(ctx, name) != NULL;
}

static void read_keys(struct config *c)
{
	struct module *m;

	m = c->key == CONFIG_KEY_MODULE ? vm_module(&vm, c->key_module.module) : NULL;
	if (m && config_take_key(c, m->data, m->size))
		boot_fail("%s", c->error);
	for (unsigned i = 0; i < c->access_count; i++) {
		const struct config_access *a = &c->access[i];

		m = a->source == CONFIG_KEY_MODULE ? vm_module(&vm, a->module.module) : NULL;
		if (m && config_take_access_key(c, i, m->data, m->size))
			boot_fail("%s", c->error);
	}
	if (config_settle_keys(c))
		boot_fail("%s", c->error);
}

static void read_config(void)
{
	struct config *c = &vm.config;
	struct module *m = vm_module(&vm, "config");

	config_init(c);
	if ((m && config_parse_module(c, (const char *)m->data, m->size)) ||
	    config_parse_cmdline(c, boot.cmdline) || config_check(c, have_module, &vm))
		boot_fail("%s", c->error);
	read_keys(c);
}

/* A client without a network still has its guest, with its remote routes absent. */
static void start_network(void)
{
	char error[CONFIG_ERROR_MAX];

	if (vm.config.nic.kind != CONFIG_NIC_NONE && net_start(&vm.config, error, sizeof(error)))
		log_warn("%s", error);
}

void boot_main(u32 mbi)
{
	log_init();
	log_info("starting");
	trap_init();
	relocate(&boot, mbi);
	/* The double fault's task has to come up with the page tables of now. */
	trap_init();
	irq_init();
	clock_init();
	asm volatile("sti");
	fpu_host_init();
	power_init();

	memcpy(vm.module, boot.module, sizeof(vm.module));
	vm.module_count = boot.module_count;
	log_info("%u MB RAM, Farbus from %u KB on, CPU at %u MHz", boot.host_mb,
		 memory_bottom() / KB, host_tsc_khz() / 1000);
	for (unsigned i = 0; i < vm.module_count; i++)
		log_info("module %s: %u bytes", vm.module[i].name, vm.module[i].size);
	read_config();
	host_keyboard_init();
	if (vm.config.peer.on)
		peer_run(&vm.config, boot.guest_limit);
	start_network();
	vm_build(&vm, &boot);
	vm_run(&vm);
}
