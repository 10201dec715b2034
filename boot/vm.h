/* SPDX-License-Identifier: BSD-2-Clause */
/* The one virtual machine: a CPU, a PC, its memory and time, and what the run loop knows of them.
 */
#ifndef FARBUS_BOOT_VM_H
#define FARBUS_BOOT_VM_H

#include "boot/config.h"
#include "cpu/engine.h"
#include "cpu/physmem.h"
#include "cpu/vcpu.h"
#include "devices/pc.h"
#include "devices/timer.h"

struct console; /* boot/console.c */
struct monitor; /* boot/monitor.c */

/* A GRUB module after the move to the top of RAM: page-aligned, writable, mapped at data. */
struct module {
	char name[CONFIG_NAME_MAX];
	u8 *data;
	u32 size;
};

#define MODULES_MAX 16

/* Requests to the run loop; set with vm_request(), also from inside a port access or timer. */
#define VM_REQ_RESET	 BIT(0)
#define VM_REQ_POWER_OFF BIT(1)
#define VM_REQ_MONITOR	 BIT(2) /* stop the guest between two instructions, enter the monitor */

struct vm {
	struct vcpu vcpu;
	struct physmem mem;
	struct clock clock;
	struct config config;
	const struct engine *engine;
	struct pc *pc;
	u8 *rom_shadow; /* 256 KB: guest-physical C0000h-FFFFFh */
	struct module module[MODULES_MAX];
	unsigned module_count;
	struct console *console; /* NULL: configured away */
	struct monitor *monitor;

	volatile u32 requests; /* VM_REQ_* */
	bool stopped;	       /* in the monitor: the guest does not run until vm_continue() */
	bool single_step;      /* run one instruction, then enter the monitor again */
	u64 last_reset_ns;     /* guest time of the last reset, for the triple-fault policy */
	u64 resets, triple_faults;
	bool reset_by_fault; /* the last reset came from a triple fault */
	u64 stopped_since;   /* host ns while stopped */
	u64 stopped_ns;	     /* host ns spent in the monitor: the guest's clock does not run then */
};

/* Builds the VM from vm->config and vm->module[]. Returns 0, or -1 with one line in the log. */
int vm_build(struct vm *vm);

/* NULL when no module has that name. */
struct module *vm_module(struct vm *vm, const char *name);

/* Sets VM_REQ_* bits; takes effect before the next guest instruction. */
void vm_request(struct vm *vm, u32 bits);

/* Between two guest instructions: stops guest and guest time, and lets both run again. */
void vm_stop(struct vm *vm);
void vm_continue(struct vm *vm);

/* Does not return: carries out the guest until it powers off. */
_Noreturn void vm_run(struct vm *vm);

/* One line of guest state (CS:EIP, mode, registers) into buf. */
void vm_describe(struct vm *vm, char *buf, size_t size);

#endif
