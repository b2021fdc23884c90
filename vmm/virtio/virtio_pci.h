/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modern virtio transport on PCI: common, notify, ISR and device
 * registers in BAR 0, MSI-X in BAR 1, an optional shared-memory region in
 * BAR 2.
 *
 * vCPU threads touch the registers under `lock`, which is held for a few
 * loads and stores only.  All that follows from them happens on the io
 * thread, which is woken by an eventfd: activation on DRIVER_OK, and reset.  A
 * driver that writes 0 to device_status reads a nonzero status until the io
 * thread has reset the device, so a reset never races the queues.  The queues
 * themselves are the io thread's alone.
 *
 * Owner: the device that made it.  Lock order: pci_bus, transport, msix.
 */
#ifndef VIRTIO_VIRTIO_PCI_H
#define VIRTIO_VIRTIO_PCI_H

#include <stdint.h>

#include "virtio/queue.h"
#include "virtio/virtio.h"

struct bus;
struct event_base;
struct guest_mem;
struct irq_table;
struct pci_bus;
struct virtio_pci;
struct vm;

/* All borrowed; vm may be NULL in tests (no ioeventfds then). */
struct virtio_pci_env {
	struct vm *vm;
	struct guest_mem *mem;
	struct irq_table *irq; /* NULL in tests: no MSI-X then */
	struct pci_bus *pci;
	struct event_base *events;
};

struct virtio_pci_shm {
	uint8_t id; /* shmid */
	uint64_t bytes; /* a power of two; 0: no region */
	void *owner;
	int (*on_map)(void *owner, uint64_t gpa); /* as in struct pci_bar */
};

/* shm may be NULL.  0 or -errno. */
int virtio_pci_new(const struct virtio_pci_env *env, const struct virtio_device_info *info,
		   const struct virtio_pci_shm *shm, struct virtio_pci **ret_transport);
/* vCPUs have ended.  Does not call the device. */
struct virtio_pci *virtio_pci_free(struct virtio_pci *transport);

/*
 * For the device, on the io thread.
 */

/* The queue, or NULL unless the driver enabled it and the device is active. */
struct queue *virtio_pci_queue(struct virtio_pci *transport, uint32_t index);

/* Interrupts the driver, if it wants that, for what was pushed. */
void virtio_pci_signal(struct virtio_pci *transport, uint32_t index);

/* A broken rule: DEVICE_NEEDS_RESET; the queues are dead until a reset. */
void virtio_pci_break(struct virtio_pci *transport, const char *why);

/* How often the device was broken. */
uint64_t virtio_pci_breaks(struct virtio_pci *transport);

/* Does what the eventfds ask for, now: for tests without a running loop. */
void virtio_pci_run(struct virtio_pci *transport);

#endif
