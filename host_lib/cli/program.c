/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See program.h. */
#include "cli/program.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

bool path_beside_program(const char *name, char *path, size_t room)
{
	ssize_t length = readlink("/proc/self/exe", path, room - 1);
	size_t name_size = strlen(name) + 1;
	char *slash;

	if (length < 0)
		return false;
	path[length] = 0;
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + name_size > room)
		return false;
	memcpy(slash + 1, name, name_size);
	return true;
}

int program_run(const struct invocation *invocation, char **argv, const char *hint)
{
	char path[PATH_MAX];

	if (invocation->socket_path && setenv("VMSECT_SOCKET", invocation->socket_path, 1) < 0) {
		cli_error("cannot run %s: %s", argv[0], strerror(errno));
		return CLI_FAILED;
	}
	if (path_beside_program(argv[0], path, sizeof(path)))
		(void)execv(path, argv);
	(void)execvp(argv[0], argv);
	cli_error("cannot run %s: %s; %s", argv[0], strerror(errno), hint);
	return CLI_FAILED;
}
