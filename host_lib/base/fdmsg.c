/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sending and receiving one datagram with descriptors.
 *
 * The kernel may hand over more descriptors than a protocol allows, and a
 * control buffer that is too small makes it drop some without a word but
 * MSG_CTRUNC.  Alignment makes room for one more than asked for on 64-bit
 * machines, so that the count is checked as well.  Whatever is not accepted is
 * closed here, in the one place where it can be known.
 */
#include "base/fdmsg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/sys.h"

#define FDS_BYTES (FDMSG_FDS_MAX * sizeof(int))

union control {
	struct cmsghdr align;
	unsigned char bytes[CMSG_SPACE(FDS_BYTES)];
};

/* A message and how to send it: five words, and a struct for them would be a sixth. */
/* NOLINTNEXTLINE(readability-function-size) */
int fdmsg_send(int socket, const void *data, size_t size, const int *fds, unsigned int nfds,
	       unsigned int flags)
{
	union {
		const void *in;
		void *out;
	} bytes = { .in = data };
	struct iovec iov = { .iov_base = bytes.out, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { 0 };
	struct cmsghdr *cmsg;
	ssize_t sent;

	if (nfds > FDMSG_FDS_MAX || !size)
		return -EINVAL;
	if (nfds) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	sent = sys_retry(
		sendmsg(socket, &msg, MSG_NOSIGNAL | (flags & FDMSG_DONTWAIT ? MSG_DONTWAIT : 0)));
	return sent < 0 ? (int)sent : 0;
}

/* Takes one received descriptor, or closes it and returns false. */
static int msg_take_fd(struct fdmsg *msg, int fd)
{
	if (msg->nfds == FDMSG_FDS_MAX) {
		fd_close(fd);
		return 0;
	}
	msg->fds[msg->nfds++] = fd;
	return 1;
}

/* Collects all descriptors that came; false if there were too many. */
static int msg_take_control(struct fdmsg *msg, struct msghdr *header)
{
	struct cmsghdr *cmsg;
	int all_taken = 1;

	for (cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg)) {
		size_t count, i;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			all_taken &= msg_take_fd(msg, fd);
		}
	}
	return all_taken;
}

int fdmsg_receive(int socket, void *buffer, size_t room, unsigned int flags, struct fdmsg *ret_msg)
{
	struct fdmsg msg = { .fds = { -1, -1 } };
	struct iovec iov = { .iov_base = buffer, .iov_len = room };
	union control control = { 0 };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	int all_taken;
	ssize_t size;

	size = sys_retry(recvmsg(socket, &header,
				 MSG_CMSG_CLOEXEC | (flags & FDMSG_DONTWAIT ? MSG_DONTWAIT : 0)));
	if (size < 0)
		return (int)size;
	all_taken = msg_take_control(&msg, &header);
	if (!all_taken || header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		fdmsg_close_fds(&msg);
		return FDMSG_E_CUT;
	}
	if (!size) {
		fdmsg_close_fds(&msg);
		return FDMSG_E_CLOSED;
	}
	msg.size = (size_t)size;
	*ret_msg = msg;
	return 0;
}

void fdmsg_close_fds(struct fdmsg *msg)
{
	unsigned int i;

	for (i = 0; i < FDMSG_FDS_MAX; i++)
		msg->fds[i] = fd_close(msg->fds[i]);
	msg->nfds = 0;
}
