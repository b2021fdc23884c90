// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device's start and stop: configuration, window, queues, attachments.
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
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "vmsect_core.h"
#include "compat.h"

static void device_free(struct kref *ref)
{
	struct vmsect_device *vd = container_of(ref, struct vmsect_device, ref);

	vmsect_events_free(&vd->events);
	xa_destroy(&vd->views);
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

struct vmsect_device *vmsect_device_new(struct virtio_device *vdev)
{
	struct vmsect_device *vd = kzalloc(sizeof(*vd), GFP_KERNEL);

	if (!vd)
		return NULL;
	if (vmsect_events_init(&vd->events)) {
		kfree(vd);
		return NULL;
	}
	kref_init(&vd->ref);
	mutex_init(&vd->lock);
	INIT_LIST_HEAD(&vd->handles);
	xa_init(&vd->views);
	vmsect_ctl_prepare(&vd->ctl);
	vmsect_reap_init(vd);
	vmsect_restart_init(vd);
	vd->vdev = vdev;
	vd->nid = dev_to_node(&vdev->dev);
	vdev->priv = vd;
	return vd;
}

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

/**
 * vmsect_device_start - bring a device up
 * @vd: new
 *
 * Return: 0, or -errno with everything given back but the struct.
 */
int vmsect_device_start(struct vmsect_device *vd)
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
		vmsect_device_stop(vd);
		return err;
	}
	vmsect_events_start(&vd->events, vd->events.vq);
	return 0;
}

/* Nodes first, so that nothing new comes; pages last, when nobody has them. */
void vmsect_device_stop(struct vmsect_device *vd)
{
	vmsect_nodes_hide(vd);
	vmsect_ctl_stop(&vd->ctl, -ENODEV);
	vmsect_reap_stop(vd);
	vmsect_vanish(vd, true);
	vmsect_device_put_queues(vd, -ENODEV);
	vmsect_nodes_drop(vd);
	vmsect_reap_drain(vd);
	device_put_window(vd);
}
