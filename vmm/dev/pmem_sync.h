/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syncs of one data file, one at a time, by a thread of its own.
 *
 * What a guest stored through a shared mapping is in the file's page cache, and
 * fdatasync() of any description of the file writes it: the kernel write-protects
 * a page, for KVM too, before it takes it for clean (page_mkclean() and the MMU
 * notifiers), so the next store dirties it again.
 *
 * The description is the object's own.  The kernel notes once per description
 * that a write-back failed (errseq_t); on one that is shared with the broker or
 * another VM, whoever syncs first takes the note away from all others.
 *
 * States: idle, running (from pmem_sync_start() until pmem_sync_take() is true).
 * Owner: struct pmem.  The calls are the io thread's; `lock` is a leaf.
 */
#ifndef DEV_PMEM_SYNC_H
#define DEV_PMEM_SYNC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct pmem_sync;

/* In a table, so that tests can make them fail or wait. */
struct pmem_sync_calls {
	int (*fdatasync)(int fd);
	int (*fstat)(int fd, struct stat *status);
};
/* The system's own. */
extern const struct pmem_sync_calls pmem_sync_system;

/* fd is borrowed for the call; the file is to have so many bytes.  0 or -errno. */
int pmem_sync_new(int fd, uint64_t bytes, const struct pmem_sync_calls *calls,
		  struct pmem_sync **ret_sync);
/* Waits for a sync that runs.  NULL is fine; returns NULL. */
struct pmem_sync *pmem_sync_free(struct pmem_sync *sync);

/* Readable when a sync has ended; borrowed. */
int pmem_sync_fd(const struct pmem_sync *sync);

/* All that was stored before is part of it.  It is idle. */
void pmem_sync_start(struct pmem_sync *sync);

/* True once after each sync, with its 0 or -errno (-ENXIO: the file was truncated). */
bool pmem_sync_take(struct pmem_sync *sync, int *ret_result);

#endif
