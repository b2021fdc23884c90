/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last word of a journal about each object: records by key.  Borrows the
 * bytes of the journal.
 */
#ifndef BROKER_RESTORE_TABLE_H
#define BROKER_RESTORE_TABLE_H

#include <stddef.h>

#include "broker/hash.h"
#include "broker/journal_format.h"

struct restore_entry {
	struct journal_key key;
	const void *payload; /* borrowed; may be unaligned */
	size_t size;
	UT_hash_handle hh;
};

struct restore_table {
	struct restore_entry *entries; /* by key */
	struct journal_header last; /* the largest ids that were seen */
};

/* As journal_scan_fn; `arg` is the table.  -ENOMEM. */
int restore_table_add(void *arg, uint32_t type, const void *payload, size_t size);

/* In order of type, party and id. */
void restore_table_sort(struct restore_table *table);

void restore_table_deinit(struct restore_table *table);

#endif
