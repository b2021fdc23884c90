// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Laying out a ring, coming to it and leaving it, and the two steps that both sides
 * make: look at the peer's index, publish the own.
 */
#include "vmsect_ring_internal.h"

#include <errno.h>
#include <string.h>

#define DATA_BYTES_MIN UINT64_C(64)
#define DATA_BYTES_MAX (UINT64_C(1) << 40)
#define RECORD_MAX (UINT32_C(1) << 30)
#define SPIN_MAX 2000
#define RECHECK_MS 100
#define LINE_BYTES 64

static bool is_aligned(const void *addr)
{
	return addr && (uintptr_t)addr % LINE_BYTES == 0;
}

/* The longest record that fits wherever the ring's index stands. */
static uint32_t longest_record(uint64_t data_bytes)
{
	uint64_t bytes = data_bytes / 2 - WORD_BYTES;

	return bytes > RECORD_MAX ? RECORD_MAX : (uint32_t)bytes;
}

static void put_constants(struct vmsect_ring_header *shared, uint64_t data_bytes,
			  uint32_t record_max)
{
	/* No ring while this goes on; and the zeros do not pass it. */
	__atomic_exchange_n(&shared->magic, 0, __ATOMIC_SEQ_CST);
	memset((unsigned char *)shared + sizeof(shared->magic), 0,
	       sizeof(*shared) - sizeof(shared->magic));
	shared->version = VMSECT_RING_VERSION;
	shared->data_bytes = data_bytes;
	shared->record_max = record_max;
	shared->party[VMSECT_RING_PRODUCER].wake = UINT64_MAX;
	shared->party[VMSECT_RING_CONSUMER].wake = UINT64_MAX;
	/* Pairs with the load of magic in read_constants(): all above is seen with it. */
	__atomic_store_n(&shared->magic, VMSECT_RING_MAGIC, __ATOMIC_RELEASE);
}

int vmsect_ring_format(void *addr, size_t bytes, uint32_t record_max)
{
	uint64_t data_bytes = DATA_BYTES_MIN;

	if (!is_aligned(addr))
		return -EINVAL;
	if (bytes < VMSECT_RING_HEADER_BYTES + DATA_BYTES_MIN)
		return -ENOSPC;
	while (data_bytes < DATA_BYTES_MAX && data_bytes * 2 <= bytes - VMSECT_RING_HEADER_BYTES)
		data_bytes *= 2;
	if (record_max > longest_record(data_bytes))
		return -EINVAL;
	put_constants(addr, data_bytes, record_max ? record_max : longest_record(data_bytes));
	return 0;
}

/* The constants, each loaded once, if they can be a ring's of so many bytes. */
static int read_constants(struct vmsect_ring *ring, size_t bytes)
{
	const struct vmsect_ring_header *shared = ring->shared;
	uint32_t magic;

	if (bytes < VMSECT_RING_HEADER_BYTES + DATA_BYTES_MIN)
		return -EPROTO;
	/* Pairs with the store of magic in put_constants(). */
	magic = __atomic_load_n(&shared->magic, __ATOMIC_ACQUIRE);
	if (!magic)
		return -ENOENT;
	if (magic != VMSECT_RING_MAGIC)
		return -EPROTO;
	if (__atomic_load_n(&shared->version, __ATOMIC_RELAXED) != VMSECT_RING_VERSION)
		return -EPROTONOSUPPORT;
	ring->data_bytes = __atomic_load_n(&shared->data_bytes, __ATOMIC_RELAXED);
	ring->record_max = __atomic_load_n(&shared->record_max, __ATOMIC_RELAXED);
	if (ring->data_bytes < DATA_BYTES_MIN || (ring->data_bytes & (ring->data_bytes - 1)) ||
	    ring->data_bytes > bytes - VMSECT_RING_HEADER_BYTES)
		return -EPROTO;
	if (!ring->record_max || ring->record_max > longest_record(ring->data_bytes))
		return -EPROTO;
	return 0;
}

/*
 * Where the predecessor was.  It is the one time that the own index is taken from
 * shared memory: any value that passes is one that a ring can be in.
 */
static int read_indices(struct vmsect_ring *ring)
{
	uint64_t used;

	ring->index = __atomic_load_n(&ring_own(ring)->index, __ATOMIC_ACQUIRE);
	ring->peer_index = __atomic_load_n(&ring_peer(ring)->index, __ATOMIC_ACQUIRE);
	used = ring->side == VMSECT_RING_PRODUCER ? ring->index - ring->peer_index
						  : ring->peer_index - ring->index;
	if (used > ring->data_bytes || ring->index % WORD_BYTES || ring->peer_index % WORD_BYTES)
		return -EPROTO;
	return 0;
}

/* In this order: a predecessor's wish is void, then who is here, then all else. */
static void announce(struct vmsect_ring *ring)
{
	struct vmsect_ring_party *own = ring_own(ring);

	ring->peer_generation = __atomic_load_n(&ring_peer(ring)->generation, __ATOMIC_ACQUIRE);
	ring->generation = (__atomic_load_n(&own->generation, __ATOMIC_RELAXED) + 1) | 1;
	ring_disarm(ring);
	/*
	 * Before any index of ours: pairs with ring_refresh(), which loads the index
	 * first and the generation after it.
	 */
	__atomic_store_n(&own->generation, ring->generation, __ATOMIC_SEQ_CST);
}

/* Unasked: the peer may sleep, and may have missed what a dead predecessor owed it. */
static int ring_notify(struct vmsect_ring *ring)
{
	ring->counters.notified++;
	return ring->bell.ops ? ring->bell.ops->notify(ring->bell.ctx) : 0;
}

int vmsect_ring_attach(struct vmsect_ring *ret_ring, enum vmsect_ring_side side, void *addr,
		       size_t bytes, const struct vmsect_ring_bell *bell)
{
	struct vmsect_ring ring = { .shared = addr,
				    .side = side,
				    .spin = SPIN_MAX,
				    .spin_max = SPIN_MAX,
				    .recheck_ms = RECHECK_MS };
	int err;

	if (!is_aligned(addr) || (side != VMSECT_RING_PRODUCER && side != VMSECT_RING_CONSUMER))
		return -EINVAL;
	if (bell)
		ring.bell = *bell;
	ring.data = (unsigned char *)addr + VMSECT_RING_HEADER_BYTES;
	err = read_constants(&ring, bytes);
	if (!err)
		err = read_indices(&ring);
	if (err)
		return err;
	announce(&ring);
	(void)ring_notify(&ring);
	ring.counters.notified = 0;
	*ret_ring = ring;
	return 0;
}

void vmsect_ring_detach(struct vmsect_ring *ring)
{
	uint32_t now;

	if (!ring || !ring->shared)
		return;
	now = __atomic_load_n(&ring_own(ring)->generation, __ATOMIC_RELAXED);
	/* A successor's generation is not ours to change. */
	if (now == ring->generation) {
		__atomic_store_n(&ring_own(ring)->generation, now + 1, __ATOMIC_SEQ_CST);
		(void)ring_notify(ring);
	}
	*ring = (struct vmsect_ring){ 0 };
}

int vmsect_ring_patience(struct vmsect_ring *ring, uint32_t spin_max, int recheck_ms)
{
	if (recheck_ms <= 0)
		return -EINVAL;
	ring->spin = spin_max;
	ring->spin_max = spin_max;
	ring->recheck_ms = recheck_ms;
	return 0;
}

enum vmsect_ring_peer vmsect_ring_peer(const struct vmsect_ring *ring)
{
	uint32_t generation = __atomic_load_n(&ring_peer(ring)->generation, __ATOMIC_ACQUIRE);

	if (!generation)
		return VMSECT_RING_PEER_NONE;
	return generation & 1 ? VMSECT_RING_PEER_ATTACHED : VMSECT_RING_PEER_LEFT;
}

/* Indices only grow, by 8, and the consumer's never passes the producer's. */
static bool is_possible(const struct vmsect_ring *ring, uint64_t index)
{
	uint64_t ahead, most;

	if (ring->side == VMSECT_RING_PRODUCER)
		most = ring->index - ring->peer_index;
	else
		most = ring->data_bytes - (ring->peer_index - ring->index);
	ahead = index - ring->peer_index;
	return ahead <= most && index % WORD_BYTES == 0;
}

/* The peer's first coming is no restart. */
static int note_generation(struct vmsect_ring *ring)
{
	uint32_t before = ring->peer_generation;

	ring->peer_generation = __atomic_load_n(&ring_peer(ring)->generation, __ATOMIC_ACQUIRE);
	if (ring->peer_generation == before || !before)
		return 0;
	ring->counters.restarts++;
	return -ECONNRESET;
}

int ring_refresh(struct vmsect_ring *ring)
{
	uint64_t index;

	/*
	 * Acquire: pairs with ring_publish(), what the peer did to the data before is
	 * seen.  Sequentially consistent: not before the store of wake in
	 * vmsect_ring_arm(), whose partner is ring_publish() too.
	 */
	index = __atomic_load_n(&ring_peer(ring)->index, __ATOMIC_SEQ_CST);
	if (!is_possible(ring, index))
		return ring->error = -EPROTO;
	ring->peer_index = index;
	/* After the index: who is told of a record knows of its producer. */
	return note_generation(ring);
}

int ring_publish(struct vmsect_ring *ring, uint64_t new_index)
{
	uint64_t old_index = ring->index, wake;

	ring->index = new_index;
	/*
	 * Release: pairs with the load in ring_refresh(), the data go first.
	 * Sequentially consistent, with the load behind it: either this load sees the
	 * wish that vmsect_ring_arm() stored, or the look that follows there sees this
	 * index.  x86 has this store wait for its store buffer.
	 */
	__atomic_store_n(&ring_own(ring)->index, new_index, __ATOMIC_SEQ_CST);
	wake = __atomic_load_n(&ring_peer(ring)->wake, __ATOMIC_SEQ_CST);
	if (new_index - wake - 1 < new_index - old_index)
		return ring_notify(ring);
	ring->counters.suppressed++;
	return 0;
}
