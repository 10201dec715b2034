/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interface: QEMU firmware configuration device (QEMU documentation, "fw_cfg"), as SeaBIOS 1.16
 * reads it.
 * Modelled: selector and data port, signature, revision, RAM size, CPU counts, the file directory,
 * the memory map file. Not modelled: the DMA interface (its revision bit is clear), writing.
 */
#include "devices/fw_cfg.h"
#include "devices/bus.h"
#include "devices/pc.h"
#include "lib/log.h"
#include "lib/str.h"

#define SELECTOR 0x510
#define DATA	 0x511

enum {
	KEY_SIGNATURE = 0x00,
	KEY_REVISION = 0x01,
	KEY_RAM_SIZE = 0x03,
	KEY_CPUS = 0x05,
	KEY_MAX_CPUS = 0x0f,
	KEY_DIRECTORY = 0x19,
	KEY_FILE_FIRST = 0x20,
};

#define E820_RAM 1

static void put_be(u8 *p, u32 value, unsigned bytes)
{
	while (bytes--) {
		p[bytes] = (u8)value;
		value >>= 8;
	}
}

static void put_le(u8 *p, u32 value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = i < 4 ? (u8)(value >> (i * 8)) : 0;
}

static void select_data(struct fw_cfg *f, const void *data, u32 size)
{
	f->data = data;
	f->size = size;
	f->offset = 0;
}

/* What is not there reads as zeros, which SeaBIOS takes for "nothing configured". */
static void select_key(struct fw_cfg *f, u16 key)
{
	static const u8 signature[4] = {'Q', 'E', 'M', 'U'}, revision[4] = {1};
	static const u8 one_cpu[2] = {1};
	unsigned file = (unsigned)key - KEY_FILE_FIRST;

	select_data(f, NULL, 0);
	switch (key) {
	case KEY_SIGNATURE:
		select_data(f, signature, sizeof(signature));
		break;
	case KEY_REVISION:
		select_data(f, revision, sizeof(revision));
		break;
	case KEY_RAM_SIZE:
		select_data(f, f->ram_size, sizeof(f->ram_size));
		break;
	case KEY_CPUS:
	case KEY_MAX_CPUS:
		select_data(f, one_cpu, sizeof(one_cpu));
		break;
	case KEY_DIRECTORY:
		select_data(f, &f->directory,
			    sizeof(f->directory.count) + f->files * sizeof(struct fw_cfg_entry));
		break;
	default:
		if (file < f->files)
			select_data(f, f->file[file], f->file_size[file]);
		break;
	}
}

static u32 fw_cfg_in(void *dev, u16 port, unsigned width)
{
	struct fw_cfg *f = dev;

	(void)width;
	if (port != DATA || f->offset >= f->size)
		return 0;
	return f->data[f->offset++];
}

static u32 fw_cfg_ins(void *dev, u16 port, unsigned width, void *buf, u32 count)
{
	struct fw_cfg *f = dev;
	u32 left = f->size - f->offset, n = count < left ? count : left;

	if (port != DATA) /* the selector, which alone takes words */
		n = 0;
	if (n)
		memcpy(buf, f->data + f->offset, n);
	memset((u8 *)buf + n, 0, (size_t)count * width - n);
	f->offset += n;
	return count;
}

static void fw_cfg_out(void *dev, u16 port, unsigned width, u32 value)
{
	if (port == SELECTOR && width == 2)
		select_key(dev, (u16)value);
}

static const struct port_ops fw_cfg_ops = {
	.in = fw_cfg_in,
	.out = fw_cfg_out,
	.ins = fw_cfg_ins,
	.widths = 1 | 2,
};

static int add_file(struct fw_cfg *f, const char *name, const void *data, u32 size)
{
	struct fw_cfg_entry *e = &f->directory.entry[f->files];

	if (f->files >= FW_CFG_FILES_MAX || strlen(name) >= FW_CFG_NAME) {
		log_error("fw_cfg: '%s': expected at most %d files with names below %d bytes", name,
			  FW_CFG_FILES_MAX, FW_CFG_NAME);
		return -1;
	}
	memcpy(e->name, name, strlen(name));
	put_be(e->size, size, 4);
	put_be(e->select, KEY_FILE_FIRST + f->files, 2);
	f->file[f->files] = data;
	f->file_size[f->files] = size;
	f->files++;
	put_be(f->directory.count, f->files, 4);
	return 0;
}

void fw_cfg_reset(struct fw_cfg *f)
{
	select_data(f, NULL, 0);
}

int fw_cfg_init(struct fw_cfg *f, struct bus *bus, u32 ram_size, const struct pc_fw_file *files,
		unsigned count)
{
	memset(f, 0, sizeof(*f));
	put_le(f->ram_size, ram_size, 8);
	put_le(f->e820 + 8, ram_size, 8);
	put_le(f->e820 + 16, E820_RAM, 4);
	if (add_file(f, "etc/e820", f->e820, sizeof(f->e820)))
		return -1;
	for (unsigned i = 0; i < count; i++)
		if (add_file(f, files[i].name, files[i].data, files[i].size))
			return -1;
	return bus_register(bus, SELECTOR, DATA, ROUTE_VIRTUAL, &fw_cfg_ops, f, "fw_cfg") < 0 ? -1
											      : 0;
}
