/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's end of the ivshmem server protocol: messages of 8 bytes, some
 * with a descriptor, from a stream.  Knows the framing and not what it means.
 *
 * States: closed (fd -1), open.  Owner: struct ivshmem; the io thread.
 */
#ifndef DEV_IVSHMEM_LINK_H
#define DEV_IVSHMEM_LINK_H

#include <stddef.h>
#include <stdint.h>

struct ivshmem_link {
	int fd; /* owned, or -1 */
	uint8_t bytes[8]; /* of a message that has not come as a whole yet */
	size_t have;
	int message_fd; /* that came with it; owned, or -1 */
};

/* The valid empty state. */
void ivshmem_link_clear(struct ivshmem_link *link);
void ivshmem_link_open_take_fd(struct ivshmem_link *link, int fd);
void ivshmem_link_close(struct ivshmem_link *link);

/*
 * The next message: its value and, if it has one, its descriptor, which the
 * caller owns (else -1).  0, -EAGAIN (not there yet), -EPIPE (the server has
 * gone), -EPROTO (more than one descriptor for a message), or -errno.
 */
int ivshmem_link_receive(struct ivshmem_link *link, int64_t *ret_value, int *ret_fd);

#endif
