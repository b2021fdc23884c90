/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device, and what keeps the driver's objects alive.
 *
 *   vmsect_device   one device: the section device, which is a virtio device and
 *                   has all that follows, or an ivshmem device (vmsect_ivshmem.h),
 *                   which has one node and nothing to ask.  Counted: the bound
 *                   driver, every handle, view and open file of the control node
 *                   hold one.
 *   vmsect_handle   one open of a section (vmsect_handle.h)
 *   vmsect_view     a range of the window (vmsect_view.h)
 *   vmsect_node     /dev/vmsect/NAME, an attached section: shows a handle
 *   vmsect_ctl      the control queue and the requests in flight (vmsect_req.h)
 *   vmsect_events   the event queue and its buffers
 *
 * A device is live from probe to remove.  remove() makes it dead in this order:
 * nodes disappear, views and handles vanish (faults give SIGBUS), the control
 * queue is stopped (requests give ENODEV), the device is reset, and, when every
 * page has come back, the views' pages go.  What open files still hold is plain
 * memory.
 *
 * Suspend and a device that needs a reset go the same way half-way and come back
 * (vmsect_restart.c).
 *
 * Lock order: names_lock, mmap_lock, handle.map_lock, device.restart_lock,
 * view.change_lock, device.lock, device.reap_lock, handle.state_lock,
 * listener.lock, ctl.lock.  From device.lock on none is held while a request waits
 * for the device.
 */
#ifndef VMSECT_CORE_H
#define VMSECT_CORE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/range.h>
#include <linux/rwsem.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "vmsect_dev.h"
#include "vmsect_handle.h"
#include "vmsect_ioctl.h"
#include "vmsect_req.h"
#include "vmsect_view.h"

/* More attachments than this are not read. */
#define VMSECT_NODES_MAX 4096

/* Names of the control nodes: vmsect/ctl, then vmsect/ctl1 and so on. */
#define VMSECT_CTL_NAME_BYTES 24

struct file_operations;
struct vfsmount;
struct vmsect_ivshmem;

/* The node of an attached section. */
struct vmsect_node {
	struct device dev;
	struct cdev cdev;
	struct vmsect_handle *handle; /* counted */
	bool registered; /* probe and remove only */
};

/* The event queue; all of it belongs to the work, which never runs twice at once. */
struct vmsect_events {
	struct virtqueue *vq;
	struct vmsect_dev_event *buffers;
	unsigned int count;
	struct work_struct work; /* takes events, gives buffers back */
	struct work_struct refresh; /* reads state anew, after a loss or a change of size */
	atomic64_t lost; /* times that the device had no buffer */
	atomic64_t ignored; /* of unknown type, size or section */
};

/*
 * What a kind of device does in its own way.  Every other request goes to the control
 * queue, which ends it with EOPNOTSUPP where there is none.  All may sleep.
 */
struct vmsect_device_ops {
	/* What section and view are now; 0 or -errno of the request. */
	int (*query_section)(struct vmsect_handle *handle, struct vmsect_dev_section *ret_section);
	int (*query_view)(struct vmsect_view *view, struct vmsect_dev_view *ret_view);
	/* The handle was seen to be alive, and may end meanwhile. */
	int (*notify)(struct vmsect_handle *handle, const struct vmsect_notify *notify);
	/* Everything has vanished: from its return on the device is not touched, nor does it call.
	 */
	void (*quiet)(struct vmsect_device *vd);
};

struct vmsect_device {
	struct kref ref;
	const struct vmsect_device_ops *ops; /* constant */
	struct device *dev; /* probe, remove, suspend and restart only */
	struct virtio_device *vdev; /* likewise; NULL: an ivshmem device */
	struct vmsect_ivshmem *ivshmem; /* constant; owned; NULL: a virtio device */
	struct vmsect_ctl ctl;
	struct vmsect_events events; /* of a virtio device */

	/* Constant from probe. */
	struct range window; /* guest physical, inclusive */
	u64 window_bytes;
	u32 align_shift;
	u32 max_views;
	u32 peer_id;
	u32 attachments; /* what LIST is to return */
	u64 features; /* that were agreed on */
	bool is_deaf; /* no event of the section ever comes */
	int nid;

	bool gone; /* set once, at remove */

	struct miscdevice misc;
	int index; /* among the devices of this guest */
	char ctl_name[VMSECT_CTL_NAME_BYTES];
	char ctl_nodename[VMSECT_CTL_NAME_BYTES];

	struct mutex lock; /* what follows */
	struct vmsect_node **nodes;
	unsigned int node_count;
	unsigned int node_room; /* constant */
	struct list_head handles; /* that are referenced */
	struct xarray views; /* by number; all that have a place in the window */

	spinlock_t reap_lock; /* what follows */
	struct list_head reap_views;
	struct list_head reap_handles;
	bool reap_stopped; /* nothing is asked of the device any more */

	struct delayed_work reap;
	unsigned int reap_delay_ms; /* the reaper only */
	atomic_t views_pending; /* that wait for pinned pages */

	/*
	 * Read: from asking the device for an object to its registration here, and
	 * the reaper.  Written while all of them vanish, so that none has a number
	 * of a device that was reset.
	 */
	struct rw_semaphore restart_lock;
	struct work_struct restart; /* after DEVICE_NEEDS_RESET */
	bool restarting; /* restart and freeze only */
	atomic_t resets;
	struct notifier_block pm;
};

static inline bool vmsect_device_can(const struct vmsect_device *vd, unsigned int feature)
{
	return vd->features >> feature & 1;
}

/* vmsect_device.c */
struct vmsect_device *vmsect_device_new(struct device *dev, const struct vmsect_device_ops *ops);
struct vmsect_device *vmsect_device_get(struct vmsect_device *vd);
void vmsect_device_put(struct vmsect_device *vd);
void vmsect_device_stop(struct vmsect_device *vd);

/* vmsect_virtio.c */
int vmsect_virtio_init(void);
void vmsect_virtio_exit(void);
int vmsect_device_get_queues(struct vmsect_device *vd);
void vmsect_device_put_queues(struct vmsect_device *vd, int error);

/* vmsect_restart.c: suspend and resume; a reset that the device asks for. */
void vmsect_restart_init(struct vmsect_device *vd);
int vmsect_restart_watch(struct vmsect_device *vd);
void vmsect_restart_stop(struct vmsect_device *vd);
/* vmsect_vanish - what the driver has made, or all, stops working */
void vmsect_vanish(struct vmsect_device *vd, bool all);
int vmsect_freeze(struct virtio_device *vdev);
int vmsect_restore(struct virtio_device *vdev);

/* vmsect_reap.c: gives back what nobody refers to any more. */
void vmsect_reap_init(struct vmsect_device *vd);
void vmsect_reap_view(struct vmsect_view *view);
void vmsect_reap_handle(struct vmsect_handle *handle);
/* vmsect_reap_now - wait until what has come back until now is given back, if it can be */
bool vmsect_reap_now(struct vmsect_device *vd);
/* vmsect_reap_stop - from now on nothing is asked of the device */
void vmsect_reap_stop(struct vmsect_device *vd);
/* vmsect_reap_drain - wait for the pages of every view, then give all of them back */
void vmsect_reap_drain(struct vmsect_device *vd);

/* vmsect_event.c */
int vmsect_events_init(struct vmsect_events *events);
void vmsect_events_start(struct vmsect_events *events, struct virtqueue *vq);
/* vmsect_events_pause - after the reset; what waits is dropped */
void vmsect_events_pause(struct vmsect_events *events);
void vmsect_events_free(struct vmsect_events *events);

/* vmsect_node.c */
int vmsect_nodes_init(void);
void vmsect_nodes_exit(void);
int vmsect_nodes_prepare(struct vmsect_device *vd, unsigned int room);
int vmsect_node_add(struct vmsect_device *vd, const struct vmsect_attachment *at);
void vmsect_nodes_hide(struct vmsect_device *vd);
void vmsect_nodes_drop(struct vmsect_device *vd);

/* vmsect_sysfs.c */
extern const struct attribute_group *vmsect_node_groups[];
extern const struct attribute_group *vmsect_control_groups[];

/* vmsect_control.c */
int vmsect_control_add(struct vmsect_device *vd);
void vmsect_control_del(struct vmsect_device *vd);

/* vmsect_core.c */
struct vfsmount *vmsect_mount(void);
extern bool vmsect_use_pages;
extern bool vmsect_use_huge;

#endif
