// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event files: what VMSECT_IOC_EVENTS returns.
 *
 * A listener keeps a short queue of what its handle was told.  What says the same
 * again is merged into what waits: notifications of one peer become one with the
 * newest value and their count, those of nobody knows whom one for each value, resizes
 * become the last.  A queue without room
 * loses what comes, says so with the next event that is read, and still keeps
 * notifications, of whomever, in one place of its own: a wake-up is never lost.
 *
 * Owned by its file, which holds the handle.  Told by the event work, under
 * handle.state_lock, and read under listener.lock.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vmsect_core.h"

#define LISTENER_EVENTS 64

struct vmsect_listener {
	struct list_head entry; /* in handle.listeners; handle.state_lock */
	struct vmsect_handle *handle; /* counted */
	u32 mask; /* constant */
	wait_queue_head_t wait;

	spinlock_t lock; /* what follows */
	struct vmsect_event events[LISTENER_EVENTS]; /* a ring */
	unsigned int first;
	unsigned int count;
	struct vmsect_event several; /* notifications that found no room; count 0: none */
	bool lost;
	bool ended; /* nothing comes any more */
};

static struct vmsect_event *listener_event(struct vmsect_listener *l, unsigned int index)
{
	return &l->events[(l->first + index) % LISTENER_EVENTS];
}

static bool event_repeats(const struct vmsect_event *event, const struct vmsect_event *older)
{
	if (older->type != event->type || older->peer != event->peer)
		return false;
	/* Without a name the value is all that is known: a vector of an ivshmem device. */
	return event->type != VMSECT_EVENT_NOTIFIED || event->peer || older->value == event->value;
}

/* One that waits and says the same, but older. */
static struct vmsect_event *listener_find(struct vmsect_listener *l,
					  const struct vmsect_event *event)
{
	unsigned int i;

	if (event->type != VMSECT_EVENT_NOTIFIED && event->type != VMSECT_EVENT_RESIZED)
		return NULL;
	for (i = 0; i < l->count; i++)
		if (event_repeats(event, listener_event(l, i)))
			return listener_event(l, i);
	return NULL;
}

static void event_merge(struct vmsect_event *into, const struct vmsect_event *event)
{
	into->value = event->value;
	into->count = into->count + event->count < event->count ? U64_MAX
								: into->count + event->count;
}

static void listener_overflow(struct vmsect_listener *l, const struct vmsect_event *event)
{
	if (event->type != VMSECT_EVENT_NOTIFIED) {
		l->lost = true;
		return;
	}
	if (!l->several.count) {
		l->several = *event;
		l->several.peer = 0;
	} else {
		event_merge(&l->several, event);
	}
}

static void listener_tell(struct vmsect_listener *l, const struct vmsect_event *event)
{
	struct vmsect_event *waiting;

	if (l->ended)
		return;
	if (event->type == VMSECT_EVENT_GONE)
		l->ended = true;
	else if (l->mask && !(l->mask >> event->type & 1))
		return;
	waiting = listener_find(l, event);
	if (waiting)
		event_merge(waiting, event);
	else if (l->count < LISTENER_EVENTS)
		*listener_event(l, l->count++) = *event;
	else
		listener_overflow(l, event);
}

/* Tells every event file of the handle.  Any context that may take spinlocks. */
void vmsect_listeners_tell(struct vmsect_handle *handle, const struct vmsect_event *event)
{
	struct vmsect_event told = *event;
	struct vmsect_listener *l;

	told.section_id = handle->section_id;
	spin_lock(&handle->state_lock);
	list_for_each_entry (l, &handle->listeners, entry) {
		spin_lock(&l->lock);
		listener_tell(l, &told);
		spin_unlock(&l->lock);
		wake_up_interruptible_poll(&l->wait, EPOLLIN | EPOLLRDNORM);
	}
	spin_unlock(&handle->state_lock);
}

/* Events were dropped before they came here. */
void vmsect_listeners_lost(struct vmsect_handle *handle)
{
	struct vmsect_listener *l;

	spin_lock(&handle->state_lock);
	list_for_each_entry (l, &handle->listeners, entry) {
		spin_lock(&l->lock);
		l->lost = true;
		spin_unlock(&l->lock);
		wake_up_interruptible_poll(&l->wait, EPOLLIN | EPOLLRDNORM);
	}
	spin_unlock(&handle->state_lock);
}

/* Takes the next event; false: there is none. */
static bool listener_take(struct vmsect_listener *l, struct vmsect_event *ret_event)
{
	bool found = true;

	spin_lock(&l->lock);
	if (l->count) {
		*ret_event = *listener_event(l, 0);
		l->first = (l->first + 1) % LISTENER_EVENTS;
		l->count--;
	} else if (l->several.count) {
		*ret_event = l->several;
		l->several.count = 0;
	} else if (l->lost) {
		memset(ret_event, 0, sizeof(*ret_event));
		ret_event->section_id = l->handle->section_id;
	} else {
		found = false;
	}
	if (found && l->lost)
		ret_event->flags |= VMSECT_EVENT_F_LOST;
	if (found)
		l->lost = false;
	spin_unlock(&l->lock);
	return found;
}

static bool listener_is_readable(struct vmsect_listener *l)
{
	bool readable;

	spin_lock(&l->lock);
	readable = l->count || l->several.count || l->lost;
	spin_unlock(&l->lock);
	return readable;
}

static bool listener_has_ended(struct vmsect_listener *l)
{
	bool ended;

	spin_lock(&l->lock);
	ended = l->ended;
	spin_unlock(&l->lock);
	return ended;
}

/* 1: *ret_event; 0: the end; else -errno. */
static int listener_wait(struct vmsect_listener *l, bool nonblock, struct vmsect_event *ret_event)
{
	while (!listener_take(l, ret_event)) {
		if (listener_has_ended(l))
			return 0;
		if (nonblock)
			return -EAGAIN;
		if (wait_event_interruptible(l->wait,
					     listener_is_readable(l) || listener_has_ended(l)))
			return -ERESTARTSYS;
	}
	return 1;
}

/* Waits for the first, then takes what there is. */
static ssize_t events_read(struct file *file, char __user *buffer, size_t bytes, loff_t *pos)
{
	struct vmsect_listener *l = file->private_data;
	struct vmsect_event event;
	size_t done = 0;
	int found;

	if (bytes < sizeof(event))
		return -EINVAL;
	while (bytes - done >= sizeof(event)) {
		found = listener_wait(l, done || file->f_flags & O_NONBLOCK, &event);
		if (found <= 0)
			return done ? done : found;
		if (copy_to_user(buffer + done, &event, sizeof(event)))
			return done ? done : -EFAULT;
		done += sizeof(event);
	}
	return done;
}

static __poll_t events_poll(struct file *file, poll_table *wait)
{
	struct vmsect_listener *l = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &l->wait, wait);
	if (listener_is_readable(l))
		events |= EPOLLIN | EPOLLRDNORM;
	if (listener_has_ended(l))
		events |= EPOLLHUP;
	return events;
}

static int events_release(struct inode *inode, struct file *file)
{
	struct vmsect_listener *l = file->private_data;
	struct vmsect_handle *handle = l->handle;

	spin_lock(&handle->state_lock);
	list_del(&l->entry);
	spin_unlock(&handle->state_lock);
	kvfree(l);
	vmsect_handle_put(handle);
	return 0;
}

static const struct file_operations events_fops = {
	.owner = THIS_MODULE,
	.read = events_read,
	.poll = events_poll,
	.release = events_release,
	.llseek = noop_llseek,
};

static struct vmsect_listener *listener_new(struct vmsect_handle *handle, u32 mask)
{
	struct vmsect_listener *l = kvzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	l->handle = vmsect_handle_get(handle);
	l->mask = mask;
	init_waitqueue_head(&l->wait);
	spin_lock_init(&l->lock);
	spin_lock(&handle->state_lock);
	list_add_tail(&l->entry, &handle->listeners);
	spin_unlock(&handle->state_lock);
	return l;
}

/**
 * vmsect_listen - VMSECT_IOC_EVENTS
 * @handle: whose section
 * @request: which events
 *
 * Return: a descriptor; -EINVAL for an unknown event; -EOPNOTSUPP where none could
 * ever come; -ENODEV, -EACCES when the
 * handle has ended; what the kernel refuses.
 */
int vmsect_listen(struct vmsect_handle *handle, const struct vmsect_events_request *request)
{
	struct vmsect_listener *l;
	int fd, err = vmsect_handle_error(handle);

	if (err)
		return err;
	if (request->mask >> (VMSECT_EVENT_GONE + 1))
		return -EINVAL;
	if (handle->vd->is_deaf)
		return -EOPNOTSUPP;
	l = listener_new(handle, request->mask);
	if (!l)
		return -ENOMEM;
	fd = anon_inode_getfd("[vmsect-events]", &events_fops, l, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		spin_lock(&handle->state_lock);
		list_del(&l->entry);
		spin_unlock(&handle->state_lock);
		kvfree(l);
		vmsect_handle_put(handle);
		return fd;
	}
	/* It may have ended before it could be told. */
	if (vmsect_handle_error(handle))
		vmsect_listeners_tell(handle, &(struct vmsect_event){ .type = VMSECT_EVENT_GONE });
	return fd;
}
