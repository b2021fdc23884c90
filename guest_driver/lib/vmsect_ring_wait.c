// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting: poll, say where to be woken, look once more, sleep.  The order is the
 * whole of it; docs/memory-model.md says why.
 */
#include "vmsect_ring_internal.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

/* Polling never gives up altogether: 1/64 of the most. */
#define SPIN_FLOOR_SHIFT 6

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Twice as long next time if it helped, half as long if not. */
static void adapt(struct vmsect_ring *ring, bool helped)
{
	uint32_t floor = ring->spin_max >> SPIN_FLOOR_SHIFT;

	if (!helped)
		ring->spin = ring->spin / 2 > floor ? ring->spin / 2 : floor;
	else
		ring->spin = ring->spin > ring->spin_max / 2 ? ring->spin_max : ring->spin * 2;
}

static int spin(struct vmsect_ring *ring, uint32_t bytes)
{
	int err = ring_ready(ring, bytes);

	if (err != -EAGAIN)
		return err;
	for (uint32_t turn = 0; turn < ring->spin && err == -EAGAIN; turn++) {
		relax();
		err = ring_ready(ring, bytes);
	}
	adapt(ring, err == 0);
	return err;
}

/*
 * The index of the peer at which there will be enough.  A producer wants half the
 * ring, or what it needs if that is more, else each record of a slow consumer
 * would wake it.  It gets that: a consumer sleeps when it has released all.
 */
static uint64_t wake_index(const struct vmsect_ring *ring, uint32_t bytes)
{
	uint64_t keep;

	if (ring->side == VMSECT_RING_CONSUMER)
		return ring->index;
	keep = ring->data_bytes - ring_need(ring, bytes);
	if (keep > ring->data_bytes / 2)
		keep = ring->data_bytes / 2;
	return ring->index - keep - 1;
}

int vmsect_ring_arm(struct vmsect_ring *ring, uint32_t bytes)
{
	int err = ring_ready(ring, bytes);

	if (err != -EAGAIN)
		return err;
	/*
	 * Sequentially consistent, with the load of the index in ring_ready() behind
	 * it: pairs with ring_publish().  One of the two sees the other's store.
	 */
	__atomic_store_n(&ring_own(ring)->wake, wake_index(ring, bytes), __ATOMIC_SEQ_CST);
	err = ring_ready(ring, bytes);
	if (err != -EAGAIN)
		ring_disarm(ring);
	return err;
}

/* One sleep; 0: look again. */
static int doze(struct vmsect_ring *ring, int64_t left_ms)
{
	int slice = ring->recheck_ms;

	if (left_ms < slice)
		slice = (int)left_ms;
	ring->counters.slept++;
	return ring->bell.ops ? ring->bell.ops->wait(ring->bell.ctx, slice) : 0;
}

int vmsect_ring_wait(struct vmsect_ring *ring, uint32_t bytes, int timeout_ms)
{
	int64_t end = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
	int64_t left = 1;
	int err = spin(ring, bytes);

	while (err == -EAGAIN && left > 0) {
		err = vmsect_ring_arm(ring, bytes);
		if (err != -EAGAIN)
			break;
		left = end == INT64_MAX ? INT_MAX : end - now_ms();
		err = left > 0 ? doze(ring, left) : 0;
		if (!err)
			err = ring_ready(ring, bytes);
		ring_disarm(ring);
	}
	return err == -EAGAIN ? -ETIMEDOUT : err;
}
