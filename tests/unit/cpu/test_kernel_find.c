// SPDX-License-Identifier: BSD-2-Clause
/* What writing to a page with translations costs it: all of them, some, or its place among those
 * that are translated. */
#include <string.h>
#include "tests/unit/cpu/support_kernel.h"
#include "tests/unit/cpu/support_vm.h"

#define PAGE  0x40000u
#define OTHER (PAGE + 0x800) /* code in the same page */
#define DATA  (PAGE + 0x400)

static struct vcpu *const v = &vm.v;
static struct direct *const d = &kernel_direct;

static void begin(void)
{
	static const u8 insns[] = {0x90, 0xb8, 1, 0, 0, 0, 0xc3}; /* nop; mov eax, 1; ret */

	kernel_begin();
	memcpy(vm.ram + PAGE, insns, sizeof(insns));
	memcpy(vm.ram + OTHER, insns, sizeof(insns));
}

static struct translate_unit *find(u32 eip)
{
	struct translate_unit *u = NULL;

	v->eip = eip;
	CHECK(!kernel_find_raised(d, v, &u));
	return u;
}

static bool there(u32 eip)
{
	return translate_find(d->translator, eip, eip);
}

static void store(u32 lin)
{
	lin_write(v, lin, 4, 0x01020304, false);
}

static bool seen(void)
{
	return vm.flags[PAGE >> PAGE_SHIFT] & PHYS_PAGE_TRANSLATED;
}

/* It has lost them so often that stores are seen one by one. */
static void become_apart(void)
{
	u32 n = 0;

	begin();
	for (; !kernel_find_apart(d, PAGE); n++) {
		CHECK(n < 10);
		store(DATA);
		CHECK(!seen());
		CHECK(!there(PAGE));
		CHECK(find(PAGE) != NULL);
		CHECK(find(OTHER) != NULL);
		CHECK(seen());
	}
	CHECK(n > 1);
}

static void test_apart(void)
{
	u32 n;

	become_apart();
	store(DATA);
	store(PAGE - 4 + PAGE_SIZE);
	CHECK(there(PAGE) && there(OTHER) && seen());
	store(OTHER - 3); /* its first byte */
	CHECK(there(PAGE) && !there(OTHER) && seen());
	CHECK(find(OTHER) != NULL);
	store(PAGE + 6); /* its last byte */
	CHECK(!there(PAGE) && there(OTHER) && seen());
	/* Memory that is used for something else must not stay slow. */
	for (n = 0; seen(); n++) {
		CHECK(n < 100);
		store(DATA);
	}
	CHECK(n > 10);
	CHECK(!there(OTHER));
	/* DMA to all of it. */
	CHECK(find(PAGE) != NULL);
	CHECK(find(OTHER) != NULL);
	physmem_write(&vm.pm, PAGE, vm.ram, PAGE_SIZE);
	CHECK(!there(PAGE) && !there(OTHER));
	kernel_end();
}

/* Code that is written again and again is interpreted for a while. */
static void test_barred(void)
{
	u32 n, met;

	become_apart();
	for (n = 0; find(PAGE); n++) {
		CHECK(n < 20);
		store(PAGE);
		CHECK(!there(PAGE));
	}
	CHECK(n > 4);
	CHECK(!seen());
	CHECK(direct_kernel_barred(d, v));
	for (met = 0; !find(PAGE); met++)
		CHECK(met < 100);
	CHECK(met > 10);
	CHECK(seen());
	/* One more time, until some of it was interpreted. */
	store(PAGE);
	CHECK(find(PAGE) == NULL);
	CHECK(direct_kernel_barred(d, v));
	v->icount = DIRECT_BARRED_INSNS;
	CHECK(!direct_kernel_barred(d, v));
	v->icount = 0;
	d->barred_insns = DIRECT_BARRED_INSNS;
	CHECK(find(PAGE) != NULL);
	kernel_end();
}

/* Other memory at the same address: a PC's chipset has RAM and ROM at that of the BIOS. */
static void test_other_memory(void)
{
	static u8 other[4 * PAGE_SIZE] __attribute__((aligned(4096)));
	struct phys_region r = {.first = PAGE - PAGE_SIZE,
				.last = PAGE + 3 * PAGE_SIZE - 1,
				.rd = vm.ram + PAGE - PAGE_SIZE,
				.wr = other};

	begin();
	CHECK(find(PAGE) != NULL);
	CHECK_EQ(physmem_map(&vm.pm, &r), 0);
	CHECK(there(PAGE) && seen());
	physmem_set_a20(&vm.pm, false);
	CHECK(there(PAGE) && seen());
	r.rd = other;
	CHECK_EQ(physmem_map(&vm.pm, &r), 0);
	CHECK(!there(PAGE));
	CHECK(find(PAGE) != NULL);
	CHECK_EQ(physmem_unmap(&vm.pm, PAGE, PAGE + PAGE_SIZE - 1), 0);
	CHECK(!there(PAGE));
	kernel_end();
}

/* A wait for a port ends with the page that waits. */
static void test_polls(void)
{
	begin();
	v->eip = PAGE;
	direct_kernel_bar(d, v, true);
	v->icount = 2 * DIRECT_BARRED_INSNS;
	CHECK(direct_kernel_barred(d, v));
	v->eip = PAGE + PAGE_SIZE;
	CHECK(!direct_kernel_barred(d, v));
	kernel_end();
}

int main(void)
{
	test_apart();
	test_barred();
	test_polls();
	test_other_memory();
	return check_done();
}
