// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The consumer's side.  The words in front of records are the producer's: each is
 * loaded once, and has to fit into what its index has announced.
 */
#include "vmsect_ring_internal.h"

#include <errno.h>
#include <string.h>

static struct vmsect_ring_word get_word(const struct vmsect_ring *ring, uint64_t index)
{
	uint64_t value = __atomic_load_n(ring_word(ring, index), __ATOMIC_RELAXED);
	struct vmsect_ring_word word;

	memcpy(&word, &value, sizeof(word));
	return word;
}

/* The bytes of a pad at index, of at most so many bytes; 0: there is none. */
static int skip_pad(const struct vmsect_ring *ring, struct vmsect_ring_word *word,
		    uint64_t *ret_bytes)
{
	uint64_t to_end = ring_to_end(ring, ring->index);

	if (word->type != VMSECT_RING_PAD) {
		*ret_bytes = 0;
		return 0;
	}
	/* A record comes with its pad, in one store of the index. */
	if (word->bytes != to_end - WORD_BYTES || ring->peer_index - ring->index <= to_end)
		return -EPROTO;
	*word = get_word(ring, ring->index + to_end);
	*ret_bytes = to_end;
	return 0;
}

static int find_record(struct vmsect_ring *ring, uint32_t *ret_bytes)
{
	struct vmsect_ring_word word = get_word(ring, ring->index);
	uint64_t pad, span, start;
	int err = skip_pad(ring, &word, &pad);

	if (err)
		return err;
	start = ring->index + pad;
	if (word.type != VMSECT_RING_RECORD || word.bytes > ring->record_max)
		return -EPROTO;
	span = ring_span(word.bytes);
	if (span > ring->peer_index - start || span > ring_to_end(ring, start))
		return -EPROTO;
	ring->pad_bytes = pad;
	ring->in_hand = span;
	*ret_bytes = word.bytes;
	return 0;
}

int vmsect_ring_peek(struct vmsect_ring *ring, const void **ret_record, uint32_t *ret_bytes)
{
	uint32_t bytes;
	int err;

	if (ring->side != VMSECT_RING_CONSUMER)
		return -EINVAL;
	ring->in_hand = 0;
	err = ring_ready(ring, 0);
	if (err)
		return err;
	err = find_record(ring, &bytes);
	if (err)
		return ring->error = err;
	*ret_record = ring_word(ring, ring->index + ring->pad_bytes) + 1;
	*ret_bytes = bytes;
	return 0;
}

int vmsect_ring_release(struct vmsect_ring *ring)
{
	uint64_t bytes = ring->pad_bytes + ring->in_hand;

	if (ring->side != VMSECT_RING_CONSUMER || !ring->in_hand)
		return -EINVAL;
	ring->in_hand = 0;
	/* After every load of the record: pairs with ring_refresh() of the producer. */
	return ring_publish(ring, ring->index + bytes);
}

int vmsect_ring_read(struct vmsect_ring *ring, void *buffer, uint32_t room, int timeout_ms,
		     uint32_t *ret_bytes)
{
	const void *record;
	uint32_t bytes;
	int err = vmsect_ring_peek(ring, &record, &bytes);

	if (err == -EAGAIN) {
		err = vmsect_ring_wait(ring, 0, timeout_ms);
		if (!err)
			err = vmsect_ring_peek(ring, &record, &bytes);
	}
	if (err)
		return err;
	if (bytes > room)
		return -EMSGSIZE;
	if (bytes)
		memcpy(buffer, record, bytes);
	err = vmsect_ring_release(ring);
	*ret_bytes = bytes;
	return err;
}
