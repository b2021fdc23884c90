/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See doorbell_wire.h. */
#include "broker/doorbell_wire.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sys.h"

int doorbell_wire_send(int socket, int64_t value, int fd)
{
	uint64_t bytes = htole64((uint64_t)value);
	struct iovec iov = { .iov_base = &bytes, .iov_len = sizeof(bytes) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	union {
		struct cmsghdr align;
		unsigned char bytes[CMSG_SPACE(sizeof(fd))];
	} control = { 0 };
	struct cmsghdr *cmsg = &control.align;
	ssize_t sent;

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	sent = sys_retry(sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
	if (sent < 0)
		return (int)sent;
	return sent == (ssize_t)sizeof(bytes) ? 0 : -EPROTO;
}
