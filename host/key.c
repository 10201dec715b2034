/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

#define KEY_HEX (2 * SESSION_KEY)

/* One that is all zero would be `insecure` without anyone having said so. */
static bool is_zero(const u8 key[SESSION_KEY])
{
	u8 any = 0;

	for (unsigned i = 0; i < SESSION_KEY; i++)
		any |= key[i];
	return !any;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool take_hex(const char *text, size_t len, u8 key[SESSION_KEY])
{
	if (len != KEY_HEX)
		return false;
	for (unsigned i = 0; i < SESSION_KEY; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (u8)(high << 4 | low);
	}
	return !is_zero(key);
}

bool key_from_hex(const char *text, u8 key[SESSION_KEY])
{
	return take_hex(text, strlen(text), key);
}

static bool take_bytes(const char *text, size_t len, u8 key[SESSION_KEY])
{
	if (len == SESSION_KEY) {
		memcpy(key, text, SESSION_KEY);
		return !is_zero(key);
	}
	while (len > KEY_HEX && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	return take_hex(text, len, key);
}

bool key_from_file(const char *path, u8 key[SESSION_KEY])
{
	char text[KEY_HEX + 8];
	struct stat st;
	ssize_t len;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		log_error("key: %s: %s", path, strerror(errno));
		return false;
	}
	if (!fstat(fd, &st) && st.st_mode & (S_IRWXG | S_IRWXO) && S_ISREG(st.st_mode))
		log_warn("key: %s may be read by others: expected mode 0600", path);
	len = read(fd, text, sizeof(text));
	close(fd);
	if (len >= 0 && take_bytes(text, (size_t)len, key))
		return true;
	log_error("key: %s: expected 32 bytes or 64 hexadecimal digits, not all 0", path);
	return false;
}
