/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time after a start in which the clients of the broker before may come
 * back.  Parties whose process has gone end as soon as that is seen, the others
 * at the end of the time; then sections whose memory nobody has brought back
 * lose their name and their handles.  Owned by the broker; its one thread.
 */
#ifndef BROKER_RESTORE_GRACE_H
#define BROKER_RESTORE_GRACE_H

#include <stdint.h>

#include "broker/restore_absent.h"

struct event;
struct event_base;

struct restore_grace {
	struct registry *registry; /* borrowed */
	struct absent_list absents;
	struct event *tick; /* owned, or NULL */
	uint64_t end_ms; /* CLOCK_MONOTONIC */
	void (*ended)(void *arg); /* something has ended: the unit, idleness */
	void *arg; /* borrowed */
};

/* Empty; restore_registry() fills `absents`. */
void restore_grace_init(struct restore_grace *grace, struct registry *registry);

/*
 * Ends what cannot come back, and waits for the rest at most `seconds`.
 * -ENOMEM.
 */
int restore_grace_start(struct restore_grace *grace, struct event_base *base, unsigned int seconds);

/* Ends all parties that are still absent. */
void restore_grace_deinit(struct restore_grace *grace);

#endif
