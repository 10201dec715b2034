// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plugin for QEMU's TCG that counts executed instructions by where they are, in a file that is
 * mapped: whoever reads it knows the counts of this moment. Time that a halted CPU lets pass counts
 * nothing, unlike in the clock of -icount. Interface: QEMU's docs/devel/tcg-plugins.rst, version 1.
 *
 *     -plugin executed.so,counts=FILE
 *
 * FILE: 64-bit counts of this machine's byte order; first for each 4 MB of linear addresses, then
 * for each 16 bytes of the 4 MB at FC000000h, where Farbus is (there they are not in the former).
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGIONS	    1024u
#define REGION_BITS 22
#define IMAGE	    0xfc000000u
#define PLACES	    (1u << REGION_BITS >> 4)

#define EXPORT __attribute__((visibility("default")))

enum { OP_ADD_U64 };

struct qemu_plugin_tb;
struct qemu_plugin_insn;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t n);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *ptr,
						uint64_t imm);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static uint64_t *counts;

static uint64_t *count_of(uint32_t address)
{
	if (address >> REGION_BITS == IMAGE >> REGION_BITS)
		return &counts[REGIONS + (address - IMAGE) / 16];
	return &counts[address >> REGION_BITS];
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		qemu_plugin_register_vcpu_insn_exec_inline(
			insn, OP_ADD_U64, count_of((uint32_t)qemu_plugin_insn_vaddr(insn)), 1);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	size_t size = (REGIONS + PLACES) * sizeof(*counts);
	int file;

	(void)info;
	if (argc != 1 || strncmp(argv[0], "counts=", 7))
		return -1;
	file = open(argv[0] + 7, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (file < 0 || ftruncate(file, (off_t)size))
		return -1;
	counts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (counts == MAP_FAILED)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
