/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "host/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"

static bool become(const char *user)
{
	const struct passwd *p;

	if (!*user)
		return true;
	p = getpwnam(user);
	if (!p) {
		log_error("user '%s': expected a user of this machine", user);
		return false;
	}
	if (p->pw_uid == getuid() && p->pw_gid == getgid())
		return true;
	if (!initgroups(user, p->pw_gid) && !setgid(p->pw_gid) && !setuid(p->pw_uid))
		return true;
	log_error("user '%s': %s", user, strerror(errno));
	return false;
}

bool privileges_drop(const char *user)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	if (!become(user))
		return false;
	if (!syscall(SYS_capset, &header, none) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return true;
	log_error("privileges not dropped: %s", strerror(errno));
	return false;
}
