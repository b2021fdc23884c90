/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes to records.  Pure: works on bytes that may be anything, allocates
 * nothing.  Units that are whole are given out, in order; the first byte that
 * is not what it should be ends the scan.
 */
#ifndef BROKER_JOURNAL_SCAN_H
#define BROKER_JOURNAL_SCAN_H

#include <stddef.h>

#include "broker/journal_format.h"

/* Positive outcomes of journal_scan_header(). */
enum journal_scan_outcome {
	JOURNAL_E_EMPTY = 1, /* no byte */
	JOURNAL_E_VERSION = 2, /* of another version, which *ret_header has */
	JOURNAL_E_DAMAGED = 3, /* no journal, or one without a beginning */
};

/* Called for each record between the header and the COMMITs; -errno ends the scan. */
typedef int (*journal_scan_fn)(void *arg, uint32_t type, const void *payload, size_t size);

/* The header at the beginning.  0 or an outcome. */
int journal_scan_header(const void *bytes, size_t size, struct journal_header *ret_header);

/*
 * Calls `record` for each record of a whole unit.  0 and how many bytes are
 * good, or what `record` said.
 */
int journal_scan(const void *bytes, size_t size, journal_scan_fn record, void *arg,
		 size_t *ret_good);

#endif
