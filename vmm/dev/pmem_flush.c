/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See pmem_impl.h.  A sync serves all requests that were there when it began;
 * those that come while it runs wait for the next, all of them together.  So
 * however fast a guest asks, one sync of its file is on its way at a time.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "dev/pmem_impl.h"
#include "dev/pmem_sync.h"

#define QUEUE 0
#define TYPE_FLUSH 0
#define DONE 0
#define FAILED UINT32_MAX /* -1 */

/* Requests that are answered before other work of the loop is done. */
#define KICK_BUDGET PMEM_QUEUE_SIZE

void pmem_flush_fail(struct pmem *pmem, int error, const char *why)
{
	if (pmem->counters.error)
		return;
	pmem->counters.error = error;
	log_error("section %s, as pmem: %s; flushes fail from now on", pmem->name, why);
}

/*
 * Stores to a page whose backing has gone went to a zero page of ours (see
 * mem/window.h), put there before the store was done.
 */
static void check_window(struct pmem *pmem)
{
	struct window_counters counters;

	if (pmem->counters.error)
		return;
	window_counters(pmem->window, &counters);
	if (counters.lost_pages > 0)
		pmem_flush_fail(pmem, -EIO, "pages of it were lost");
}

static void answer(struct pmem *pmem, struct queue *queue, const struct queue_chain *chain,
		   uint32_t code)
{
	const uint32_t ret = htole32(code);
	uint32_t written = 0;

	pmem->counters.refused += code != DONE;
	if (queue_chain_write(queue, chain, &ret, sizeof(ret)))
		written = sizeof(ret);
	queue_push(queue, chain, written);
}

static uint32_t verdict(struct pmem *pmem)
{
	check_window(pmem);
	return pmem->counters.error ? FAILED : DONE;
}

/* The queue cannot answer a chain that has no room for it: that is refused too. */
static bool is_flush(struct pmem *pmem, const struct queue *queue, const struct queue_chain *chain)
{
	uint32_t type;

	if (chain->writable_bytes >= sizeof(uint32_t) &&
	    queue_chain_read(queue, chain, &type, sizeof(type)) && le32toh(type) == TYPE_FLUSH)
		return true;
	pmem->counters.malformed++;
	return false;
}

/* The chain that was popped last, behind those that wait. */
static void take(struct pmem *pmem, struct queue *queue, const struct queue_chain *chain)
{
	pmem->counters.requests++;
	if (!is_flush(pmem, queue, chain))
		answer(pmem, queue, chain, FAILED);
	else if (!pmem->sync || pmem->counters.error)
		answer(pmem, queue, chain, verdict(pmem));
	else
		pmem->waiting++;
}

static struct queue_chain *chain_at(struct pmem *pmem, uint32_t index)
{
	return &pmem->chains[(pmem->first + index) % PMEM_QUEUE_SIZE];
}

/* 1: one was taken; 0: none is there, or no room, or the queue is dead. */
static int take_next(struct pmem *pmem)
{
	struct queue *queue = virtio_pci_queue(pmem->transport, QUEUE);
	struct queue_chain *chain = chain_at(pmem, pmem->running + pmem->waiting);
	int result;

	/* A driver has room for no more; one that lies waits for an answer. */
	if (!queue || pmem->running + pmem->waiting == PMEM_QUEUE_SIZE)
		return 0;
	result = queue_pop(queue, chain);
	if (result == 0)
		return queue_enable_kick(queue);
	if (result < 0) {
		virtio_pci_break(pmem->transport, "malformed chain in the flush queue");
		return 0;
	}
	take(pmem, queue, chain);
	return 1;
}

static void start_sync(struct pmem *pmem)
{
	if (pmem->is_syncing || pmem->waiting == 0)
		return;
	pmem->counters.syncs++;
	pmem->counters.merged += pmem->waiting - 1;
	pmem->running = pmem->waiting;
	pmem->waiting = 0;
	pmem->is_syncing = true;
	pmem_sync_start(pmem->sync);
}

int pmem_flush_kick(struct pmem *pmem)
{
	uint32_t left = KICK_BUDGET;

	while (left > 0 && take_next(pmem) == 1)
		left--;
	start_sync(pmem);
	virtio_pci_signal(pmem->transport, QUEUE);
	return left == 0;
}

/*
 * A sync that runs for them goes on; when it ends there is nothing to answer.
 * Its error counts all the same: it is the file's, not the driver's.
 */
void pmem_flush_forget(struct pmem *pmem)
{
	pmem->running = pmem->waiting = 0;
}

static void answer_served(struct pmem *pmem)
{
	struct queue *queue = virtio_pci_queue(pmem->transport, QUEUE);
	uint32_t code = verdict(pmem);

	if (!queue) {
		pmem_flush_forget(pmem); /* it broke meanwhile */
		return;
	}
	/* Once the device has failed the next sync would serve nobody. */
	if (code == FAILED) {
		pmem->running += pmem->waiting;
		pmem->waiting = 0;
	}
	for (; pmem->running > 0; pmem->running--) {
		answer(pmem, queue, chain_at(pmem, 0), code);
		pmem->first = (pmem->first + 1) % PMEM_QUEUE_SIZE;
	}
}

void pmem_flush_synced(struct pmem *pmem)
{
	int result;

	if (pmem_sync_take(pmem->sync, &result)) {
		pmem->is_syncing = false;
		if (result < 0)
			pmem_flush_fail(pmem, result,
					result == -ENXIO ? "its file was truncated"
							 : strerror(-result));
		answer_served(pmem);
	}
	/* What found no room before, and the next sync; after other work, if that is much. */
	if (pmem_flush_kick(pmem) && pmem->sync_event)
		event_active(pmem->sync_event, EV_READ, 0);
}
