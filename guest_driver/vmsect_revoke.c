// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What takes memory of a view away from programs: for ever (the host has taken
 * the view, the device has gone), page by page (a lost backing), or while a
 * change goes on.
 *
 * Always in this order: say so; synchronize vmsect_srcu, and then no fault or copy
 * hands out what was said to be away; wait for each page that is locked, since a
 * fault that was handed one before enters it in a page table under its lock; zap.
 * What then still refers to a page is a pin (vmsect_pages_idle counts them).
 *
 * Private copies go with the view, as when a file is truncated; those of lost or
 * closed pages are whole and stay.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "vmsect_core.h"
#include "vmsect_trace.h"

/* Out of every page table; no length: to the end of the file. */
void vmsect_view_zap(struct vmsect_view *view, const struct vmsect_pages *pages, bool copies)
{
	unmap_mapping_range(view->inode->i_mapping, (loff_t)pages->first << PAGE_SHIFT,
			    (loff_t)(pages->end - pages->first) << PAGE_SHIFT, copies);
}

/* Whoever was handed one of the pages has entered it; whoever asks now is refused. */
static void view_settle(struct vmsect_view *view, const struct vmsect_pages *pages)
{
	unsigned long page;

	synchronize_srcu(&vmsect_srcu);
	if (!view->has_pages)
		return;
	for (page = pages->first; page < pages->end; page++) {
		wait_on_page_locked(pfn_to_page(PHYS_PFN(view->start) + page));
		cond_resched();
	}
}

/* Under change_lock, which keeps the pages there. */
static void view_end(struct vmsect_view *view, unsigned int bit, const char *how)
{
	static const struct vmsect_pages whole_file = {};
	const struct vmsect_pages all = { .end = READ_ONCE(view->pages) };

	lockdep_assert_held(&view->change_lock);
	if (vmsect_view_error(view) == -ENODEV || test_and_set_bit(bit, &view->state))
		return;
	if (test_bit(VIEW_LIVE, &view->state)) {
		view_settle(view, &all);
		vmsect_view_zap(view, &whole_file, true);
		trace_vmsect_view(view, how);
	}
	wake_up_all(&view->opened);
	wake_up_all(&view->handle->changed);
}

/* The host has taken it: SIGBUS and EACCES from now on.  Inside a change: _locked. */
void vmsect_view_take_locked(struct vmsect_view *view)
{
	view_end(view, VIEW_TAKEN, "taken");
}

void vmsect_view_take(struct vmsect_view *view)
{
	mutex_lock(&view->change_lock);
	vmsect_view_take_locked(view);
	mutex_unlock(&view->change_lock);
}

/* The device has gone, or was reset: SIGBUS and ENODEV from now on. */
void vmsect_view_vanish(struct vmsect_view *view)
{
	mutex_lock(&view->change_lock);
	view_end(view, VIEW_GONE, "gone");
	mutex_unlock(&view->change_lock);
}

/* Under change_lock, which keeps the pages there. */
static void view_lose(struct vmsect_view *view, u64 offset, u64 length)
{
	u64 bytes = vmsect_view_bytes(view);
	struct vmsect_pages pages;

	if (vmsect_view_error(view) || !length || offset >= bytes ||
	    vmsect_view_range(view, offset, min(length, bytes - offset), &pages))
		return;
	vmsect_losses_add(&view->losses, &pages);
	view_settle(view, &pages);
	vmsect_view_zap(view, &pages, false);
	trace_vmsect_lost(view, pages.first, pages.end);
}

/* A range of bytes, as the device says: SIGBUS from now on. */
void vmsect_view_lose(struct vmsect_view *view, u64 offset, u64 length)
{
	mutex_lock(&view->change_lock);
	view_lose(view, offset, length);
	mutex_unlock(&view->change_lock);
}

/*
 * A lost range of which some pages are whole: committed since, or joined with others
 * in a full list.  The device says which, run by run.
 */
static int repair_parts(struct vmsect_view *view, const struct vmsect_pages *lost,
			unsigned int added)
{
	const u32 whole = VMSECT_PAGES_F_COMMITTED;
	struct vmsect_pages pages = { .end = lost->first };
	int err;

	while (pages.end < lost->end) {
		struct vmsect_page_run run = { .offset = (u64)pages.end << PAGE_SHIFT };

		err = vmsect_view_query_pages(view, &run);
		if (err)
			return err == -EOPNOTSUPP ? 0 : err;
		pages.first = pages.end;
		pages.end = min_t(u64, lost->end, (run.offset + run.length) >> PAGE_SHIFT);
		if ((run.flags & (whole | VMSECT_PAGES_F_LOST)) == whole)
			vmsect_losses_cut(&view->losses, &pages, added);
	}
	return 0;
}

/**
 * vmsect_view_repair - get lost pages back
 * @view: live
 *
 * Return: 0, also if the backing still is not whole; else -errno of the request.
 */
int vmsect_view_repair(struct vmsect_view *view)
{
	struct vmsect_req_pages what = { .op = VMSECT_REQ_REMAP, .view = view->id };
	unsigned int index = 0, added;
	u64 lost;
	int err;

	if (!vmsect_device_can(view->vd, VMSECT_F_IN_PAGE_ERROR))
		return 0;
	while (vmsect_losses_get(&view->losses, index, &what.pages, &added)) {
		err = vmsect_req_range(&view->vd->ctl, &what, &lost);
		if (!err && lost)
			err = repair_parts(view, &what.pages, added);
		if (err)
			return err;
		if (lost || !vmsect_losses_repaired(&view->losses, &what.pages, added))
			index++;
	}
	return 0;
}

/* Under view.change_lock: nobody is in these pages from here to vmsect_view_open(). */
void vmsect_view_close(struct vmsect_view *view, const struct vmsect_pages *pages)
{
	lockdep_assert_held(&view->change_lock);
	WRITE_ONCE(view->closed.first, pages->first);
	smp_wmb(); /* pairs with the one in vmsect_view_is_closed() */
	WRITE_ONCE(view->closed.end, pages->end);
	view_settle(view, pages);
	vmsect_view_zap(view, pages, false);
}

void vmsect_view_open(struct vmsect_view *view)
{
	lockdep_assert_held(&view->change_lock);
	WRITE_ONCE(view->closed.end, 0);
	wake_up_all(&view->opened);
}

/*
 * In vmsect_srcu, or to wait.  A reader that misses a closing that begins is
 * waited for by it; one that reads an end of zero sees the view open.
 */
bool vmsect_view_is_closed(const struct vmsect_view *view, const struct vmsect_pages *pages)
{
	unsigned long end = READ_ONCE(view->closed.end);

	smp_rmb(); /* pairs with the one in vmsect_view_close() */
	return unlikely(end) && pages->first < end && pages->end > READ_ONCE(view->closed.first);
}

/* Outside vmsect_srcu.  0, or -EINTR for a fatal signal. */
int vmsect_view_wait_open(struct vmsect_view *view, const struct vmsect_pages *pages)
{
	return wait_event_killable(view->opened,
				   !vmsect_view_is_closed(view, pages) || vmsect_view_error(view))
		       ? -EINTR
		       : 0;
}
