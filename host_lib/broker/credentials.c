/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See credentials.h. */
#include "broker/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/sys.h"

static int read_ids(int fd, struct subject *subject)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	int r = sys_result(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size));

	if (r < 0)
		return r;
	subject->uid = credentials.uid;
	subject->gid = credentials.gid;
	subject->pid = credentials.pid;
	return 0;
}

/* Supplementary groups; a host that does not tell them gives none. */
static int read_groups(int fd, struct subject *subject)
{
	socklen_t size = 0;
	int r = sys_result(getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size));

	if (r != -ERANGE || !size)
		return 0;
	subject->groups = malloc(size);
	if (!subject->groups)
		return -ENOMEM;
	r = sys_result(getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, subject->groups, &size));
	if (r >= 0)
		subject->group_count = size / sizeof(gid_t);
	return r;
}

int credentials_read(int fd, struct subject *subject)
{
	int r = read_ids(fd, subject);

	return r < 0 ? r : read_groups(fd, subject);
}
