/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI-X of one PCI function: table and pending bits in a BAR of 4 KiB, each
 * vector an interrupt source of kvm/irq.h.
 *
 * A vector is open when MSI-X is enabled and neither the function nor the
 * vector is masked; then its irqfd is attached and an event goes to the guest
 * without us.  Otherwise the event stays in the eventfd, which is the pending
 * bit.
 *
 * Owner: a virtio transport or an ivshmem device.  Any thread may call.  `lock` protects the table.
 * Lock order: pci_bus, transport, msix, then irq_table.
 */
#ifndef BUS_MSIX_H
#define BUS_MSIX_H

#include <stdbool.h>
#include <stdint.h>

struct irq_table;
struct msix;
struct pci_device;

#define MSIX_VECTORS_MAX 64

/*
 * Adds BAR `bar` and the capability to the function.  vectors is 1 to
 * MSIX_VECTORS_MAX.  0 or -errno.
 */
int msix_new(struct pci_device *device, struct irq_table *irq, uint32_t bar, uint32_t vectors,
	     struct msix **ret_msix);
/* After the function it belongs to; NULL is fine; returns NULL. */
struct msix *msix_free(struct msix *msix);

/* For the function's config_written hook. */
void msix_config_written(struct msix *msix, uint32_t offset, uint32_t bytes);

/* True if the guest uses MSI-X at all. */
bool msix_is_enabled(struct msix *msix);

/* Sends or keeps pending; nothing if disabled or there is no such vector. */
void msix_fire(struct msix *msix, uint32_t vector);

/*
 * Takes another eventfd, in any case, as the one that fires a vector, for
 * interrupts that others send.  0 or -errno.
 */
int msix_set_source_take_fd(struct msix *msix, uint32_t vector, int fd);

/* Vectors whose message KVM did not accept, in all. */
uint64_t msix_failed_routes(struct msix *msix);

#endif
