/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the ring share.  Every access to shared words goes through the
 * functions here, so that the order of each is said in one place.  Sequentially
 * consistent accesses are used where a store must not be passed by a later load:
 * with a separate fence thread sanitizers would be blind.
 */
#ifndef VMSECT_RING_INTERNAL_H
#define VMSECT_RING_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "vmsect_ring.h"
#include "vmsect_ring_layout.h"

#define WORD_BYTES ((uint64_t)sizeof(struct vmsect_ring_word))

static inline struct vmsect_ring_party *ring_own(const struct vmsect_ring *ring)
{
	return &ring->shared->party[ring->side];
}

static inline struct vmsect_ring_party *ring_peer(const struct vmsect_ring *ring)
{
	return &ring->shared->party[!ring->side];
}

/* Of the data, from index up to their end. */
static inline uint64_t ring_to_end(const struct vmsect_ring *ring, uint64_t index)
{
	return ring->data_bytes - (index & (ring->data_bytes - 1));
}

/* At index, which is a multiple of 8, and so in one piece. */
static inline uint64_t *ring_word(const struct vmsect_ring *ring, uint64_t index)
{
	return (uint64_t *)(void *)(ring->data + (index & (ring->data_bytes - 1)));
}

/* A record's word, its bytes, and what fills up to 8. */
static inline uint64_t ring_span(uint32_t bytes)
{
	return WORD_BYTES + ((bytes + UINT64_C(7)) & ~UINT64_C(7));
}

/* The bytes that a record takes at the producer's index, a pad before it included. */
static inline uint64_t ring_need(const struct vmsect_ring *ring, uint32_t bytes)
{
	uint64_t span = ring_span(bytes), to_end = ring_to_end(ring, ring->index);

	return span > to_end ? to_end + span : span;
}

/* The peer's index and generation, loaded once and checked.  0, -EPROTO, -ECONNRESET. */
int ring_refresh(struct vmsect_ring *ring);

/* Publishes the own index, which was old, and wakes the peer if it asked for that. */
int ring_publish(struct vmsect_ring *ring, uint64_t new_index);

/* Is there a record, or room for one of bytes; 0, -EAGAIN, -EMSGSIZE, -ESTALE, ring_refresh()'s. */
int ring_ready(struct vmsect_ring *ring, uint32_t bytes);

/* Nothing is asked for any more: an index that the peer has passed already. */
static inline void ring_disarm(struct vmsect_ring *ring)
{
	__atomic_store_n(&ring_own(ring)->wake, ring->peer_index - 1, __ATOMIC_RELAXED);
}

#endif
