// SPDX-License-Identifier: LGPL-2.1-or-later
/* The producer's side: room, and records that are handed over. */
#include "vmsect_ring_internal.h"

#include <errno.h>
#include <string.h>

static void put_word(struct vmsect_ring *ring, uint64_t index, uint64_t bytes, uint32_t type)
{
	const struct vmsect_ring_word word = { .bytes = (uint32_t)bytes, .type = type };
	uint64_t value;

	memcpy(&value, &word, sizeof(value));
	__atomic_store_n(ring_word(ring, index), value, __ATOMIC_RELAXED);
}

int vmsect_ring_reserve(struct vmsect_ring *ring, uint32_t bytes, void **ret_record)
{
	uint64_t need, span = ring_span(bytes);
	int err;

	if (ring->side != VMSECT_RING_PRODUCER)
		return -EINVAL;
	ring->in_hand = 0;
	err = ring_ready(ring, bytes);
	if (err)
		return err;
	need = ring_need(ring, bytes);
	ring->pad_bytes = need - span;
	ring->in_hand = span;
	*ret_record = ring_word(ring, ring->index + ring->pad_bytes) + 1;
	return 0;
}

int vmsect_ring_commit(struct vmsect_ring *ring, uint32_t bytes)
{
	uint64_t span = ring_span(bytes);

	if (ring->side != VMSECT_RING_PRODUCER || !ring->in_hand || span > ring->in_hand)
		return -EINVAL;
	/* Not visible before the index that ring_publish() stores. */
	if (ring->pad_bytes)
		put_word(ring, ring->index, ring->pad_bytes - WORD_BYTES, VMSECT_RING_PAD);
	put_word(ring, ring->index + ring->pad_bytes, bytes, VMSECT_RING_RECORD);
	ring->in_hand = 0;
	return ring_publish(ring, ring->index + ring->pad_bytes + span);
}

int vmsect_ring_write(struct vmsect_ring *ring, const void *record, uint32_t bytes, int timeout_ms)
{
	void *place;
	int err = vmsect_ring_reserve(ring, bytes, &place);

	if (err == -EAGAIN) {
		err = vmsect_ring_wait(ring, bytes, timeout_ms);
		if (!err)
			err = vmsect_ring_reserve(ring, bytes, &place);
	}
	if (err)
		return err;
	if (bytes)
		memcpy(place, record, bytes);
	return vmsect_ring_commit(ring, bytes);
}

static bool has_room(const struct vmsect_ring *ring, uint32_t bytes)
{
	return ring->data_bytes - (ring->index - ring->peer_index) >= ring_need(ring, bytes);
}

/* Both sides' question lives here, beside the only arithmetic of room. */
int ring_ready(struct vmsect_ring *ring, uint32_t bytes)
{
	const bool producer = ring->side == VMSECT_RING_PRODUCER;
	int err;

	if (ring->error)
		return ring->error;
	if (producer && bytes > ring->record_max)
		return -EMSGSIZE;
	if (__atomic_load_n(&ring_own(ring)->generation, __ATOMIC_RELAXED) != ring->generation)
		return ring->error = -ESTALE;
	if (producer ? has_room(ring, bytes) : ring->peer_index != ring->index)
		return 0;
	err = ring_refresh(ring);
	if (err)
		return err;
	if (producer ? has_room(ring, bytes) : ring->peer_index != ring->index)
		return 0;
	return -EAGAIN;
}
