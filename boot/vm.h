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

struct bus;
struct host_serial;
struct console; /* boot/console.c */
struct monitor; /* boot/monitor.c */
struct remotes; /* boot/remote.c */

/* A GRUB module after the move to the top of RAM: page-aligned, writable, mapped at data. */
struct module {
	char name[CONFIG_NAME_MAX];
	u8 *data;
	u32 size;
};

#define MODULES_MAX	16
#define ROM_SHADOW_SIZE (256 * KB)

/* Requests to the run loop; set with vm_request(), also from inside a port access or timer. */
#define VM_REQ_RESET	 BIT(0)
#define VM_REQ_POWER_OFF BIT(1)
#define VM_REQ_INIT	 BIT(3) /* the CPU alone: a guest on its way out of protected mode */
#define VM_REQ_MONITOR	 BIT(2) /* stop the guest between two instructions, enter the monitor */

struct vm {
	struct vcpu vcpu;
	struct physmem mem;
	struct clock clock;
	struct config config;
	const struct engine *engine;
	struct pc *pc;
	struct bus *bus; /* pc's */
	struct host_serial
		*serial[PC_SERIALS]; /* where a UART of the guest leads to; NULL: nowhere */
	u8 *rom_shadow;		     /* 256 KB: guest-physical C0000h-FFFFFh */
	struct module module[MODULES_MAX];
	unsigned module_count;
	struct console *console; /* NULL: configured away */
	struct monitor *monitor;
	struct lockstep *lockstep; /* NULL: another engine */
	struct remotes *remotes;   /* NULL: no network card */

	volatile u32 requests; /* VM_REQ_* */
	bool stopped;	       /* in the monitor: the guest does not run until vm_continue() */
	bool single_step;      /* run one instruction, then enter the monitor again */
	u64 last_reset_ns;     /* guest time of the last reset, for the triple-fault policy */
	u64 resets, triple_faults;
	bool reset_by_fault; /* the last reset came from a triple fault */
	u32 fault_eip;	     /* where the last triple fault was, and how many in a row were there */
	u16 fault_cs;
	u16 faults_alike;
	u64 stopped_since;  /* host ns while stopped */
	bool halt_reported; /* "halted with interrupts off" is in the log */
	u64 stopped_ns;	    /* host ns in which the guest's clock did not run: in the monitor, in
			       lockstep */
	u64 start_cycles;   /* host TSC when the guest started */
	u64 idle_cycles;    /* host cycles spent waiting for interrupts since then */
};

/* Host cycles since the guest started, without the idle ones. */
u64 vm_busy_cycles(const struct vm *vm);

struct boot_info;
/* Builds the VM from vm->config and vm->module[]; what cannot work ends in boot_fail(). */
void vm_build(struct vm *vm, const struct boot_info *boot);

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
