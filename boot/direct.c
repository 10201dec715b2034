/* SPDX-License-Identifier: BSD-2-Clause */
/* The direct engine on this PC: its memory, descriptor tables, and the interrupts it meets. */
#include "boot/direct.h"
#include "boot/host.h"
#include "boot/memory.h"
#include "boot/relocate.h"
#include "boot/trap.h"
#include "cpu/direct/direct.h"
#include "lib/log.h"
#include "lib/str.h"

/* Shadow tables: a page for so much guest memory, within these bounds. */
#define RAM_PER_PAGE (64 * KB)
#define PAGES_FIRST  256u
#define PAGES_LAST   4096u

#define MSR_SYSENTER_CS 0x174
#define CPUID_EDX_SEP	BIT(11)

static u32 shadow_pages(const struct config *c, u32 ram)
{
	u32 pages = ram / RAM_PER_PAGE;

	if (c->shadow_pool)
		return c->shadow_pool / PAGE_SIZE;
	return pages < PAGES_FIRST ? PAGES_FIRST : pages > PAGES_LAST ? PAGES_LAST : pages;
}

static u32 flag_pages(u32 ram)
{
	return ram / PAGE_SIZE < 256 ? 256 : ram / PAGE_SIZE;
}

/* For translations; they take about four times as much, with what is known of them. */
static u32 code_size(const struct config *c, u32 ram)
{
	if (!c->translate)
		return 0;
	return ram < 32 * MB ? 512 * KB : 1792 * KB;
}

/* Behind the translations. */
#define STATE_SIZE ((sizeof(struct translate_state) + PAGE_SIZE - 1) & PAGE_MASK)

u32 direct_own_size(const struct config *c, u32 ram)
{
	u32 pages = shadow_pages(c, ram);
	u32 code = code_size(c, ram), size = (u32)direct_arena_size(flag_pages(ram), pages, code);

	if (code)
		size += code + STATE_SIZE + 2 * PAGE_SIZE;
	return size + pages * PAGE_SIZE;
}

/* Guest memory on the heap: the PC's ROMs. */
static u32 machine(const u8 *host)
{
	return paging_machine(host);
}

static void interrupt(u32 vector)
{
	irq_dispatch(vector - TRAP_IRQ_BASE);
}

static _Noreturn void broken(u32 vector, u32 eip)
{
	panic("exception %u while the guest ran at %08x", vector, eip);
}

/* SYSENTER at CPL 3 is #GP while this MSR is 0 (SDM vol. 2), and so the interpreter's. */
static void forbid_sysenter(void)
{
	u32 eax = 1, ebx, ecx, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	if (edx & CPUID_EDX_SEP)
		asm volatile("wrmsr" ::"c"(MSR_SYSENTER_CS), "a"(0), "d"(0));
}

static u64 kernel_ldt[DIRECT_KERNEL_LDT];

/* Memory for translations and their state, which the guest's CPL 0 may reach. */
static void add_kernel(struct direct_host *host)
{
	u8 *place = paging_guest_part(host->code_size, STATE_SIZE, &host->shadow.own_kernel_pde);

	if (!place)
		boot_fail("boot: no memory for translations: %u KB left", memory_left() / KB);
	trap_ldt_set(SEL_KERNEL_LDT, kernel_ldt, sizeof(kernel_ldt));
	host->code = place;
	host->state = (struct translate_state *)(void *)(place + host->code_size);
	host->kernel_ldt = kernel_ldt;
	host->kernel_ldt_selector = SEL_KERNEL_LDT;
	host->leave_gate = trap_gate(DIRECT_LEAVE_VECTOR);
}

void direct_build(struct vm *vm)
{
	u32 pages = shadow_pages(&vm->config, vm->config.ram),
	    phys = memory_take(pages * PAGE_SIZE);
	u32 code = code_size(&vm->config, vm->config.ram);
	void *arena = host_alloc(direct_arena_size(vm->mem.flag_pages, pages, code));
	struct direct_host host = {
		.gdt = trap_gdt,
		.ldt = trap_ldt,
		.own_selectors = SEL_OWN,
		.ldt_selector = SEL_GUEST_LDT,
		.small_selector = SEL_SMALL,
		.code_size = code,
		.esp0 = trap_stack(),
		.interrupt = interrupt,
		.broken = broken,
		.shadow = {.pages = phys_ptr(phys),
			   .pages_phys = phys,
			   .page_count = pages,
			   .window = phys_ptr(0),
			   .window_size = PHYS_WINDOW_SIZE,
			   .machine = machine,
			   .ram_only = vm->config.cpu == CONFIG_CPU_LOCKSTEP,
			   .own_index = (u32)image_start >> 22,
			   .own_pde = paging_image_pde(),
			   .own_kernel_pde = paging_image_pde()},
	};

	if (!phys || !arena)
		boot_fail("boot: no memory for the direct engine: %u KB left", memory_left() / KB);
	memset(phys_ptr(phys), 0, pages * PAGE_SIZE);
	if (code)
		add_kernel(&host);
	forbid_sysenter();
	direct_init(&vm->vcpu, arena, &host);
	vm->engine = &direct_engine;
}
