/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of the broker before: parties that the journal told of and that have
 * not come back yet.  They have handles and views and no connection.  News of
 * peers wait for them.
 *
 * States: absent, until RESUME moves the party into its new connection's peer;
 * taken, until the peer has heard what has waited; or ended, with the party.
 * Owned by the broker; its one thread.
 */
#ifndef BROKER_RESTORE_ABSENT_H
#define BROKER_RESTORE_ABSENT_H

#include <stdbool.h>
#include <sys/queue.h>

#include "broker/registry.h"

#define ABSENT_EVENTS_MAX 4096u /* that wait for one party */

LIST_HEAD(absent_list, absent);

/* Whose notifications, and of what. */
struct absent_key {
	uint64_t section;
	uint64_t peer;
};

struct absent_event {
	struct registry_event event;
	struct absent_key key;
	STAILQ_ENTRY(absent_event) of_absent;
	UT_hash_handle hh; /* by key; in the table only while another may join it */
};
STAILQ_HEAD(absent_event_list, absent_event);

struct absent {
	struct party party; /* first: absent_of() */
	unsigned int event_count;
	uint64_t lost; /* events that there was no room for */
	struct absent_event_list events;
	struct absent_event *notified; /* NOTIFIED, by key */
	LIST_ENTRY(absent) of_list;
};

/* One that is in the list and in no registry yet; NULL without memory. */
struct absent *absent_new(struct absent_list *list);

/* Its party has been moved away or removed; groups that are left are freed. */
void absent_free(struct absent *absent);

/* The object around a party that is absent. */
struct absent *absent_of(struct party *party);

/*
 * Keeps the news of peers, and what they notify of, for later: nothing else is
 * left of these.  Notifications of a sender and section become one.  Beyond the
 * limit, or without memory, they are lost and counted.
 */
void absent_tell(struct party *party, const struct registry_event *event);

/*
 * Moves the party into `home`, which keeps its own subject and is in the
 * registry then.  The absent one has only its events left.  -ENOMEM: nothing
 * has changed.
 */
int absent_take(struct absent *absent, struct party *home);

/* Is its process gone for sure? */
bool absent_is_dead(const struct absent *absent);

#endif
