/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory has to start at physical 0 (passed-through DMA devices see machine addresses), so
 * Farbus and its modules get out of the way: to the top of the highest RAM that holds them.
 */
#include "boot/relocate.h"
#include "boot/host.h"
#include "boot/multiboot.h"
#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/str.h"

/* Page directory, page tables, heap: what must fit beside image and modules in any case. */
#define OWN_MINIMUM (3 * MB)

/* Where a module is and where it goes. */
struct move {
	u32 from, to, size;
	unsigned module;
};

static u32 page_up(u32 n)
{
	return (n + PAGE_SIZE - 1) & PAGE_MASK;
}

static void copy_string(char *dst, size_t size, u32 phys)
{
	const char *s = phys_ptr(phys);
	size_t n = 0;

	for (; n + 1 < size && s[n]; n++)
		dst[n] = s[n];
	dst[n] = 0;
}

/* GRUB's string for a module is its name; QEMU's -initrd puts the file's path before it. */
static void module_name(char *dst, u32 phys)
{
	char text[256];
	char *name = text, *word;

	copy_string(text, sizeof(text), phys);
	while ((word = strchr(name, ' ')) && word[1])
		name = word + 1;
	for (word = name; *word; word++)
		if (*word == '/')
			name = word + 1;
	fmt(dst, CONFIG_NAME_MAX, "%s", name);
}

static void read_ram_map(struct ram_map *ram, const struct mb_info *info)
{
	if (info->flags & MB_INFO_MMAP) {
		u32 at = info->mmap_addr, end = at + info->mmap_length;

		while (at + sizeof(struct mb_mmap) <= end) {
			const struct mb_mmap *m = phys_ptr(at);

			if (m->type == MB_MMAP_RAM)
				ram_map_add(ram, m->base, m->length);
			at += m->size + sizeof(m->size);
		}
	} else if (info->flags & MB_INFO_MEMORY) {
		ram_map_add(ram, 0, (u64)info->mem_lower * KB);
		ram_map_add(ram, MB, (u64)info->mem_upper * KB);
	}
	ram_map_finish(ram);
}

/* Fills move[] with the modules, the highest in memory first. */
static unsigned read_modules(struct boot_info *boot, const struct mb_info *info, struct move *move)
{
	const struct mb_module *m = phys_ptr(info->mods_addr);
	unsigned n = info->flags & MB_INFO_MODULES ? info->mods_count : 0;

	if (n > MODULES_MAX)
		boot_fail("boot: %u modules: at most %u can be given", n, MODULES_MAX);
	for (unsigned i = 0; i < n; i++) {
		struct move one = {m[i].start, 0, m[i].end - m[i].start, i};
		unsigned j = i;

		module_name(boot->module[i].name, m[i].string);
		boot->module[i].size = one.size;
		for (; j && move[j - 1].from < one.from; j--)
			move[j] = move[j - 1];
		move[j] = one;
	}
	boot->module_count = n;
	return n;
}

static const struct ram_range *range_of(const struct ram_map *ram, u32 addr)
{
	for (unsigned i = 0; i < ram->count; i++)
		if (ram->range[i].start <= addr && addr < ram->range[i].end)
			return &ram->range[i];
	return NULL;
}

/* The highest range with room for `need` bytes. What is left for the guest is seen later. */
static const struct ram_range *choose_range(const struct ram_map *ram, u32 need)
{
	for (unsigned i = ram->count; i--;) {
		const struct ram_range *r = &ram->range[i];
		u32 start = r->start < MB ? MB : r->start;

		if (r->end > start && r->end - start >= need)
			return r;
	}
	return NULL;
}

static bool overlap(u32 a, u32 a_size, u32 b, u32 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/*
 * Copies in order, from the highest module down: every copy goes upwards, so that it can only cover
 * its own old place or that of a module moved before. Anything else would lose a module.
 */
static void move_modules(struct boot_info *boot, const struct move *move, unsigned n)
{
	u32 image = (u32)boot_end, image_size = (u32)(image_end - image_start);

	for (unsigned i = 0; i < n; i++) {
		bool clash = overlap(move[i].to, move[i].size, image, image_size);

		for (unsigned j = i + 1; j < n; j++)
			clash |= overlap(move[i].to, move[i].size, move[j].from, move[j].size);
		if (clash)
			boot_fail("boot: module '%s': no room to move it to the top of RAM",
				  boot->module[move[i].module].name);
		memmove(phys_ptr(move[i].to), phys_ptr(move[i].from), move[i].size);
		boot->module[move[i].module].data = phys_ptr(move[i].to);
	}
}

static u32 total_mb(const struct ram_map *ram)
{
	u32 bytes = 0;

	for (unsigned i = 0; i < ram->count; i++)
		bytes += ram->range[i].end - ram->range[i].start;
	return (bytes + MB - 1) / MB;
}

void relocate(struct boot_info *boot, u32 mbi)
{
	static struct move move[MODULES_MAX];
	const struct mb_info *info = phys_ptr(mbi);
	const struct ram_range *home, *low;
	u32 image_size = (u32)(image_end - image_start), need = image_size + OWN_MINIMUM;
	u32 modules = 0, image;
	unsigned n;

	if (info->flags & MB_INFO_CMDLINE)
		copy_string(boot->cmdline, sizeof(boot->cmdline), info->cmdline);
	read_ram_map(&boot->ram, info);
	n = read_modules(boot, info, move);
	for (unsigned i = 0; i < n; i++)
		modules += page_up(move[i].size);
	boot->module_bytes = modules;
	boot->host_mb = total_mb(&boot->ram);
	home = choose_range(&boot->ram, need + modules);
	low = range_of(&boot->ram, MB);
	if (!home || !low || !range_of(&boot->ram, 0))
		boot_fail("boot: this PC has %u MB: too little for Farbus and %u KB of modules",
			  boot->host_mb, modules / KB);
	boot->guest_limit = low->end;

	memory_init(home->start < MB ? MB : home->start, home->end);
	for (unsigned i = 0; i < n; i++)
		move[i].to = memory_take(move[i].size);
	move_modules(boot, move, n);
	image = memory_take(image_size);
	paging_move(image);
}
