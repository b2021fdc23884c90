/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends what has expired: a timer in the loop for the next deadline of the
 * registry.  Handles and views are revoked, offers go.  Time that the host
 * sleeps counts.  Owned by the broker; its one thread.
 */
#ifndef BROKER_EXPIRY_H
#define BROKER_EXPIRY_H

#include "broker/registry.h"

struct event;
struct event_base;

struct expiry {
	struct registry *registry; /* borrowed */
	int fd; /* owned timerfd, or -1 */
	struct event *event; /* owned */
	void (*ended)(void *arg); /* something has expired: one unit is over */
	void *arg; /* borrowed */
};

/*
 * From now on the timer follows the registry's deadlines; what was restored
 * with a time of expiry is taken in.  -errno.
 */
int expiry_init(struct expiry *expiry, struct event_base *base, struct registry *registry,
		void (*ended)(void *arg), void *arg);

/* Before the loop and the registry go.  One that was not initialised is all zeros. */
void expiry_deinit(struct expiry *expiry);

#endif
