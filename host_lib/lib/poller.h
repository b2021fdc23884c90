/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one descriptor that the caller polls: an epoll set of the socket (which
 * comes and goes), a timer, and a flag for events that wait in memory.
 *
 * Owner: the link.  One thread at a time; no lock.
 */
#ifndef LIB_POLLER_H
#define LIB_POLLER_H

#include <stdbool.h>
#include <stdint.h>

struct poller {
	int epoll_fd; /* owned, as are the next two; -1: none */
	int wake_fd;
	int timer_fd;
	bool awake;
	bool wants_room; /* the socket is watched for writing, too */
	int64_t timer_ms;
};

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t poller_now(void);

/* 0 or -errno; poller_deinit() is fine after either. */
int poller_init(struct poller *poller);
void poller_deinit(struct poller *poller);

/* Watches a descriptor for reading.  0 or -errno. */
int poller_add(struct poller *poller, int fd);

/* Ends that; before the descriptor is closed, which a child process may still hold. */
void poller_remove(struct poller *poller, int fd);

/* Watches the socket for room to write, too, or no longer. */
void poller_want_room(struct poller *poller, int fd, bool wanted);

/* Is the descriptor to be readable, whatever else? */
void poller_wake(struct poller *poller, bool awake);

/* Readable from that time on; INT64_MAX: never. */
void poller_set_timer(struct poller *poller, int64_t at_ms);

#endif
