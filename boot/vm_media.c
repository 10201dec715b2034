/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/vm_media.h"
#include "boot/host.h"
#include "boot/host_ata.h"
#include "boot/relocate.h"
#include "devices/block.h"
#include "lib/fmt.h"

#define SECTOR	  512u
#define CD_SECTOR 2048u

/* One medium; word is the configuration's, such as "disk0". */
static struct block *open_medium(struct vm *vm, const struct config_medium *m, const char *word,
				 u32 sector_size)
{
	struct block *b = host_alloc(sizeof(*b));
	struct module *module;
	char error[CONFIG_ERROR_MAX];

	if (!b)
		boot_fail("boot: no memory for %s", word);
	if (m->source == CONFIG_HOST) {
		if (host_ata_open(b, m->host_disk, m->partition, error, sizeof(error)))
			boot_fail("config:%u: %s: %s", m->line, word, error);
		return b;
	}
	module = vm_module(vm, m->module);
	if (!module)
		boot_fail("config:%u: %s module %s: no such module was loaded", m->line, word,
			  m->module);
	if (!module->size || module->size % sector_size)
		boot_fail("config:%u: %s module %s: %u bytes: expected a whole number of "
			  "%u-byte sectors",
			  m->line, word, m->module, module->size, sector_size);
	if (block_from_memory(b, module->name, module->data, module->size, sector_size))
		host_halt();
	return b;
}

static struct block *open_drive(struct vm *vm, const struct config_medium *m, const char *kind,
				unsigned n, u32 sector_size)
{
	char word[16];

	if (m->source == CONFIG_NONE)
		return NULL;
	fmt(word, sizeof(word), "%s%u", kind, n);
	return open_medium(vm, m, word, sector_size);
}

void media_attach(struct vm *vm, struct pc_config *pc)
{
	const struct config *c = &vm->config;

	for (unsigned n = 0; n < PC_DISKS; n++) {
		pc->disk[n] = open_drive(vm, &c->disk[n], "disk", n, SECTOR);
		pc->cdrom[n] = open_drive(vm, &c->cdrom[n], "cdrom", n, CD_SECTOR);
		pc->geometry[n].cylinders = c->geometry[n].cylinders;
		pc->geometry[n].heads = c->geometry[n].heads;
		pc->geometry[n].sectors = c->geometry[n].sectors;
	}
	for (unsigned n = 0; n < PC_FLOPPIES; n++)
		pc->floppy[n] = open_drive(vm, &c->floppy[n], "floppy", n, SECTOR);
}
