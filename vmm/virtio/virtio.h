/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a virtio device gives its transport, and the numbers of the virtio
 * specification that both need.
 *
 * A device belongs to the io thread (the one that runs the event loop): all
 * operations but config_read() are called there, and reset() never runs while
 * kick() does.
 */
#ifndef VIRTIO_VIRTIO_H
#define VIRTIO_VIRTIO_H

#include <stdint.h>

#define VIRTIO_STATUS_ACKNOWLEDGE 0x01
#define VIRTIO_STATUS_DRIVER 0x02
#define VIRTIO_STATUS_DRIVER_OK 0x04
#define VIRTIO_STATUS_FEATURES_OK 0x08
#define VIRTIO_STATUS_NEEDS_RESET 0x40
#define VIRTIO_STATUS_FAILED 0x80

#define VIRTIO_FEATURE_INDIRECT_DESC 28
#define VIRTIO_FEATURE_EVENT_IDX 29
#define VIRTIO_FEATURE_VERSION_1 32

#define VIRTIO_NO_VECTOR 0xFFFF

struct virtio_device_ops {
	/*
	 * Reads the device configuration, which is constant: any thread, no
	 * lock needed.  offset + bytes lies within config_bytes.
	 */
	void (*config_read)(void *device, uint32_t offset, void *data, uint32_t bytes);
	/* The driver is ready; the queues it enabled may be used. */
	void (*activate)(void *device, uint64_t features);
	/* Forget the driver: what it asked for, and chains kept. */
	void (*reset)(void *device);
	/*
	 * The driver made buffers available on this queue (or may have).
	 * Returns 1 if more may be waiting: it is then called again, after
	 * other work of the loop.
	 */
	int (*kick)(void *device, uint32_t queue);
};

struct virtio_device_info {
	uint16_t device_id;
	uint16_t queues;
	uint16_t queue_size; /* the most, a power of two up to QUEUE_SIZE_MAX */
	uint32_t class_code; /* of the PCI function */
	uint32_t config_bytes;
	uint64_t features; /* device features; the transport adds its own */
	const struct virtio_device_ops *ops;
	void *device;
};

#endif
