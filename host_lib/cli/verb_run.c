/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect run ARGUMENT...: becomes vmsect-vmm.  The one beside this program
 * comes first, so that a build tree uses its own; then $PATH.
 */
#include "cli/verbs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define VMM_NAME "vmsect-vmm"

/* False: it cannot be told where this program is. */
static bool path_beside_program(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (length < 0)
		return false;
	path[length] = 0;
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + sizeof(VMM_NAME) > size)
		return false;
	memcpy(slash + 1, VMM_NAME, sizeof(VMM_NAME));
	return true;
}

int verb_run(struct invocation *invocation)
{
	char name[] = VMM_NAME;
	char path[PATH_MAX];

	if (invocation->socket_path && setenv("VMSECT_SOCKET", invocation->socket_path, 1) < 0) {
		cli_error("cannot run %s: %s", VMM_NAME, strerror(errno));
		return CLI_FAILED;
	}
	invocation->argv[0] = name;
	if (path_beside_program(path, sizeof(path)))
		(void)execv(path, invocation->argv);
	(void)execvp(VMM_NAME, invocation->argv);
	cli_error("cannot run %s: %s; it belongs beside vmsect or in a folder of $PATH", VMM_NAME,
		  strerror(errno));
	return CLI_FAILED;
}
