/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Events of the broker were lost: whoever makes many of
 * them while this thread waits for a reply can bring that about, and must not
 * gain by it.  What the lost ones may have asked for is asked of the broker.
 */
#include "dev/section_impl.h"

#include <stdlib.h>

/* All that was committed meanwhile; where nothing was, nothing changes. */
static void restore(const struct section_view *view)
{
	const struct window_range all = { 0, view->bytes };

	if (view->is_reserve && !view->is_revoked)
		(void)window_restore(view->window, view->place, &all);
}

static void follow(struct section_dev *dev, const struct vmsect_view_info *info)
{
	struct section_view *view = section_view_by_broker(dev, info->id);

	if (!view)
		return; /* another peer's */
	if (info->flags & VMSECT_VIEW_REVOKED)
		section_view_revoke(dev, view);
	else if (info->length > view->bytes)
		section_resized(dev, view->section_id, info->offset + info->length);
	restore(view);
}

void section_resync(struct section_dev *dev)
{
	struct vmsect_view_info *list = NULL;
	size_t count = 0;

	if (dev->broker_gone)
		return;
	if (vmsect_list_views(dev->env.client, 0, &list, &count) < 0) {
		log_warning("events of the broker were lost, and it does not say what is now");
		return;
	}
	for (size_t i = 0; i < count; i++)
		follow(dev, &list[i]);
	free(list);
}
