/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  What the broker says, and what follows: sizes, memory
 * that was committed, revocations, requests that are done, its own death.
 *
 * While there is no broker the library looks for the next one by itself: its
 * descriptor says when it wants to be called.  If that one has what was ours,
 * everything is as before.  If not (ESTALE), the VM keeps its views, and
 * whatever needs the broker is refused from then on.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include <event2/event.h>

static void tell(struct section_dev *dev, uint32_t type, const struct vmsect_event *from)
{
	const struct vmsect_dev_event event = {
		.type = htole32(type),
		.handle = htole32(section_lowest_handle(dev, from->section_id, 0)),
		.peer = htole32(from->peer_id),
		.section_id = htole64(from->section_id),
		.value = htole64(from->value),
		.offset = htole64(from->offset),
		.length = htole64(from->length),
	};

	section_event_add(dev, &event);
}

static void tell_peer(struct section_dev *dev, uint32_t type, const struct vmsect_event *from)
{
	const struct vmsect_event event = { .section_id = from->section_id,
					    .peer_id = from->peer_id };

	/* A section that was closed since is no longer the driver's business. */
	if (section_lowest_handle(dev, from->section_id, 0))
		tell(dev, type, &event);
}

static void tell_notified(struct section_dev *dev, const struct vmsect_event *from)
{
	const struct vmsect_event event = {
		.section_id = from->section_id,
		.peer_id = from->peer_id,
		.value = from->value,
		.length = from->length,
	};

	if (section_lowest_handle(dev, from->section_id, 0))
		tell(dev, VMSECT_EV_NOTIFIED, &event);
}

struct section_view *section_view_by_broker(struct section_dev *dev, uint64_t view_id)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++) {
		struct section_view *view = &dev->views[i];

		if (view->is_used && vmsect_view_id(view->registered) == view_id)
			return view;
	}
	return NULL;
}

/* The slots go first: whatever the guest does, it has lost the memory. */
void section_view_revoke(struct section_dev *dev, struct section_view *view)
{
	uint64_t dropped;
	int result;

	if (!view || view->is_revoked)
		return;
	result = window_revoke(view->window, view->place);
	if (result < 0)
		log_warning("view %u has left the guest, but not this process: %s",
			    (unsigned int)section_view_id(dev, view), strerror(-result));
	view->is_revoked = true;
	(void)vmsect_view_revoked(view->registered);
	if (view->has_device)
		section_device_revoked(dev, section_view_id(dev, view) - 1);
	if (log_allowed(&dev->broker_limit, &dropped))
		log_info("view %u was revoked", (unsigned int)section_view_id(dev, view));
	section_event_add(
		dev, &(const struct vmsect_dev_event){
			     .type = htole32(VMSECT_EV_REVOKED),
			     .handle = htole32(section_lowest_handle(dev, view->section_id, 0)),
			     .view = htole32(section_view_id(dev, view)),
			     .section_id = htole64(view->section_id),
			     .length = htole64(view->bytes),
		     });
}

static void revoke_handle(struct section_dev *dev, uint64_t handle_id)
{
	for (uint32_t i = 0; i < SECTION_HANDLES_MAX; i++) {
		struct section_handle *handle = &dev->handles[i];

		if (!handle->section || handle->is_revoked ||
		    vmsect_section_handle_id(handle->section) != handle_id)
			continue;
		handle->is_revoked = true;
		if (handle->has_device)
			section_device_revoked(dev, i);
		section_event_add(dev, &(const struct vmsect_dev_event){
					       .type = htole32(VMSECT_EV_REVOKED),
					       .handle = htole32(i + 1),
					       .section_id = htole64(handle->section_id),
				       });
		return;
	}
}

static void broker_gone(struct section_dev *dev)
{
	dev->broker_gone = true;
	log_warning("the broker has gone; views go on working");
	section_notify_fail(dev, section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE));
}

static void broker_back(struct section_dev *dev, int status)
{
	if (dev->is_forgotten)
		return;
	if (status < 0) {
		dev->is_forgotten = true;
		log_error("the broker that came back does not know this VM: "
			  "its views stay, and it can have no others");
		section_pending_fail(dev, section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE));
		return;
	}
	dev->broker_gone = false;
	log_info("the broker is back");
	section_devices_reconnected(dev);
	/* What the one before had not passed on of what others notified of. */
	section_event_missed(dev);
}

static void io_error(struct section_dev *dev, const struct vmsect_event *from)
{
	uint64_t dropped;

	if (log_allowed(&dev->broker_limit, &dropped))
		log_warning("section %llu: a write-back has failed: errno %llu",
			    (unsigned long long)from->section_id, (unsigned long long)from->value);
}

static void take(struct section_dev *dev, const struct vmsect_event *event)
{
	const struct window_range range = { event->offset, event->length };

	switch (event->type) {
	case VMSECT_EVENT_PEER_JOINED:
		tell_peer(dev, VMSECT_EV_PEER_JOINED, event);
		break;
	case VMSECT_EVENT_PEER_LEFT:
		tell_peer(dev, VMSECT_EV_PEER_LEFT, event);
		break;
	case VMSECT_EVENT_RESIZED:
		section_resized(dev, event->section_id, event->value);
		tell(dev, VMSECT_EV_RESIZED, event);
		break;
	case VMSECT_EVENT_COMMITTED:
		section_committed(dev, event->section_id, &range);
		tell(dev, VMSECT_EV_COMMITTED, event);
		break;
	case VMSECT_EVENT_VIEW_REVOKED:
		section_view_revoke(dev, section_view_by_broker(dev, event->view_id));
		break;
	case VMSECT_EVENT_HANDLE_REVOKED:
		revoke_handle(dev, event->value);
		break;
	case VMSECT_EVENT_IO_ERROR:
		io_error(dev, event);
		break;
	case VMSECT_EVENT_LOST:
		section_event_missed(dev);
		section_resync(dev);
		break;
	case VMSECT_EVENT_DISCONNECTED:
		broker_gone(dev);
		break;
	case VMSECT_EVENT_RECONNECTED:
		broker_back(dev, event->status);
		break;
	case VMSECT_EVENT_NOTIFIED:
		tell_notified(dev, event);
		break;
	case VMSECT_EVENT_DONE:
		if (!section_notify_done(dev, event->value, event->status))
			section_pending_done(dev, event->value, event->status);
		break;
	default: /* OFFERED: a VM accepts nothing */
		break;
	}
}

void section_broker_take(struct section_dev *dev)
{
	struct vmsect_event event;

	if (!dev->env.client)
		return;
	while (vmsect_client_next_event(dev->env.client, &event) == 1)
		take(dev, &event);
}

static void on_client(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	section_event_drain(argument);
}

int section_broker_init(struct section_dev *dev)
{
	if (!dev->env.client)
		return 0;
	dev->client_event = event_new(dev->env.events, vmsect_client_fd(dev->env.client),
				      EV_READ | EV_PERSIST, on_client, dev);
	return dev->client_event && event_add(dev->client_event, NULL) == 0 ? 0 : -ENOMEM;
}

void section_broker_deinit(struct section_dev *dev)
{
	if (dev->client_event)
		event_free(dev->client_event);
	dev->client_event = NULL;
}
