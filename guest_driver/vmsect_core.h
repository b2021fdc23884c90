/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of the driver and who keeps them alive.
 *
 *   vmsect_device   one virtio device.  Counted: the bound driver, every node
 *                   and every open file of the control node hold one.
 *   vmsect_node     /dev/vmsect/NAME, one attached section.  Counted by its
 *                   struct device, which an open file holds through the cdev;
 *                   a mapping holds its file.
 *   vmsect_view     a range of the window and its mapping state; part of a node.
 *   vmsect_ctl      the control queue and the requests in flight.
 *   vmsect_events   the event queue and its buffers.
 *
 * A view can also be taken away by the host (event REVOKED), lose pages (event
 * IN_PAGE_ERROR) and grow (event RESIZED) while the device is live.
 *
 * A device is live from probe to remove.  remove() makes it dead in this order:
 * nodes disappear, views are revoked (faults give SIGBUS), the control queue is
 * stopped (requests give ENODEV), the device is reset, and, when every page has
 * come back, the views' pages go.  What open files still hold is plain memory.
 *
 * Lock order: mmap_lock, vmsect_srcu (faults); names, device.nodes_lock,
 * ctl.lock, node.lock, losses.lock.  No lock is held while a request waits for the device.
 */
#ifndef VMSECT_CORE_H
#define VMSECT_CORE_H

#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/range.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/virtio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "vmsect_dev.h"
#include "vmsect_ioctl.h"

/* More attachments than this are not read. */
#define VMSECT_NODES_MAX 4096

/* Names of the control nodes: vmsect/ctl, then vmsect/ctl1 and so on. */
#define VMSECT_CTL_NAME_BYTES 24

struct vmsect_device;
struct inode;
struct super_block;
struct vm_area_struct;

/* Pages of a view by their numbers. */
struct vmsect_pages {
	unsigned long first;
	unsigned long end; /* the one behind the last */
};

/* Lost pages of a view, see vmsect_loss.c. */
#define VMSECT_LOSSES_MAX 32
struct vmsect_losses {
	spinlock_t lock; /* what follows */
	unsigned int count;
	unsigned int added; /* how often there was a loss */
	struct vmsect_pages ranges[VMSECT_LOSSES_MAX];
};

/* vmsect_loss.c */
void vmsect_losses_init(struct vmsect_losses *losses);
void vmsect_losses_add(struct vmsect_losses *losses, const struct vmsect_pages *pages);
bool vmsect_losses_has(struct vmsect_losses *losses, unsigned long page);
bool vmsect_losses_get(struct vmsect_losses *losses, unsigned int index,
		       struct vmsect_pages *ret_pages, unsigned int *ret_added);
bool vmsect_losses_repaired(struct vmsect_losses *losses, const struct vmsect_pages *pages,
			    unsigned int added);

/**
 * struct vmsect_view - a range of the window that programs may map
 *
 * All but @pages, @revoked, @taken, @losses and @idle is constant from
 * vmsect_view_init() to vmsect_view_release().
 */
struct vmsect_view {
	phys_addr_t start; /* of the first byte */
	unsigned long pages; /* mappable ones; grows, up to room */
	unsigned long room; /* pages of the window that are kept for it */
	struct range cover; /* whole units of the window, bytes, inclusive */
	u32 mode; /* VMSECT_MODE_ */
	u32 cache; /* VMSECT_CACHE_ */
	bool executable;
	bool has_pages; /* pgmap is in use; else kaddr alone */
	struct dev_pagemap pgmap;
	void *kaddr; /* of cover.start */
	struct inode *inode; /* owns the address_space of all mappings */

	bool revoked; /* the device goes: set once; read under vmsect_srcu */
	bool taken; /* by the host: set once; read under vmsect_srcu */
	struct vmsect_losses losses;
	unsigned long idle; /* remove() only: pages known to have come back */
};

/* Faults run inside; a view's pages stay while a reader that saw it alive does. */
extern struct srcu_struct vmsect_srcu;

/* vmsect_view.c */

/* vmsect_view_set_range - take the device's words for where a view is, checked */
int vmsect_view_set_range(struct vmsect_view *view, const struct vmsect_device *vd,
			  const struct vmsect_dev_view *dv);
/* vmsect_view_init - reserve write-back, get pages and an inode */
int vmsect_view_init(struct vmsect_view *view, struct device *dev, struct super_block *sb);
/* vmsect_view_release - the inverse; needs a view that is idle or was never mapped */
void vmsect_view_release(struct vmsect_view *view);
/* vmsect_view_put_inode - the last step, when no file can refer to the view */
void vmsect_view_put_inode(struct vmsect_view *view);
/* vmsect_view_zap - take a revoked view out of every page table */
void vmsect_view_zap(struct vmsect_view *view);
/* vmsect_view_take - what the host took away gives SIGBUS from now on */
void vmsect_view_take(struct vmsect_view *view);
/* vmsect_view_lose - a range of pages, checked here, gives SIGBUS from now on */
void vmsect_view_lose(struct vmsect_view *view, u64 offset, u64 length);
/* vmsect_view_grow - to so many bytes, as the device says, checked; under node.lock */
void vmsect_view_grow(struct vmsect_view *view, u64 length);
/* vmsect_view_is_idle - whether no page of a zapped view is held; RCU synchronized before */
bool vmsect_view_is_idle(struct vmsect_view *view);

/* vmsect_map.c */
int vmsect_view_mmap(struct vmsect_view *view, struct vm_area_struct *vma);

/* An attached section. */
struct vmsect_node {
	struct device dev;
	struct cdev cdev;
	struct vmsect_device *vd; /* counted */
	struct vmsect_view view;
	bool registered; /* probe and remove only */

	/* Constant. */
	u64 section_id;
	u64 offset; /* of the view in the section */
	u32 handle;
	u32 view_id;
	u32 backing;
	u32 page_shift;
	u32 access;
	char name[VMSECT_GUEST_NAME_MAX + 1];

	spinlock_t lock; /* what follows: the last that the device said */
	u64 generation;
	u64 size_bytes;
	u64 denied_writes;

	atomic64_t peers_joined;
	atomic64_t peers_left;
	atomic64_t page_errors;
	atomic64_t quota_events;
};

/* vmsect_node.c */
int vmsect_nodes_init(void);
void vmsect_nodes_exit(void);
/* vmsect_node_add - make, check and show the node of one attachment */
int vmsect_node_add(struct vmsect_device *vd, const struct vmsect_attachment *at);
/* vmsect_node_refresh - ask the device for what may have changed */
int vmsect_node_refresh(struct vmsect_node *node);
/* vmsect_node_repair - ask the device for lost pages back, where their backing is whole */
int vmsect_node_repair(struct vmsect_node *node);
void vmsect_node_fill(struct vmsect_node *node, struct vmsect_section *ret_section);
/* vmsect_nodes_hide - no new opens, no sysfs */
void vmsect_nodes_hide(struct vmsect_device *vd);
/* vmsect_nodes_revoke - faults give SIGBUS from now on */
void vmsect_nodes_revoke(struct vmsect_device *vd);
/* vmsect_nodes_drop - wait for the pages, then give everything back */
void vmsect_nodes_drop(struct vmsect_device *vd);

/* The control queue. */
struct vmsect_ctl {
	spinlock_t lock; /* what follows */
	struct virtqueue *vq;
	struct list_head inflight; /* requests that the device holds */
	int error; /* why no more requests go out; 0 = they do */

	wait_queue_head_t room; /* woken when descriptors come back */
};

/* vmsect_ctl.c */
void vmsect_ctl_init(struct vmsect_ctl *ctl, struct virtqueue *vq);
void vmsect_ctl_used(struct vmsect_ctl *ctl);
/* vmsect_ctl_stop - every request, waiting or to come, ends with error */
void vmsect_ctl_stop(struct vmsect_ctl *ctl, int error);
/* vmsect_ctl_drain - after the reset: free what the device held */
void vmsect_ctl_drain(struct vmsect_ctl *ctl);

/*
 * Requests.  They sleep; a fatal signal ends the wait with EINTR, and what was
 * asked for may yet be done: that is safe, as each can be done twice.  -errno as the device's
 * status says, EIO for a reply that makes no sense, ENODEV once the device has gone.
 */
int vmsect_ctl_list(struct vmsect_ctl *ctl, u32 cursor, struct vmsect_rsp_list *ret_page);
int vmsect_ctl_query_section(struct vmsect_ctl *ctl, u32 handle,
			     struct vmsect_dev_section *ret_section);
int vmsect_ctl_query_view(struct vmsect_ctl *ctl, u32 view, struct vmsect_dev_view *ret_view);
/*
 * RESET and REMAP of a range of a view, in bytes; length 0: to its end.
 * @ret_value: what the reply says
 */
int vmsect_ctl_range(struct vmsect_ctl *ctl, u32 op, u32 view, const struct vmsect_pages *pages,
		     u64 *ret_value);
/* vmsect_ctl_flush - until data and metadata are on the host's disk */
int vmsect_ctl_flush(struct vmsect_ctl *ctl, u32 view, const struct vmsect_pages *pages);

/* A page of LIST: room for this many entries behind the header. */
#define VMSECT_LIST_ENTRIES 16
#define VMSECT_LIST_BYTES                                                                          \
	(sizeof(struct vmsect_rsp_list) + VMSECT_LIST_ENTRIES * sizeof(struct vmsect_attachment))

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

/* vmsect_event.c */
int vmsect_events_init(struct vmsect_events *events, struct virtqueue *vq);
void vmsect_events_start(struct vmsect_events *events);
/* vmsect_events_stop - after the reset */
void vmsect_events_stop(struct vmsect_events *events);
void vmsect_events_free(struct vmsect_events *events);

/* One virtio device. */
struct vmsect_device {
	struct kref ref;
	struct virtio_device *vdev; /* probe and remove only */
	struct vmsect_ctl ctl;
	struct vmsect_events events;

	/* Constant from probe. */
	struct range window; /* guest physical, inclusive */
	u64 window_bytes;
	u32 align_shift;
	u32 max_views;
	u32 peer_id;
	u32 attachments; /* what LIST is to return */
	bool can_flush; /* the features that were agreed on */
	bool can_reset;
	bool can_remap;

	bool gone; /* set once, at remove */

	struct miscdevice misc;
	int index; /* among the devices of this guest */
	char ctl_name[VMSECT_CTL_NAME_BYTES];
	char ctl_nodename[VMSECT_CTL_NAME_BYTES];

	struct mutex nodes_lock; /* what follows */
	struct vmsect_node **nodes;
	unsigned int node_count;
	unsigned int node_room; /* constant */
};

/* vmsect_core.c */
struct vmsect_device *vmsect_device_get(struct vmsect_device *vd);
void vmsect_device_put(struct vmsect_device *vd);
struct super_block *vmsect_super(void);
extern bool vmsect_use_pages;

/* vmsect_chrdev.c */
int vmsect_chrdev_init(void);
void vmsect_chrdev_exit(void);
/* vmsect_chrdev_prepare - give a node its number and operations */
int vmsect_chrdev_prepare(struct vmsect_node *node);
void vmsect_chrdev_release(struct vmsect_node *node);
int vmsect_control_add(struct vmsect_device *vd);
void vmsect_control_del(struct vmsect_device *vd);

#endif
