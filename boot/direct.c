/* SPDX-License-Identifier: BSD-2-Clause */
/* The direct engine on this PC: its memory, descriptor tables, and the interrupts it meets. */
#include "boot/direct.h"
#include "boot/host.h"
#include "boot/memory.h"
#include "boot/relocate.h"
#include "boot/trap.h"
#include "cpu/direct/cpuid_fault.h"
#include "cpu/direct/direct.h"
#include "lib/log.h"
#include "lib/str.h"

/* Shadow tables: a page for so much guest memory, within these bounds. */
#define RAM_PER_PAGE (64 * KB)
#define PAGES_FIRST  256u
#define PAGES_LAST   4096u

#define MSR_SYSENTER_CS 0x174
#define CPUID_EDX_SEP	BIT(11)

#define MSR_PLATFORM_INFO	  0xce
#define PLATFORM_CPUID_FAULTING	  BIT(31)
#define MSR_MISC_FEATURES_ENABLES 0x140
#define MISC_CPUID_FAULTING	  BIT(0)
#define MSR_HWCR		  0xc0010015
#define HWCR_CPUID_USER_DIS	  (1ull << 35)
#define CPUID_EXTENDED		  0x80000000
#define CPUID_FEATURES2		  0x80000021

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

/* For translations; they take about three times as much, with what is known of them. */
static u32 code_size(const struct config *c, u32 ram)
{
	if (!c->translate)
		return 0;
	return ram < 32 * MB ? 880 * KB : 1792 * KB;
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

/* Guest memory that is not where the guest has it: on the heap, and the firmware in its module. */
static u32 machine(const u8 *host)
{
	u32 phys = (u32)host - PHYS_WINDOW;

	return phys < PHYS_WINDOW_SIZE ? phys : paging_machine(host);
}

static void interrupt(u32 vector)
{
	irq_dispatch(vector - TRAP_IRQ_BASE);
}

static void astray(void)
{
	log_warn("the guest's CPL 3 got into V86 mode by itself (QEMU's IRET lets it): shut down");
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

/* Registers by number: EAX, EBX, ECX, EDX. */
static void cpuid(u32 leaf, u32 r[4])
{
	asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

static struct cpuid_words cpuid_words(void)
{
	struct cpuid_words w = {0};
	u32 r[4];

	cpuid(0, r);
	w.last = r[0];
	w.vendor[0] = r[1];
	w.vendor[1] = r[3];
	w.vendor[2] = r[2];
	cpuid(1, r);
	w.signature = r[0];
	w.ecx = r[2];
	cpuid(CPUID_EXTENDED, r);
	if (r[0] >= CPUID_FEATURES2 && r[0] < CPUID_EXTENDED + 0x10000) {
		cpuid(CPUID_FEATURES2, r);
		w.extended_features2 = r[0];
	}
	return w;
}

static u64 read_msr(u32 msr)
{
	u64 value;

	asm volatile("rdmsr" : "=A"(value) : "c"(msr));
	return value;
}

static void set_msr(u32 msr, u64 bits)
{
	asm volatile("wrmsr" ::"c"(msr), "A"(read_msr(msr) | bits));
}

/* From now on CPUID at CPL 3 is #GP, where this PC can do that: the guest then sees Farbus's. */
static bool make_cpuid_fault(void)
{
	struct cpuid_words w = cpuid_words();

	switch (cpuid_fault_of(&w)) {
	case CPUID_FAULT_INTEL:
		if (!(read_msr(MSR_PLATFORM_INFO) & PLATFORM_CPUID_FAULTING))
			break;
		set_msr(MSR_MISC_FEATURES_ENABLES, MISC_CPUID_FAULTING);
		return true;
	case CPUID_FAULT_AMD:
		set_msr(MSR_HWCR, HWCR_CPUID_USER_DIS);
		return true;
	case CPUID_FAULT_NONE:
		break;
	}
	return false;
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
		.cpuid_faults = make_cpuid_fault(),
		.esp0 = trap_stack(),
		.interrupt = interrupt,
		.broken = broken,
		.astray = astray,
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
