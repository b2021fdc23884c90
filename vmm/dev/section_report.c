/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  What was counted in the window, to the broker, where
 * everyone can see it.  A guest that makes nothing be counted costs no message.
 */
#include "dev/section_impl.h"

#include <string.h>

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
	int result;

	window_counters(dev->env.window, &counted);
	if (dev->broker_gone || !memcmp(&counted, &dev->reported, sizeof(counted)))
		return;
	result = tell(dev, &counted);
	if (result == 0)
		dev->reported = counted;
	else
		(void)section_answer_of(dev, result);
}

void section_report(struct section_dev *dev)
{
	section_views_report(dev);
	report_window(dev);
}
