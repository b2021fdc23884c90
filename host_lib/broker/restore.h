/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a broker before this one knew: the records of its journal become objects
 * of the registry, with their ids, and are charged as they were.
 *
 * The file is checked like any other input: a record that makes no sense, or
 * that is about something that is not there, is left out.  Sections come
 * without memory (missing), parties without a connection (absent).
 */
#ifndef BROKER_RESTORE_H
#define BROKER_RESTORE_H

#include <stddef.h>

#include "broker/journal.h"
#include "broker/restore_absent.h"

/* Positive outcomes of restore_registry(). */
enum restore_outcome {
	RESTORE_E_NOTHING = 1, /* there is nothing, or nothing of this boot */
	RESTORE_E_VERSION = 2, /* it is of another version */
	RESTORE_E_DAMAGED = 3, /* it is no journal */
};

struct restore_result {
	size_t parties;
	size_t sections;
	size_t left_out; /* records that made no sense */
	size_t torn_bytes; /* at the end, that were no whole unit */
	uint32_t version; /* of the file */
};

/*
 * Fills an empty registry, which nobody watches yet.  Without anything to
 * restore its generation stays 0.  0, an outcome or -ENOMEM, with which the
 * registry may have a part.
 */
int restore_registry(struct registry *registry, struct absent_list *absents, const void *bytes,
		     size_t size, struct restore_result *ret_result);

#endif
