/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of the virtio PCI transport: what vCPU threads see and do.
 * What a write asks for that touches queues or the device is left in a flag
 * for the io thread.
 *
 * Private to virtio/.  Owner: struct virtio_pci, whose lock protects it; each
 * function here is called with that lock.
 */
#ifndef VIRTIO_VIRTIO_PCI_REGS_H
#define VIRTIO_VIRTIO_PCI_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/queue.h"
#include "virtio/virtio.h"

#define VIRTIO_PCI_QUEUES_MAX 8
#define VIRTIO_PCI_COMMON_BYTES 56 /* up to and with queue_device */

struct virtio_pci_queue_regs {
	struct queue_setup setup; /* frozen once enabled */
	bool is_enabled;
	uint16_t vector;
};

struct virtio_pci_regs {
	/* Constant. */
	const struct guest_mem *mem;
	uint64_t device_features;
	uint16_t queues;
	uint16_t queue_size;
	uint16_t vectors; /* 0 without MSI-X */

	/* Registers. */
	uint32_t device_feature_select;
	uint32_t driver_feature_select;
	uint64_t driver_features;
	uint16_t config_vector;
	uint16_t queue_select;
	uint8_t status;
	uint8_t isr;
	struct virtio_pci_queue_regs queue[VIRTIO_PCI_QUEUES_MAX];

	/* For the io thread. */
	bool reset_pending; /* until then every write is ignored */
	bool activate_pending;
	const char *break_reason; /* to be logged, or NULL */
	uint64_t breaks; /* times NEEDS_RESET was set */
};

/* Everything but the constant part, the counter and what is to be logged. */
void virtio_pci_regs_reset(struct virtio_pci_regs *regs);

/*
 * The common configuration structure.  An access that is not exactly one
 * field, or 8 bytes at a 64-bit field, reads ones and writes nothing.  A write
 * returns true if the io thread has something to do.
 */
void virtio_pci_regs_read(struct virtio_pci_regs *regs, uint64_t offset, void *data,
			  uint32_t bytes);
bool virtio_pci_regs_write(struct virtio_pci_regs *regs, uint64_t offset, const void *data,
			   uint32_t bytes);

/* Sets NEEDS_RESET; `why` is a constant string. */
void virtio_pci_regs_break(struct virtio_pci_regs *regs, const char *why);

#endif
