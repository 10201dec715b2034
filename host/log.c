/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where lines of lib/log.h go on Linux: standard error. Under systemd, which sets JOURNAL_STREAM,
 * each has the priority in front that journald takes from there (sd-daemon(3)).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"

enum { PRIORITY_ERROR = 3, PRIORITY_WARNING = 4, PRIORITY_INFO = 6 };

static void line(int priority, const char *level, const char *format, va_list ap)
{
	flockfile(stderr); /* disks' threads log, too */
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>", priority);
	fprintf(stderr, "farbus: %s", level);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line(PRIORITY_INFO, "", format, ap);
	va_end(ap);
}

void log_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line(PRIORITY_WARNING, "warning: ", format, ap);
	va_end(ap);
}

void log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line(PRIORITY_ERROR, "error: ", format, ap);
	va_end(ap);
}

void panic(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line(PRIORITY_ERROR, "panic: ", format, ap);
	va_end(ap);
	abort();
}
