// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event queue: filled with buffers at the start, each given back as soon
 * as its event is read.
 *
 * The interrupt only queues the work; the work alone touches the queue, so the
 * queue needs no lock.  An event is copied once out of the device's reach.
 * What programs may hear goes to the event files of each handle of the section.
 * Events that this driver does not know, or that concern nothing it has,
 * are counted and dropped.  When the device says that events were lost, or that
 * a section has changed, a second work asks it for the state of every section;
 * it waits for replies of the control queue, which is why it is apart from the
 * first.  What takes memory away (REVOKED, IN_PAGE_ERROR) is done at once.
 *
 * One run of the work handles at most a ring's worth of events and then queues
 * itself again, so that a device that never stops leaves the CPU to others.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "vmsect_core.h"
#include "vmsect_trace.h"

#define EVENT_BUFFERS_MAX 64

static struct vmsect_device *events_to_device(struct vmsect_events *events)
{
	return container_of(events, struct vmsect_device, events);
}

/* A view by its number, counted; NULL: none, or one that nobody refers to any more. */
static struct vmsect_view *view_by_number(struct vmsect_device *vd, u32 id)
{
	struct vmsect_view *view;

	mutex_lock(&vd->lock);
	view = xa_load(&vd->views, id);
	if (view && !kref_get_unless_zero(&view->ref))
		view = NULL;
	mutex_unlock(&vd->lock);
	return view;
}

/* What a program hears: a range of the view as one of the section. */
static void event_tell_view(const struct vmsect_view *view, const struct vmsect_dev_event *ev)
{
	const struct vmsect_event event = {
		.type = le32_to_cpu(ev->type),
		.value = le64_to_cpu(ev->value),
		.offset = view->offset + le64_to_cpu(ev->offset),
		.length = le64_to_cpu(ev->length),
	};

	vmsect_listeners_tell(view->handle, &event);
}

/* Events about a view.  Whether it is one of ours. */
static bool event_apply_view(struct vmsect_device *vd, const struct vmsect_dev_event *ev)
{
	struct vmsect_view *view = view_by_number(vd, le32_to_cpu(ev->view));

	if (!view)
		return false;
	if (le32_to_cpu(ev->type) == VMSECT_EV_REVOKED) {
		vmsect_view_take(view);
	} else {
		atomic64_inc(&view->handle->counts.page_errors);
		vmsect_view_lose(view, le64_to_cpu(ev->offset), le64_to_cpu(ev->length));
	}
	event_tell_view(view, ev);
	vmsect_view_put(view);
	return true;
}

/* A handle alone was revoked. */
static bool event_apply_handle(struct vmsect_device *vd, const struct vmsect_dev_event *ev)
{
	struct vmsect_handle *handle;
	bool found = false;

	mutex_lock(&vd->lock);
	list_for_each_entry (handle, &vd->handles, entry)
		if (handle->id == le32_to_cpu(ev->handle)) {
			vmsect_handle_take(handle);
			found = true;
		}
	mutex_unlock(&vd->lock);
	return found;
}

static void event_count(struct vmsect_handle *handle, u32 type)
{
	if (type == VMSECT_EV_QUOTA)
		atomic64_inc(&handle->counts.quota_events);
	else if (type == VMSECT_EV_PEER_JOINED)
		atomic64_inc(&handle->counts.peers_joined);
	else if (type == VMSECT_EV_PEER_LEFT)
		atomic64_inc(&handle->counts.peers_left);
}

static bool event_is_of_section(u32 type)
{
	switch (type) {
	case VMSECT_EV_PEER_JOINED:
	case VMSECT_EV_PEER_LEFT:
	case VMSECT_EV_NOTIFIED:
	case VMSECT_EV_RESIZED:
	case VMSECT_EV_QUOTA:
	case VMSECT_EV_COMMITTED:
		return true;
	default:
		return false;
	}
}

static void event_translate(const struct vmsect_dev_event *ev, struct vmsect_event *ret_event)
{
	*ret_event = (struct vmsect_event){
		.type = le32_to_cpu(ev->type),
		.peer = le32_to_cpu(ev->peer),
		.value = le64_to_cpu(ev->value),
		.offset = le64_to_cpu(ev->offset),
		.length = le64_to_cpu(ev->length),
	};
	if (ret_event->type == VMSECT_EVENT_NOTIFIED) {
		ret_event->count = max_t(u64, ret_event->length, 1);
		ret_event->offset = ret_event->length = 0;
	}
}

/* Events about a section, for every handle of it.  Whether it meant something. */
static bool event_apply_section(struct vmsect_device *vd, const struct vmsect_dev_event *ev)
{
	u64 section_id = le64_to_cpu(ev->section_id);
	struct vmsect_handle *handle;
	struct vmsect_event event;
	bool found = false;

	event_translate(ev, &event);
	if (!event_is_of_section(event.type))
		return false;
	mutex_lock(&vd->lock);
	list_for_each_entry (handle, &vd->handles, entry)
		if (handle->section_id == section_id) {
			event_count(handle, event.type);
			if (event.type == VMSECT_EVENT_RESIZED)
				vmsect_handle_resized(handle, event.value);
			vmsect_listeners_tell(handle, &event);
			found = true;
		}
	mutex_unlock(&vd->lock);
	if (event.type == VMSECT_EVENT_RESIZED || event.type == VMSECT_EVENT_COMMITTED)
		queue_work(system_freezable_wq, &vd->events.refresh);
	return found;
}

static bool event_apply(struct vmsect_device *vd, const struct vmsect_dev_event *ev)
{
	switch (le32_to_cpu(ev->type)) {
	case VMSECT_EV_REVOKED:
		if (!ev->view)
			return event_apply_handle(vd, ev);
		fallthrough;
	case VMSECT_EV_IN_PAGE_ERROR:
		return event_apply_view(vd, ev);
	default:
		return event_apply_section(vd, ev);
	}
}

/* Events were dropped: programs hear of it, and the state is read anew. */
static void events_missed(struct vmsect_device *vd)
{
	struct vmsect_handle *handle;

	atomic64_inc(&vd->events.lost);
	mutex_lock(&vd->lock);
	list_for_each_entry (handle, &vd->handles, entry)
		vmsect_listeners_lost(handle);
	mutex_unlock(&vd->lock);
	queue_work(system_freezable_wq, &vd->events.refresh);
}

static void event_handle(struct vmsect_events *events, const struct vmsect_dev_event *ev)
{
	struct vmsect_device *vd = events_to_device(events);

	trace_vmsect_event(ev);
	if (le32_to_cpu(ev->flags) & VMSECT_EV_FLAG_LOST)
		events_missed(vd);
	if (!event_apply(vd, ev))
		atomic64_inc(&events->ignored);
}

static int events_give(struct vmsect_events *events, struct vmsect_dev_event *buffer)
{
	struct scatterlist sg;

	sg_init_one(&sg, buffer, sizeof(*buffer));
	return virtqueue_add_inbuf(events->vq, &sg, 1, buffer, GFP_KERNEL);
}

static void events_take(struct vmsect_events *events, struct vmsect_dev_event *buffer, u32 written)
{
	struct vmsect_dev_event ev;

	memcpy(&ev, buffer, sizeof(ev));
	/* There is room: this buffer has just left the ring. */
	events_give(events, buffer);
	if (written == sizeof(ev))
		event_handle(events, &ev);
	else
		atomic64_inc(&events->ignored);
}

static void events_work(struct work_struct *work)
{
	struct vmsect_events *events = container_of(work, struct vmsect_events, work);
	struct vmsect_dev_event *buffer;
	unsigned int budget = events->count;
	u32 written;

	virtqueue_disable_cb(events->vq);
	for (; budget; budget--) {
		buffer = virtqueue_get_buf(events->vq, &written);
		if (!buffer)
			break;
		events_take(events, buffer, written);
	}
	virtqueue_kick(events->vq);
	if (!budget || !virtqueue_enable_cb(events->vq))
		queue_work(system_freezable_wq, &events->work);
}

/* The next object of a kind with a number above *id, counted; NULL: that was all. */
static struct vmsect_handle *next_handle(struct vmsect_device *vd, u32 *id)
{
	struct vmsect_handle *handle, *found;

	mutex_lock(&vd->lock);
	do {
		found = NULL;
		list_for_each_entry (handle, &vd->handles, entry)
			if (handle->id > *id && (!found || handle->id < found->id))
				found = handle;
		if (found)
			*id = found->id;
	} while (found && !kref_get_unless_zero(&found->ref));
	mutex_unlock(&vd->lock);
	return found;
}

static struct vmsect_view *next_view(struct vmsect_device *vd, unsigned long *id)
{
	struct vmsect_view *view;

	mutex_lock(&vd->lock);
	do {
		(*id)++;
		view = xa_find(&vd->views, id, ULONG_MAX, XA_PRESENT);
	} while (view && !kref_get_unless_zero(&view->ref));
	mutex_unlock(&vd->lock);
	return view;
}

/* What an event could have told: sizes, growth, views that were taken, pages that came back. */
static void events_refresh(struct work_struct *work)
{
	struct vmsect_events *events = container_of(work, struct vmsect_events, refresh);
	struct vmsect_device *vd = events_to_device(events);
	struct vmsect_handle *handle;
	struct vmsect_dev_view dv;
	struct vmsect_view *view;
	unsigned long view_id = 0;
	u32 handle_id = 0;

	while ((handle = next_handle(vd, &handle_id))) {
		vmsect_handle_refresh(handle);
		vmsect_handle_put(handle);
	}
	while ((view = next_view(vd, &view_id))) {
		if (!vmsect_view_refresh(view, &dv))
			vmsect_view_repair(view);
		vmsect_view_put(view);
	}
}

/* Once, before the queue is known: its size bounds the buffers that are used. */
int vmsect_events_init(struct vmsect_events *events)
{
	INIT_WORK(&events->work, events_work);
	INIT_WORK(&events->refresh, events_refresh);
	events->buffers = kcalloc(EVENT_BUFFERS_MAX, sizeof(*events->buffers), GFP_KERNEL);
	return events->buffers ? 0 : -ENOMEM;
}

/* At probe, and again after each reset. */
void vmsect_events_start(struct vmsect_events *events, struct virtqueue *vq)
{
	unsigned int i;

	events->vq = vq;
	events->count = min_t(unsigned int, virtqueue_get_vring_size(vq), EVENT_BUFFERS_MAX);
	for (i = 0; i < events->count; i++)
		if (events_give(events, &events->buffers[i]))
			break;
	virtqueue_kick(events->vq);
}

void vmsect_events_pause(struct vmsect_events *events)
{
	cancel_work_sync(&events->work);
	cancel_work_sync(&events->refresh);
	while (virtqueue_detach_unused_buf(events->vq))
		;
}

void vmsect_events_free(struct vmsect_events *events)
{
	kfree(events->buffers);
	events->buffers = NULL;
}
