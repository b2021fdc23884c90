/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pmem device, shared by
 *
 *   pmem.c        life, virtio operations
 *   pmem_flush.c  requests and their answers
 *   pmem_pad.c    what lies behind the section
 *
 * Private to dev/pmem*.c.  Everything belongs to the io thread.
 */
#ifndef DEV_PMEM_IMPL_H
#define DEV_PMEM_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/pmem.h"
#include "virtio/queue.h"

struct event;
struct pmem_sync;

/* As many as QEMU's device has; Linux uses one or two. */
#define PMEM_QUEUE_SIZE 128u

/* Memory of our own, as a slot. */
struct pmem_pad {
	uint64_t bytes; /* 0: there is none */
	void *hva; /* owned */
	uint32_t slot;
};

struct pmem {
	/* Constant. */
	struct virtio_pci_env env;
	struct window *window; /* borrowed */
	char *name; /* owned */
	uint64_t gpa;
	uint64_t bytes; /* with the padding */
	struct pmem_pad pad;
	struct pmem_sync *sync; /* owned; NULL: nothing to sync */
	struct event *sync_event; /* owned; NULL without a loop */
	struct virtio_pci *transport; /* owned */

	/*
	 * Requests without an answer: `running` of them, from `first` on, are
	 * served by the sync that runs, and then `waiting` by the next.
	 */
	struct queue_chain chains[PMEM_QUEUE_SIZE]; /* ring */
	uint32_t first;
	uint32_t running;
	uint32_t waiting;
	bool is_syncing; /* perhaps for a driver that has gone */
	struct pmem_counters counters;
};

/* pmem_flush.c: the ops of the queue; as in struct virtio_device_ops. */
int pmem_flush_kick(struct pmem *pmem);
/* The requests are the driver's no more. */
void pmem_flush_forget(struct pmem *pmem);
/* A sync has ended, or may have. */
void pmem_flush_synced(struct pmem *pmem);
/* From now on every flush fails; the first reason stays. */
void pmem_flush_fail(struct pmem *pmem, int error, const char *why);

/* pmem_pad.c; vm may be NULL in tests.  0 or -errno. */
int pmem_pad_init(struct pmem_pad *pad, struct vm *vm, uint64_t gpa, uint64_t bytes);
/* Also for one that is not there. */
void pmem_pad_deinit(struct pmem_pad *pad, struct vm *vm);

#endif
