// SPDX-License-Identifier: BSD-2-Clause
/* When the ways between translations are dropped because code pages lead elsewhere, and when not.
 */
#include <stdlib.h>
#include "cpu/direct/private.h"
#include "tests/unit/cpu/support_vm.h"

#define CODE_SIZE (64 * KB)
#define LEAVE	  0x10000000u
#define WAY	  0x12345678u /* native code, as a predicted return has it */
#define PAGES	  40u
#define FAR_APART (4 * MB) /* pages of one place in any small hash */

static struct vcpu *const v = &vm.v;
static struct translate_state state;
static u8 code[CODE_SIZE] __attribute__((aligned(16)));
static struct direct d;

static void begin(void)
{
	struct translate_host host = {.code = code,
				      .code_size = CODE_SIZE,
				      .state = &state,
				      .state_disp = (u32)(uintptr_t)&state,
				      .state_prefix = 0x65,
				      .leave = LEAVE};

	vm_protected();
	d = (struct direct){.vcpu = v};
	d.map = calloc(1, kernel_map_size());
	d.translator = translate_init(calloc(1, translate_arena_size(CODE_SIZE)), &host);
	v->direct = &d;
	v->flushed = kernel_map_flushed;
	kernel_map_check(&d, v);
	state.ret[0] = WAY;
}

static bool ways_dropped(void)
{
	bool dropped = state.ret[0] != WAY;

	state.ret[0] = WAY;
	return dropped;
}

static void end(void)
{
	free(d.translator);
	free(d.map);
}

/* Code in one place after another again and again, as a kernel's is. */
static void test_many(void)
{
	begin();
	for (u32 n = 0; n < 100 * PAGES; n++)
		kernel_map_add(&d, n % PAGES * FAR_APART, n % PAGES * FAR_APART);
	for (u32 n = 0; n < 1500; n++)
		kernel_map_add(&d, 0xc0000000 + n * PAGE_SIZE, 0xc0000000 + n * PAGE_SIZE);
	CHECK(!ways_dropped());
	mem_tlb_flush(v, true);
	kernel_map_check(&d, v);
	CHECK(!ways_dropped());
	/* More than are remembered. */
	for (u32 n = 0; n < 4000; n++)
		kernel_map_add(&d, 0xc0000000 + n * PAGE_SIZE, 0xc0000000 + n * PAGE_SIZE);
	CHECK(ways_dropped());
	end();
}

static void test_changes(void)
{
	begin();
	for (u32 n = 0; n < PAGES; n++)
		kernel_map_add(&d, n * FAR_APART, n * FAR_APART);
	/* Elsewhere, as the caller has found. */
	kernel_map_add(&d, 7 * FAR_APART, 8 * FAR_APART);
	CHECK(ways_dropped());
	/* Elsewhere, as a flush shows; what was forgotten is not looked at. */
	mem_tlb_flush(v, false);
	kernel_map_check(&d, v);
	CHECK(ways_dropped());
	kernel_map_add(&d, 9 * FAR_APART, 9 * FAR_APART);
	mem_tlb_flush_page(v, 9 * FAR_APART);
	kernel_map_check(&d, v);
	CHECK(!ways_dropped());
	v->seg[SEG_CS].base += 16;
	kernel_map_check(&d, v);
	CHECK(ways_dropped());
	end();
}

int main(void)
{
	test_many();
	test_changes();
	return check_done();
}
