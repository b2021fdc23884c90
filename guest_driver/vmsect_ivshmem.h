/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ivshmem device (1af4:1110, revision 1) as a section: one node, whose view is
 * all of BAR 2, and a doorbell.
 *
 * The device has no names, no sizes, no rights and no requests.  So the driver
 * makes up what a section device would say of such an attachment and answers
 * queries out of that; whatever else is asked fails with EOPNOTSUPP.
 *
 * Owned by its vmsect_device and freed with it.  Registers are there from probe to
 * remove; who is neither looks at the handle's state in vmsect_srcu first.
 */
#ifndef VMSECT_IVSHMEM_H
#define VMSECT_IVSHMEM_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "vmsect_dev.h"

struct pci_dev;
struct vmsect_device;
struct vmsect_handle;
struct vmsect_ivshmem;
struct vmsect_notify;

/* Base address registers.  The one between belongs to MSI-X. */
#define IVSHMEM_BAR_REGS 0
#define IVSHMEM_BAR_MEMORY 2
#define IVSHMEM_REGS_BYTES 256

/* Registers of 32 bits. */
#define IVSHMEM_REG_POSITION 0x08
#define IVSHMEM_REG_DOORBELL 0x0c
#define IVSHMEM_PEER_MAX 0xffff
#define IVSHMEM_VECTOR_MAX 0xffff

/* Vectors that are heard; the protocol's servers give no more. */
#define VMSECT_BELLS_MAX 64

/* One MSI-X vector. */
struct vmsect_bell {
	struct vmsect_ivshmem *iv;
	atomic_t rung; /* interrupts that nobody was told of yet */
};

struct vmsect_ivshmem {
	struct vmsect_device *vd;
	struct pci_dev *pdev; /* probe and remove only */
	void __iomem *regs;

	/* Constant from probe. */
	int index; /* among the ivshmem devices of this guest */
	bool has_doorbell;
	struct vmsect_attachment at; /* what a section device would say */

	unsigned int vectors; /* those that have an interrupt; constant while nodes are there */
	struct vmsect_bell bells[VMSECT_BELLS_MAX];
	struct work_struct work; /* tells of bells that rang */
};

/* vmsect_ivshmem_bell.c */
void vmsect_bells_start(struct vmsect_ivshmem *iv);
/* vmsect_bells_stop - no interrupt comes and nobody is told any more */
void vmsect_bells_stop(struct vmsect_ivshmem *iv);
int vmsect_bell_ring(struct vmsect_handle *handle, const struct vmsect_notify *notify);

/* vmsect_ivshmem.c */
#ifdef CONFIG_PCI
int vmsect_ivshmem_init(void);
void vmsect_ivshmem_exit(void);
#else
static inline int vmsect_ivshmem_init(void)
{
	return 0;
}

static inline void vmsect_ivshmem_exit(void)
{
}
#endif

#endif
