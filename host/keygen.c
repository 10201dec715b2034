/* SPDX-License-Identifier: BSD-2-Clause */
/* `farbus keygen`: a new shared key as 64 hexadecimal digits. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/command.h"
#include "lib/log.h"
#include "net-ne2000/session.h"

static const char help[] =
	"usage: farbus keygen [FILE]\n\n"
	"Writes a new shared key, 64 hexadecimal digits, to a new FILE (mode 0600), or to "
	"standard\n"
	"output. The same key goes into the configuration of each PC: `key file NAME`.\n";

/* With the line's end. */
#define KEY_TEXT (2 * SESSION_KEY + 1)

static bool make(char text[KEY_TEXT + 1])
{
	u8 key[SESSION_KEY];

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
		log_error("keygen: no random bytes: %s", strerror(errno));
		return false;
	}
	for (unsigned i = 0; i < SESSION_KEY; i++)
		sprintf(text + 2 * i, "%02x", key[i]);
	memcpy(text + 2 * SESSION_KEY, "\n", 2);
	return true;
}

/* A key that exists is never overwritten: other PCs have it, too. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good = fd >= 0 && write(fd, text, KEY_TEXT) == KEY_TEXT;

	if (fd >= 0 && close(fd))
		good = false;
	if (good)
		return STATUS_OK;
	log_error("keygen: %s: %s", path, strerror(errno));
	return STATUS_FAILED;
}

int command_keygen(int argc, char **argv)
{
	char text[KEY_TEXT + 1];

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return STATUS_OK;
	}
	if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
		log_error("keygen: '%s': expected one file name at most", argv[argc - 1]);
		return STATUS_USAGE;
	}
	if (!make(text))
		return STATUS_FAILED;
	if (argc == 2)
		return put(argv[1], text);
	return fputs(text, stdout) < 0 || fflush(stdout) ? STATUS_FAILED : STATUS_OK;
}
