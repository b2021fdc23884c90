// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event queue: filled with buffers at the start, each given back as soon
 * as its event is read.
 *
 * The interrupt only queues the work; the work alone touches the queue, so the
 * queue needs no lock.  An event is copied once out of the device's reach.
 * Events that this driver does not know, or that concern no section it has,
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

#define EVENT_BUFFERS_MAX 64

static struct vmsect_device *events_to_device(struct vmsect_events *events)
{
	return container_of(events, struct vmsect_device, events);
}

static struct vmsect_node *node_by_section(struct vmsect_device *vd, u64 section_id)
{
	unsigned int i;

	lockdep_assert_held(&vd->nodes_lock);
	for (i = 0; i < vd->node_count; i++)
		if (vd->nodes[i]->section_id == section_id)
			return vd->nodes[i];
	return NULL;
}

static struct vmsect_node *node_by_view(struct vmsect_device *vd, u32 view_id)
{
	unsigned int i;

	lockdep_assert_held(&vd->nodes_lock);
	for (i = 0; i < vd->node_count; i++)
		if (vd->nodes[i]->view_id == view_id)
			return vd->nodes[i];
	return NULL;
}

/* Events about a view.  Whether it is one of ours. */
static bool event_apply_view(struct vmsect_device *vd, const struct vmsect_dev_event *ev)
{
	struct vmsect_node *node = node_by_view(vd, le32_to_cpu(ev->view));

	if (!node)
		return false;
	if (le32_to_cpu(ev->type) == VMSECT_EV_REVOKED) {
		vmsect_view_take(&node->view);
		return true;
	}
	atomic64_inc(&node->page_errors);
	vmsect_view_lose(&node->view, le64_to_cpu(ev->offset), le64_to_cpu(ev->length));
	return true;
}

/* Events about a section.  Whether it meant something. */
static bool event_apply_section(struct vmsect_device *vd, const struct vmsect_dev_event *ev)
{
	struct vmsect_node *node = node_by_section(vd, le64_to_cpu(ev->section_id));

	if (!node)
		return false;
	switch (le32_to_cpu(ev->type)) {
	case VMSECT_EV_RESIZED:
	case VMSECT_EV_COMMITTED:
		schedule_work(&vd->events.refresh);
		return true;
	case VMSECT_EV_QUOTA:
		atomic64_inc(&node->quota_events);
		return true;
	case VMSECT_EV_PEER_JOINED:
		atomic64_inc(&node->peers_joined);
		return true;
	case VMSECT_EV_PEER_LEFT:
		atomic64_inc(&node->peers_left);
		return true;
	default:
		return false;
	}
}

static bool event_apply(struct vmsect_device *vd, const struct vmsect_dev_event *ev)
{
	switch (le32_to_cpu(ev->type)) {
	case VMSECT_EV_REVOKED:
	case VMSECT_EV_IN_PAGE_ERROR:
		return event_apply_view(vd, ev);
	default:
		return event_apply_section(vd, ev);
	}
}

static void event_handle(struct vmsect_events *events, const struct vmsect_dev_event *ev)
{
	struct vmsect_device *vd = events_to_device(events);
	bool known;

	if (le32_to_cpu(ev->flags) & VMSECT_EV_FLAG_LOST) {
		atomic64_inc(&events->lost);
		schedule_work(&events->refresh);
	}
	mutex_lock(&vd->nodes_lock);
	known = event_apply(vd, ev);
	mutex_unlock(&vd->nodes_lock);
	if (!known)
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
		schedule_work(&events->work);
}

static void events_refresh(struct work_struct *work)
{
	struct vmsect_events *events = container_of(work, struct vmsect_events, refresh);
	struct vmsect_device *vd = events_to_device(events);
	unsigned int i;
	int err = 0;

	/* Nodes are only added before the first event and dropped after this work's last run. */
	for (i = 0; i < READ_ONCE(vd->node_count) && err != -ENODEV; i++) {
		err = vmsect_node_refresh(vd->nodes[i]);
		if (!err)
			err = vmsect_node_repair(vd->nodes[i]);
	}
}

int vmsect_events_init(struct vmsect_events *events, struct virtqueue *vq)
{
	events->vq = vq;
	events->count = min_t(unsigned int, virtqueue_get_vring_size(vq), EVENT_BUFFERS_MAX);
	INIT_WORK(&events->work, events_work);
	INIT_WORK(&events->refresh, events_refresh);
	events->buffers = kcalloc(events->count, sizeof(*events->buffers), GFP_KERNEL);
	return events->buffers ? 0 : -ENOMEM;
}

void vmsect_events_start(struct vmsect_events *events)
{
	unsigned int i;

	for (i = 0; i < events->count; i++)
		if (events_give(events, &events->buffers[i]))
			break;
	virtqueue_kick(events->vq);
}

void vmsect_events_stop(struct vmsect_events *events)
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
