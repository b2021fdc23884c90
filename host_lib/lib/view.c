/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Views: of this process (mapped here) and of a VM (registered only).
 *
 * The broker is asked before anything is mapped, and it wants to know where.
 * So the range of addresses is reserved first; the section then takes the
 * reservation's place.  What the broker refuses is told before a place that is
 * taken or not aligned.  Addresses stay reserved until the view is unmapped:
 * nothing of another thread ever lands in a view, not even in one that was
 * revoked, or in the room of one that grows.
 *
 * A view is unmapped before the broker hears of it: what the broker lists is
 * never less than what there is.
 */
#include "lib/view.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/options.h"
#include "lib/view_place.h"

#define PLACE_ATTEMPTS 4

#define VIEW_E_AGAIN                                                                               \
	1 /* outcome of one attempt: the section has grown, more addresses are needed */

/* Rounded up to the section's page; what would wrap stays, and is refused. */
static uint64_t round_to_page(const struct vmsect_section *section, uint64_t length)
{
	uint64_t page = section_page(section);
	uint64_t rounded;

	if (__builtin_add_overflow(length, page - 1, &rounded))
		return length;
	return rounded & ~(page - 1);
}

/*
 * How many bytes of addresses the view will need, as far as is known here.
 * What does not fit the section as it was last heard of will be refused, or it
 * has grown: a page is enough to hear which.
 */
static uint64_t length_guess(const struct vmsect_section *section,
			     const struct vmsect_map_options *options)
{
	uint64_t size = section->size_bytes;
	uint64_t rest = options->offset < size ? size - options->offset : 0;
	uint64_t length = options->length ? options->length : rest;

	if (!length || length > rest)
		return section_page(section);
	return round_to_page(section, length);
}

/* Bytes of addresses that a growable view keeps: all that the section can ever have. */
static uint64_t room_guess(const struct vmsect_section *section,
			   const struct vmsect_map_options *options)
{
	uint64_t end = section->size_bytes;
	uint64_t room;

	if (options->room)
		return round_to_page(section, options->room);
	if (section->info.max_bytes > end)
		end = section->info.max_bytes;
	room = options->offset < end ? end - options->offset : 1;
	return round_to_page(section, room > options->length ? room : options->length);
}

/* Asks the broker for the view.  0 and its id and length, or an error. */
static int map_call(struct vmsect_section *section, const struct vmsect_map_options *options,
		    uint64_t place, struct vmsect_rep_map *ret_reply)
{
	struct vmsect_req_map map = {
		.handle = (uint32_t)section->object.id,
		.protection = options->protection,
		.offset = options->offset,
		.length = options->length,
		.place = place,
		.room = options->room,
		.commit = options->commit,
		.flags = options->flags,
	};
	struct client_request request = { VMSECT_OP_MAP, &map.hdr, sizeof(map), NULL, 0 };
	struct vmsect_rep_map data;
	struct client_reply reply = { .data = &data, .size = sizeof(data) };
	bool grows = options->flags & VMSECT_VIEW_GROWABLE;
	uint64_t end;
	int r;

	r = client_call_on(&section->object, &request, &reply);
	if (r < 0)
		return r;
	if (!protection_is_legal(options->protection) || !data.view || !data.length ||
	    data.length & (section_page(section) - 1) ||
	    __builtin_add_overflow(options->offset, data.length, &end) || end > INT64_MAX ||
	    (grows && data.length > options->room) ||
	    (!grows && options->length && data.length != round_to_page(section, options->length)))
		return client_break_protocol(section->object.client, "a view that is none");
	*ret_reply = data;
	return 0;
}

/* The view grows in place; if the kernel has no memory it stays as long as it is. */
static void view_resized(struct client_object *object, uint64_t size_bytes)
{
	struct vmsect_view *view = (struct vmsect_view *)object;
	uint64_t length;

	view->section_bytes = size_bytes;
	if (!(view->flags & VMSECT_VIEW_GROWABLE) || size_bytes <= view->offset ||
	    size_bytes > INT64_MAX)
		return;
	length = (size_bytes - view->offset + view->page - 1) & ~(view->page - 1);
	if (length > view->room)
		length = view->room;
	if (length <= view->length || (view->is_mapped && mapping_grow(&view->mapping, length) < 0))
		return;
	view->length = length;
}

/* Its pages go, private ones too, and its file; its addresses stay taken. */
static void view_revoke(struct client_object *object)
{
	struct vmsect_view *view = (struct vmsect_view *)object;
	bool restored;

	if (!view->is_mapped)
		return;
	view->is_mapped = false;
	restored = mapping_deinit(&view->mapping);
	object->file = section_file_unref(object->file);
	if (restored)
		return;
	/* No memory for even a mapping without access: then the addresses go, too. */
	(void)munmap(view->address, view->address_bytes);
	view->address_bytes = 0;
}

static const struct client_object_ops mapped_ops = {
	.resized = view_resized,
	.revoke = view_revoke,
};
static const struct client_object_ops registered_ops = { .resized = view_resized };

/* The broker has the view from now on: the client lists it. */
static void view_enter(struct vmsect_view *view, const struct vmsect_section *section,
		       const struct vmsect_map_options *options, const struct vmsect_rep_map *reply)
{
	view->object.id = reply->view;
	view->object.section_id = section->object.section_id;
	view->object.file = section_file_ref(section->object.file);
	view->offset = options->offset;
	view->length = reply->length;
	view->room = options->room;
	view->page = section_page(section);
	view->section_bytes = section->size_bytes;
	view->protection = options->protection;
	view->flags = options->flags;
	object_add(&view->object);
}

/* Tells the broker that it has gone. */
static void view_leave(struct vmsect_view *view)
{
	struct vmsect_req_unmap unmap = { .view = view->object.id };
	struct client_request request = { VMSECT_OP_UNMAP, &unmap.hdr, sizeof(unmap), NULL, 0 };

	client_release(&view->object, &request);
	object_remove(&view->object);
}

static int view_begin(struct vmsect_view *view, const struct vmsect_section *section,
		      const struct view_place *place)
{
	const struct mapping_spec spec = {
		.start = place->start,
		.room = place->bytes,
		.length = view->length,
		.page_bytes = view->page,
		.fd = view->object.file ? view->object.file->fd : -1,
		.fd_offset = view->offset,
		.mode = protection_mode(view->protection),
		.execute = protection_executes(view->protection),
		.tag = view->protection,
		.reserve = section->info.flags & VMSECT_SECTION_RESERVE,
	};
	int r = mapping_init(&view->mapping, &spec);

	if (r == -EOPNOTSUPP)
		return client_fail(view->object.client, r, VMSECT_DETAIL_NONE,
				   "views of a RESERVE section need userfaultfd, which this "
				   "kernel does not give");
	if (r < 0)
		return view_fail(view, r, "map the view");
	view->address = place->start;
	view->address_bytes = place->bytes;
	view->is_mapped = true;
	return 0;
}

static int place_fail(struct vmsect_client *client, int r)
{
	if (r == -EINVAL)
		return client_fail(client, r, VMSECT_DETAIL_ALIGNMENT,
				   "the wanted address is no multiple of the section's page");
	if (r == -EEXIST)
		return client_fail(client, r, VMSECT_DETAIL_RANGE,
				   "something is at the wanted address");
	return client_fail(client, r, VMSECT_DETAIL_NONE, "no addresses for the view");
}

/* The broker has agreed, and has the view: maps it into the place, or takes it back. */
static int view_settle(struct vmsect_view *view, const struct vmsect_section *section,
		       struct view_place *place, int place_r)
{
	int r;

	if (place_r < 0)
		r = place_fail(view->object.client, place_r);
	else if (view->length > place->bytes)
		r = VIEW_E_AGAIN;
	else
		r = 0;
	if (!r) {
		if (!(view->flags & VMSECT_VIEW_GROWABLE))
			view_place_trim(place, view->length);
		r = view_begin(view, section, place);
	}
	if (r)
		view_leave(view);
	return r;
}

/* One attempt, with so many bytes of addresses; afterwards *bytes is what it needs. */
static int view_try(struct vmsect_view *view, struct vmsect_section *section,
		    const struct vmsect_map_options *options, uint64_t *bytes)
{
	struct view_place place = {
		.wanted = options->address,
		.page = section_page(section),
		.offset = options->offset,
	};
	int place_r = view_place_take(&place, *bytes);
	struct vmsect_rep_map reply = { 0 };
	int r;

	r = map_call(section, options, (uintptr_t)(place.start ? place.start : options->address),
		     &reply);
	if (!r) {
		view_enter(view, section, options, &reply);
		*bytes = reply.length;
		r = view_settle(view, section, &place, place_r);
	}
	if (r)
		view_place_give_back(&place);
	return r;
}

static int view_map(struct vmsect_view *view, struct vmsect_section *section,
		    const struct vmsect_map_options *options)
{
	uint64_t bytes = options->room ? options->room : length_guess(section, options);
	int attempt, r;

	for (attempt = 0; attempt < PLACE_ATTEMPTS; attempt++) {
		r = view_try(view, section, options, &bytes);
		if (r != VIEW_E_AGAIN)
			return r;
	}
	return client_fail(view->object.client, -ENOMEM, VMSECT_DETAIL_NONE,
			   "the section grows faster than it can be mapped");
}

static int map_options_copy(struct vmsect_section *section,
			    const struct vmsect_map_options *user_options,
			    struct vmsect_map_options *options)
{
	if (options_copy(options, sizeof(*options), user_options) < 0)
		return client_fail(section->object.client, -EINVAL, VMSECT_DETAIL_FORMAT,
				   "the options have a size that is not theirs");
	if (options->flags & VMSECT_VIEW_GROWABLE)
		options->room = room_guess(section, options);
	return 0;
}

/* An empty view of the section's client, or NULL. */
static struct vmsect_view *view_new(struct vmsect_section *section,
				    const struct client_object_ops *ops)
{
	struct vmsect_view *view = calloc(1, sizeof(*view));

	if (!view) {
		client_fail(section->object.client, -ENOMEM, VMSECT_DETAIL_NONE, "no memory");
		return NULL;
	}
	view->object.client = section->object.client;
	view->object.kind = OBJECT_VIEW;
	view->object.ops = ops;
	return view;
}

int vmsect_view_map(struct vmsect_section *section, const struct vmsect_map_options *user_options,
		    struct vmsect_view **ret_view)
{
	struct vmsect_map_options options;
	struct vmsect_view *view;
	int r;

	r = map_options_copy(section, user_options, &options);
	if (r < 0)
		return r;
	view = view_new(section, &mapped_ops);
	if (!view)
		return -ENOMEM;
	r = view_map(view, section, &options);
	if (r < 0) {
		free(view);
		return r;
	}
	*ret_view = view;
	return 0;
}

int vmsect_view_register(struct vmsect_section *section,
			 const struct vmsect_map_options *user_options, uint64_t place,
			 struct vmsect_view **ret_view)
{
	struct vmsect_map_options options;
	struct vmsect_rep_map reply = { 0 };
	struct vmsect_view *view;
	int r;

	r = map_options_copy(section, user_options, &options);
	if (r < 0)
		return r;
	view = view_new(section, &registered_ops);
	if (!view)
		return -ENOMEM;
	r = map_call(section, &options, place, &reply);
	if (r < 0) {
		free(view);
		return r;
	}
	view_enter(view, section, &options, &reply);
	*ret_view = view;
	return 0;
}

struct vmsect_view *vmsect_view_unmap(struct vmsect_view *view)
{
	if (!view)
		return NULL;
	view_revoke(&view->object);
	if (view->address_bytes)
		(void)munmap(view->address, view->address_bytes);
	view_leave(view);
	free(view);
	return NULL;
}
