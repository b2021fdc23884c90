// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect: the driver of the vmsect section device, a virtio device that gives a
 * VM views of named memory sections of its host.
 *
 * This file: the module, the virtio driver, probe and remove in their order,
 * and the small pseudo file system whose inodes own the views' mappings.
 *
 * probe() reads the configuration, reserves the window, sets the queues up,
 * declares the driver ready, asks for the attachments and shows a node for each
 * of them; only then are event buffers given, so that events find their node.
 * A configuration that makes no sense fails the probe with one message; an
 * attachment that makes no sense is left out with one message.
 *
 * Suspend and hibernation are refused while the driver is bound: the views
 * would come back without their contents being announced.  Unbind first.
 */
#include <linux/fs.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/overflow.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "vmsect_core.h"
#include "compat.h"

/* Another device id is a build option, since an id table is constant. */
#ifndef VMSECT_DRIVER_ID
#define VMSECT_DRIVER_ID VMSECT_VIRTIO_ID
#endif

#define VMSECT_FS_MAGIC 0x764d5343 /* "vMSC" */

bool vmsect_use_pages = true;
module_param_named(struct_pages, vmsect_use_pages, bool, 0444);
MODULE_PARM_DESC(struct_pages,
		 "Give views struct pages, which O_DIRECT and pinning need (default on)");

static struct vfsmount *vmsect_mount;

static int vmsect_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, VMSECT_FS_MAGIC) ? 0 : -ENOMEM;
}

/* No owner: the module's own mount must not keep the module. */
static struct file_system_type vmsect_fs_type = {
	.name = "vmsect",
	.init_fs_context = vmsect_fs_init_context,
	.kill_sb = kill_anon_super,
};

struct super_block *vmsect_super(void)
{
	return vmsect_mount->mnt_sb;
}

static void device_free(struct kref *ref)
{
	struct vmsect_device *vd = container_of(ref, struct vmsect_device, ref);

	vmsect_events_free(&vd->events);
	kvfree(vd->nodes);
	kfree(vd);
}

struct vmsect_device *vmsect_device_get(struct vmsect_device *vd)
{
	kref_get(&vd->ref);
	return vd;
}

void vmsect_device_put(struct vmsect_device *vd)
{
	kref_put(&vd->ref, device_free);
}

static void control_queue_used(struct virtqueue *vq)
{
	struct vmsect_device *vd = vq->vdev->priv;

	vmsect_ctl_used(&vd->ctl);
}

static void event_queue_used(struct virtqueue *vq)
{
	struct vmsect_device *vd = vq->vdev->priv;

	schedule_work(&vd->events.work);
}

static void device_read_config(struct vmsect_device *vd)
{
	struct virtio_device *vdev = vd->vdev;

	virtio_cread_le(vdev, struct vmsect_dev_config, window_bytes, &vd->window_bytes);
	virtio_cread_le(vdev, struct vmsect_dev_config, align_shift, &vd->align_shift);
	virtio_cread_le(vdev, struct vmsect_dev_config, max_views, &vd->max_views);
	virtio_cread_le(vdev, struct vmsect_dev_config, peer_id, &vd->peer_id);
	virtio_cread_le(vdev, struct vmsect_dev_config, attachments, &vd->attachments);
	vd->can_flush = virtio_has_feature(vdev, VMSECT_F_FLUSH);
	vd->can_reset = virtio_has_feature(vdev, VMSECT_F_COW);
	vd->can_remap = virtio_has_feature(vdev, VMSECT_F_IN_PAGE_ERROR);
}

static int device_check_window(struct vmsect_device *vd, const struct virtio_shm_region *region)
{
	u64 end;

	if (!vd->window_bytes || vd->window_bytes > region->len ||
	    check_add_overflow(region->addr, region->len, &end) ||
	    ((region->addr | vd->window_bytes) & ~PAGE_MASK)) {
		dev_err(&vd->vdev->dev, "window of %#llx bytes in a region of %#llx at %#llx\n",
			vd->window_bytes, region->len, region->addr);
		return -EINVAL;
	}
	if (vd->align_shift < PAGE_SHIFT || vd->align_shift > 40) {
		dev_err(&vd->vdev->dev, "alignment of 2^%u bytes\n", vd->align_shift);
		return -EINVAL;
	}
	return 0;
}

/* The window: found, checked and reserved. */
static int device_get_window(struct vmsect_device *vd)
{
	struct device *dev = &vd->vdev->dev;
	struct virtio_shm_region region;
	int err;

	if (!virtio_get_shm_region(vd->vdev, &region, VMSECT_SHM_WINDOW)) {
		dev_err(dev, "the device has no shared memory region %d: no window\n",
			VMSECT_SHM_WINDOW);
		return -ENXIO;
	}
	err = device_check_window(vd, &region);
	if (err)
		return err;
	if (!request_mem_region(region.addr, vd->window_bytes, "vmsect window")) {
		dev_err(dev, "the window at %#llx is in use\n", region.addr);
		return -EBUSY;
	}
	vd->window.start = region.addr;
	vd->window.end = region.addr + vd->window_bytes - 1;
	return 0;
}

static void device_put_window(struct vmsect_device *vd)
{
	release_mem_region(vd->window.start, vd->window_bytes);
}

static int device_get_queues(struct vmsect_device *vd)
{
	struct virtqueue_info info[VMSECT_VQ_COUNT] = {
		[VMSECT_VQ_CONTROL] = { .name = "control", .callback = control_queue_used },
		[VMSECT_VQ_EVENT] = { .name = "event", .callback = event_queue_used },
	};
	struct virtqueue *vqs[VMSECT_VQ_COUNT];
	int err = vmsect_find_vqs(vd->vdev, VMSECT_VQ_COUNT, vqs, info);

	if (err)
		return err;
	vmsect_ctl_init(&vd->ctl, vqs[VMSECT_VQ_CONTROL]);
	err = vmsect_events_init(&vd->events, vqs[VMSECT_VQ_EVENT]);
	if (err)
		vd->vdev->config->del_vqs(vd->vdev);
	return err;
}

static void device_put_queues(struct vmsect_device *vd)
{
	vmsect_ctl_stop(&vd->ctl, -ENODEV);
	vmsect_reset_device(vd->vdev);
	vmsect_events_stop(&vd->events);
	vmsect_ctl_drain(&vd->ctl);
	vd->vdev->config->del_vqs(vd->vdev);
}

static void device_add_entry(struct vmsect_device *vd, const struct vmsect_attachment *at)
{
	int err = vmsect_node_add(vd, at);

	if (err)
		dev_warn(&vd->vdev->dev, "attachment \"%*pE\" is left out (%d)\n",
			 (int)strnlen((const char *)at->section.name, VMSECT_DEV_NAME_MAX),
			 at->section.name, err);
}

/* Reads LIST page by page; bounded by the number of nodes there is room for. */
static int device_list(struct vmsect_device *vd, struct vmsect_rsp_list *page)
{
	u32 cursor = 0, seen = 0, count, i;
	int err;

	do {
		err = vmsect_ctl_list(&vd->ctl, cursor, page);
		if (err)
			return err;
		count = le32_to_cpu(page->count);
		for (i = 0; i < count && seen < vd->node_room; i++, seen++)
			device_add_entry(vd, &page->entries[i]);
		cursor = le32_to_cpu(page->next);
		if (cursor && !count)
			return -EIO;
	} while (cursor && seen < vd->node_room);
	if (seen < vd->attachments)
		dev_warn(&vd->vdev->dev, "%u of %u attachments are used\n", seen, vd->attachments);
	return 0;
}

static int device_add_nodes(struct vmsect_device *vd)
{
	struct vmsect_rsp_list *page;
	int err;

	vd->node_room = min_t(u32, vd->attachments, VMSECT_NODES_MAX);
	vd->nodes = kvcalloc(max(vd->node_room, 1U), sizeof(*vd->nodes), GFP_KERNEL);
	page = kzalloc(VMSECT_LIST_BYTES, GFP_KERNEL);
	err = vd->nodes && page ? device_list(vd, page) : -ENOMEM;
	kfree(page);
	return err;
}

/* Nodes first, so that nothing new comes; pages last, when nobody has them. */
static void device_stop(struct vmsect_device *vd)
{
	WRITE_ONCE(vd->gone, true);
	vmsect_nodes_hide(vd);
	vmsect_nodes_revoke(vd);
	device_put_queues(vd);
	vmsect_nodes_drop(vd);
	device_put_window(vd);
}

static struct vmsect_device *device_new(struct virtio_device *vdev)
{
	struct vmsect_device *vd = kzalloc(sizeof(*vd), GFP_KERNEL);

	if (!vd)
		return NULL;
	kref_init(&vd->ref);
	mutex_init(&vd->nodes_lock);
	vd->vdev = vdev;
	vdev->priv = vd;
	return vd;
}

static int vmsect_validate(struct virtio_device *vdev)
{
	if (!vdev->config->get) {
		dev_err(&vdev->dev, "no access to the configuration\n");
		return -EINVAL;
	}
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vdev->dev, "not a modern device\n");
		return -EINVAL;
	}
	return 0;
}

static int device_start(struct vmsect_device *vd)
{
	int err;

	device_read_config(vd);
	err = device_get_window(vd);
	if (err)
		return err;
	err = device_get_queues(vd);
	if (err) {
		device_put_window(vd);
		return err;
	}
	virtio_device_ready(vd->vdev);
	err = device_add_nodes(vd);
	if (!err)
		err = vmsect_control_add(vd);
	if (err)
		device_stop(vd);
	return err;
}

static int vmsect_probe(struct virtio_device *vdev)
{
	struct vmsect_device *vd = device_new(vdev);
	int err;

	if (!vd)
		return -ENOMEM;
	err = device_start(vd);
	if (err) {
		dev_err(&vdev->dev, "not started (%d)\n", err);
		vmsect_device_put(vd);
		return err;
	}
	vmsect_events_start(&vd->events);
	dev_info(&vdev->dev, "%u sections, window of %llu MiB\n", vd->node_count,
		 vd->window_bytes >> 20);
	return 0;
}

static void vmsect_remove(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vdev->priv;

	vmsect_control_del(vd);
	device_stop(vd);
	vd->vdev = NULL;
	vmsect_device_put(vd);
}

/* The device is broken: requests fail, views go on. */
static void vmsect_config_changed(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vdev->priv;

	if (!(vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	dev_err(&vdev->dev, "the device needs a reset: unbind and bind\n");
	vmsect_ctl_stop(&vd->ctl, -EIO);
}

#ifdef CONFIG_PM_SLEEP
static int vmsect_freeze(struct virtio_device *vdev)
{
	dev_err(&vdev->dev, "suspend is not possible while the driver is bound\n");
	return -EBUSY;
}
#endif

static const struct virtio_device_id vmsect_ids[] = {
	{ VMSECT_DRIVER_ID, VIRTIO_DEV_ANY_ID },
	{},
};
MODULE_DEVICE_TABLE(virtio, vmsect_ids);

static const unsigned int vmsect_features[] = {
	VMSECT_F_PROTECT, VMSECT_F_EXTEND, VMSECT_F_FLUSH, VMSECT_F_COW, VMSECT_F_IN_PAGE_ERROR,
};

static struct virtio_driver vmsect_driver = {
	.feature_table = vmsect_features,
	.feature_table_size = ARRAY_SIZE(vmsect_features),
	.driver.name = "vmsect",
	.driver.owner = THIS_MODULE,
	.id_table = vmsect_ids,
	.validate = vmsect_validate,
	.probe = vmsect_probe,
	.remove = vmsect_remove,
	.config_changed = vmsect_config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = vmsect_freeze,
#endif
};

static int __init vmsect_init(void)
{
	int err;

	vmsect_mount = kern_mount(&vmsect_fs_type);
	if (IS_ERR(vmsect_mount))
		return PTR_ERR(vmsect_mount);
	err = vmsect_chrdev_init();
	if (err)
		goto err_mount;
	err = vmsect_nodes_init();
	if (err)
		goto err_chrdev;
	err = register_virtio_driver(&vmsect_driver);
	if (err)
		goto err_nodes;
	return 0;

err_nodes:
	vmsect_nodes_exit();
err_chrdev:
	vmsect_chrdev_exit();
err_mount:
	kern_unmount(vmsect_mount);
	return err;
}
module_init(vmsect_init);

static void __exit vmsect_exit(void)
{
	unregister_virtio_driver(&vmsect_driver);
	vmsect_nodes_exit();
	vmsect_chrdev_exit();
	kern_unmount(vmsect_mount);
}
module_exit(vmsect_exit);

MODULE_DESCRIPTION("vmsect memory sections");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
