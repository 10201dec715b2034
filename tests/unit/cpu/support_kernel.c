// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include "tests/unit/cpu/support_kernel.h"
#include "tests/unit/cpu/support_vm.h"

#define CODE_SIZE (64 * KB)
#define LEAVE	  0x10000000u

struct direct kernel_direct;
struct translate_state kernel_state;
static u8 code[CODE_SIZE] __attribute__((aligned(16)));

void kernel_begin(void)
{
	struct direct *d = &kernel_direct;
	struct vcpu *v = &vm.v;
	struct translate_host host = {.code = code,
				      .code_size = CODE_SIZE,
				      .state = &kernel_state,
				      .state_disp = (u32)(uintptr_t)&kernel_state,
				      .state_prefix = 0x65,
				      .leave = LEAVE};

	vm_protected();
	*d = (struct direct){.vcpu = v};
	d->written = calloc(1, kernel_find_size());
	d->map = calloc(1, kernel_map_size());
	d->translator = translate_init(calloc(1, translate_arena_size(CODE_SIZE)), &host);
	v->direct = d;
	v->flushed = kernel_map_flushed;
	v->mem->translated_written = kernel_find_written;
	v->mem->stores_apart = kernel_find_apart;
	v->mem->translated_ctx = d;
}

void kernel_end(void)
{
	struct direct *d = &kernel_direct;

	free(d->translator);
	free(d->map);
	free(d->written);
}
