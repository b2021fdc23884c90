/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Events: through a bounded list, into the buffers that
 * the driver supplied.  When the list is full what comes is dropped, and the
 * next event that is delivered says so.  Notifications of a sender and section
 * become one while they wait.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>

#include <event2/event.h>

#include "base/event.h"
#include "virtio/virtio_pci.h"

/* The feature behind an event, as a mask; 0: none is needed. */
static uint64_t feature_of(uint32_t type)
{
	switch (type) {
	case VMSECT_EV_REVOKED:
		return UINT64_C(1) << VMSECT_F_PROTECT;
	case VMSECT_EV_RESIZED:
	case VMSECT_EV_COMMITTED:
		return UINT64_C(1) << VMSECT_F_EXTEND;
	case VMSECT_EV_IN_PAGE_ERROR:
		return UINT64_C(1) << VMSECT_F_IN_PAGE_ERROR;
	case VMSECT_EV_QUOTA:
		return UINT64_C(1) << VMSECT_F_COW;
	case VMSECT_EV_NOTIFIED:
		return UINT64_C(1) << VMSECT_F_NOTIFY;
	default:
		return 0;
	}
}

/* Somebody is there to hear it, or will be. */
static bool is_heard(const struct section_dev *dev)
{
	return dev->is_active || dev->hold == SECTION_HOLD_HELD;
}

void section_event_missed(struct section_dev *dev)
{
	dev->events_lost = is_heard(dev);
}

static struct vmsect_dev_event *event_at(struct section_dev *dev, uint32_t index)
{
	return &dev->events[(dev->events_first + index) % SECTION_EVENTS_MAX];
}

static bool is_of_peer(const struct vmsect_dev_event *event)
{
	uint32_t type = le32toh(event->type);

	return type == VMSECT_EV_NOTIFIED || type == VMSECT_EV_PEER_JOINED ||
	       type == VMSECT_EV_PEER_LEFT;
}

/*
 * The last word about this peer that waits, if it is a notification: the next one
 * joins it.  A driver that forgets a peer which has left would miss one that
 * joined a word from before.
 */
static struct vmsect_dev_event *waiting_notification(struct section_dev *dev,
						     const struct vmsect_dev_event *event)
{
	for (uint32_t i = dev->events_count; i > 0; i--) {
		struct vmsect_dev_event *waiting = event_at(dev, i - 1);

		if (is_of_peer(waiting) && waiting->peer == event->peer &&
		    waiting->section_id == event->section_id)
			return le32toh(waiting->type) == VMSECT_EV_NOTIFIED ? waiting : NULL;
	}
	return NULL;
}

/* False: it is no notification, or none that waits is of the same. */
static bool join(struct section_dev *dev, const struct vmsect_dev_event *event)
{
	struct vmsect_dev_event *waiting = NULL;
	uint64_t count;

	if (le32toh(event->type) == VMSECT_EV_NOTIFIED)
		waiting = waiting_notification(dev, event);
	if (!waiting)
		return false;
	if (__builtin_add_overflow(le64toh(waiting->length), le64toh(event->length), &count))
		count = UINT64_MAX;
	waiting->length = htole64(count);
	waiting->value = event->value;
	waiting->handle = event->handle;
	return true;
}

/* Of what another device shows the driver knows nothing. */
static bool is_of_device(const struct section_dev *dev, const struct vmsect_dev_event *event)
{
	uint32_t view = le32toh(event->view), handle = le32toh(event->handle);

	return (view && dev->views[view - 1].has_device) ||
	       (handle && dev->handles[handle - 1].has_device);
}

void section_event_add(struct section_dev *dev, const struct vmsect_dev_event *event)
{
	if (!is_heard(dev))
		return; /* nobody is there to hear it, nor later to have missed it */
	if (feature_of(le32toh(event->type)) & ~dev->features || is_of_device(dev, event))
		return;
	if (join(dev, event))
		return;
	if (dev->events_count == SECTION_EVENTS_MAX) {
		dev->events_lost = true;
		dev->counters.events_lost++;
		return;
	}
	*event_at(dev, dev->events_count) = *event;
	dev->events_count++;
	dev->counters.events++;
}

void section_event_forget(struct section_dev *dev)
{
	dev->events_first = dev->events_count = 0;
	dev->events_lost = false;
}

void section_event_filter(struct section_dev *dev)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < dev->events_count; i++) {
		struct vmsect_dev_event *event = event_at(dev, i);

		if (!(feature_of(le32toh(event->type)) & ~dev->features))
			*event_at(dev, kept++) = *event;
	}
	dev->events_count = kept;
}

/* 1: the next buffer may be tried; 0: there is none, or the queue is dead. */
static int deliver_next(struct section_dev *dev)
{
	struct queue *queue = virtio_pci_queue(dev->transport, VMSECT_VQ_EVENT);
	struct vmsect_dev_event event = dev->events[dev->events_first];
	int result;

	if (!queue)
		return 0;
	result = queue_pop(queue, &dev->chain);
	if (result == 0)
		return queue_enable_kick(queue);
	if (result == 1 && (dev->chain.readable || dev->chain.writable_bytes < sizeof(event)))
		result = -EPROTO;
	if (result < 0) {
		virtio_pci_break(dev->transport, "malformed chain in the event queue");
		return 0;
	}
	if (dev->events_lost)
		event.flags |= htole32(VMSECT_EV_FLAG_LOST);
	dev->events_lost = false;
	/* Cannot fail: RAM and size were checked when the chain was taken. */
	(void)queue_chain_write(queue, &dev->chain, &event, sizeof(event));
	queue_push(queue, &dev->chain, sizeof(event));
	dev->events_first = (dev->events_first + 1) % SECTION_EVENTS_MAX;
	dev->events_count--;
	return 1;
}

/* Ends: each turn uses up an event, or sees a buffer added meanwhile. */
void section_event_deliver(struct section_dev *dev)
{
	uint32_t turns = 2 * SECTION_EVENTS_MAX;

	while (dev->events_count && turns > 0 && deliver_next(dev) == 1)
		turns--;
	virtio_pci_signal(dev->transport, VMSECT_VQ_EVENT);
}

void section_event_drain(struct section_dev *dev)
{
	section_broker_take(dev);
	section_event_deliver(dev);
}

int section_event_timer(struct section_dev *dev, void (*call)(int fd, short what, void *arg),
			uint32_t milliseconds, struct event **ret_event)
{
	const struct timeval period = loop_ms(milliseconds);

	*ret_event = event_new(dev->env.events, -1, EV_PERSIST, call, dev);
	return *ret_event && event_add(*ret_event, &period) == 0 ? 0 : -ENOMEM;
}
