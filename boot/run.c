/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop: what is due, then the guest until it needs something, then what it needs. Whatever
 * happens in an interrupt handler or inside a guest instruction only leaves a note (VCPU_EV_HOST,
 * vm->requests) and is carried out here, between two guest instructions.
 */
#include "boot/run.h"
#include "boot/console.h"
#include "boot/host.h"
#include "boot/local.h"
#include "boot/log.h"
#include "boot/monitor.h"
#include "boot/port.h"
#include "boot/remote.h"
#include "boot/trace.h"
#include "cpu/cpu.h"
#include "cpu/interp/fpu.h"
#include "devices/bus.h"
#include "lib/fmt.h"
#include "lib/log.h"

/*
 * Resetting does not help when a second triple fault comes this soon after a reset, or when so many
 * come one after the other at the same place, each within this time from the reset before it: the
 * firmware and a boot loader may take a while to get there.
 */
#define FAULT_AGAIN_NS	NS_PER_SEC
#define FAULT_ALIKE_NS	(60 * NS_PER_SEC)
#define FAULT_ALIKE_MAX 3

/* CPUID.1:EDX bits that depend on the host: FPU, MMX, FXSR, SSE. */
#define HOST_FEATURES (BIT(0) | BIT(23) | BIT(24) | BIT(25))

void vm_request(struct vm *vm, u32 bits)
{
	vm->requests |= bits;
	vcpu_event_set(&vm->vcpu, VCPU_EV_HOST);
}

void vm_stop(struct vm *vm)
{
	if (vm->stopped)
		return;
	vm->stopped_since = host_ns();
	vm->stopped = true;
}

void vm_continue(struct vm *vm)
{
	if (!vm->stopped)
		return;
	vm->stopped = false;
	vm->stopped_ns += host_ns() - vm->stopped_since;
	vcpu_event_set(&vm->vcpu, VCPU_EV_HOST);
}

/* --- what the CPU's pins lead to --- */

static bool cpu_in(void *ctx, u16 port, unsigned width, u32 *value)
{
	return bus_in(((struct vm *)ctx)->bus, port, width, value);
}

static bool cpu_out(void *ctx, u16 port, unsigned width, u32 value)
{
	return bus_out(((struct vm *)ctx)->bus, port, width, value);
}

static u32 cpu_ins(void *ctx, u16 port, unsigned width, void *buf, u32 count)
{
	return bus_ins(((struct vm *)ctx)->bus, port, width, buf, count);
}

static u32 cpu_outs(void *ctx, u16 port, unsigned width, const void *buf, u32 count)
{
	return bus_outs(((struct vm *)ctx)->bus, port, width, buf, count);
}

static int cpu_intack(void *ctx)
{
	int vector = pc_intack(((struct vm *)ctx)->pc);

	vm_trace_event(TRACE_IRQ, (u32)vector);
	return vector;
}

static u64 cpu_tsc(void *ctx)
{
	(void)ctx;
	return rdtsc();
}

static void cpu_ferr(void *ctx, bool level)
{
	pc_ferr(((struct vm *)ctx)->pc, level);
}

static bool cpu_ignne(void *ctx)
{
	return pc_ignne(((struct vm *)ctx)->pc);
}

static const struct vcpu_ops cpu_ops = {
	.in = cpu_in,
	.out = cpu_out,
	.ins = cpu_ins,
	.outs = cpu_outs,
	.intack = cpu_intack,
	.tsc = cpu_tsc,
	.ferr = cpu_ferr,
	.ignne = cpu_ignne,
};

void run_wire_cpu(struct vm *vm)
{
	vm->vcpu.ops = &cpu_ops;
	vm->vcpu.ops_ctx = vm;
	host_wake_word(&vm->vcpu.events, VCPU_EV_HOST);
	vm->vcpu.feature_mask = ~HOST_FEATURES | fpu_host_features();
}

static void pc_intr(void *ctx, bool level)
{
	struct vm *vm = ctx;

	if (level)
		vcpu_event_set(&vm->vcpu, VCPU_EV_INTR);
	else
		vcpu_event_clear(&vm->vcpu, VCPU_EV_INTR);
}

static void pc_reset_line(void *ctx)
{
	vm_request(ctx, VM_REQ_RESET);
}

static void pc_init_line(void *ctx)
{
	vm_request(ctx, VM_REQ_INIT);
}

static void pc_power_line(void *ctx)
{
	vm_request(ctx, VM_REQ_POWER_OFF);
}

static void clock_earlier(void *ctx, u64 deadline)
{
	struct vm *vm = ctx;

	host_timer_set(deadline + vm->stopped_ns);
}

void run_wire_pc(struct vm *vm, struct pc_config *pc)
{
	pc->intr = pc_intr;
	pc->reset = pc_reset_line;
	pc->cpu_init = pc_init_line;
	pc->power_off = pc_power_line;
	pc->ctx = vm;
	vm->clock.earlier = clock_earlier;
}

/* --- requests --- */

static void reset(struct vm *vm)
{
	vcpu_reset(&vm->vcpu);
	pc_reset(vm->pc);
	remote_route_reset(vm);
	vm->last_reset_ns = clock_now(&vm->clock);
	vm->resets++;
	vm_trace_event(TRACE_RESET, 0);
}

u64 vm_busy_cycles(const struct vm *vm)
{
	return rdtsc() - vm->start_cycles - vm->idle_cycles;
}

static _Noreturn void power_off(struct vm *vm)
{
	log_info("stats: %llu guest instructions in %llu host cycles, %llu more idle",
		 vm->vcpu.stats.insns, vm_busy_cycles(vm), vm->idle_cycles);
	remote_route_end(vm);
	log_info("power off");
	if (vm->console)
		console_flush(vm);
	host_power_off();
}

static void enter_monitor(struct vm *vm, const char *why)
{
	vm_stop(vm);
	vm->single_step = false;
	monitor_enter(vm, why);
}

static void handle_requests(struct vm *vm)
{
	u32 requests = vm->requests;

	vm->requests = 0;
	if (requests & VM_REQ_POWER_OFF)
		power_off(vm);
	if (requests & VM_REQ_INIT)
		vcpu_reset(&vm->vcpu);
	if (requests & VM_REQ_RESET) {
		log_info("guest reset");
		vm->reset_by_fault = false;
		reset(vm);
	}
	if (requests & VM_REQ_MONITOR)
		enter_monitor(vm, "guest stopped");
}

void vm_describe(struct vm *vm, char *buf, size_t size)
{
	struct vcpu *v = &vm->vcpu;
	const u32 *r = v->gpr;

	fmt(buf, size,
	    "%04x:%08x %s cpl %u efl %08x cr0 %08x cr3 %08x eax %08x ebx %08x ecx %08x edx %08x "
	    "esi %08x edi %08x ebp %08x ss:esp %04x:%08x",
	    v->seg[SEG_CS].sel, v->eip,
	    !vcpu_protected(v)		   ? "real"
	    : vcpu_v86(v)		   ? "v86"
	    : v->seg[SEG_CS].attr & SEG_DB ? "prot32"
					   : "prot16",
	    v->cpl, vcpu_eflags(v), v->cr0, v->cr3, r[REG_EAX], r[REG_EBX], r[REG_ECX], r[REG_EDX],
	    r[REG_ESI], r[REG_EDI], r[REG_EBP], v->seg[SEG_SS].sel, r[REG_ESP]);
}

/* Takes note of a triple fault; true: resetting does not help. */
static bool fault_loop(struct vm *vm)
{
	u64 since_reset = clock_now(&vm->clock) - vm->last_reset_ns;
	u16 cs = vm->vcpu.seg[SEG_CS].sel;
	bool alike = vm->reset_by_fault && since_reset < FAULT_ALIKE_NS && vm->fault_cs == cs &&
		     vm->fault_eip == vm->vcpu.eip;

	vm->faults_alike = alike ? vm->faults_alike + 1 : 1;
	vm->fault_cs = cs;
	vm->fault_eip = vm->vcpu.eip;
	return (vm->reset_by_fault && since_reset < FAULT_AGAIN_NS) ||
	       vm->faults_alike >= FAULT_ALIKE_MAX;
}

/*
 * A PC resets on a triple fault, and some guests (286 code, old reboot routines) count on it. One
 * that always faults again would do so forever.
 */
static void triple_fault(struct vm *vm)
{
	char state[256];
	bool again = fault_loop(vm);

	vm->triple_faults++;
	vm_describe(vm, state, sizeof(state));
	log_warn("guest triple fault at %s", state);
	if (again || vm->config.triple_fault_stop) {
		enter_monitor(vm, again ? "triple fault again after a reset" : "triple fault");
		return;
	}
	reset(vm);
	vm->reset_by_fault = true;
}

/* --- idling --- */

static bool can_wake(struct vm *vm)
{
	u32 events = vm->vcpu.events;

	return events & VCPU_EV_NMI || (events & VCPU_EV_INTR && vm->vcpu.eflags & FLAG_IF);
}

static void idle(struct vm *vm, u32 mask)
{
	vm->idle_cycles += host_idle(&vm->vcpu.events, mask);
}

/* HLT: until an interrupt that the guest takes. With IF off only an NMI or a reset ends it. */
static void halted(struct vm *vm)
{
	if (can_wake(vm))
		return;
	if (!(vm->vcpu.eflags & FLAG_IF) && !vm->halt_reported) {
		log_warn("guest halted with interrupts off at %04x:%08x", vm->vcpu.seg[SEG_CS].sel,
			 vm->vcpu.eip);
		vm->halt_reported = true;
	}
	idle(vm, VCPU_EV_HOST | VCPU_EV_NMI);
}

static void leave(struct vm *vm, enum exit_reason reason)
{
	vm->vcpu.stats.exits[reason]++;
	switch (reason) {
	case EXIT_SHUTDOWN:
		triple_fault(vm);
		break;
	case EXIT_HLT:
		remote_route_flush(vm);
		halted(vm);
		break;
	case EXIT_IO_WAIT:
		if (!can_wake(vm))
			idle(vm, VCPU_EV_HOST);
		break;
	case EXIT_STEP:
	case EXIT_EVENT:
	default:
		break;
	}
}

/* --- the loop --- */

static void feed_inputs(struct vm *vm)
{
	s8 dx, dy;
	u8 buttons;
	int byte;

	while (pc_key_space(vm->pc) && (byte = host_keyboard_get()) >= 0)
		pc_key_scancode(vm->pc, (u8)byte);
	while (host_mouse_get(&dx, &dy, &buttons))
		pc_mouse_packet(vm->pc, dx, dy, buttons);
	for (unsigned n = 0; n < PC_SERIALS; n++)
		while (vm->serial[n] && pc_serial_space(vm->pc, n) &&
		       (byte = serial_getc(vm->serial[n])) >= 0)
			pc_serial_input(vm->pc, n, (u8)byte);
}

/* Everything but the guest; returns the host_ns() at which this is due again. */
static u64 housekeeping(struct vm *vm)
{
	u64 deadline = TIMER_NEVER, guest, net, trace;

	vcpu_event_clear(&vm->vcpu, VCPU_EV_HOST);
	if (vm->console)
		deadline = console_poll(vm, host_ns());
	net = remote_route_poll(vm, host_ns());
	if (net < deadline)
		deadline = net;
	trace = vm_trace_poll(vm, host_ns());
	if (trace < deadline)
		deadline = trace;
	handle_requests(vm);
	if (vm->stopped)
		return deadline;
	feed_inputs(vm);
	local_poll(vm);
	guest = clock_run(&vm->clock);
	if (guest != TIMER_NEVER && guest + vm->stopped_ns < deadline)
		deadline = guest + vm->stopped_ns;
	return deadline;
}

static void run_guest(struct vm *vm)
{
	if (!vm->single_step) {
		leave(vm, vm->engine->run(&vm->vcpu));
		return;
	}
	leave(vm, vm->engine->step(&vm->vcpu));
	if (!vm->stopped)
		enter_monitor(vm, "step");
}

void vm_run(struct vm *vm)
{
	reset(vm);
	vm->resets = 0;
	vm->start_cycles = rdtsc();
	log_info("guest starts");
	log_leave_screen();
	for (;;) {
		u64 deadline = housekeeping(vm);

		if (deadline != TIMER_NEVER)
			host_timer_set(deadline);
		if (vm->stopped)
			idle(vm, VCPU_EV_HOST);
		else
			run_guest(vm);
	}
}
