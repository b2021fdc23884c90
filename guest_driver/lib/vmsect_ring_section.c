// SPDX-License-Identifier: LGPL-2.1-or-later
/* The bell of a ring in a section; see vmsect_ring_section.h. */
#include "vmsect_ring_section.h"

#include <errno.h>

#include "vmsect_guest.h"

static int section_notify(void *ctx)
{
	const struct vmsect_ring_section_bell *bell = ctx;
	int err = vmsect_guest_notify(bell->section_fd, bell->peer, 0);

	return err == -EAGAIN || err == -EHOSTDOWN || err == -ENXIO ? 0 : err;
}

static int section_wait(void *ctx, int timeout_ms)
{
	struct vmsect_ring_section_bell *bell = ctx;
	struct vmsect_event event;
	int err = vmsect_guest_wait(bell->events_fd, timeout_ms);

	if (!err)
		err = vmsect_guest_read_event(bell->events_fd, &event);
	if (err)
		return err == -ETIMEDOUT || err == -EAGAIN ? 0 : err;
	if (event.type == VMSECT_EVENT_GONE)
		return -ENODEV;
	if (event.type == VMSECT_EVENT_PEER_LEFT)
		bell->peers_left++;
	return 0;
}

const struct vmsect_ring_bell_ops vmsect_ring_section_bell_ops = {
	.notify = section_notify,
	.wait = section_wait,
};
