/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  PUBLISH: the private pages of a view are copied out of
 * the window and handed to the broker, which writes all of them or none; when
 * it has, exactly these are dropped.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#define BATCH 64u
/* Copied for all that is pending: a guest's request costs the host as much again. */
#define BYTES_MAX (UINT64_C(1) << 30)

struct section_publish {
	uint32_t view;
	uint64_t serial; /* of the view: its number may be another's by then */
	struct window_range *ranges; /* of the view; owned */
	size_t count;
	uint64_t bytes; /* of the ranges */
};

void section_publish_free(struct section_dev *dev, struct section_publish *publish)
{
	if (!publish)
		return;
	dev->publish_bytes -= publish->bytes;
	free(publish->ranges);
	free(publish);
}

void section_publish_done(struct section_dev *dev, const struct section_publish *publish)
{
	const struct section_view *view = &dev->views[publish->view - 1];

	if (!view->is_used || view->is_revoked || view->serial != publish->serial)
		return;
	for (size_t i = 0; i < publish->count; i++)
		(void)window_reset(view->window, view->place, &publish->ranges[i]);
}

static int add_ranges(struct section_dev *dev, struct section_publish *publish,
		      const struct window_range *ranges, size_t count)
{
	struct window_range *more =
		reallocarray(publish->ranges, publish->count + count, sizeof(*more));

	if (!more)
		return -ENOMEM;
	publish->ranges = more;
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].bytes > BYTES_MAX - dev->publish_bytes)
			return -EDQUOT;
		more[publish->count++] = ranges[i];
		publish->bytes += ranges[i].bytes;
		dev->publish_bytes += ranges[i].bytes;
	}
	return 0;
}

/* All private ranges of the view. */
static int find(struct section_dev *dev, const struct section_view *view,
		struct section_publish *publish)
{
	struct window_range ranges[BATCH];
	uint64_t after = 0;
	int found, result;

	do {
		found = window_diff(view->window, view->place, after, ranges, BATCH);
		if (found <= 0)
			return found;
		result = add_ranges(dev, publish, ranges, (size_t)found);
		if (result < 0)
			return result;
		after = ranges[found - 1].offset + ranges[found - 1].bytes;
	} while ((uint32_t)found == BATCH && after < view->bytes);
	return 0;
}

/* A private copy of the ranges, one after another; what of them the section has. */
static int copy(const struct section_view *view, const struct section_publish *publish,
		uint8_t *bytes)
{
	for (size_t i = 0; i < publish->count; i++) {
		const struct window_range *range = &publish->ranges[i];
		int result =
			window_read(view->window, view->place, range->offset, bytes, range->bytes);

		if (result < 0)
			return result;
		bytes += range->bytes;
	}
	return 0;
}

static int hand_over(const struct section_handle *handle, const struct section_view *view,
		     const struct section_publish *publish, const uint8_t *bytes,
		     uint64_t *ret_ticket)
{
	struct vmsect_patch *patches = calloc(publish->count, sizeof(*patches));
	int result;

	if (!patches)
		return -ENOMEM;
	for (size_t i = 0; i < publish->count; i++) {
		const struct window_range *range = &publish->ranges[i];
		uint64_t offset = view->offset + range->offset;
		uint64_t left = handle->size_bytes - offset;

		/* The section's last page may not be full. */
		patches[i] = (struct vmsect_patch){
			.offset = offset,
			.length = range->bytes < left ? range->bytes : left,
			.bytes = bytes,
		};
		bytes += range->bytes;
	}
	result = vmsect_section_publish(handle->section, patches, publish->count, ret_ticket);
	free(patches);
	return result;
}

/* Everything up to the ticket; on failure the caller frees `publish`. */
static int start(const struct section_handle *handle, const struct section_view *view,
		 struct section_publish *publish, uint64_t *ret_ticket)
{
	uint8_t *bytes;
	int result;

	bytes = malloc(publish->bytes);
	if (!bytes)
		return -ENOMEM;
	result = copy(view, publish, bytes);
	if (result == 0)
		result = hand_over(handle, view, publish, bytes, ret_ticket);
	free(bytes);
	return result;
}

static struct section_answer publish_view(struct section_dev *dev, struct section_call *call,
					  const struct section_handle *handle,
					  const struct section_view *view)
{
	struct section_publish *publish = calloc(1, sizeof(*publish));
	struct section_answer answer;
	uint64_t ticket = 0;
	int result;

	if (!publish)
		return section_refuse(VMSECT_S_ENOMEM, VMSECT_D_NONE);
	publish->view = section_view_id(dev, view);
	publish->serial = view->serial;
	result = find(dev, view, publish);
	answer = section_answer_errno(result);
	/* Nothing to publish is published at once. */
	if (result == 0 && publish->count) {
		result = start(handle, view, publish, &ticket);
		answer = section_answer_errno(result);
		if (result == 0) {
			section_pending_add(dev, call, ticket, publish);
			return SECTION_OK;
		}
	}
	section_publish_free(dev, publish);
	return answer;
}

struct section_answer section_publish(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_publish *request = call->request;
	const struct section_handle *handle;
	const struct section_view *view;
	struct section_answer answer;

	view = section_view_of(dev, le32toh(request->view), &answer);
	if (!view)
		return answer;
	handle = section_handle_of(dev, le32toh(request->handle), &answer);
	if (!handle)
		return answer;
	if (!(vmsect_section_access(handle->section) & VMSECT_ACCESS_WRITE))
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	if (handle->section_id != view->section_id)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_HANDLE);
	if (!section_pending_has_room(dev))
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_PENDING);
	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	return publish_view(dev, call, handle, view);
}
