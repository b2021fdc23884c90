// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver of ivshmem devices, of QEMU, of our VMM and of others: finds out
 * whether the device is as specified, and shows its memory as a section.
 *
 * Nothing that the device says is trusted: revision, base address registers and
 * peer number are checked once, at probe, and a device that is not as specified is
 * left alone with one message.  What is behind BAR 2 can change at any time, as the
 * bytes of any section.
 *
 * Runs in probe and remove, under the device's lock.
 */
#include <linux/idr.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "vmsect_core.h"
#include "vmsect_ivshmem.h"

#define IVSHMEM_DEVICE_ID 0x1110
#define IVSHMEM_REVISION 1

static bool use_ivshmem = true;
module_param_named(ivshmem, use_ivshmem, bool, 0444);
MODULE_PARM_DESC(ivshmem, "Drive ivshmem devices as well (default on)");

static DEFINE_IDA(ivshmem_indices);

static int query_section(struct vmsect_handle *handle, struct vmsect_dev_section *ret_section)
{
	*ret_section = handle->vd->ivshmem->at.section;
	return 0;
}

static int query_view(struct vmsect_view *view, struct vmsect_dev_view *ret_view)
{
	*ret_view = view->vd->ivshmem->at.view;
	return 0;
}

/* Who rings has seen the handle alive, in vmsect_srcu. */
static void quiet(struct vmsect_device *vd)
{
	vmsect_bells_stop(vd->ivshmem);
	synchronize_srcu(&vmsect_srcu);
}

static const struct vmsect_device_ops ivshmem_ops = {
	.query_section = query_section,
	.query_view = query_view,
	.notify = vmsect_bell_ring,
	.quiet = quiet,
};

/*
 * Revision 0 has other interrupts.  Memory that is not prefetchable may not be cached.
 * The registers' size is that of the specification, so that whatever is no ivshmem
 * device is not taken for one.
 */
static int check_device(struct pci_dev *pdev)
{
	resource_size_t regs = pci_resource_len(pdev, IVSHMEM_BAR_REGS);
	resource_size_t bytes = pci_resource_len(pdev, IVSHMEM_BAR_MEMORY);
	unsigned long flags = pci_resource_flags(pdev, IVSHMEM_BAR_MEMORY);

	if (pdev->revision != IVSHMEM_REVISION) {
		pci_err(pdev, "revision %u, not %u\n", pdev->revision, IVSHMEM_REVISION);
		return -ENODEV;
	}
	if (!(pci_resource_flags(pdev, IVSHMEM_BAR_REGS) & IORESOURCE_MEM) ||
	    regs != IVSHMEM_REGS_BYTES) {
		pci_err(pdev, "BAR 0 of %pa bytes, not %u of memory\n", &regs, IVSHMEM_REGS_BYTES);
		return -ENODEV;
	}
	if (!(flags & IORESOURCE_MEM) || flags & IORESOURCE_UNSET || !is_power_of_2(bytes) ||
	    bytes < PAGE_SIZE) {
		pci_err(pdev, "BAR 2 of %pa bytes%s: no memory\n", &bytes,
			flags & IORESOURCE_UNSET ? ", without an address" : "");
		return -ENODEV;
	}
	if (!(flags & IORESOURCE_PREFETCH)) {
		pci_err(pdev, "BAR 2 is not prefetchable\n");
		return -ENODEV;
	}
	return 0;
}

/* Enabled, reserved, and the registers mapped. */
static int get_bars(struct vmsect_ivshmem *iv)
{
	struct pci_dev *pdev = iv->pdev;
	const int bars = BIT(IVSHMEM_BAR_REGS) | BIT(IVSHMEM_BAR_MEMORY);
	int err = pci_enable_device_mem(pdev);

	if (err)
		return err;
	err = pci_request_selected_regions(pdev, bars, "vmsect");
	if (err)
		goto err_disable;
	iv->regs = pci_iomap(pdev, IVSHMEM_BAR_REGS, IVSHMEM_REGS_BYTES);
	if (iv->regs)
		return 0;
	err = -ENOMEM;
	pci_release_selected_regions(pdev, bars);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void put_bars(struct vmsect_ivshmem *iv)
{
	pci_iounmap(iv->pdev, iv->regs);
	pci_release_selected_regions(iv->pdev, BIT(IVSHMEM_BAR_REGS) | BIT(IVSHMEM_BAR_MEMORY));
	pci_disable_device(iv->pdev);
}

/* A device that was pulled reads as all ones. */
static int read_position(struct vmsect_device *vd)
{
	u32 position = ioread32(vd->ivshmem->regs + IVSHMEM_REG_POSITION);

	if (position > IVSHMEM_PEER_MAX) {
		dev_err(vd->dev, "peer number %#x: not set up, or no ivshmem device\n", position);
		return -EIO;
	}
	vd->peer_id = position;
	return 0;
}

/* The window is the view, and the view all of the memory. */
static void set_window(struct vmsect_device *vd)
{
	struct pci_dev *pdev = vd->ivshmem->pdev;

	vd->window.start = pci_resource_start(pdev, IVSHMEM_BAR_MEMORY);
	vd->window.end = pci_resource_end(pdev, IVSHMEM_BAR_MEMORY);
	vd->window_bytes = pci_resource_len(pdev, IVSHMEM_BAR_MEMORY);
	vd->align_shift = PAGE_SHIFT;
	vd->max_views = 1;
}

/* As far as can be known: all may write, and nothing changes but the bytes. */
static void describe(struct vmsect_device *vd)
{
	const u32 rights = VMSECT_DEV_ACCESS_QUERY | VMSECT_DEV_ACCESS_READ |
			   VMSECT_DEV_ACCESS_WRITE;
	struct vmsect_ivshmem *iv = vd->ivshmem;
	struct vmsect_dev_section *section = &iv->at.section;
	struct vmsect_dev_view *view = &iv->at.view;

	section->size_bytes = cpu_to_le64(vd->window_bytes);
	section->max_bytes = section->size_bytes;
	section->committed_bytes = section->size_bytes;
	section->page_shift = cpu_to_le32(PAGE_SHIFT);
	section->protection = cpu_to_le32(VMSECT_DEV_PROT_READWRITE);
	section->access =
		cpu_to_le32(iv->has_doorbell ? rights | VMSECT_DEV_ACCESS_NOTIFY : rights);
	snprintf((char *)section->name, sizeof(section->name), "ivshmem-%s", pci_name(iv->pdev));
	view->view = cpu_to_le32(1);
	view->handle = cpu_to_le32(1);
	view->protection = section->protection;
	view->protection_now = section->protection;
	view->length = section->size_bytes;
	view->view_flags = cpu_to_le32(VMSECT_VIEW_F_NO_CHANGE);
}

static void warn_if_slow(struct vmsect_device *vd)
{
	phys_addr_t start = vd->window.start;

	if (vd->nodes[0]->handle->view->cache != VMSECT_CACHE_OTHER)
		return;
	dev_warn(vd->dev, "BAR 2 at %pa is not mapped write-back%s\n", &start,
		 upper_32_bits(start)
			 ? ""
			 : ": the firmware has put it into the uncached hole below 4 GiB");
}

/* After an error nothing is left but the bars. */
static int start(struct vmsect_device *vd)
{
	int err = read_position(vd);

	if (err)
		return err;
	vmsect_ctl_stop(&vd->ctl, -EOPNOTSUPP);
	set_window(vd);
	vmsect_bells_start(vd->ivshmem);
	vd->is_deaf = !vd->ivshmem->vectors;
	describe(vd);
	err = vmsect_nodes_prepare(vd, 1);
	if (!err)
		err = vmsect_node_add(vd, &vd->ivshmem->at);
	if (!err)
		err = vmsect_restart_watch(vd);
	if (err)
		vmsect_device_stop(vd);
	return err;
}

static struct vmsect_device *device_new(struct pci_dev *pdev)
{
	struct vmsect_device *vd = vmsect_device_new(&pdev->dev, &ivshmem_ops);

	if (!vd)
		return NULL;
	vd->ivshmem = kzalloc(sizeof(*vd->ivshmem), GFP_KERNEL);
	if (!vd->ivshmem) {
		vmsect_device_put(vd);
		return NULL;
	}
	vd->ivshmem->vd = vd;
	vd->ivshmem->pdev = pdev;
	pci_set_drvdata(pdev, vd);
	return vd;
}

static int probe_device(struct vmsect_device *vd)
{
	struct vmsect_ivshmem *iv = vd->ivshmem;
	int err;

	iv->index = ida_alloc(&ivshmem_indices, GFP_KERNEL);
	if (iv->index < 0)
		return iv->index;
	err = get_bars(iv);
	if (!err) {
		err = start(vd);
		if (!err)
			return 0;
		put_bars(iv);
	}
	ida_free(&ivshmem_indices, iv->index);
	return err;
}

static int ivshmem_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vmsect_device *vd;
	int err = check_device(pdev);

	if (err)
		return err;
	vd = device_new(pdev);
	if (!vd)
		return -ENOMEM;
	err = probe_device(vd);
	if (err) {
		pci_err(pdev, "not started (%d)\n", err);
		vmsect_device_put(vd);
		return err;
	}
	pci_info(pdev, "ivshmem memory of %llu KiB, peer %u, %u vectors\n", vd->window_bytes >> 10,
		 vd->peer_id, vd->ivshmem->vectors);
	warn_if_slow(vd);
	return 0;
}

/* The device may have gone already: nothing here waits for it. */
static void ivshmem_remove(struct pci_dev *pdev)
{
	struct vmsect_device *vd = pci_get_drvdata(pdev);
	struct vmsect_ivshmem *iv = vd->ivshmem;

	vmsect_restart_stop(vd);
	vmsect_device_stop(vd);
	put_bars(iv);
	ida_free(&ivshmem_indices, iv->index);
	iv->pdev = NULL;
	vd->dev = NULL;
	vmsect_device_put(vd);
}

static const struct pci_device_id ivshmem_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, IVSHMEM_DEVICE_ID) },
	{},
};
MODULE_DEVICE_TABLE(pci, ivshmem_ids);

/* Without calls of its own for suspend: the bus keeps and restores all there is. */
static struct pci_driver ivshmem_driver = {
	.name = "vmsect-ivshmem",
	.id_table = ivshmem_ids,
	.probe = ivshmem_probe,
	.remove = ivshmem_remove,
};

int vmsect_ivshmem_init(void)
{
	return use_ivshmem ? pci_register_driver(&ivshmem_driver) : 0;
}

void vmsect_ivshmem_exit(void)
{
	if (use_ivshmem)
		pci_unregister_driver(&ivshmem_driver);
	ida_destroy(&ivshmem_indices);
}
