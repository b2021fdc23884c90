/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view: a range of the window that programs may map, read and write.
 *
 * Owners.  A view is counted.  The default view of a handle belongs to the
 * handle, a view that VMSECT_IOC_VIEW made to its file; a mapping holds its file.
 * While it has a place in the window it is listed in device.views, which does not
 * count; the last reference hands it to the reaper (vmsect_reap.c), which waits
 * for pinned pages, gives the pages back and then the place.
 *
 * States: new (an inode only), placed (vmsect_view_place), live (VIEW_LIVE: pages
 * and a number at the device), and from there on, set once each and for ever,
 * VIEW_TAKEN (by the host) and VIEW_GONE (with the device, or a reset of it).
 * Faults and copies run inside vmsect_srcu and look at the state first: after it
 * has changed and vmsect_srcu was synchronized, nobody hands a page out any more.
 *
 * A change (PROTECT, PUBLISH) closes a range of pages: faults and copies in there
 * wait for its end.  One at a time, under view.change_lock, which also keeps the
 * pages from being given back while somebody looks at them from outside.
 *
 * Lock order: handle.map_lock, view.change_lock, mmap_lock, vmsect_srcu,
 * losses.lock.
 */
#ifndef VMSECT_VIEW_H
#define VMSECT_VIEW_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/mutex.h>
#include <linux/range.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "vmsect_dev.h"
#include "vmsect_ioctl.h"

struct inode;
struct file;
struct vm_area_struct;
struct vmsect_device;
struct vmsect_handle;

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
bool vmsect_losses_touch(struct vmsect_losses *losses, const struct vmsect_pages *pages);
bool vmsect_losses_get(struct vmsect_losses *losses, unsigned int index,
		       struct vmsect_pages *ret_pages, unsigned int *ret_added);
void vmsect_losses_cut(struct vmsect_losses *losses, const struct vmsect_pages *pages,
		       unsigned int added);
bool vmsect_losses_repaired(struct vmsect_losses *losses, const struct vmsect_pages *pages,
			    unsigned int added);

/* Protections of pages, see vmsect_limit.c. */
struct vmsect_limits {
	u32 base; /* of all pages that have no entry */
	struct xarray pages; /* page to protection */
};

/* vmsect_limit.c */
void vmsect_limits_init(struct vmsect_limits *limits, u32 protection);
void vmsect_limits_free(struct vmsect_limits *limits);
u32 vmsect_limits_get(struct vmsect_limits *limits, unsigned long page);
bool vmsect_limits_uniform(struct vmsect_limits *limits, const struct vmsect_pages *pages);
int vmsect_limits_reserve(struct vmsect_limits *limits, const struct vmsect_pages *pages);
void vmsect_limits_set(struct vmsect_limits *limits, const struct vmsect_pages *pages,
		       u32 protection, unsigned long view_pages);
void vmsect_limits_unreserve(struct vmsect_limits *limits, const struct vmsect_pages *pages);
bool vmsect_protection_reads(u32 protection);
bool vmsect_protection_writes(u32 protection);

/* view.state bits. */
#define VIEW_LIVE 0
#define VIEW_TAKEN 1
#define VIEW_GONE 2

struct vmsect_view {
	struct kref ref;
	struct vmsect_device *vd; /* counted */
	struct vmsect_handle *handle; /* of a default view: its owner, borrowed; else counted */
	bool is_default;
	struct inode *inode; /* owns the address_space of all mappings */
	unsigned long state; /* bits; read under vmsect_srcu where pages are handed out */

	/* Constant once live, but pages. */
	u32 id; /* the device's number */
	u32 mode; /* VMSECT_MODE_ */
	u32 protection; /* VMSECT_DEV_PROT_ */
	u32 flags; /* VMSECT_VIEW_F_ */
	u32 cache; /* VMSECT_CACHE_ */
	bool executable;
	bool has_pages; /* pgmap is in use; else kaddr alone */
	u64 offset; /* in the section */
	phys_addr_t start; /* of the first byte */
	unsigned long pages; /* mappable ones; grows, up to room */
	unsigned long room; /* pages of the window that are kept for it */
	struct range cover; /* whole units of the window, bytes, inclusive */
	struct dev_pagemap pgmap;
	void *kaddr; /* of cover.start; NULL: no pages, or given back */

	struct vmsect_losses losses;
	struct vmsect_limits limits; /* changed inside a change */
	struct mutex change_lock; /* one change at a time */
	struct vmsect_pages closed; /* empty: none; read under vmsect_srcu */
	wait_queue_head_t opened; /* woken when the range opens again */

	/* The reaper, or remove(). */
	struct list_head reap_entry;
	struct work_struct give_back; /* beside those of other views */
	bool returned; /* its pages are, while files still refer to it; device.reap_lock */
	unsigned long idle; /* pages known to have come back */
};

/* Readers hand pages out; a view's pages stay while one that saw it live runs. */
extern struct srcu_struct vmsect_srcu;

/* vmsect_view.c */
struct vmsect_view *vmsect_view_new(struct vmsect_device *vd, struct vmsect_handle *handle,
				    bool is_default);
void vmsect_view_put(struct vmsect_view *view);
int vmsect_view_place(struct vmsect_view *view, const struct vmsect_dev_view *dv);
int vmsect_view_accept(struct vmsect_view *view, const struct vmsect_dev_view *dv);
void vmsect_view_unplace(struct vmsect_view *view);
void vmsect_view_free(struct vmsect_view *view);
int vmsect_view_error(const struct vmsect_view *view);
void vmsect_view_grow(struct vmsect_view *view, u64 length);
int vmsect_view_refresh(struct vmsect_view *view, struct vmsect_dev_view *ret_dv);
u64 vmsect_view_bytes(const struct vmsect_view *view);
int vmsect_view_range(const struct vmsect_view *view, u64 offset, u64 length,
		      struct vmsect_pages *ret_pages);

/* vmsect_pages.c: the pages of a placed view, by struct page or by number. */
int vmsect_pages_get(struct vmsect_view *view, int nid);
void vmsect_pages_put(struct vmsect_view *view);
bool vmsect_pages_idle(const struct vmsect_view *view, unsigned long *idle);
u32 vmsect_pages_cache(const struct vmsect_view *view);
bool vmsect_pages_can_be_huge(const struct vmsect_view *view);

/* vmsect_revoke.c: what takes memory away from programs. */
void vmsect_view_zap(struct vmsect_view *view, const struct vmsect_pages *pages, bool copies);
void vmsect_view_take(struct vmsect_view *view);
void vmsect_view_take_locked(struct vmsect_view *view);
void vmsect_view_vanish(struct vmsect_view *view);
void vmsect_view_lose(struct vmsect_view *view, u64 offset, u64 length);
int vmsect_view_repair(struct vmsect_view *view);
void vmsect_view_close(struct vmsect_view *view, const struct vmsect_pages *pages);
void vmsect_view_open(struct vmsect_view *view);
bool vmsect_view_is_closed(const struct vmsect_view *view, const struct vmsect_pages *pages);
int vmsect_view_wait_open(struct vmsect_view *view, const struct vmsect_pages *pages);

/* vmsect_map.c */
int vmsect_view_mmap(struct vmsect_view *view, struct vm_area_struct *vma);
unsigned long vmsect_view_unmapped_area(struct vmsect_view *view, struct file *file,
					unsigned long addr, unsigned long len, unsigned long pgoff,
					unsigned long flags);

/* vmsect_change.c: PROTECT, RESET, COMMIT, DIFF, PUBLISH and the like on a live view. */
int vmsect_view_protect(struct vmsect_view *view, struct vmsect_protect *protect);
int vmsect_view_commit(struct vmsect_view *view, struct vmsect_protect *protect);
int vmsect_view_reset(struct vmsect_view *view, const struct vmsect_range *range);
int vmsect_view_query_pages(struct vmsect_view *view, struct vmsect_page_run *run);
int vmsect_view_diff(struct vmsect_view *view, struct vmsect_diff *diff);
int vmsect_view_publish(struct vmsect_view *view, struct vmsect_handle *through);
int vmsect_view_flush(struct vmsect_view *view, const struct vmsect_flush *flush);
int vmsect_view_private_bytes(struct vmsect_view *view, u64 *ret_bytes);

#endif
