// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device's life, of whatever kind: made, referenced, stopped.
 *
 * How a kind starts is its driver's (vmsect_virtio.c, vmsect_ivshmem.c); all of
 * them end alike.  Runs in probe and remove, under the device's lock.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "vmsect_core.h"

static void device_free(struct kref *ref)
{
	struct vmsect_device *vd = container_of(ref, struct vmsect_device, ref);

	vmsect_events_free(&vd->events);
	xa_destroy(&vd->views);
	kvfree(vd->nodes);
	kfree(vd->ivshmem);
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

/**
 * vmsect_device_new - a device that has nothing yet
 * @dev: what the bus knows, until vmsect_device_stop()
 * @ops: of its kind
 *
 * Return: a device with one reference, NULL without memory.
 */
struct vmsect_device *vmsect_device_new(struct device *dev, const struct vmsect_device_ops *ops)
{
	struct vmsect_device *vd = kzalloc(sizeof(*vd), GFP_KERNEL);

	if (!vd)
		return NULL;
	kref_init(&vd->ref);
	mutex_init(&vd->lock);
	INIT_LIST_HEAD(&vd->handles);
	xa_init(&vd->views);
	vmsect_ctl_prepare(&vd->ctl);
	vmsect_reap_init(vd);
	vmsect_restart_init(vd);
	vd->ops = ops;
	vd->dev = dev;
	vd->nid = dev_to_node(dev);
	return vd;
}

/**
 * vmsect_device_stop - end all that programs can do with a device
 * @vd: with its window still reserved, which is the caller's to give back
 *
 * Nodes first, so that nothing new comes; pages last, when nobody has them.
 */
void vmsect_device_stop(struct vmsect_device *vd)
{
	vmsect_nodes_hide(vd);
	vmsect_ctl_stop(&vd->ctl, -ENODEV);
	vmsect_reap_stop(vd);
	vmsect_vanish(vd, true);
	vd->ops->quiet(vd);
	vmsect_nodes_drop(vd);
	vmsect_reap_drain(vd);
}
