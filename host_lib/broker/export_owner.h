/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owner, group and mode of what is exported, a file or a socket.  The broker's user
 * keeps 0600 of both.  For export.c and export_listen.c.
 */
#ifndef BROKER_EXPORT_OWNER_H
#define BROKER_EXPORT_OWNER_H

#include "broker/export.h"

/* "/proc/self/fd/N": the calls below follow it, whatever N is open for. */
#define EXPORT_FD_PATH_ROOM (sizeof("/proc/self/fd/") + 12)
void export_fd_path(int fd, char path[EXPORT_FD_PATH_ROOM]);

/*
 * Gives what is at `path` (which no other user can replace) to whom the spec says,
 * all of it or nothing, and notes in the export what it is then.  -EPERM (FILE).
 */
int export_owner_give(const char *path, const struct section *section,
		      const struct export_spec *spec, struct export *export,
		      struct refusal *refusal);

/* The broker's alone, as it was made.  -errno. */
int export_owner_take_back(const char *path);

/* What it is now. */
int export_owner_read(const char *path, struct export *export);

#endif
