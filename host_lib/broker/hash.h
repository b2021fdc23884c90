/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uthash for a broker with hostile clients: memory failure is an outcome, and
 * the hash has a random seed, so that no one can choose names that collide.
 * Every user of uthash in the broker includes this header.
 */
#ifndef BROKER_HASH_H
#define BROKER_HASH_H

#include <stddef.h>

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION(key, length, result) ((result) = hash_bytes((key), (length)))
#include <uthash.h>

/* True after HASH_ADD of the element if it is in the table. */
#define HASH_ADDED(hh_field, element) ((element)->hh_field.tbl != NULL)

/* Of the bytes and the process's seed, which is drawn at the first call. */
unsigned int hash_bytes(const void *bytes, size_t length);

#endif
