/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See broker_program.h. */
#include "cli/broker_program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/program.h"

static bool is_file(const struct stat *status, const char *path)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == status->st_dev &&
	       other.st_ino == status->st_ino;
}

bool is_broker_program(pid_t pid)
{
	const char *named = getenv("VMSECT_BROKER");
	/* Of a build tree, and installed. */
	static const char *const places[] = { "vmsectd", "../sbin/vmsectd" };
	char path[PATH_MAX];
	struct stat status;
	size_t i;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (stat(path, &status) < 0)
		return false;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (path_beside_program(places[i], path, sizeof(path)) && is_file(&status, path))
			return true;
	}
	return named && is_file(&status, named);
}
