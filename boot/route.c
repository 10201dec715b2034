/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes of all kinds; what a local or a remote one takes is in local.c and remote.c. */
#include "boot/route.h"
#include "boot/local.h"
#include "boot/relocate.h"
#include "boot/remote.h"
#include "boot/vm.h"
#include "devices/bus.h"
#include "devices/irq.h"
#include "lib/fmt.h"
#include "lib/log.h"

static void guest_eoi(void *ctx, unsigned line)
{
	local_eoi(line);
	remote_route_eoi(ctx, line);
}

void route_init(struct vm *vm)
{
	struct irq_lines *lines = pc_irqs(vm->pc);

	local_init(vm);
	if (remote_route_init(vm))
		boot_fail("boot: no memory for remote routes");
	lines->eoi = guest_eoi;
	lines->eoi_ctx = vm;
}

static void set_ports(struct vm *vm, const struct config_route *r)
{
	for (unsigned i = 0; i < r->range_count; i++) {
		u16 first = r->range[i].first, last = r->range[i].last;

		if (r->kind == CONFIG_ROUTE_VIRTUAL)
			bus_restore(vm->bus, first, last);
		else
			bus_make_absent(vm->bus, first, last);
	}
}

int route_apply(struct vm *vm, const struct config_route *r, char *error, size_t size)
{
	int result = 0;

	if (r->kind == CONFIG_ROUTE_REMOTE)
		return remote_route_begin(vm, r, error, size) ||
				       remote_route_settle(vm, r, error, size)
			       ? -1
			       : 0;
	if (r->kind == CONFIG_ROUTE_LOCAL)
		result = local_attach(vm, r, error, size);
	else
		set_ports(vm, r);
	if (!result && r->kind != CONFIG_ROUTE_LOCAL && r->irq >= 0)
		local_detach_irq((unsigned)r->irq);
	remote_route_collect(vm);
	return result;
}

/* What the guest does not get for want of a peer does not keep it from starting. */
static void remote_failed(const struct config_route *r, const char *error)
{
	log_warn("route 0x%x-0x%x: %s; these ports are absent", r->range[0].first, r->range[0].last,
		 error);
}

void route_boot(struct vm *vm)
{
	char error[CONFIG_ERROR_MAX];
	bool begun[CONFIG_ROUTES] = {false};

	for (unsigned i = 0; i < vm->config.route_count; i++) {
		const struct config_route *r = &vm->config.route[i];

		if (r->kind == CONFIG_ROUTE_REMOTE) {
			begun[i] = !remote_route_begin(vm, r, error, sizeof(error));
			if (!begun[i])
				remote_failed(r, error);
		} else if (route_apply(vm, r, error, sizeof(error))) {
			boot_fail("config:%u: %s", r->line, error);
		}
	}
	for (unsigned i = 0; i < vm->config.route_count; i++)
		if (begun[i] && remote_route_settle(vm, &vm->config.route[i], error, sizeof(error)))
			remote_failed(&vm->config.route[i], error);
}
