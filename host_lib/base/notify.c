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

#define FDS_MAX 65536u /* more than any service of ours is passed */

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

int notify_take_named_fds(char **ret_names)
{
	const char *names = getenv("LISTEN_FDNAMES");
	AUTO_FREE char *copy = names ? strdup(names) : NULL;
	int count = notify_take_fds();

	if (names && !copy)
		return -ENOMEM;
	if (count > 0)
		*ret_names = steal_ptr(&copy);
	return count;
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

static int manager_address(struct sockaddr_un *ret_address, socklen_t *ret_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	if (!path || (path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* the abstract name space */
	*ret_address = address;
	*ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

bool notify_is_there(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && *path;
}

/* sendmsg() takes bytes that it could write to, which it does not do. */
static struct iovec text_of(const char *state)
{
	union {
		const char *in;
		void *out;
	} text = { .in = state };

	return (struct iovec){ .iov_base = text.out, .iov_len = strlen(state) };
}

/* `control` may be NULL. */
static int send_to_manager(const char *state, void *control, size_t control_bytes, int flags)
{
	struct iovec text = text_of(state);
	struct sockaddr_un address;
	struct msghdr message = {
		.msg_name = &address,
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = control_bytes,
	};
	AUTO_FD int fd = -1;
	ssize_t sent;
	int r = manager_address(&address, &message.msg_namelen);

	if (r < 0)
		return r;
	fd = sys_result(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (fd < 0)
		return fd;
	sent = sys_retry(sendmsg(fd, &message, MSG_NOSIGNAL | flags));
	return sent < 0 ? (int)sent : 0;
}

int notify_send(const char *state)
{
	return notify_is_there() ? send_to_manager(state, NULL, 0, 0) : 0;
}

int notify_send_fd(const char *state, int fd)
{
	union {
		struct cmsghdr header;
		unsigned char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (!notify_is_there())
		return 0;
	return send_to_manager(state, control.bytes, sizeof(control.bytes), MSG_DONTWAIT);
}
