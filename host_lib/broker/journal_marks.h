/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which objects a unit is about: keys, not pointers, since an object may be gone
 * by the end of its unit.  Owned by the journal; one thread.
 */
#ifndef BROKER_JOURNAL_MARKS_H
#define BROKER_JOURNAL_MARKS_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/journal_buffer.h"

struct journal_marks {
	struct journal_key *keys; /* owned */
	size_t count;
	size_t room;
	bool lost; /* no memory for one: everything has to be written */
};

void journal_marks_deinit(struct journal_marks *marks);

/* Notes the object. */
void journal_marks_add(struct journal_marks *marks, enum registry_object kind, const void *object);

/* Each once, in order of type and id. */
void journal_marks_settle(struct journal_marks *marks);

/* What the object of that key is now, or that it is gone. */
void journal_marks_put(struct journal_buffer *buffer, const struct registry *registry,
		       const struct journal_key *key);

#endif
