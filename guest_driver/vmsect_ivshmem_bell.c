// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The doorbell of an ivshmem device: a register to ring peers with, and an MSI-X
 * vector for each way in which this one is rung.
 *
 * An interrupt does not say who rang, only which vector.  Its handler counts it
 * and queues the work, which tells the section's event files; interrupts that come
 * meanwhile add up, so a peer that never stops costs the handler alone.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/pci.h>

#include "vmsect_core.h"
#include "vmsect_ivshmem.h"

static void bells_tell(struct vmsect_device *vd, const struct vmsect_event *event)
{
	struct vmsect_handle *handle;

	mutex_lock(&vd->lock);
	list_for_each_entry (handle, &vd->handles, entry)
		vmsect_listeners_tell(handle, event);
	mutex_unlock(&vd->lock);
}

static void bells_work(struct work_struct *work)
{
	struct vmsect_ivshmem *iv = container_of(work, struct vmsect_ivshmem, work);
	struct vmsect_event event = { .type = VMSECT_EVENT_NOTIFIED };
	unsigned int i;

	for (i = 0; i < iv->vectors; i++) {
		event.count = (u32)atomic_xchg(&iv->bells[i].rung, 0);
		event.value = i;
		if (event.count)
			bells_tell(iv->vd, &event);
	}
}

static irqreturn_t bell_interrupt(int irq, void *data)
{
	struct vmsect_bell *bell = data;

	atomic_inc(&bell->rung);
	queue_work(system_freezable_wq, &bell->iv->work);
	return IRQ_HANDLED;
}

/* Interrupts for vectors from 0 on; how many there are now. */
static unsigned int bells_request(struct vmsect_ivshmem *iv, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		iv->bells[i].iv = iv;
		if (pci_request_irq(iv->pdev, i, bell_interrupt, NULL, &iv->bells[i],
				    "vmsect-%s-%u", pci_name(iv->pdev), i))
			break;
	}
	return i;
}

/**
 * vmsect_bells_start - hear the vectors that the device has
 * @iv: with its registers
 *
 * Without any interrupt the memory is still good for something, so nothing fails.
 */
void vmsect_bells_start(struct vmsect_ivshmem *iv)
{
	int offered = pci_msix_vec_count(iv->pdev);
	int got;

	INIT_WORK(&iv->work, bells_work);
	iv->has_doorbell = offered > 0;
	if (!iv->has_doorbell)
		return;
	pci_set_master(iv->pdev);
	got = pci_alloc_irq_vectors(iv->pdev, 1, VMSECT_BELLS_MAX, PCI_IRQ_MSIX);
	if (got > 0)
		iv->vectors = bells_request(iv, got);
	if (got > 0 && !iv->vectors)
		pci_free_irq_vectors(iv->pdev);
	if (iv->vectors < offered)
		pci_warn(iv->pdev, "%u of %d vectors are heard\n", iv->vectors, offered);
}

void vmsect_bells_stop(struct vmsect_ivshmem *iv)
{
	unsigned int i;

	if (!iv->vectors)
		return;
	for (i = 0; i < iv->vectors; i++)
		pci_free_irq(iv->pdev, i, &iv->bells[i]);
	pci_free_irq_vectors(iv->pdev);
	cancel_work_sync(&iv->work);
}

/**
 * vmsect_bell_ring - VMSECT_IOC_NOTIFY
 * @handle: of the device's section
 * @notify: whom; the value is the vector
 *
 * A peer or a vector that is not there is not told of by the device.  Stores to the
 * memory come before the ring: the register's accessor sees to that.
 *
 * Return: 0; -EOPNOTSUPP without a doorbell, and for all peers at once; -EINVAL for
 * a peer or a vector that the register has no room for; -ENODEV.
 */
int vmsect_bell_ring(struct vmsect_handle *handle, const struct vmsect_notify *notify)
{
	struct vmsect_ivshmem *iv = handle->vd->ivshmem;
	int err, idx;

	if (!iv->has_doorbell)
		return -EOPNOTSUPP;
	if (notify->peer > IVSHMEM_PEER_MAX || notify->value > IVSHMEM_VECTOR_MAX)
		return -EINVAL;
	if (!notify->peer)
		return -EOPNOTSUPP;
	idx = srcu_read_lock(&vmsect_srcu);
	err = vmsect_handle_error(handle);
	if (!err)
		iowrite32(notify->peer << 16 | (u32)notify->value, iv->regs + IVSHMEM_REG_DOORBELL);
	srcu_read_unlock(&vmsect_srcu, idx);
	return err;
}
