/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service manager keeps the memory of sections while there is no broker:
 * the descriptors of each section go into its store (FDSTORE=1 of
 * sd_notify(3)), named section-ID-ro and section-ID-rw, and come back by
 * LISTEN_FDS with these names.
 *
 * Like the journal it hears of sections as they change and does its work at the
 * end of a unit.  Owned by the broker; its one thread.
 */
#ifndef BROKER_FDSTORE_H
#define BROKER_FDSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/registry.h"

struct fdstore_kept;

/* One that came back. */
struct fdstore_fd {
	int fd; /* owned */
	uint64_t section;
};

struct fdstore {
	bool is_on; /* there is a manager, and it is to keep them */
	bool complained;
	struct fdstore_fd *given; /* owned */
	size_t given_count;
	struct fdstore_kept *kept; /* sections of which the manager has all */
	uint64_t *marks; /* owned: ids of sections that have changed */
	size_t mark_count;
	size_t mark_room;
};

/*
 * Sorts the `count` descriptors that were passed, which it takes; `names` may be
 * NULL.  *ret_socket is the one that is no section's, or -1.  -EINVAL: more than
 * one is none; -ENOMEM.
 */
int fdstore_take(struct fdstore *store, int count, const char *names, int *ret_socket);

/* Gives the restored sections their memory; the manager forgets what is nobody's. */
void fdstore_give_back(struct fdstore *store, struct registry *registry);

/* Notes that a section is another now, or gone. */
void fdstore_mark(struct fdstore *store, const struct section *section);

/* Has the manager keep what is new and forget what is gone. */
void fdstore_end_unit(struct fdstore *store, const struct registry *registry);

/* The manager keeps what it has. */
void fdstore_deinit(struct fdstore *store);

#endif
