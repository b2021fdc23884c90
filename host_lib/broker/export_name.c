/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export_name.h. */
#include "broker/export_name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"
#include "broker/export.h"

static int check_length(int length, size_t room)
{
	return length < 0 || (size_t)length >= room ? -ENAMETOOLONG : 0;
}

int export_name_public(const struct section *section, const char *dir, char *path, size_t room)
{
	return check_length(snprintf(path, room, "%s/" EXPORT_PREFIX "%s", dir, section->name),
			    room);
}

int export_name_parked(const struct section *section, const char *dir, char *path, size_t room)
{
	return check_length(
		snprintf(path, room, "%s/." EXPORT_PREFIX "%" PRIu64, dir, section->backing.ino),
		room);
}

bool export_name_is_ours(const struct section *section, const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISREG(st.st_mode) && st.st_dev == section->backing.dev &&
	       st.st_ino == section->backing.ino;
}

/* linkat() by descriptor wants a capability; by /proc it wants the file's owner. */
int export_name_link(const struct section *section, const char *path)
{
	char link[sizeof("/proc/self/fd/") + 12];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", section->backing.rw_fd);
	return sys_result(linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
}

int export_name_move(const struct section *section, const char *from, const char *to)
{
	if (!export_name_is_ours(section, from))
		return -ENOENT;
	return sys_result(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
}

void export_name_remove(const struct section *section, const char *path)
{
	if (export_name_is_ours(section, path) && unlink(path) < 0)
		log_warning("%s cannot be removed: %s", path, strerror(errno));
}
