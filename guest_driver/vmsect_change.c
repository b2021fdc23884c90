// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What programs change in a live view, and ask of its pages: PROTECT, COMMIT,
 * RESET, PUBLISH, DIFF, QUERY_PAGES, FLUSH.
 *
 * PROTECT and PUBLISH are changes: the pages are closed while the device works, so
 * that no program stores to what was just taken from it, nor to what is being
 * published.  RESET needs nothing of that: the host changes what is behind the
 * guest's page tables, which stay as they are.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vmsect_core.h"
#include "vmsect_trace.h"

/* Begins a change of pages; change_lock is held after success. */
static int change_begin(struct vmsect_view *view, const struct vmsect_pages *pages)
{
	int err;

	if (mutex_lock_killable(&view->change_lock))
		return -EINTR;
	err = vmsect_view_error(view);
	if (err)
		mutex_unlock(&view->change_lock);
	else
		vmsect_view_close(view, pages);
	return err;
}

static void change_end(struct vmsect_view *view)
{
	vmsect_view_open(view);
	mutex_unlock(&view->change_lock);
}

static int view_needs(const struct vmsect_view *view, unsigned int feature)
{
	int err = vmsect_view_error(view);

	if (err)
		return err;
	return vmsect_device_can(view->vd, feature) ? 0 : -EOPNOTSUPP;
}

/* A number that we hold and the device does not know: the host has taken the view. */
static int view_result(struct vmsect_view *view, int err)
{
	if (err != -ENXIO)
		return err;
	vmsect_view_take(view);
	return -EACCES;
}

/* The same inside a change. */
static int change_result(struct vmsect_view *view, int err)
{
	if (err != -ENXIO)
		return err;
	vmsect_view_take_locked(view);
	return -EACCES;
}

static bool is_whole(const struct vmsect_view *view, const struct vmsect_pages *pages)
{
	return !pages->first && pages->end >= view->room;
}

static int protect_pages(struct vmsect_view *view, struct vmsect_protect *protect,
			 const struct vmsect_pages *pages)
{
	const struct vmsect_req_pages what = {
		.op = VMSECT_REQ_PROTECT,
		.view = view->id,
		.protection = protect->protection,
		.pages = *pages,
	};
	u64 old;
	int err = is_whole(view, pages) ? 0 : vmsect_limits_reserve(&view->limits, pages);

	if (err)
		return err;
	err = vmsect_req_range(&view->vd->ctl, &what, &old);
	if (!err)
		vmsect_limits_set(&view->limits, pages, protect->protection, view->room);
	else if (!is_whole(view, pages))
		vmsect_limits_unreserve(&view->limits, pages);
	if (!err)
		protect->old = old;
	return change_result(view, err);
}

/**
 * vmsect_view_protect - VMSECT_IOC_PROTECT
 * @view: live
 * @protect: range and protection; old is filled in
 *
 * Return: 0 or -errno.
 */
int vmsect_view_protect(struct vmsect_view *view, struct vmsect_protect *protect)
{
	struct vmsect_pages pages;
	int err = view_needs(view, VMSECT_F_PROTECT);

	if (!err &&
	    (!protect->protection || protect->protection > VMSECT_GUEST_PROT_EXECUTE_WRITECOPY))
		err = -EINVAL;
	if (!err)
		err = vmsect_view_range(view, protect->offset, protect->length, &pages);
	if (!err)
		err = change_begin(view, &pages);
	if (err)
		return err;
	err = protect_pages(view, protect, &pages);
	change_end(view);
	return err;
}

/* The device checks the range itself: past the view is EEXIST here. */
static void commit_pages(const struct vmsect_protect *protect, struct vmsect_pages *ret_pages)
{
	ret_pages->first = protect->offset >> PAGE_SHIFT;
	ret_pages->end = DIV_ROUND_UP_ULL(protect->offset + protect->length, PAGE_SIZE);
}

/**
 * vmsect_view_commit - VMSECT_IOC_COMMIT
 * @view: live
 * @protect: range; a protection for these pages in this view, or 0
 *
 * What was lost for want of it comes back.  Return: 0 or -errno.
 */
int vmsect_view_commit(struct vmsect_view *view, struct vmsect_protect *protect)
{
	struct vmsect_req_pages what = {
		.op = VMSECT_REQ_COMMIT,
		.view = view->id,
		.protection = protect->protection,
	};
	u64 end, value;
	int err = view_needs(view, VMSECT_F_EXTEND);

	if (err)
		return err;
	if (protect->protection > VMSECT_GUEST_PROT_EXECUTE_WRITECOPY || !protect->length ||
	    check_add_overflow(protect->offset, protect->length, &end) || end > S64_MAX)
		return -EINVAL;
	commit_pages(protect, &what.pages);
	err = view_result(view, vmsect_req_range(&view->vd->ctl, &what, &value));
	if (err)
		return err;
	err = vmsect_view_repair(view);
	if (!err && protect->protection)
		err = vmsect_view_protect(view, protect);
	return err;
}

/* VMSECT_IOC_RESET. */
int vmsect_view_reset(struct vmsect_view *view, const struct vmsect_range *range)
{
	struct vmsect_req_pages what = { .op = VMSECT_REQ_RESET, .view = view->id };
	u64 value;
	int err = view_needs(view, VMSECT_F_COW);

	if (!err)
		err = vmsect_view_range(view, range->offset, range->length, &what.pages);
	if (err)
		return err;
	return view_result(view, vmsect_req_range(&view->vd->ctl, &what, &value));
}

/* Whole pages of a view, as the device says; of its room, as it may have grown. */
static bool range_is_sane(const struct vmsect_view *view, u64 offset, u64 length)
{
	u64 room = (u64)view->room << PAGE_SHIFT;

	return length && offset < room && length <= room - offset &&
	       !((offset | length) & ~PAGE_MASK);
}

/*
 * VMSECT_IOC_QUERY_PAGES.  A program goes on at the end of the run, so that has to
 * be behind the byte that was asked about.
 */
int vmsect_view_query_pages(struct vmsect_view *view, struct vmsect_page_run *run)
{
	u64 asked = run->offset;
	int err = view_needs(view, VMSECT_F_PROTECT);

	if (!err)
		err = view_result(view, vmsect_req_query_pages(&view->vd->ctl, view->id, run));
	if (err)
		return err;
	if (!range_is_sane(view, run->offset, run->length) || run->offset > asked ||
	    run->length <= asked - run->offset)
		return -EIO;
	return 0;
}

/* One reply's ranges to the caller's array; the device's order is checked. */
static int diff_copy(const struct vmsect_view *view, const struct vmsect_rsp_diff *rsp,
		     struct vmsect_diff *diff, u32 *done, u32 room)
{
	struct vmsect_range __user *to = u64_to_user_ptr(diff->ranges);
	u32 i, count = le32_to_cpu(rsp->count);

	for (i = 0; i < count && *done < room; i++, (*done)++) {
		struct vmsect_range range = {
			.offset = le64_to_cpu(rsp->ranges[i].offset),
			.length = le64_to_cpu(rsp->ranges[i].length),
		};

		if (range.offset < diff->after || !range_is_sane(view, range.offset, range.length))
			return -EIO;
		diff->after = range.offset + range.length;
		if (copy_to_user(to + *done, &range, sizeof(range)))
			return -EFAULT;
	}
	diff->more = i < count || rsp->more;
	return 0;
}

/* VMSECT_IOC_DIFF; bounded by the caller's room, as each turn but the last makes progress. */
int vmsect_view_diff(struct vmsect_view *view, struct vmsect_diff *diff)
{
	struct vmsect_rsp_diff *rsp;
	u32 done = 0, before, room = diff->count;
	int err = view_needs(view, VMSECT_F_COW);

	if (err)
		return err;
	rsp = kzalloc(VMSECT_DIFF_BYTES, GFP_KERNEL);
	if (!rsp)
		return -ENOMEM;
	do {
		before = done;
		err = view_result(view,
				  vmsect_req_diff(&view->vd->ctl, view->id, diff->after, rsp));
		if (!err)
			err = diff_copy(view, rsp, diff, &done, room);
	} while (!err && diff->more && done < room && done > before);
	kfree(rsp);
	if (!err && diff->more && done == before && done < room)
		err = -EIO; /* more, and nothing: it would never end */
	diff->count = done;
	return err;
}

static int diff_sum(const struct vmsect_view *view, const struct vmsect_rsp_diff *rsp, u64 *after,
		    u64 *sum)
{
	u32 i, count = le32_to_cpu(rsp->count);

	for (i = 0; i < count; i++) {
		u64 offset = le64_to_cpu(rsp->ranges[i].offset);
		u64 length = le64_to_cpu(rsp->ranges[i].length);

		if (offset < *after || !range_is_sane(view, offset, length))
			return -EIO;
		*after = offset + length;
		*sum += length;
	}
	return rsp->more && !count ? -EIO : 0;
}

/**
 * vmsect_view_private_bytes - how much of the view is its own
 * @view: live
 * @ret_bytes: 0 for a view that cannot have private pages
 *
 * Asks for all ranges: bounded by the pages of the view.  Return: 0 or -errno.
 */
int vmsect_view_private_bytes(struct vmsect_view *view, u64 *ret_bytes)
{
	struct vmsect_rsp_diff *rsp;
	u64 after = 0, sum = 0;
	int err = 0;

	*ret_bytes = 0;
	if (view_needs(view, VMSECT_F_COW) || view->mode == VMSECT_MODE_NONE)
		return 0;
	rsp = kzalloc(VMSECT_DIFF_BYTES, GFP_KERNEL);
	if (!rsp)
		return -ENOMEM;
	do {
		err = view_result(view, vmsect_req_diff(&view->vd->ctl, view->id, after, rsp));
		if (!err)
			err = diff_sum(view, rsp, &after, &sum);
	} while (!err && rsp->more && after < vmsect_view_bytes(view));
	kfree(rsp);
	*ret_bytes = sum;
	return err;
}

/**
 * vmsect_view_publish - VMSECT_IOC_PUBLISH
 * @view: live
 * @through: a handle with the right to write
 *
 * All of the view is closed meanwhile, and no page may be pinned: a transfer could
 * write to one behind the copy.  Return: 0, -EBUSY, or -errno of the device.
 */
int vmsect_view_publish(struct vmsect_view *view, struct vmsect_handle *through)
{
	const struct vmsect_pages all = { .end = view->room };
	unsigned long idle = 0;
	int err = view_needs(view, VMSECT_F_COW);

	if (err)
		return err;
	if (through->vd != view->vd || through->section_id != view->handle->section_id)
		return -EINVAL;
	err = vmsect_handle_error(through);
	if (!err)
		err = change_begin(view, &all);
	if (err)
		return err;
	synchronize_rcu();
	err = vmsect_pages_idle(view, &idle) ? 0 : -EBUSY;
	if (!err)
		err = change_result(view,
				    vmsect_req_publish(&view->vd->ctl, view->id, through->id));
	change_end(view);
	return err == -EBADF ? -EACCES : err;
}

/* VMSECT_IOC_FLUSH; fsync as well. */
int vmsect_view_flush(struct vmsect_view *view, const struct vmsect_flush *flush)
{
	struct vmsect_pages pages;
	int err = view_needs(view, VMSECT_F_FLUSH);

	if (!err)
		err = vmsect_view_range(view, flush->offset, flush->length, &pages);
	if (err)
		return err;
	return view_result(view, vmsect_req_flush(&view->vd->ctl, view->id, &pages,
						  flush->flags & VMSECT_GUEST_FLUSH_F_DURABLE));
}
