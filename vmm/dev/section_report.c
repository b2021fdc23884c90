/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  What is done from time to time: looking for files that
 * were truncated, counting overlays, and telling the broker what was counted,
 * where everyone can see it.  A guest that makes nothing be counted costs no
 * message.
 */
#include "dev/section_impl.h"

#include <string.h>

#include <event2/event.h>

#define REPORT_MS 1000
#define SWEEP_MS 250

static int tell(const struct section_dev *dev, const struct window_counters *counted)
{
	const struct vmsect_vm_counters counters = {
		.size = sizeof(counters),
		.denied_writes = counted->denied_writes,
		.hole_accesses = counted->hole_accesses,
		.undecodable_stores = counted->undecodable,
		.lost_pages = counted->lost_pages,
	};

	return vmsect_client_report(dev->env.client, &counters);
}

static void report_window(struct section_dev *dev)
{
	struct window_counters counted;

	windows_counters(dev->env.windows, &counted);
	if (dev->broker_gone || !memcmp(&counted, &dev->reported, sizeof(counted)))
		return;
	if (tell(dev, &counted) == 0)
		dev->reported = counted;
}

void section_report_view(struct section_dev *dev, struct section_view *view)
{
	uint64_t denied = window_denied_writes(view->window, view->place);

	if (dev->broker_gone || view->is_revoked)
		return;
	if (denied == view->reported_writes && view->private_pages == view->reported_pages)
		return;
	if (vmsect_view_report(view->registered, denied, view->private_pages) < 0)
		return;
	view->reported_writes = denied;
	view->reported_pages = view->private_pages;
}

static void on_report(evutil_socket_t fd, short what, void *argument)
{
	struct section_dev *dev = argument;

	(void)fd;
	(void)what;
	section_overlay_check(dev);
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++)
		if (dev->views[i].is_used)
			section_report_view(dev, &dev->views[i]);
	report_window(dev);
	section_event_drain(dev);
}

static void on_sweep(evutil_socket_t fd, short what, void *argument)
{
	struct section_dev *dev = argument;
	uint32_t lost = windows_sweep_sizes(dev->env.windows);
	uint64_t dropped;

	(void)fd;
	(void)what;
	if (lost && log_allowed(&dev->sweep_limit, &dropped))
		log_warning("%u views have lost a part of their file", (unsigned int)lost);
}

int section_report_init(struct section_dev *dev)
{
	int result = section_event_timer(dev, on_sweep, SWEEP_MS, &dev->sweep_event);

	if (result < 0 || !dev->env.client)
		return result;
	return section_event_timer(dev, on_report, REPORT_MS, &dev->report_event);
}

static void drop_event(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

void section_report_deinit(struct section_dev *dev)
{
	drop_event(&dev->report_event);
	drop_event(&dev->sweep_event);
}
