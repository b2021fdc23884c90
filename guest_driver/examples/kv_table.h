/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of keys and values in shared memory that one writes and many read, in
 * other VMs and without asking anybody.
 *
 * Fixed in size, open addressing: a key is in one of KV_PROBES buckets behind its
 * hash.  Each bucket is a seqlock.  No pointers; whatever is read is copied first
 * and then checked, so that a hostile writer can lie and do no more.
 *
 * A change is first written to a journal in the table, whole, then to its bucket.  A
 * writer that dies in between leaves a bucket that readers cannot read (-EAGAIN);
 * the next writer finds the journal and finishes the change.  One writer at a time:
 * one that was replaced gets -ESTALE, so make sure that it is dead.
 */
#ifndef EXAMPLES_KV_TABLE_H
#define EXAMPLES_KV_TABLE_H

#include <stdint.h>
#include <stddef.h>

#define KV_KEY_MAX 32u
#define KV_VALUE_MAX 184u
#define KV_PROBES 16u

struct kv_shared;

/* One party's; borrows the memory. */
struct kv_table {
	struct kv_shared *shared;
	uint32_t buckets;
	uint32_t generation; /* of the writer; 0: a reader */
	uint32_t repaired; /* buckets that the predecessor left unfinished */
};

/* Lays out an empty table in memory aligned to 64 bytes; EINVAL, ENOSPC. */
int kv_format(void *memory, size_t bytes);

/* ENOENT (no table), EPROTO (one that cannot be), EINVAL.  A reader's may be read-only. */
int kv_open_reader(struct kv_table *ret_table, const void *memory, size_t bytes);
/* The same, and repairs what a dead writer has left. */
int kv_open_writer(struct kv_table *ret_table, void *memory, size_t bytes);

/*
 * The value of a key, copied.  ENOENT, EMSGSIZE (longer than room), EINVAL (key), EAGAIN
 * (the writer is at it, or died: try later), EPROTO (nonsense).
 */
int kv_get(const struct kv_table *table, const char *key, void *value, uint32_t room,
	   uint32_t *ret_bytes);

/* The writer: EINVAL (key, length), ENOSPC (no bucket), ESTALE, EPERM (a reader). */
int kv_put(struct kv_table *table, const char *key, const void *value, uint32_t bytes);
/* And ENOENT. */
int kv_remove(struct kv_table *table, const char *key);

/*
 * The next bucket in use from *cursor on, which starts at 0: 0 and its key, -ENOENT at
 * the end, -EAGAIN and -EPROTO for one bucket.
 */
int kv_next(const struct kv_table *table, uint32_t *cursor, char ret_key[KV_KEY_MAX + 1]);

#endif
