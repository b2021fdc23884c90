/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the rings of a virtqueue: the first says what was negotiated and
 * how long the ring is, the rest is guest memory from the descriptors on.  What
 * is popped must be RAM, in order, and no more than a queue has.
 */
#include <stdlib.h>
#include <string.h>

#include "mem/guest_mem.h"
#include "virtio/queue.h"
#include "virtio/virtio.h"

#define RAM_BYTES UINT64_C(0x200000)
#define TURNS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Made once; zeroed where an input may have written. */
static const struct guest_mem *memory(const uint8_t *data, size_t size)
{
	static struct guest_mem mem;
	uint8_t *ram;

	if (!mem.region[0].bytes)
		require(guest_mem_init(&mem, NULL, RAM_BYTES) == 0);
	ram = guest_mem_at(&mem, 0, RAM_BYTES);
	memset(ram, 0, 0x10000);
	memcpy(ram, data, size < 0x10000 ? size : 0x10000);
	return &mem;
}

static void check(const struct queue *queue, const struct queue_chain *chain)
{
	uint64_t readable = 0, writable = 0;

	require(chain->readable + chain->writable <= queue->setup.size);
	for (uint32_t i = 0; i < (uint32_t)chain->readable + chain->writable; i++) {
		const struct queue_segment *segment = &chain->segments[i];

		require(guest_mem_has(queue->mem, segment->gpa, segment->bytes));
		if (i < chain->readable)
			readable += segment->bytes;
		else
			writable += segment->bytes;
	}
	require(readable == chain->readable_bytes && writable == chain->writable_bytes);
	require(readable <= QUEUE_CHAIN_BYTES_MAX && writable <= QUEUE_CHAIN_BYTES_MAX);
}

/* Uses a chain as a device does. */
static void serve(struct queue *queue, const struct queue_chain *chain)
{
	uint8_t bytes[256];

	memset(bytes, 0x5A, sizeof(bytes));
	require(queue_chain_read(queue, chain, bytes, sizeof(bytes)) ==
		(chain->readable_bytes >= sizeof(bytes)));
	require(queue_chain_write(queue, chain, bytes, sizeof(bytes)) ==
		(chain->writable_bytes >= sizeof(bytes)));
	queue_push(queue, chain, sizeof(bytes));
	(void)queue_wants_interrupt(queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct queue_chain chain;
	struct queue queue;
	struct queue_setup setup = { .descriptor_gpa = 0 };
	uint64_t features = 0;
	int result = 1;

	if (size < 1)
		return 0;
	setup.size = (uint16_t)(1 << (data[0] & 7));
	features |= (uint64_t)(data[0] >> 3 & 1) << VIRTIO_FEATURE_INDIRECT_DESC;
	features |= (uint64_t)(data[0] >> 4 & 1) << VIRTIO_FEATURE_EVENT_IDX;
	setup.driver_gpa = 16u * setup.size;
	setup.device_gpa = setup.driver_gpa + 8 + 4u * setup.size;
	require(queue_init(&queue, memory(data + 1, size - 1), &setup, features) == 0);
	for (uint32_t turn = 0; turn < TURNS && result == 1; turn++) {
		result = queue_pop(&queue, &chain);
		if (result != 1)
			break;
		check(&queue, &chain);
		serve(&queue, &chain);
	}
	(void)queue_enable_kick(&queue);
	queue_deinit(&queue);
	return 0;
}
