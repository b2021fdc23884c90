/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtio device that counts, on a PCI bus without a VM: doorbells come through
 * the BAR, interrupts through the ISR.
 */
#ifndef TESTS_UNIT_VMM_VIRTIO_BED_H
#define TESTS_UNIT_VMM_VIRTIO_BED_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/pci.h"
#include "lib/check.h"
#include "lib/leak.h"
#include "mem/guest_mem.h"
#include "unit/vmm/driver_ring.h"
#include "virtio/virtio_pci.h"

#define RAM_BYTES UINT64_C(0x400000)
#define QUEUES 2
#define QUEUE_SIZE 32
#define SHM_BYTES (UINT64_C(1) << 30)

#define COMMON 0x0000
#define ISR 0x1000
#define DEVICE 0x2000
#define NOTIFY 0x3000

#define STATUS (COMMON + 20)
#define VERSION_1 (UINT64_C(1) << VIRTIO_FEATURE_VERSION_1)
#define DEVICE_FEATURE UINT64_C(0x4)

struct bed {
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct guest_mem mem;
	struct virtio_pci *transport;
	struct driver_ring ring[QUEUES];
	uint64_t bar; /* of the registers */
	uint64_t shm_gpa;
	/* What the device was asked. */
	uint32_t activations;
	uint32_t resets;
	uint32_t kicks[QUEUES];
	uint64_t features;
	int kick_result;
	struct leak_guard *guard;
};

static const uint8_t config[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static inline void device_config_read(void *device, uint32_t offset, void *data, uint32_t bytes)
{
	(void)device;
	assert_true(offset + bytes <= sizeof(config));
	memcpy(data, config + offset, bytes);
}

static inline void device_activate(void *device, uint64_t features)
{
	struct bed *bed = device;

	bed->activations++;
	bed->features = features;
}

static inline void device_reset(void *device)
{
	((struct bed *)device)->resets++;
}

static inline int device_kick(void *device, uint32_t queue)
{
	struct bed *bed = device;

	assert_in_range(queue, 0, QUEUES - 1);
	bed->kicks[queue]++;
	return bed->kick_result;
}

static const struct virtio_device_ops ops = { device_config_read, device_activate, device_reset,
					      device_kick };

static inline int shm_moved(void *owner, uint64_t gpa)
{
	((struct bed *)owner)->shm_gpa = gpa;
	return 0;
}

static inline int virtio_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	const struct virtio_device_info info = {
		.device_id = 63,
		.queues = QUEUES,
		.queue_size = QUEUE_SIZE,
		.class_code = 0xFF0000,
		.config_bytes = sizeof(config),
		.features = DEVICE_FEATURE,
		.ops = &ops,
		.device = bed,
	};
	const struct virtio_pci_shm shm = { 5, SHM_BYTES, bed, shm_moved };
	struct virtio_pci_env env = { .mem = &bed->mem };

	assert_non_null(bed);
	bed->guard = leak_guard_new();
	bed->shm_gpa = PCI_NOWHERE;
	assert_int_equal(guest_mem_init(&bed->mem, NULL, RAM_BYTES), 0);
	assert_int_equal(bus_new(&bed->pio), 0);
	assert_int_equal(bus_new(&bed->mmio), 0);
	assert_int_equal(pci_bus_new(bed->pio, bed->mmio, &bed->pci), 0);
	env.pci = bed->pci;
	assert_int_equal(virtio_pci_new(&env, &info, &shm, &bed->transport), 0);
	bed->bar = 0xC0000000;
	for (uint32_t i = 0; i < QUEUES; i++)
		ring_init(&bed->ring[i], &bed->mem, 0x10000 + 0x10000 * (uint64_t)i, QUEUE_SIZE);
	*state = bed;
	return 0;
}

static inline int virtio_teardown(void **state)
{
	struct bed *bed = *state;

	bed->transport = virtio_pci_free(bed->transport);
	assert_int_equal(bed->shm_gpa, PCI_NOWHERE);
	bed->pci = pci_bus_free(bed->pci);
	bed->mmio = bus_free(bed->mmio);
	bed->pio = bus_free(bed->pio);
	guest_mem_deinit(&bed->mem);
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

static inline uint64_t get(struct bed *bed, uint64_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	assert_true(bus_read(bed->mmio, bed->bar + offset, &value, bytes));
	return value;
}

static inline void put(struct bed *bed, uint64_t offset, uint32_t bytes, uint64_t value)
{
	assert_true(bus_write(bed->mmio, bed->bar + offset, &value, bytes));
}

static inline void run(struct bed *bed)
{
	virtio_pci_run(bed->transport);
}

static inline void set_features(struct bed *bed, uint64_t features)
{
	put(bed, STATUS, 1, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	for (uint32_t i = 0; i < 2; i++) {
		put(bed, COMMON + 8, 4, i);
		put(bed, COMMON + 12, 4, (uint32_t)(features >> (32 * i)));
	}
	put(bed, STATUS, 1,
	    VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
}

static inline void set_queue(struct bed *bed, uint16_t index, const struct queue_setup *setup)
{
	put(bed, COMMON + 22, 2, index);
	put(bed, COMMON + 24, 2, setup->size);
	put(bed, COMMON + 32, 8, setup->descriptor_gpa);
	put(bed, COMMON + 40, 4, (uint32_t)setup->driver_gpa);
	put(bed, COMMON + 44, 4, setup->driver_gpa >> 32);
	put(bed, COMMON + 48, 8, setup->device_gpa);
	put(bed, COMMON + 28, 2, 1);
}

static inline void set_up(struct bed *bed)
{
	set_features(bed, VERSION_1);
	for (uint16_t i = 0; i < QUEUES; i++)
		set_queue(bed, i, &bed->ring[i].setup);
	put(bed, STATUS, 1, 0xF);
	run(bed);
	assert_int_equal(bed->activations, 1);
}

static inline uint32_t cfg(struct bed *bed, uint32_t reg, uint32_t bytes)
{
	uint32_t address = 0x80000800 | (reg & 0xFC), value = 0;

	assert_true(bus_write(bed->pio, 0xCF8, &address, 4));
	assert_true(bus_read(bed->pio, 0xCFC + (reg & 3), &value, bytes));
	return value;
}

static inline void set_cfg(struct bed *bed, uint32_t reg, uint32_t bytes, uint32_t value)
{
	uint32_t address = 0x80000800 | (reg & 0xFC);

	assert_true(bus_write(bed->pio, 0xCF8, &address, 4));
	assert_true(bus_write(bed->pio, 0xCFC + (reg & 3), &value, bytes));
}

#endif
