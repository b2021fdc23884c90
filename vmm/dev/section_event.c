/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Events: from the broker, through a bounded list, into
 * the buffers that the driver supplied.  When the list is full what comes is
 * dropped, and the next event that is delivered says so.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>

#include <event2/event.h>

#include "virtio/virtio_pci.h"

#define REPORT_SECONDS 1
#define SWEEP_MILLISECONDS 250

void section_event_add(struct section_dev *dev, const struct vmsect_dev_event *event)
{
	if (!dev->is_active)
		return; /* nobody is there to hear it, nor later to have missed it */
	if (dev->events_count == SECTION_EVENTS_MAX) {
		dev->events_lost = true;
		dev->counters.events_lost++;
		return;
	}
	dev->events[(dev->events_first + dev->events_count) % SECTION_EVENTS_MAX] = *event;
	dev->events_count++;
	dev->counters.events++;
}

void section_event_forget(struct section_dev *dev)
{
	dev->events_first = dev->events_count = 0;
	dev->events_lost = false;
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

static void add_peer_event(struct section_dev *dev, uint32_t type, const struct vmsect_event *from)
{
	const struct vmsect_dev_event event = {
		.type = htole32(type),
		.handle = htole32(section_lowest_handle(dev, from->section_id)),
		.peer = htole32(from->peer_id),
		.section_id = htole64(from->section_id),
	};

	/* A section that was closed since is no longer the driver's business. */
	if (event.handle)
		section_event_add(dev, &event);
}

static void take(struct section_dev *dev, const struct vmsect_event *event)
{
	switch (event->type) {
	case VMSECT_EVENT_PEER_JOINED:
		add_peer_event(dev, VMSECT_EV_PEER_JOINED, event);
		break;
	case VMSECT_EVENT_PEER_LEFT:
		add_peer_event(dev, VMSECT_EV_PEER_LEFT, event);
		break;
	case VMSECT_EVENT_LOST:
		dev->events_lost = dev->is_active;
		break;
	case VMSECT_EVENT_DISCONNECTED:
		dev->broker_gone = true;
		log_warning("the broker has gone; views go on working");
		if (dev->client_event)
			(void)event_del(dev->client_event);
		break;
	}
}

void section_event_drain(struct section_dev *dev)
{
	struct vmsect_event event;

	if (!dev->env.client)
		return;
	while (vmsect_client_next_event(dev->env.client, &event) == 1)
		take(dev, &event);
	section_event_deliver(dev);
}

static void on_client(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	section_event_drain(argument);
}

static void on_report(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	section_report(argument);
	section_event_drain(argument);
}

static void on_sweep(evutil_socket_t fd, short what, void *argument)
{
	struct section_dev *dev = argument;
	uint32_t lost = window_sweep_sizes(dev->env.window);
	uint64_t dropped;

	(void)fd;
	(void)what;
	if (lost && log_allowed(&dev->sweep_limit, &dropped))
		log_warning("%u views have lost a part of their file", (unsigned int)lost);
}

static int add_timer(struct section_dev *dev, event_callback_fn callback,
		     const struct timeval *period, struct event **ret_event)
{
	*ret_event = event_new(dev->env.events, -1, EV_PERSIST, callback, dev);
	return *ret_event && event_add(*ret_event, period) == 0 ? 0 : -ENOMEM;
}

static int add_client(struct section_dev *dev)
{
	dev->client_event = event_new(dev->env.events, vmsect_client_fd(dev->env.client),
				      EV_READ | EV_PERSIST, on_client, dev);
	return dev->client_event && event_add(dev->client_event, NULL) == 0 ? 0 : -ENOMEM;
}

int section_event_init(struct section_dev *dev)
{
	const struct timeval report_period = { .tv_sec = REPORT_SECONDS };
	const struct timeval sweep_period = { .tv_usec = SWEEP_MILLISECONDS * 1000 };
	int result = add_timer(dev, on_sweep, &sweep_period, &dev->sweep_event);

	if (result < 0 || !dev->env.client)
		return result;
	result = add_timer(dev, on_report, &report_period, &dev->report_event);
	return result < 0 ? result : add_client(dev);
}

static void drop_event(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

void section_event_deinit(struct section_dev *dev)
{
	drop_event(&dev->client_event);
	drop_event(&dev->report_event);
	drop_event(&dev->sweep_event);
}
