/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transport object, shared by virtio_pci.c (io thread) and
 * virtio_pci_func.c (the PCI function and its BARs, vCPU threads).
 *
 * Private to virtio/.
 */
#ifndef VIRTIO_VIRTIO_PCI_IMPL_H
#define VIRTIO_VIRTIO_PCI_IMPL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "bus/pci.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_pci_regs.h"

struct event;
struct msix;

/* BAR 0 is four regions of a page. */
#define VIRTIO_PCI_REGION_BYTES 0x1000
#define VIRTIO_PCI_BAR_BYTES (4 * VIRTIO_PCI_REGION_BYTES)
#define VIRTIO_PCI_NOTIFY_STEP 4 /* one doorbell each, so that it needs no value */

struct virtio_pci_queue {
	struct virtio_pci *transport;
	uint32_t index;
	struct queue queue; /* io thread */
	int kick_fd; /* owned eventfd */
	struct event *kick_event; /* owned; NULL without a loop */
	bool has_ioeventfd; /* bus lock */
};

struct virtio_pci {
	/* Constant. */
	struct virtio_pci_env env;
	struct virtio_device_info info;
	struct pci_device *pci; /* owned */
	struct msix *msix; /* owned; NULL without interrupts */
	uint32_t cfg_access; /* offset of the access capability */
	int work_fd; /* owned eventfd: vCPU threads to io thread */
	struct event *work_event; /* owned; NULL without a loop */
	struct virtio_pci_queue queues[VIRTIO_PCI_QUEUES_MAX];

	pthread_mutex_t lock;
	struct virtio_pci_regs regs; /* lock */

	uint64_t notify_gpa; /* where the ioeventfds are; bus lock */

	/* io thread */
	bool is_active; /* DRIVER_OK was seen, no reset since */
	bool is_broken; /* NEEDS_RESET was seen, no reset since */
	struct log_limit log_limit;
};

/* Wakes whoever waits for this eventfd; never blocks. */
void virtio_pci_signal_fd(int fd);

/* Makes the PCI function, its BARs and capabilities.  0 or -errno. */
int virtio_pci_func_init(struct virtio_pci *transport, const struct virtio_pci_shm *shm);
/* Also for a half-made one. */
void virtio_pci_func_deinit(struct virtio_pci *transport);

#endif
