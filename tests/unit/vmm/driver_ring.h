/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's side of a split virtqueue in guest memory: as plain as can be,
 * so that a test can also write what no driver would.
 */
#ifndef TESTS_UNIT_VMM_DRIVER_RING_H
#define TESTS_UNIT_VMM_DRIVER_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/check.h"
#include "mem/guest_mem.h"
#include "virtio/queue.h"

#define RING_NEXT 1
#define RING_WRITE 2
#define RING_INDIRECT 4

struct driver_ring {
	struct guest_mem *mem;
	struct queue_setup setup;
	uint16_t avail; /* next index to publish */
	uint16_t used; /* next used element to look at */
};

struct driver_desc {
	uint64_t gpa;
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};

/* The three parts one after the other from gpa, which is page aligned. */
static inline void ring_init(struct driver_ring *ring, struct guest_mem *mem, uint64_t gpa,
			     uint16_t size)
{
	*ring = (struct driver_ring){
		.mem = mem,
		.setup = { .descriptor_gpa = gpa,
			   .driver_gpa = gpa + 0x1000,
			   .device_gpa = gpa + 0x2000,
			   .size = size },
	};
}

static inline void ring_poke16(struct driver_ring *ring, uint64_t gpa, uint16_t value)
{
	assert_true(guest_mem_write(ring->mem, gpa, &value, sizeof(value)));
}

static inline uint16_t ring_peek16(const struct driver_ring *ring, uint64_t gpa)
{
	uint16_t value;

	assert_true(guest_mem_read(ring->mem, gpa, &value, sizeof(value)));
	return value;
}

static inline void ring_desc(struct driver_ring *ring, uint16_t index, struct driver_desc desc)
{
	assert_true(guest_mem_write(ring->mem, ring->setup.descriptor_gpa + 16u * index, &desc,
				    sizeof(desc)));
}

/* Publishes the chain that starts at head. */
static inline void ring_publish(struct driver_ring *ring, uint16_t head)
{
	uint16_t slot = ring->avail & (uint16_t)(ring->setup.size - 1);

	ring_poke16(ring, ring->setup.driver_gpa + 4 + 2u * slot, head);
	ring->avail++;
	ring_poke16(ring, ring->setup.driver_gpa + 2, ring->avail);
}

/* The next used element; false if there is none. */
static inline bool ring_take(struct driver_ring *ring, uint32_t *ret_head, uint32_t *ret_bytes)
{
	uint64_t element =
		ring->setup.device_gpa + 4 + 8u * (ring->used & (uint16_t)(ring->setup.size - 1));

	if (ring_peek16(ring, ring->setup.device_gpa + 2) == ring->used)
		return false;
	assert_true(guest_mem_read(ring->mem, element, ret_head, 4));
	assert_true(guest_mem_read(ring->mem, element + 4, ret_bytes, 4));
	ring->used++;
	return true;
}

#endif
