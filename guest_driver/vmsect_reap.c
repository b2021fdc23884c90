// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reaper: gives back to the device what nobody refers to any more.
 *
 * A view is given back when all its pages have come back: a page that a transfer
 * has pinned outlives the last mapping.  So closing never waits for a device or
 * for a transfer; the reaper looks again, ever more seldom, and the host, which
 * may take the view at any time, does not wait for either.
 *
 * A view that vanished with a reset of the device gives its pages back without
 * its files being closed: its place belongs to others by then.
 *
 * One work per device, on a queue that suspend freezes.  reap_lock guards the
 * lists; everything else of an entry belongs to the reaper, or, after
 * vmsect_reap_stop(), to remove().
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>

#include "vmsect_core.h"
#include "vmsect_trace.h"

/* Between two looks at pages that somebody still holds. */
#define PIN_POLL_MIN_MS 5U
#define PIN_POLL_MAX_MS 500U
/* Views that are given back at the same time. */
#define REAP_BATCH 32
/* Between two messages of a removal that waits for them. */
#define PIN_WARN_INTERVAL (10 * HZ)

static void reap_queue(struct vmsect_device *vd, unsigned int delay_ms)
{
	queue_delayed_work(system_freezable_wq, &vd->reap, msecs_to_jiffies(delay_ms));
}

/* Takes the view over; its last reference has gone. */
void vmsect_reap_view(struct vmsect_view *view)
{
	struct vmsect_device *vd = view->vd;
	bool alone;

	spin_lock(&vd->reap_lock);
	alone = vd->reap_stopped && view->returned;
	if (!alone)
		list_add_tail(&view->reap_entry, &vd->reap_views);
	if (!vd->reap_stopped)
		reap_queue(vd, 0);
	spin_unlock(&vd->reap_lock);
	if (alone)
		vmsect_view_free(view);
}

/* Takes the handle over; it has no view any more. */
void vmsect_reap_handle(struct vmsect_handle *handle)
{
	struct vmsect_device *vd = handle->vd;
	bool stopped;

	spin_lock(&vd->reap_lock);
	stopped = vd->reap_stopped;
	if (!stopped) {
		list_add_tail(&handle->reap_entry, &vd->reap_handles);
		reap_queue(vd, 0);
	}
	spin_unlock(&vd->reap_lock);
	if (stopped)
		vmsect_handle_free(handle);
}

/*
 * The device forgets the view; what it answers changes nothing for us.  Before that
 * we do: as soon as it has, it may give place and number to the next MAP.
 */
static void give_back(struct work_struct *work)
{
	struct vmsect_view *view = container_of(work, struct vmsect_view, give_back);

	vmsect_pages_put(view);
	vmsect_view_unplace(view);
	if (!test_bit(VIEW_GONE, &view->state))
		vmsect_req_unmap(&view->vd->ctl, view->id);
	trace_vmsect_view(view, "given back");
}

/*
 * Some views at a time, since each waits for RCU as long as the kernel likes, and
 * all at once would be as many threads.
 */
static void reap_batch(struct list_head *batch)
{
	struct vmsect_view *view, *next;

	list_for_each_entry (view, batch, reap_entry) {
		INIT_WORK(&view->give_back, give_back);
		queue_work(system_unbound_wq, &view->give_back);
	}
	list_for_each_entry_safe (view, next, batch, reap_entry) {
		flush_work(&view->give_back);
		list_del_init(&view->reap_entry);
		vmsect_view_free(view);
	}
}

/* Those of a list whose pages are back; the others stay on it.  How many these are. */
static unsigned int reap_views(struct list_head *views)
{
	struct vmsect_view *view, *next;
	unsigned int pinned = 0, count = 0;
	LIST_HEAD(batch);

	list_for_each_entry_safe (view, next, views, reap_entry) {
		if (!vmsect_pages_idle(view, &view->idle)) {
			pinned++;
			continue;
		}
		list_move_tail(&view->reap_entry, &batch);
		if (++count % REAP_BATCH == 0)
			reap_batch(&batch);
	}
	reap_batch(&batch);
	return pinned;
}

static void reap_handles(struct list_head *handles)
{
	struct vmsect_handle *handle, *next;

	list_for_each_entry_safe (handle, next, handles, reap_entry) {
		list_del_init(&handle->reap_entry);
		if (!test_bit(HANDLE_GONE, &handle->state))
			vmsect_req_close(&handle->vd->ctl, handle->id);
		vmsect_handle_free(handle);
	}
}

/* Whether somebody has pages of a view, or looks at them in a change. */
static bool view_is_busy(struct vmsect_view *view)
{
	bool busy = true;

	if (mutex_trylock(&view->change_lock)) {
		busy = !vmsect_pages_idle(view, &view->idle);
		mutex_unlock(&view->change_lock);
	}
	return busy;
}

/* Views that vanished, whose files are open still: their pages only. */
static unsigned int reap_vanished(struct vmsect_device *vd)
{
	struct vmsect_view *view;
	unsigned int pinned = 0;
	unsigned long id;

	mutex_lock(&vd->lock);
	xa_for_each (&vd->views, id, view) {
		if (!test_bit(VIEW_GONE, &view->state) || !list_empty(&view->reap_entry))
			continue;
		if (view_is_busy(view)) {
			pinned++;
			continue;
		}
		vmsect_pages_put(view);
		vmsect_view_unplace(view);
		spin_lock(&vd->reap_lock);
		view->returned = true;
		spin_unlock(&vd->reap_lock);
	}
	mutex_unlock(&vd->lock);
	return pinned;
}

static void reap_take(struct vmsect_device *vd, struct list_head *views, struct list_head *handles)
{
	spin_lock(&vd->reap_lock);
	list_splice_init(&vd->reap_views, views);
	list_splice_init(&vd->reap_handles, handles);
	spin_unlock(&vd->reap_lock);
}

static void reap_work(struct work_struct *work)
{
	struct vmsect_device *vd = container_of(work, struct vmsect_device, reap.work);
	LIST_HEAD(views);
	LIST_HEAD(handles);
	unsigned int pinned;

	down_read(&vd->restart_lock);
	reap_take(vd, &views, &handles);
	synchronize_rcu();
	pinned = reap_views(&views);
	reap_handles(&handles);
	pinned += reap_vanished(vd);
	atomic_set(&vd->views_pending, pinned);
	spin_lock(&vd->reap_lock);
	list_splice(&views, &vd->reap_views);
	spin_unlock(&vd->reap_lock);
	up_read(&vd->restart_lock);
	spin_lock(&vd->reap_lock);
	vd->reap_delay_ms = pinned ? clamp(2 * vd->reap_delay_ms, PIN_POLL_MIN_MS, PIN_POLL_MAX_MS)
				   : 0;
	if (pinned && !vd->reap_stopped)
		reap_queue(vd, vd->reap_delay_ms);
	spin_unlock(&vd->reap_lock);
}

void vmsect_reap_init(struct vmsect_device *vd)
{
	spin_lock_init(&vd->reap_lock);
	INIT_LIST_HEAD(&vd->reap_views);
	INIT_LIST_HEAD(&vd->reap_handles);
	INIT_DELAYED_WORK(&vd->reap, reap_work);
}

/* Whether there was anything to wait for. */
bool vmsect_reap_now(struct vmsect_device *vd)
{
	return flush_delayed_work(&vd->reap);
}

void vmsect_reap_stop(struct vmsect_device *vd)
{
	spin_lock(&vd->reap_lock);
	vd->reap_stopped = true;
	spin_unlock(&vd->reap_lock);
	cancel_delayed_work_sync(&vd->reap);
}

/* One grace period for all views, however many there are. */
static const char *drain_find_busy(struct vmsect_device *vd)
{
	static const struct vmsect_pages all = {};
	struct vmsect_view *view;
	unsigned long id;

	xa_for_each (&vd->views, id, view)
		vmsect_view_zap(view, &all, true);
	synchronize_rcu();
	xa_for_each (&vd->views, id, view)
		if (view_is_busy(view))
			return view->handle->name;
	return NULL;
}

/* As long as it takes: pages that a device writes to cannot be taken away. */
static void drain_wait(struct vmsect_device *vd)
{
	unsigned long warn = jiffies + PIN_WARN_INTERVAL;
	unsigned int ms = PIN_POLL_MIN_MS;
	const char *busy;

	while ((busy = drain_find_busy(vd))) {
		if (time_after(jiffies, warn)) {
			dev_warn(vd->dev, "waiting for pinned pages of section %s\n", busy);
			warn = jiffies + PIN_WARN_INTERVAL;
		}
		msleep(ms);
		ms = min(2 * ms, PIN_POLL_MAX_MS);
	}
}

static void drain_lists(struct vmsect_device *vd)
{
	LIST_HEAD(views);
	LIST_HEAD(handles);

	reap_take(vd, &views, &handles);
	reap_views(&views);
	reap_handles(&handles);
}

/*
 * After vmsect_reap_stop(), in remove(): all views have vanished, none can be added.
 * Those that files still refer to give their pages back; what became unreferenced
 * before that could be seen is on the list once more.
 */
void vmsect_reap_drain(struct vmsect_device *vd)
{
	drain_wait(vd);
	drain_lists(vd);
	reap_vanished(vd);
	drain_lists(vd);
}
