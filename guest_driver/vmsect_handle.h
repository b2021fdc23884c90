/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A handle: one open of a section at the device, and its default view.
 *
 * Counted: the node of an attachment, each section file, each view that was made
 * through it and each event file hold one.  The last reference gives the default
 * view and the handle back to the device, through the reaper.
 *
 * Lock order: device.lock, handle.state_lock; handle.map_lock (sleeps for the
 * device), view.change_lock; listeners: listener.lock inside handle.state_lock.
 */
#ifndef VMSECT_HANDLE_H
#define VMSECT_HANDLE_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "vmsect_dev.h"
#include "vmsect_ioctl.h"
#include "vmsect_view.h"

struct vmsect_device;

/* handle.state bits, set once. */
#define HANDLE_TAKEN 0 /* by the host */
#define HANDLE_GONE 1 /* with the device, or a reset of it */

/* What sysfs counts of an attached section. */
struct vmsect_counts {
	atomic64_t peers_joined;
	atomic64_t peers_left;
	atomic64_t page_errors;
	atomic64_t quota_events;
	atomic64_t faults;
	atomic64_t huge_faults;
	atomic_t views; /* live ones, the default view included */
};

struct vmsect_handle {
	struct kref ref;
	struct vmsect_device *vd; /* counted */
	struct list_head entry; /* in device.handles; device.lock */
	struct list_head reap_entry;
	unsigned long state; /* bits */

	/* Constant. */
	bool attached;
	u32 id; /* the device's number */
	u64 section_id;
	u32 backing;
	u32 page_shift;
	u32 access;
	u32 protection; /* the most that a view may have */
	u64 max_bytes;
	char name[VMSECT_GUEST_NAME_MAX + 1];
	struct vmsect_view *view; /* the default view; live once it was asked for */
	struct inode *inode; /* of its descriptor, a regular file; attached: NULL */

	struct mutex map_lock; /* makes the default view live */
	struct vmsect_counts counts;
	wait_queue_head_t changed; /* polls of its files and its views' */

	spinlock_t state_lock; /* what follows: the last that the device said */
	u64 generation;
	u64 size_bytes;
	u64 committed_bytes;
	u64 denied_writes; /* of the default view */
	u32 section_flags;
	u32 io_error;
	struct list_head listeners;
};

/* vmsect_handle.c */
struct vmsect_handle *vmsect_handle_new(struct vmsect_device *vd, u32 id, bool attached,
					const struct vmsect_dev_section *section);
struct vmsect_handle *vmsect_handle_get(struct vmsect_handle *handle);
void vmsect_handle_put(struct vmsect_handle *handle);
void vmsect_handle_free(struct vmsect_handle *handle);
int vmsect_handle_error(const struct vmsect_handle *handle);
int vmsect_handle_map(struct vmsect_handle *handle);
int vmsect_handle_refresh(struct vmsect_handle *handle);
void vmsect_handle_update(struct vmsect_handle *handle, const struct vmsect_dev_section *section);
void vmsect_handle_resized(struct vmsect_handle *handle, u64 size);
u64 vmsect_handle_size(struct vmsect_handle *handle);
void vmsect_handle_fill(struct vmsect_handle *handle, struct vmsect_section *ret_section);
void vmsect_handle_take(struct vmsect_handle *handle);
void vmsect_handle_vanish(struct vmsect_handle *handle);

/* vmsect_open.c: new handles and views, as descriptors. */
int vmsect_open_section(struct vmsect_device *vd, const struct vmsect_open *open);
int vmsect_open_created(struct vmsect_device *vd, struct vmsect_create *create);
int vmsect_open_duplicate(struct vmsect_handle *handle, u32 access);
int vmsect_open_view(struct vmsect_handle *handle, const struct vmsect_view_request *request);

/* vmsect_listen.c: event files. */
int vmsect_listen(struct vmsect_handle *handle, const struct vmsect_events_request *request);
void vmsect_listeners_tell(struct vmsect_handle *handle, const struct vmsect_event *event);
void vmsect_listeners_lost(struct vmsect_handle *handle);

#endif
