// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A view's life: made, placed as the device says, live, and handed to the reaper
 * by its last reference.  vmsect_view.h has the states and the owners.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "vmsect_core.h"
#include "vmsect_trace.h"
#include "compat.h"

DEFINE_SRCU(vmsect_srcu);

/* S_DAX is what lets a kernel before 6.15 offer its huge faults to a mapping. */
static struct inode *view_inode(void)
{
	struct inode *inode = alloc_anon_inode(vmsect_mount()->mnt_sb);

	if (IS_ERR(inode))
		return inode;
	inode->i_mode |= S_IFCHR;
	if (VMSECT_HAS_HUGE && vmsect_use_huge && vmsect_use_pages)
		inode->i_flags |= S_DAX;
	return inode;
}

/**
 * vmsect_view_new - a view without a place
 * @vd: its device
 * @handle: its owner (default view), or the handle that it is made through
 * @is_default: which of the two
 *
 * Return: a view with one reference, NULL without memory.
 */
struct vmsect_view *vmsect_view_new(struct vmsect_device *vd, struct vmsect_handle *handle,
				    bool is_default)
{
	struct vmsect_view *view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);

	if (!view)
		return NULL;
	view->inode = view_inode();
	if (IS_ERR(view->inode)) {
		kfree(view);
		return NULL;
	}
	kref_init(&view->ref);
	view->vd = vmsect_device_get(vd);
	view->is_default = is_default;
	view->handle = is_default ? handle : vmsect_handle_get(handle);
	mutex_init(&view->change_lock);
	init_waitqueue_head(&view->opened);
	INIT_LIST_HEAD(&view->reap_entry);
	vmsect_losses_init(&view->losses);
	vmsect_limits_init(&view->limits, 0);
	return view;
}

/* The reaper's last step, and of a view that never was placed. */
void vmsect_view_free(struct vmsect_view *view)
{
	struct vmsect_device *vd = view->vd;

	if (view->is_default)
		vmsect_reap_handle(view->handle);
	else
		vmsect_handle_put(view->handle);
	vmsect_limits_free(&view->limits);
	iput(view->inode);
	kfree(view);
	vmsect_device_put(vd);
}

static void view_unreferenced(struct kref *ref)
{
	struct vmsect_view *view = container_of(ref, struct vmsect_view, ref);

	if (test_bit(VIEW_LIVE, &view->state))
		vmsect_reap_view(view);
	else
		vmsect_view_free(view);
}

/* Does not sleep for the device; any context that may take mutexes. */
void vmsect_view_put(struct vmsect_view *view)
{
	if (view)
		kref_put(&view->ref, view_unreferenced);
}

/* What programs may do with a view of this protection; false: no such protection. */
static bool view_set_protection(struct vmsect_view *view, u32 protection)
{
	if (!protection || protection > VMSECT_DEV_PROT_EXECUTE_WRITECOPY)
		return false;
	view->protection = protection;
	view->executable = protection >= VMSECT_DEV_PROT_EXECUTE;
	if (!vmsect_protection_reads(protection))
		view->mode = VMSECT_MODE_NONE;
	else if (!vmsect_protection_writes(protection))
		view->mode = VMSECT_MODE_RO;
	else if (protection == VMSECT_DEV_PROT_READWRITE ||
		 protection == VMSECT_DEV_PROT_EXECUTE_READWRITE)
		view->mode = VMSECT_MODE_RW;
	else
		view->mode = VMSECT_MODE_COW;
	return true;
}

/* The device's words for where the view is, checked. */
static int view_set_range(struct vmsect_view *view, const struct vmsect_dev_view *dv)
{
	struct vmsect_device *vd = view->vd;
	u64 unit = max_t(u64, 1ULL << vd->align_shift, PAGE_SIZE);
	u64 offset = le64_to_cpu(dv->window_offset);
	u64 length = le64_to_cpu(dv->length);
	u64 room = max(le64_to_cpu(dv->room), length);
	u64 end, cover_end;

	if (!length || ((offset | length | room) & ~PAGE_MASK))
		return -EINVAL;
	if (check_add_overflow(offset, room, &end) || check_add_overflow(end, unit - 1, &cover_end))
		return -EINVAL;
	cover_end &= ~(unit - 1);
	if (cover_end > vd->window_bytes)
		return -EINVAL;
	/* The window itself was checked not to wrap. */
	view->start = vd->window.start + offset;
	view->pages = length >> PAGE_SHIFT;
	view->room = room >> PAGE_SHIFT;
	view->cover.start = vd->window.start + (offset & ~(unit - 1));
	view->cover.end = vd->window.start + cover_end - 1;
	return 0;
}

static bool view_overlaps(struct vmsect_device *vd, const struct vmsect_view *view)
{
	struct vmsect_view *other;
	unsigned long id;

	lockdep_assert_held(&vd->lock);
	xa_for_each (&vd->views, id, other)
		if (view->cover.start <= other->cover.end && other->cover.start <= view->cover.end)
			return true;
	return false;
}

/* Lists the view under its number; its range is its own from here on. */
static int view_list(struct vmsect_view *view)
{
	struct vmsect_device *vd = view->vd;
	int err;

	mutex_lock(&vd->lock);
	if (READ_ONCE(vd->gone))
		err = -ENODEV;
	else if (view_overlaps(vd, view))
		err = -EADDRINUSE;
	else
		err = xa_insert(&vd->views, view->id, view, GFP_KERNEL);
	mutex_unlock(&vd->lock);
	return err;
}

/* Its range and its number are free again. */
void vmsect_view_unplace(struct vmsect_view *view)
{
	struct vmsect_device *vd = view->vd;

	/* After a reset of the device the number can be another's. */
	if (xa_cmpxchg(&vd->views, view->id, view, NULL, GFP_KERNEL) == view)
		atomic_dec(&view->handle->counts.views);
}

/* Under change_lock: a removal that begins meanwhile waits for us. */
static int view_get_pages(struct vmsect_view *view)
{
	int err = view_list(view);

	if (err)
		return err;
	atomic_inc(&view->handle->counts.views);
	err = vmsect_pages_get(view, view->vd->nid);
	if (err) {
		vmsect_view_unplace(view);
		return err;
	}
	view->cache = vmsect_pages_cache(view);
	if (view->cache == VMSECT_CACHE_OTHER)
		pr_warn_once("vmsect: not mapped write-back: the VM's memory types are wrong, "
			     "expect it to be slow\n");
	smp_wmb(); /* pairs with smp_rmb() of those who see it live */
	set_bit(VIEW_LIVE, &view->state);
	return 0;
}

/**
 * vmsect_view_place - make a view live, as the device says
 * @view: new
 * @dv: the device's description, a private copy
 *
 * Return: 0; -EINVAL for a description that breaks the rules; -EADDRINUSE for a
 * range that has another view; -EBUSY for a number that has; -ENOMEM, also for
 * struct pages and their address space; -ENODEV.  After an error it is new still.
 */
int vmsect_view_place(struct vmsect_view *view, const struct vmsect_dev_view *dv)
{
	int err = view_set_range(view, dv);

	if (err || !view_set_protection(view, le32_to_cpu(dv->protection)))
		return -EINVAL;
	view->id = le32_to_cpu(dv->view);
	view->flags = le32_to_cpu(dv->view_flags);
	view->offset = le64_to_cpu(dv->offset);
	view->limits.base = view->protection;
	mutex_lock(&view->change_lock);
	err = view_get_pages(view);
	mutex_unlock(&view->change_lock);
	if (!err)
		trace_vmsect_view(view, "live");
	return err;
}

/**
 * vmsect_view_accept - make a view live that MAP has just made
 * @view: new
 * @dv: MAP's reply
 *
 * Return: 0; -EIO for a reply that makes no sense; -ENOMEM, -ENODEV.  After an error
 * the device has forgotten its view, and ours is new still.
 */
int vmsect_view_accept(struct vmsect_view *view, const struct vmsect_dev_view *dv)
{
	int err = vmsect_view_place(view, dv);

	if (!err)
		return 0;
	vmsect_req_unmap(&view->vd->ctl, le32_to_cpu(dv->view));
	return err == -ENOMEM || err == -ENODEV ? err : -EIO;
}

/* Why nothing can be done with the view; 0: it can. */
int vmsect_view_error(const struct vmsect_view *view)
{
	unsigned long state = READ_ONCE(view->state);

	if (state & BIT(VIEW_GONE))
		return -ENODEV;
	return state & BIT(VIEW_TAKEN) ? -EACCES : 0;
}

u64 vmsect_view_bytes(const struct vmsect_view *view)
{
	return (u64)READ_ONCE(view->pages) << PAGE_SHIFT;
}

/**
 * vmsect_view_range - the pages of a range of bytes
 * @view: live
 * @offset: in the view
 * @length: 0: to the view's end
 * @ret_pages: whole pages, not empty
 *
 * Return: 0, or -EINVAL past the view.
 */
int vmsect_view_range(const struct vmsect_view *view, u64 offset, u64 length,
		      struct vmsect_pages *ret_pages)
{
	u64 bytes = vmsect_view_bytes(view);

	if (offset >= bytes || length > bytes - offset)
		return -EINVAL;
	if (!length)
		length = bytes - offset;
	ret_pages->first = offset >> PAGE_SHIFT;
	ret_pages->end = (offset + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
	return 0;
}

/* To so many bytes, as the device says.  It never shrinks: programs may map it to the end. */
void vmsect_view_grow(struct vmsect_view *view, u64 length)
{
	unsigned long pages = READ_ONCE(view->pages);
	unsigned long wanted = length >> PAGE_SHIFT;

	if (length & ~PAGE_MASK || length >> PAGE_SHIFT > view->room)
		return;
	while (wanted > pages) {
		unsigned long seen = cmpxchg(&view->pages, pages, wanted);

		if (seen == pages)
			break;
		pages = seen;
	}
}

/**
 * vmsect_view_refresh - ask the device what the view is now
 * @view: live
 * @ret_dv: its answer
 *
 * Learns of growth, and of a revocation whose event was lost.  Return: 0 or -errno.
 */
int vmsect_view_refresh(struct vmsect_view *view, struct vmsect_dev_view *ret_dv)
{
	int err = vmsect_view_error(view);

	if (!err)
		err = view->vd->ops->query_view(view, ret_dv);
	if (err)
		return err;
	if (le32_to_cpu(ret_dv->view_flags) & VMSECT_VIEW_F_REVOKED)
		vmsect_view_take(view);
	vmsect_view_grow(view, le64_to_cpu(ret_dv->length));
	return vmsect_view_error(view);
}
