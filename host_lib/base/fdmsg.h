/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One datagram with its descriptors over a SOCK_SEQPACKET socket.  Knows no
 * protocol: only bytes, descriptors and their number.  No state, no log, any
 * thread; raises no signal.
 */
#ifndef BASE_FDMSG_H
#define BASE_FDMSG_H

#include <stddef.h>

/* Descriptors of one message; users assert that it fits their protocol. */
#define FDMSG_FDS_MAX 2u

/* Flags of both calls. */
#define FDMSG_DONTWAIT 0x1u /* -EAGAIN rather than wait */

/* Positive outcomes of fdmsg_receive(). */
enum fdmsg_outcome {
	FDMSG_E_CLOSED = 1, /* the peer has ended the connection (or sent an empty datagram) */
	FDMSG_E_CUT = 2, /* bytes or descriptors did not fit; all of it is gone */
};

struct fdmsg {
	size_t size; /* bytes that were received, not 0 */
	unsigned int nfds;
	int fds[FDMSG_FDS_MAX]; /* close-on-exec; the receiver owns them; unused: -1 */
};

/**
 * fdmsg_send() - send one datagram.
 * @socket: borrowed
 * @fds: borrowed; NULL with @nfds 0
 * @flags: FDMSG_DONTWAIT or 0
 *
 * All or nothing.  Returns 0 or -errno: -EPIPE the peer has gone (no signal is
 * raised), -EAGAIN the socket is full, -EINVAL too many descriptors or no byte,
 * or what sendmsg() says.
 */
int fdmsg_send(int socket, const void *data, size_t size, const int *fds, unsigned int nfds,
	       unsigned int flags);

/**
 * fdmsg_receive() - receive one datagram.
 * @socket: borrowed
 * @buffer: of @room bytes
 * @ret_msg: written on 0 only; its descriptors are then the caller's
 *
 * Returns 0, a positive enum fdmsg_outcome or -errno (-EAGAIN: nothing there,
 * -ECONNRESET).  With anything but 0 no descriptor is left open.
 */
int fdmsg_receive(int socket, void *buffer, size_t room, unsigned int flags, struct fdmsg *ret_msg);

/* Closes what is left in it; the message is then empty. */
void fdmsg_close_fds(struct fdmsg *msg);

#endif
