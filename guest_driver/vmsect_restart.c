// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device that is reset and taken up again.
 *
 * Suspend: a virtio driver resets its device to resume.  HOLD tells the device
 * beforehand that handles and views shall survive that, so nothing changes for
 * programs.  Without that request, a guest with views of its own making cannot
 * suspend (EBUSY).  Attachments survive every reset.
 *
 * DEVICE_NEEDS_RESET: the device is broken and asks for it; what the driver has
 * made is lost.  Its views give SIGBUS and its descriptors ENODEV; attachments
 * work on.
 *
 * Hibernation is refused: the image could be restored in a VM whose window has
 * other things in it.
 *
 * freeze and restore are called by the virtio core: by its suspend, or by the
 * restart work, which is on a queue that suspend freezes; so never both.
 */
#include <linux/suspend.h>
#include <linux/virtio_config.h>

#include "vmsect_core.h"

static bool view_is_attachment(const struct vmsect_view *view)
{
	return view->is_default && view->handle->attached;
}

/* Under restart_lock none is added, and only the reaper, which waits, takes one away. */
static void vanish_views(struct vmsect_device *vd, bool all)
{
	struct vmsect_view *view;
	unsigned long id;

	xa_for_each (&vd->views, id, view)
		if (all || !view_is_attachment(view))
			vmsect_view_vanish(view);
}

static void vanish_handles(struct vmsect_device *vd, bool all)
{
	struct vmsect_handle *handle;

	mutex_lock(&vd->lock);
	list_for_each_entry (handle, &vd->handles, entry)
		if (all || !handle->attached)
			vmsect_handle_vanish(handle);
	mutex_unlock(&vd->lock);
}

/* Those that nobody refers to, before the reaper gives them back by number. */
static void vanish_unreferenced(struct vmsect_device *vd, bool all)
{
	struct vmsect_handle *handle;
	struct vmsect_view *view;
	unsigned long id;

	spin_lock(&vd->reap_lock);
	list_for_each_entry (handle, &vd->reap_handles, reap_entry)
		set_bit(HANDLE_GONE, &handle->state);
	spin_unlock(&vd->reap_lock);
	xa_for_each (&vd->views, id, view)
		if (all || !view->handle->attached)
			set_bit(HANDLE_GONE, &view->handle->state);
}

/* Views first: who hears of the end finds their memory gone. */
void vmsect_vanish(struct vmsect_device *vd, bool all)
{
	down_write(&vd->restart_lock);
	if (all)
		WRITE_ONCE(vd->gone, true);
	vanish_views(vd, all);
	vanish_handles(vd, all);
	vanish_unreferenced(vd, all);
	up_write(&vd->restart_lock);
}

#ifdef CONFIG_PM_SLEEP
static bool has_own_objects(struct vmsect_device *vd)
{
	struct vmsect_handle *handle;
	struct vmsect_view *view;
	unsigned long id;
	bool own = false;

	mutex_lock(&vd->lock);
	list_for_each_entry (handle, &vd->handles, entry)
		own |= !handle->attached;
	xa_for_each (&vd->views, id, view)
		own |= !view_is_attachment(view);
	mutex_unlock(&vd->lock);
	return own;
}

static int freeze_hold(struct vmsect_device *vd)
{
	if (vd->restarting)
		return 0;
	if (vmsect_device_can(vd, VMSECT_F_HOLD))
		return vmsect_req_hold(&vd->ctl);
	if (!has_own_objects(vd))
		return 0;
	dev_err(vd->dev, "the device cannot keep views over a suspend: close them first\n");
	return -EBUSY;
}

int vmsect_freeze(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vdev->priv;
	int err = freeze_hold(vd);

	if (!err)
		vmsect_device_put_queues(vd, -EBUSY);
	return err;
}

/* Features and window are what they were: the core has agreed on the same. */
int vmsect_restore(struct virtio_device *vdev)
{
	struct vmsect_device *vd = vdev->priv;
	int err = vmsect_device_get_queues(vd);

	if (err)
		return err;
	virtio_device_ready(vdev);
	vmsect_events_start(&vd->events, vd->events.vq);
	/* For what was missed. */
	queue_work(system_freezable_wq, &vd->events.refresh);
	return 0;
}

static int restart_device(struct vmsect_device *vd)
{
	int err;

	vd->restarting = true;
	err = virtio_device_freeze(vd->vdev);
	if (!err) {
		vmsect_vanish(vd, false);
		err = virtio_device_restore(vd->vdev);
	}
	vd->restarting = false;
	return err;
}

static void restart_work(struct work_struct *work)
{
	struct vmsect_device *vd = container_of(work, struct vmsect_device, restart);
	int err = restart_device(vd);

	if (err) {
		dev_err(vd->dev, "the device does not come back (%d): unbind and bind\n", err);
		return;
	}
	atomic_inc(&vd->resets);
	dev_warn(vd->dev, "the device needed a reset: views made by programs are lost\n");
}

static int pm_notify(struct notifier_block *pm, unsigned long action, void *unused)
{
	struct vmsect_device *vd = container_of(pm, struct vmsect_device, pm);

	if (action != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	dev_err(vd->dev, "hibernation is not possible while the driver is bound\n");
	return notifier_from_errno(-EBUSY);
}

int vmsect_restart_watch(struct vmsect_device *vd)
{
	vd->pm.notifier_call = pm_notify;
	return register_pm_notifier(&vd->pm);
}

void vmsect_restart_stop(struct vmsect_device *vd)
{
	unregister_pm_notifier(&vd->pm);
	cancel_work_sync(&vd->restart);
}
#else
static void restart_work(struct work_struct *work)
{
	struct vmsect_device *vd = container_of(work, struct vmsect_device, restart);

	dev_err(vd->dev, "the device needs a reset: unbind and bind\n");
}

int vmsect_restart_watch(struct vmsect_device *vd)
{
	return 0;
}

void vmsect_restart_stop(struct vmsect_device *vd)
{
	cancel_work_sync(&vd->restart);
}
#endif

void vmsect_restart_init(struct vmsect_device *vd)
{
	init_rwsem(&vd->restart_lock);
	INIT_WORK(&vd->restart, restart_work);
}
