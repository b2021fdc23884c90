/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that wait for a slow reader; see peer.h.  For peer.c alone. */
#ifndef BROKER_PEER_QUEUE_H
#define BROKER_PEER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct peer;

/*
 * Queues a copy; the descriptor is taken in any case.  An event about the same
 * as one that waits joins that: what undoes it takes it away, a newer size takes
 * the place of an older, ranges become one that covers both, notifications of a
 * sender and section the newest with the number of all.  REVOKE events are all
 * sent.  -EDQUOT: too much waits; -ENOMEM.
 */
int peer_queue_add_take_fd(struct peer *peer, const void *bytes, size_t size, int fd);

/*
 * Is the message an OFFERED without access?  It takes back one that waits, and
 * is not sent.
 */
bool peer_queue_take_back(struct peer *peer, const void *bytes, size_t size);

/*
 * For a message that could not be queued: true if it is a notification, whose
 * loss the peer hears of behind all that waits; false if there is no way around.
 */
bool peer_queue_lose(struct peer *peer, const void *bytes, size_t size);

/* Sends what waits: 0, or -EAGAIN while something is left, or -errno. */
int peer_queue_flush(struct peer *peer);

/* Forgets what waits. */
void peer_queue_drop(struct peer *peer);

#endif
