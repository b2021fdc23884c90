/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Private pages: dropped, listed, counted against the
 * quotas of the VM's configuration.
 *
 * They are counted once a second, or, where the overlays are so large that
 * counting takes long, so seldom that it takes a small part of the time.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <stdio.h>
#include <time.h>

#define ROUND_MS 1000
#define LOOK_SHARE 20 /* counting takes at most 1/20 of the time */

struct section_answer section_reset(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_range *request = call->request;
	struct section_answer answer;
	struct window_range range;
	struct section_view *view;

	if (request->protection)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RESERVED);
	view = section_view_of(dev, le32toh(request->view), &answer);
	if (!view)
		return answer;
	if (!section_view_range(view, le64toh(request->offset), le64toh(request->length), &range))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RANGE);
	return section_answer_window(window_reset(view->window, view->place, &range));
}

/* As many ranges as there is room for, and whether there are more. */
static int list(const struct section_view *view, uint64_t after, uint32_t room,
		struct vmsect_rsp_diff *reply)
{
	struct window_range ranges[SECTION_DIFF_MAX + 1];
	int found = window_diff(view->window, view->place, after, ranges, (size_t)room + 1);
	uint32_t count;

	if (found < 0)
		return found;
	count = (uint32_t)found > room ? room : (uint32_t)found;
	for (uint32_t i = 0; i < count; i++)
		reply->ranges[i] = (struct vmsect_dev_range){
			.offset = htole64(ranges[i].offset),
			.length = htole64(ranges[i].bytes),
		};
	reply->count = htole32(count);
	reply->more = htole32((uint32_t)found > room);
	return (int)count;
}

struct section_answer section_diff(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_diff *request = call->request;
	struct vmsect_rsp_diff *reply = (struct vmsect_rsp_diff *)(void *)call->reply;
	uint32_t room =
		(call->reply_room - (uint32_t)sizeof(*reply)) / (uint32_t)sizeof(reply->ranges[0]);
	uint64_t after = le64toh(request->after);
	struct section_answer answer;
	const struct section_view *view = section_view_of(dev, le32toh(request->view), &answer);
	int count;

	if (!view)
		return answer;
	if (after > view->bytes || after & (view->page_bytes - 1))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RANGE);
	if (after == view->bytes)
		return SECTION_OK;
	count = list(view, after, room < SECTION_DIFF_MAX ? room : SECTION_DIFF_MAX, reply);
	if (count < 0)
		return section_answer_window(count);
	call->reply_bytes += (uint32_t)count * (uint32_t)sizeof(reply->ranges[0]);
	return SECTION_OK;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Bytes of all overlays. */
static uint64_t count_all(struct section_dev *dev)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++) {
		struct section_view *view = &dev->views[i];
		int64_t pages;

		if (!view->is_used || view->is_revoked || !view->is_copying)
			continue;
		pages = window_private_pages(view->window, view->place);
		if (pages >= 0)
			view->private_pages = (uint64_t)pages;
		bytes += view->private_pages * view->page_bytes;
	}
	return bytes;
}

static void tell(struct section_dev *dev, const struct section_view *view, uint64_t pages)
{
	const struct vmsect_dev_event event = {
		.type = htole32(VMSECT_EV_QUOTA),
		.handle = htole32(view ? section_lowest_handle(dev, view->section_id, 0) : 0),
		.view = htole32(view ? section_view_id(dev, view) : 0),
		.section_id = htole64(view ? view->section_id : 0),
		.value = htole64(pages),
	};

	section_event_add(dev, &event);
}

/* An overlay (NULL: all of them) has grown past its quota: said once for each time. */
static void exceed(struct section_dev *dev, const struct section_view *view, uint64_t bytes,
		   uint64_t quota)
{
	const struct section_dev_policy *policy = &dev->env.policy;
	char what[64] = "the VM";
	uint64_t dropped;

	dev->counters.quota_hits++;
	if (view)
		(void)snprintf(what, sizeof(what), "view %u",
			       (unsigned int)section_view_id(dev, view));
	if (log_allowed(&dev->quota_limit, &dropped))
		log_warning("%s has %llu bytes of private pages, more than its %llu", what,
			    (unsigned long long)bytes, (unsigned long long)quota);
	tell(dev, view, view ? view->private_pages : bytes >> 12);
	if (policy->stop)
		policy->stop(policy->owner);
}

static void check_view(struct section_dev *dev, struct section_view *view)
{
	uint64_t bytes = view->private_pages * view->page_bytes;
	bool is_over = view->cow_quota && bytes > view->cow_quota;

	if (is_over && !view->is_over_quota)
		exceed(dev, view, bytes, view->cow_quota);
	view->is_over_quota = is_over;
}

void section_overlay_check(struct section_dev *dev)
{
	uint64_t quota = dev->env.policy.cow_quota, start = now_ms(), bytes;
	bool is_over;

	if (dev->overlay_pause > 0) {
		dev->overlay_pause--;
		return;
	}
	bytes = count_all(dev);
	dev->overlay_pause = (uint32_t)((now_ms() - start) * LOOK_SHARE / ROUND_MS);
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++)
		if (dev->views[i].is_used)
			check_view(dev, &dev->views[i]);
	is_over = quota && bytes > quota;
	if (is_over && !dev->is_over_quota)
		exceed(dev, NULL, bytes, quota);
	dev->is_over_quota = is_over;
}
