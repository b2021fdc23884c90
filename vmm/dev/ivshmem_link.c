/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ivshmem_link.h. */
#include "dev/ivshmem_link.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"

void ivshmem_link_clear(struct ivshmem_link *link)
{
	*link = (struct ivshmem_link){ .fd = -1, .message_fd = -1 };
}

void ivshmem_link_open_take_fd(struct ivshmem_link *link, int fd)
{
	ivshmem_link_close(link);
	link->fd = fd;
}

void ivshmem_link_close(struct ivshmem_link *link)
{
	fd_close(link->fd);
	fd_close(link->message_fd);
	ivshmem_link_clear(link);
}

/* Some bytes of the message in work, and perhaps its descriptor. */
static int receive_part(struct ivshmem_link *link)
{
	struct fdmsg part;
	int result = fdmsg_receive(link->fd, link->bytes + link->have,
				   sizeof(link->bytes) - link->have, FDMSG_DONTWAIT, &part);

	if (result == FDMSG_E_CLOSED)
		return -EPIPE;
	if (result == FDMSG_E_CUT)
		return -EPROTO;
	if (result < 0)
		return result;
	link->have += part.size;
	if (part.nfds == 1 && link->message_fd < 0)
		link->message_fd = steal_fd(&part.fds[0]);
	else if (part.nfds > 0)
		result = -EPROTO;
	fdmsg_close_fds(&part);
	return result;
}

int ivshmem_link_receive(struct ivshmem_link *link, int64_t *ret_value, int *ret_fd)
{
	uint64_t value;

	while (link->have < sizeof(link->bytes)) {
		int result = receive_part(link);

		if (result < 0)
			return result;
	}
	memcpy(&value, link->bytes, sizeof(value));
	link->have = 0;
	*ret_value = (int64_t)le64toh(value);
	*ret_fd = steal_fd(&link->message_fd);
	return 0;
}
