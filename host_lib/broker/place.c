/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See place.h. */
#include "broker/place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"

#define SOCKET_NAME "broker.sock"

static int print_path(char *path, size_t room, const char *folder)
{
	int length = snprintf(path, room, "%s/vmsect/" SOCKET_NAME, folder);

	return length < 0 || (size_t)length >= room ? -ENAMETOOLONG : 0;
}

int place_default(char *path, size_t room)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	uid_t uid = geteuid();
	char folder[64];
	int length;

	if (uid == 0)
		return print_path(path, room, "/run");
	if (runtime && runtime[0] == '/')
		return print_path(path, room, runtime);
	(void)snprintf(folder, sizeof(folder), "/run/user/%u", uid);
	if (access(folder, W_OK) == 0)
		return print_path(path, room, folder);
	length = snprintf(path, room, "/tmp/vmsect-%u/" SOCKET_NAME, uid);
	return length < 0 || (size_t)length >= room ? -ENAMETOOLONG : 0;
}

/* Others must not be able to move the socket away or to have made the folder. */
static int check_folder(const char *folder)
{
	struct stat st;

	if (lstat(folder, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return -EPERM;
	if (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX))
		return -EPERM;
	return 0;
}

int place_prepare(const char *path)
{
	const char *slash = strrchr(path, '/');
	mode_t mode = geteuid() == 0 ? 0755 : 0700;
	char folder[PATH_MAX] = ".";
	int r;

	if (slash == path || !slash) {
		(void)snprintf(folder, sizeof(folder), "%s", slash ? "/" : ".");
	} else {
		int length = (int)(slash - path);

		if (length >= (int)sizeof(folder))
			return -ENAMETOOLONG;
		(void)snprintf(folder, sizeof(folder), "%.*s", length, path);
		r = sys_result(mkdir(folder, mode));
		if (r < 0 && r != -EEXIST) {
			log_error("%s: %s", folder, strerror(-r));
			return r;
		}
	}
	r = check_folder(folder);
	if (r < 0)
		log_error("%s: not a folder that only this user can change: %s", folder,
			  strerror(-r));
	return r;
}
