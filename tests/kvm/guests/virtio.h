/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A modern virtio-pci device with split queues, driven from ring 3 by CPU 0.
 * The rings are open to their user, so that a test can break them.
 */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#define VIRTIO_QUEUES 2
#define VIRTIO_RING 64 /* descriptors that this driver uses */

struct virtio_queue {
	struct vring_desc desc[VIRTIO_RING] __attribute__((aligned(16)));
	struct {
		uint16_t flags;
		uint16_t idx;
		uint16_t ring[VIRTIO_RING];
		uint16_t used_event;
	} avail __attribute__((aligned(2)));
	struct {
		uint16_t flags;
		uint16_t idx;
		struct vring_used_elem ring[VIRTIO_RING];
		uint16_t avail_event;
	} used __attribute__((aligned(4)));
	uint16_t seen; /* used entries that were taken */
	uint32_t size;
	uint64_t notify; /* address */
};

struct virtio {
	bool found;
	uint32_t bdf;
	uint64_t common; /* addresses of the parts */
	uint64_t notify;
	uint64_t isr;
	uint64_t device;
	uint64_t msix_table;
	uint64_t msix_pba;
	uint64_t window;
	uint64_t window_bytes;
	uint32_t window_bar;
	uint32_t notify_multiplier;
	uint64_t features; /* offered */
	uint32_t refused; /* of the device's own feature bits: not taken */
	struct virtio_queue queue[VIRTIO_QUEUES];
};

/* Finds the device and where its BARs are now. */
bool virtio_find(struct virtio *dev, uint16_t device_id);

/* Reset, features, queues, MSI-X, DRIVER_OK; false and why. */
bool virtio_start(struct virtio *dev, const char **ret_why);
void virtio_reset(struct virtio *dev);
uint8_t virtio_status(const struct virtio *dev);

/* Offers the chain that starts at descriptor `head`, and kicks. */
void virtio_push(struct virtio *dev, uint32_t queue, uint16_t head);
void virtio_kick(struct virtio *dev, uint32_t queue);

/* Takes a used entry; waits up to limit_ms for one. */
bool virtio_take(struct virtio *dev, uint32_t queue, uint32_t limit_ms,
		 struct vring_used_elem *ret_used);

#endif
