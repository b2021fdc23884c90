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

void place_folder(const char *path, char *folder, size_t room)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		(void)snprintf(folder, room, "%s", slash ? "/" : ".");
	else
		(void)snprintf(folder, room, "%.*s", (int)(slash - path), path);
}

static int print_folder(char *path, size_t room, const char *base, const char *rest)
{
	int length = snprintf(path, room, "%s%s", base, rest);

	return length < 0 || (size_t)length >= room ? -ENAMETOOLONG : 0;
}

int place_state_dir(char *path, size_t room)
{
	const char *passed = getenv("STATE_DIRECTORY");
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (passed && passed[0] == '/')
		return print_folder(path, room, passed, "");
	if (geteuid() == 0)
		return print_folder(path, room, "/var/lib", "/vmsect");
	if (state && state[0] == '/')
		return print_folder(path, room, state, "/vmsect");
	if (home && home[0] == '/')
		return print_folder(path, room, home, "/.local/state/vmsect");
	return -ENOENT;
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

static int print_dir(char *dir, size_t room, const char *folder, const char *tail)
{
	int length = snprintf(dir, room, "%s%s", folder, tail);

	return length < 0 || (size_t)length >= room ? -ENAMETOOLONG : 0;
}

/*
 * The first of the folders that a service manager lists, in `folder`: 1; 0: it
 * lists none.  That of a dynamic user is a link that the manager has made.  One
 * that cannot be found is -errno: another place would be a wrong one.
 */
static int manager_dir(const char *variable, char folder[PATH_MAX])
{
	const char *value = getenv(variable);
	size_t length = value ? strcspn(value, ":") : 0;
	char copy[PATH_MAX];

	if (!length || value[0] != '/' || length >= sizeof(copy))
		return 0;
	memcpy(copy, value, length);
	copy[length] = '\0';
	return realpath(copy, folder) ? 1 : -errno;
}

/* The folder of a path, in full: a daemon leaves the folder that it was started in. */
static int folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	char copy[PATH_MAX] = ".";

	if (length >= sizeof(copy))
		return -ENAMETOOLONG;
	if (slash) {
		memcpy(copy, path, length);
		copy[length] = '\0';
	}
	return realpath(length || !slash ? copy : "/", folder) ? 0 : -errno;
}

int place_runtime(const char *socket_path, bool is_passed, char *dir, size_t room)
{
	char folder[PATH_MAX];
	int r = is_passed ? manager_dir("RUNTIME_DIRECTORY", folder) : 0;

	if (!r)
		r = socket_path[0] ? folder_of(socket_path, folder) : -ENOENT;
	if (r >= 0)
		r = print_dir(dir, room, folder, "");
	return r < 0 ? r : check_folder(dir);
}

int place_state(char *dir, size_t room)
{
	const char *base = getenv("XDG_STATE_HOME");
	char folder[PATH_MAX];
	int r = manager_dir("STATE_DIRECTORY", folder);

	if (r)
		return r < 0 ? r : print_dir(dir, room, folder, "");
	if (geteuid() == 0)
		return print_dir(dir, room, "/var/lib", "/vmsect");
	if (base && base[0] == '/')
		return print_dir(dir, room, base, "/vmsect");
	base = getenv("HOME");
	return base && base[0] == '/' ? print_dir(dir, room, base, "/.local/state/vmsect")
				      : -ENOENT;
}
