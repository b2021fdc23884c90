/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that wait for a slow reader; see peer.h.  For peer.c alone. */
#ifndef BROKER_PEER_QUEUE_H
#define BROKER_PEER_QUEUE_H

#include <stddef.h>

struct peer;

/*
 * Queues a copy; the descriptor is taken in any case.  An event that undoes one
 * that waits takes that away instead.  -EDQUOT: too much waits; -ENOMEM.
 */
int peer_queue_add_take_fd(struct peer *peer, const void *bytes, size_t size, int fd);

/* Sends what waits: 0, or -EAGAIN while something is left, or -errno. */
int peer_queue_flush(struct peer *peer);

/* Forgets what waits. */
void peer_queue_drop(struct peer *peer);

#endif
