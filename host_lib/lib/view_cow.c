/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private pages of a view: dropped, listed, published; and what else is done
 * to a view's pages without changing them: flush and prefetch.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/section_patch.h"
#include "lib/view.h"

int vmsect_view_reset(struct vmsect_view *view, uint64_t offset, uint64_t length)
{
	int r = view_check(view);

	if (!r)
		r = view_round(view, &offset, &length);
	if (r < 0)
		return r;
	r = mapping_reset(&view->mapping, offset, length);
	return r < 0 ? view_fail(view, r, "drop the view's private pages") : 0;
}

struct range_list {
	struct vmsect_range *ranges; /* owned */
	size_t count;
	size_t room;
};

static int range_push(struct range_list *list, uint64_t offset, uint64_t length)
{
	size_t room = list->room ? 2 * list->room : 16;
	struct vmsect_range *ranges = list->ranges;

	if (list->count == list->room) {
		ranges = reallocarray(ranges, room, sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		list->ranges = ranges;
		list->room = room;
	}
	ranges[list->count++] = (struct vmsect_range){ offset, length };
	return 0;
}

/* All private ranges; at least an array that can be freed. */
static int diff(const struct vmsect_view *view, struct range_list *ret_list)
{
	struct range_list list = { .ranges = calloc(1, sizeof(*list.ranges)), .room = 1 };
	uint64_t offset = 0, length;
	int r = list.ranges ? 1 : -ENOMEM;

	while (r > 0) {
		r = mapping_next_private(&view->mapping, offset, &offset, &length);
		if (r > 0 && range_push(&list, offset, length) < 0)
			r = -ENOMEM;
		offset += r > 0 ? length : 0;
	}
	if (r < 0)
		free(list.ranges);
	else
		*ret_list = list;
	return r;
}

int vmsect_view_diff(struct vmsect_view *view, struct vmsect_range **ret_list, size_t *ret_count)
{
	struct range_list list;
	int r = view_check(view);

	if (r < 0)
		return r;
	r = diff(view, &list);
	if (r < 0)
		return view_fail(view, r, "list the view's private pages");
	*ret_list = list.ranges;
	*ret_count = list.count;
	return 0;
}

/* Adds one private range of equal protection; what has no access is opened for reading meanwhile.
 */
static int patch_add_pages(struct patch *patch, const struct vmsect_view *view,
			   const struct mapping_run *run)
{
	unsigned char *start = view->address + run->offset;
	uint64_t offset = view->offset + run->offset;
	uint64_t length = run->length;
	bool closed = run->mode == MAPPING_NONE;
	int r = 0;

	/* The last page may be more than the section has. */
	if (length > view->section_bytes - offset)
		length = view->section_bytes - offset;
	if (closed)
		r = sys_result(mprotect(start, run->length, PROT_READ));
	if (!r)
		r = patch_add(patch, offset, length, start);
	if (closed && mprotect(start, run->length, PROT_NONE) < 0 && !r)
		r = -errno;
	return r;
}

/* Cuts a private range where the mode changes; `patch` NULL: only counts. */
static int range_add(struct patch *patch, const struct vmsect_view *view,
		     const struct vmsect_range *range, size_t *count)
{
	uint64_t offset = range->offset, end = range->offset + range->length, stop;
	int r = 0;

	while (!r && offset < end && view->offset + offset < view->section_bytes) {
		struct mapping_run run = mapping_run_at(&view->mapping, offset);

		stop = run.offset + run.length < end ? run.offset + run.length : end;
		run.offset = offset;
		run.length = stop - offset;
		(*count)++;
		if (patch)
			r = patch_add_pages(patch, view, &run);
		offset = stop;
	}
	return r;
}

static int patch_of(struct patch *patch, const struct vmsect_view *view,
		    const struct range_list *list)
{
	size_t i, count = 0;
	int r;

	for (i = 0; i < list->count; i++)
		(void)range_add(NULL, view, &list->ranges[i], &count);
	r = patch_init(patch, count);
	for (i = 0; i < list->count && !r; i++)
		r = range_add(patch, view, &list->ranges[i], &count);
	return r;
}

/* Publishes the listed pages, and drops just those. */
static int publish(struct vmsect_view *view, struct vmsect_section *section,
		   const struct range_list *list)
{
	AUTO(patch_deinit) struct patch patch = { .fd = -1 };
	size_t i;
	int r;

	r = patch_of(&patch, view, list);
	if (r < 0)
		return view_fail(view, r, "copy the view's private pages");
	r = patch_publish(&patch, section, NULL);
	/* The view may have been revoked meanwhile; then its pages have gone. */
	for (i = 0; i < list->count && !r && view->is_mapped; i++)
		r = mapping_reset(&view->mapping, list->ranges[i].offset, list->ranges[i].length);
	return r;
}

static int check_publish(struct vmsect_view *view, struct vmsect_section *section)
{
	struct vmsect_client *client = view->object.client;
	int r = view_check(view);

	if (!r)
		r = object_check(&section->object);
	if (r < 0)
		return r;
	if (section->object.client != client ||
	    section->object.section_id != view->object.section_id)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_HANDLE,
				   "the handle is of another section than the view");
	if (!(section->access & VMSECT_ACCESS_WRITE))
		return client_fail(client, -EPERM, VMSECT_DETAIL_ACCESS,
				   "the handle has no write access");
	return 0;
}

int vmsect_view_publish(struct vmsect_view *view, struct vmsect_section *section)
{
	struct range_list list;
	int r = check_publish(view, section);

	if (r < 0)
		return r;
	r = diff(view, &list);
	if (r < 0)
		return view_fail(view, r, "list the view's private pages");
	r = list.count ? publish(view, section, &list) : 0;
	free(list.ranges);
	return r;
}

int vmsect_view_flush(struct vmsect_view *view, uint64_t offset, uint64_t length, uint32_t flags,
		      struct vmsect_range *ret_flushed)
{
	struct vmsect_req_flush flush = {
		.view = view->object.id,
		.flags = flags,
		.offset = offset,
		.length = length,
	};
	struct client_request request = { VMSECT_OP_FLUSH, &flush.hdr, sizeof(flush), NULL, 0 };
	int r = client_call_simple_on(&view->object, &request);

	if (!r)
		r = view_round(view, &offset, &length);
	if (!r && ret_flushed)
		*ret_flushed = (struct vmsect_range){ offset, length };
	return r;
}

/*
 * WILLNEED starts reading and maps nothing: so it copies nothing, takes no huge
 * page and commits no page.  It is a hint: what the kernel says to it is not
 * looked at.
 */
int vmsect_view_prefetch(struct vmsect_view *view, uint64_t offset, uint64_t length)
{
	int r = view_check(view);

	if (!r)
		r = view_round(view, &offset, &length);
	if (!r)
		(void)madvise(view->address + offset, length, MADV_WILLNEED);
	return r;
}
