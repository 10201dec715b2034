/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/real_ports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

#include "lib/log.h"

static int dev_port = -1;

bool real_ports_wide(void)
{
	return dev_port < 0;
}

u32 real_port_in(u16 port, unsigned width)
{
	u8 byte = 0xff;

	if (dev_port >= 0) {
		if (pread(dev_port, &byte, 1, port) != 1)
			byte = 0xff;
		return byte;
	}
	switch (width) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	default:
		return inl(port);
	}
}

void real_port_out(u16 port, unsigned width, u32 value)
{
	const u8 byte = (u8)value;

	if (dev_port >= 0) {
		/* An access to a port has no errors. */
		if (pwrite(dev_port, &byte, 1, port) != 1)
			return;
		return;
	}
	switch (width) {
	case 1:
		outb(byte, port);
		break;
	case 2:
		outw((u16)value, port);
		break;
	default:
		outl(value, port);
		break;
	}
}

static bool grant(const struct port_range *range, unsigned ranges, int on)
{
	for (unsigned i = 0; i < ranges; i++)
		if (ioperm(range[i].first, (unsigned long)(range[i].last - range[i].first) + 1, on))
			return false;
	return true;
}

/* A kernel may have been built without ioperm(2), or without /dev/port. */
bool real_ports_open(const char *name, const struct port_range *range, unsigned ranges)
{
	int error;

	if (dev_port >= 0 || grant(range, ranges, 1))
		return true;
	error = errno;
	if (error == ENOSYS)
		dev_port = open("/dev/port", O_RDWR | O_CLOEXEC);
	if (dev_port >= 0)
		return true;
	log_error("export %s: ports: ioperm: %s%s", name, strerror(error),
		  error == EPERM    ? ": expected CAP_SYS_RAWIO, which SIGHUP no longer has"
		  : error == ENOSYS ? ", and no /dev/port: expected a kernel with either"
				    : "");
	return false;
}

void real_ports_close(const struct port_range *range, unsigned ranges)
{
	if (dev_port < 0)
		grant(range, ranges, 0);
}

/* --- who else uses them --- */

/* "  03f8-03ff : serial"; buses are not users, which the kernel shows by ports within theirs. */
static bool is_bus(const char *who)
{
	return !strncmp(who, "PCI Bus", 7) || !strncmp(who, "pnp ", 4) ||
	       (strlen(who) == 12 && who[4] == ':' && who[7] == ':' && who[10] == '.');
}

static bool overlaps(const struct port_range *range, unsigned ranges, unsigned first, unsigned last)
{
	for (unsigned i = 0; i < ranges; i++)
		if (range[i].first <= last && first <= range[i].last)
			return true;
	return false;
}

/* Without CAP_SYS_ADMIN the kernel shows each range as 0000-0000 (its kernel/resource.c). */
bool real_ports_used(const struct port_range *range, unsigned ranges, char *text, size_t size)
{
	FILE *f = fopen("/proc/ioports", "re");
	char line[128], who[96];
	unsigned first, last;
	bool used = false, seen = false;

	while (f && !used && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %x-%x : %95[^\n]", &first, &last, who) != 3)
			continue;
		seen |= last > 0;
		if (is_bus(who) || !overlaps(range, ranges, first, last))
			continue;
		used = true;
		snprintf(text, size, "0x%x-0x%x are of this machine's driver '%s'", first, last,
			 who);
	}
	if (f)
		fclose(f);
	if (!seen)
		snprintf(text, size, "/proc/ioports hides what drivers use without CAP_SYS_ADMIN");
	return used || !seen;
}
