/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's firmware configuration interface, ports 510h and 511h: how SeaBIOS learns about the PC. */
#ifndef FARBUS_DEVICES_FW_CFG_H
#define FARBUS_DEVICES_FW_CFG_H

#include "lib/types.h"

struct bus;
struct pc_fw_file;

#define FW_CFG_FILES_MAX 24
#define FW_CFG_NAME	 56

/* All numbers big-endian, as the guest reads them. */
struct fw_cfg_entry {
	u8 size[4], select[2], reserved[2];
	char name[FW_CFG_NAME];
};

struct fw_cfg {
	struct {
		u8 count[4];
		struct fw_cfg_entry entry[FW_CFG_FILES_MAX];
	} directory;
	const void *file[FW_CFG_FILES_MAX];
	u32 file_size[FW_CFG_FILES_MAX];
	unsigned files;
	u8 e820[20]; /* one entry: address, length (64 bits), type (32 bits) */
	u8 ram_size[8];
	/* What is being read. */
	const u8 *data;
	u32 size, offset;
};

/* files stay the caller's. Returns 0, or -1 (logged). */
int fw_cfg_init(struct fw_cfg *f, struct bus *bus, u32 ram_size, const struct pc_fw_file *files,
		unsigned count);
void fw_cfg_reset(struct fw_cfg *f);

#endif
