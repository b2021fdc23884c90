/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket that clients connect to, and the lock beside it.
 *
 * PATH.lock is never removed.  Byte 0 is locked by the broker that serves PATH
 * for as long as it lives.  Byte 1 is locked by a broker while it starts or
 * ends, so that whoever waits for it finds the other one either listening or
 * gone.  With both, a socket file that does not answer is stale and replaced.
 *
 * A socket that a service manager passed has no lock and is not removed.
 */
#ifndef BROKER_LISTENER_H
#define BROKER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

struct listener {
	int fd; /* owned, or -1 */
	int lock_fd; /* owned, or -1 */
	char path[108]; /* to be removed at the end; empty: passed to us */
};

/* Positive outcome of listener_init(). */
enum listener_outcome {
	LISTENER_E_LIVE = 1, /* another broker serves the path */
};

/* The valid empty state. */
void listener_clear(struct listener *listener);

/*
 * Listens at a path whose folder exists.  0, LISTENER_E_LIVE or -errno, which
 * is said in the log.  Blocks while another broker starts or ends there.
 */
int listener_init(struct listener *listener, const char *path);

/* Takes the descriptor that a service manager passed, on success.  -EINVAL. */
int listener_init_take_fd(struct listener *listener, int fd);

/*
 * The path of the socket, also of one that was passed; empty if it has none that
 * is a file.  -errno.
 */
int listener_path(const struct listener *listener, char *path, size_t room);

/* A new connection, close-on-exec and non-blocking; -EAGAIN and other -errno. */
int listener_accept(const struct listener *listener);

/*
 * May the broker leave now?  False if a client has connected in this moment; if
 * true, no further client finds the socket.
 */
bool listener_retire(struct listener *listener);

/* Removes the socket and lets the path go. */
void listener_deinit(struct listener *listener);

#endif
