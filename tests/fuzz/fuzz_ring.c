/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a ring in shared memory, and any changes of them while it is used.
 * The input: a byte that says the side, bytes for the memory (the header first), and
 * behind them changes of eight bytes each, one before each turn.  What is handed out
 * must lie in the ring and be no longer than a record can be.
 */
#include <stdlib.h>
#include <string.h>

#include "vmsect_ring.h"
#include "vmsect_ring_layout.h"

#define DATA_BYTES 256u
#define BYTES (VMSECT_RING_HEADER_BYTES + DATA_BYTES)
#define TURNS 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* Where: the low half of the first two bytes; what: the other six. */
static void change(unsigned char *memory, const uint8_t *bytes)
{
	size_t at = ((size_t)bytes[0] | (size_t)bytes[1] << 8) % (BYTES - 8);

	memset(memory + at, 0, 8);
	memcpy(memory + at, bytes + 2, 6);
}

static void check(const struct vmsect_ring *ring, const void *record, uint32_t bytes)
{
	const unsigned char *at = record;

	require(bytes <= ring->record_max && ring->record_max <= DATA_BYTES / 2 - 8);
	require(at >= ring->data && (uintptr_t)at % 8 == 0);
	require((size_t)(at - ring->data) + bytes <= DATA_BYTES);
}

static int consume(struct vmsect_ring *ring)
{
	unsigned char copy[DATA_BYTES];
	const void *record;
	uint32_t bytes;
	int err = vmsect_ring_peek(ring, &record, &bytes);

	if (err)
		return err;
	check(ring, record, bytes);
	memcpy(copy, record, bytes);
	return vmsect_ring_release(ring);
}

static int produce(struct vmsect_ring *ring, uint32_t bytes)
{
	void *record;
	int err;

	bytes %= ring->record_max + 1;
	err = vmsect_ring_reserve(ring, bytes, &record);
	if (err)
		return err;
	check(ring, record, bytes);
	memset(record, 0x5A, bytes);
	return vmsect_ring_commit(ring, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* From the heap, so that the sanitizer sees both of its ends. */
	unsigned char *memory = aligned_alloc(64, BYTES);
	enum vmsect_ring_side side;
	struct vmsect_ring ring;
	size_t given;

	require(memory != NULL);
	if (!size) {
		free(memory);
		return 0;
	}
	side = data[0] & 1 ? VMSECT_RING_CONSUMER : VMSECT_RING_PRODUCER;
	data++, size--;
	given = size < BYTES ? size : BYTES;
	memset(memory, 0, BYTES);
	memcpy(memory, data, given);
	data += given, size -= given;
	if (!vmsect_ring_attach(&ring, side, memory, BYTES, NULL)) {
		require(vmsect_ring_patience(&ring, 1, 1) == 0);
		for (uint32_t turn = 0; turn < TURNS; turn++, size -= size < 8 ? size : 8) {
			if (size >= 8)
				change(memory, data), data += 8;
			(void)vmsect_ring_wait(&ring, 0, 0);
			(void)(side ? consume(&ring) : produce(&ring, turn * 7));
			require(ring.index - ring.peer_index + DATA_BYTES <= 2 * DATA_BYTES);
		}
		vmsect_ring_detach(&ring);
	}
	free(memory);
	return 0;
}
