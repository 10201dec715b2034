/* SPDX-License-Identifier: BSD-2-Clause */
/* What the memory paths ask of the TLB beyond its inline hits. */
#ifndef FARBUS_CPU_TLB_H
#define FARBUS_CPU_TLB_H

#include "cpu/mem.h"

/* Where one access within a page goes. */
struct target {
	u32 gpa;
	u8 *host;     /* NULL: through physmem_io_read() or physmem_io_write() */
	bool watched; /* PHYS_PAGE_WATCHED: physmem_note_write() comes before writing */
};

/*
 * Translates one byte's address for an access (user: CPL 3 rights), filling the TLB where it may
 * hold the page. Faults as the access would.
 */
struct target tlb_translate(struct vcpu *v, u32 lin, bool write, bool user);

#endif
