/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See notify.h. */
#include "base/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/sys.h"

#define FDS_MAX 64u /* more than any service of ours is passed */

static int count_fds(const char *pid_text, const char *fds_text)
{
	uint32_t pid = 0, count = 0;

	if (!pid_text || !fds_text)
		return 0;
	if (parse_u32(pid_text, INT_MAX, &pid) < 0)
		return -EINVAL;
	if ((pid_t)pid != getpid())
		return 0; /* meant for a process before us */
	if (parse_u32(fds_text, FDS_MAX, &count) < 0)
		return -EINVAL;
	return (int)count;
}

int notify_take_fds(void)
{
	int count = count_fds(getenv("LISTEN_PID"), getenv("LISTEN_FDS"));
	int fd, r;

	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	for (fd = NOTIFY_FIRST_FD; fd < NOTIFY_FIRST_FD + count; fd++) {
		r = sys_result(fcntl(fd, F_SETFD, FD_CLOEXEC));
		if (r < 0)
			return r;
	}
	return count;
}

int notify_send(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	AUTO_FD int fd = -1;
	size_t length;
	ssize_t sent;

	if (!path || !*path)
		return 0;
	length = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* the abstract name space */
	fd = sys_result(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (fd < 0)
		return fd;
	sent = sys_retry(sendto(fd, state, strlen(state), MSG_NOSIGNAL,
				(const struct sockaddr *)&address,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)));
	return sent < 0 ? (int)sent : 0;
}
