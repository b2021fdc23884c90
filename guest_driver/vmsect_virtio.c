// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The virtio driver: the section device itself, with its configuration, window,
 * queues and attachments.
 *
 * Start reads the configuration, reserves the window, sets the queues up, declares
 * the driver ready, asks for the attachments and shows a node for each of them;
 * only then are event buffers given, so that events find their node.  A
 * configuration that makes no sense fails it with one message; an attachment that
 * makes no sense is left out with one message.
 *
 * Runs in probe and remove, under the device's lock; the queues also in suspend
 * and restart.
 */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "vmsect_core.h"
#include "compat.h"

/* Another device id is a build option, since an id table is constant. */
#ifndef VMSECT_DRIVER_ID
#define VMSECT_DRIVER_ID VMSECT_VIRTIO_ID
#endif

static void control_queue_used(struct virtqueue *vq)
{
	struct vmsect_device *vd = vq->vdev->priv;

	vmsect_ctl_used(&vd->ctl);
}

static void event_queue_used(struct virtqueue *vq)
{
	struct vmsect_device *vd = vq->vdev->priv;

	queue_work(system_freezable_wq, &vd->events.work);
}

static int ask_section(struct vmsect_handle *handle, struct vmsect_dev_section *ret_section)
{
	return vmsect_req_query_section(&handle->vd->ctl, handle->id, ret_section);
}

static int ask_view(struct vmsect_view *view, struct vmsect_dev_view *ret_view)
{
	return vmsect_req_query_view(&view->vd->ctl, view->id, ret_view);
}

static int ask_notify(struct vmsect_handle *handle, const struct vmsect_notify *notify)
{
	if (!vmsect_device_can(handle->vd, VMSECT_F_NOTIFY))
		return -EOPNOTSUPP;
	return vmsect_req_notify(&handle->vd->ctl, handle->id, notify);
}

static void quiet(struct vmsect_device *vd)
{
	vmsect_device_put_queues(vd, -ENODEV);
}

static const struct vmsect_device_ops virtio_ops = {
	.query_section = ask_section,
	.query_view = ask_view,
	.notify = ask_notify,
	.quiet = quiet,
};

static void device_read_config(struct vmsect_device *vd)
{
	struct virtio_device *vdev = vd->vdev;
	unsigned int feature;

	virtio_cread_le(vdev, struct vmsect_dev_config, window_bytes, &vd->window_bytes);
	virtio_cread_le(vdev, struct vmsect_dev_config, align_shift, &vd->align_shift);
	virtio_cread_le(vdev, struct vmsect_dev_config, max_views, &vd->max_views);
	virtio_cread_le(vdev, struct vmsect_dev_config, peer_id, &vd->peer_id);
	virtio_cread_le(vdev, struct vmsect_dev_config, attachments, &vd->attachments);
	for (feature = 0; feature <= VMSECT_F_HOLD; feature++)
		if (virtio_has_feature(vdev, feature))
			vd->features |= BIT_ULL(feature);
}

static int device_check_window(struct vmsect_device *vd, const struct virtio_shm_region *region)
{
	u64 end;

	if (!vd->window_bytes || vd->window_bytes > region->len ||
	    check_add_overflow(region->addr, region->len, &end) ||
	    ((region->addr | vd->window_bytes) & ~PAGE_MASK)) {
		dev_err(vd->dev, "window of %#llx bytes in a region of %#llx at %#llx\n",
			vd->window_bytes, region->len, region->addr);
		return -EINVAL;
	}
	if (vd->align_shift < PAGE_SHIFT || vd->align_shift > 40) {
		dev_err(vd->dev, "alignment of 2^%u bytes\n", vd->align_shift);
		return -EINVAL;
	}
	return 0;
}

/* The window: found, checked and reserved. */
static int device_get_window(struct vmsect_device *vd)
{
	struct device *dev = vd->dev;
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

/* Sets the queues up; the event queue gets no buffers yet. */
int vmsect_device_get_queues(struct vmsect_device *vd)
{
	struct virtqueue_info info[VMSECT_VQ_COUNT] = {
		[VMSECT_VQ_CONTROL] = { .name = "control", .callback = control_queue_used },
		[VMSECT_VQ_EVENT] = { .name = "event", .callback = event_queue_used },
	};
	struct virtqueue *vqs[VMSECT_VQ_COUNT];
	int err = vmsect_find_vqs(vd->vdev, VMSECT_VQ_COUNT, vqs, info);

	if (err)
		return err;
	vd->events.vq = vqs[VMSECT_VQ_EVENT];
	vmsect_ctl_start(&vd->ctl, vqs[VMSECT_VQ_CONTROL]);
	return 0;
}

/* Every request ends with `error`; the device is reset. */
void vmsect_device_put_queues(struct vmsect_device *vd, int error)
{
	vmsect_ctl_stop(&vd->ctl, error);
	if (!vd->events.vq)
		return; /* a resume that failed has left none */
	vmsect_reset_device(vd->vdev);
	vmsect_events_pause(&vd->events);
	vmsect_ctl_drain(&vd->ctl);
	vd->vdev->config->del_vqs(vd->vdev);
	vd->events.vq = NULL;
}

static void device_add_entry(struct vmsect_device *vd, const struct vmsect_attachment *at)
{
	int err = vmsect_node_add(vd, at);

	if (err)
		dev_warn(vd->dev, "attachment \"%*pE\" is left out (%d)\n",
			 (int)strnlen((const char *)at->section.name, VMSECT_DEV_NAME_MAX),
			 at->section.name, err);
}

/* Reads LIST page by page; bounded by the number of nodes there is room for. */
static int device_list(struct vmsect_device *vd, struct vmsect_rsp_list *page)
{
	u32 cursor = 0, seen = 0, count, i;
	int err;

	do {
		err = vmsect_req_list(&vd->ctl, cursor, page);
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
		dev_warn(vd->dev, "%u of %u attachments are used\n", seen, vd->attachments);
	return 0;
}

static int device_add_nodes(struct vmsect_device *vd)
{
	struct vmsect_rsp_list *page = kzalloc(VMSECT_LIST_BYTES, GFP_KERNEL);
	int err = page ? vmsect_nodes_prepare(vd, min_t(u32, vd->attachments, VMSECT_NODES_MAX))
		       : -ENOMEM;

	if (!err)
		err = device_list(vd, page);
	kfree(page);
	return err;
}

static int device_get_all(struct vmsect_device *vd)
{
	int err = device_get_window(vd);

	if (err)
		return err;
	err = vmsect_device_get_queues(vd);
	if (err)
		device_put_window(vd);
	return err;
}

static void device_end(struct vmsect_device *vd)
{
	vmsect_device_stop(vd);
	device_put_window(vd);
}

/* After an error everything is given back but the struct. */
static int device_start(struct vmsect_device *vd)
{
	int err;

	device_read_config(vd);
	err = device_get_all(vd);
	if (err)
		return err;
	virtio_device_ready(vd->vdev);
	err = device_add_nodes(vd);
	if (!err)
		err = vmsect_control_add(vd);
	if (err) {
		device_end(vd);
		return err;
	}
	vmsect_events_start(&vd->events, vd->events.vq);
	return 0;
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

static int probe_start(struct vmsect_device *vd)
{
	int err = device_start(vd);

	if (err)
		return err;
	err = vmsect_restart_watch(vd);
	if (err) {
		vmsect_control_del(vd);
		device_end(vd);
	}
	return err;
}

static struct vmsect_device *device_new(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vmsect_device_new(&vdev->dev, &virtio_ops);

	if (!vd)
		return NULL;
	if (vmsect_events_init(&vd->events)) {
		vmsect_device_put(vd);
		return NULL;
	}
	vd->vdev = vdev;
	vdev->priv = vd;
	return vd;
}

static int vmsect_probe(struct virtio_device *vdev)
{
	struct vmsect_device *vd = device_new(vdev);
	int err;

	if (!vd)
		return -ENOMEM;
	err = probe_start(vd);
	if (err) {
		dev_err(&vdev->dev, "not started (%d)\n", err);
		vmsect_device_put(vd);
		return err;
	}
	dev_info(&vdev->dev, "%u sections, window of %llu MiB\n", vd->node_count,
		 vd->window_bytes >> 20);
	return 0;
}

static void vmsect_remove(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vdev->priv;

	vmsect_restart_stop(vd);
	vmsect_control_del(vd);
	device_end(vd);
	vd->vdev = NULL;
	vd->dev = NULL;
	vmsect_device_put(vd);
}

/* The device is broken: requests fail until it is back, views of attachments go on. */
static void vmsect_config_changed(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vdev->priv;

	if (!(vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	vmsect_ctl_stop(&vd->ctl, -EIO);
	queue_work(system_freezable_wq, &vd->restart);
}

static const struct virtio_device_id vmsect_ids[] = {
	{ VMSECT_DRIVER_ID, VIRTIO_DEV_ANY_ID },
	{},
};
MODULE_DEVICE_TABLE(virtio, vmsect_ids);

static const unsigned int vmsect_features[] = {
	VMSECT_F_PROTECT, VMSECT_F_EXTEND, VMSECT_F_FLUSH,	   VMSECT_F_COW,
	VMSECT_F_NOTIFY,  VMSECT_F_CREATE, VMSECT_F_IN_PAGE_ERROR, VMSECT_F_HOLD,
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
	.restore = vmsect_restore,
#endif
};

int vmsect_virtio_init(void)
{
	return register_virtio_driver(&vmsect_driver);
}

void vmsect_virtio_exit(void)
{
	unregister_virtio_driver(&vmsect_driver);
}
