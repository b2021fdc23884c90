/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Views.  The order for a new one: room in the window,
 * the broker's consent, the mapping; whatever fails undoes what was before.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>

#define UNIT_MASK (WINDOW_UNIT_BYTES - 1)

static bool is_writable(enum vmsect_protection protection)
{
	return protection == VMSECT_PROT_READWRITE || protection == VMSECT_PROT_EXECUTE_READWRITE;
}

static bool is_readable(enum vmsect_protection protection)
{
	return protection != VMSECT_PROT_NOACCESS && protection != VMSECT_PROT_EXECUTE;
}

/* The handle's right first, then the section's protection. */
static struct section_answer check_rights(const struct vmsect_section *section, uint32_t protection)
{
	bool wants_write = protection == VMSECT_DEV_PROT_READWRITE;
	uint32_t right = wants_write ? VMSECT_ACCESS_WRITE : VMSECT_ACCESS_READ;
	enum vmsect_protection most = vmsect_section_info(section)->protection;
	bool allowed = protection == VMSECT_DEV_PROT_NOACCESS ||
		       (wants_write ? is_writable(most) : is_readable(most));

	if (!(vmsect_section_access(section) & right))
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	return allowed ? SECTION_OK : section_refuse(VMSECT_S_EACCES, VMSECT_D_NONE);
}

/*
 * Fills in bytes: what is accessible, in whole pages.  The size is the one
 * that the section had at open; the broker checks against what it is now.
 */
static struct section_answer check_range(const struct vmsect_section_info *info,
					 const struct section_place *place, uint64_t *ret_bytes)
{
	uint64_t page = UINT64_C(1) << (info->page_shift & 63), length = place->length, bytes;

	if (place->offset & (page - 1))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ALIGNMENT);
	if (place->window_offset != WINDOW_ANY &&
	    (place->window_offset ^ place->offset) & UNIT_MASK)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ALIGNMENT);
	if (place->offset >= info->size_bytes || length > info->size_bytes - place->offset)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE);
	if (length == 0)
		length = info->size_bytes - place->offset;
	if (__builtin_add_overflow(length, page - 1, &bytes))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE);
	*ret_bytes = bytes & ~(page - 1);
	return SECTION_OK;
}

static struct section_answer take_room(struct section_dev *dev, struct section_view *view,
				       uint64_t window_offset)
{
	switch (-window_reserve(dev->env.window, window_offset, view->offset, view->bytes,
				&view->place)) {
	case 0:
		return SECTION_OK;
	case EINVAL:
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_WINDOW);
	case EEXIST:
		return section_refuse(VMSECT_S_EEXIST, VMSECT_D_NONE);
	case ENOSPC:
		return section_refuse(VMSECT_S_ENOSPC, VMSECT_D_NONE);
	default:
		return section_refuse(VMSECT_S_ENOMEM, VMSECT_D_NONE);
	}
}

static enum window_mode mode_of(uint32_t protection)
{
	switch (protection) {
	case VMSECT_DEV_PROT_READONLY:
		return WINDOW_READONLY;
	case VMSECT_DEV_PROT_READWRITE:
		return WINDOW_READWRITE;
	case VMSECT_DEV_PROT_WRITECOPY:
		return WINDOW_WRITECOPY;
	default:
		return WINDOW_NOACCESS;
	}
}

static struct section_answer map_window(struct section_dev *dev, const struct section_view *view,
					const struct vmsect_section *section)
{
	const struct window_map map = {
		.fd = vmsect_section_fd(section),
		.fd_offset = view->offset,
		.bytes = view->bytes,
		.page_bytes = UINT64_C(1) << (vmsect_section_info(section)->page_shift & 63),
		.place = view->place,
		.mode = mode_of(view->protection),
	};
	int result = window_map(dev->env.window, &map, (uint32_t)(view - dev->views) + 1);

	/* The host's slots are a limit on views; all else is the host's failure. */
	if (result == -ENOSPC)
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_VIEWS);
	if (result == -ENOMEM || result == -EMFILE || result == -ENFILE)
		return section_refuse(VMSECT_S_ENOMEM, VMSECT_D_NONE);
	return result < 0 ? section_refuse(VMSECT_S_EIO, VMSECT_D_NONE) : SECTION_OK;
}

/* There is room at view->place. */
static struct section_answer register_and_map(struct section_dev *dev, struct section_view *view,
					      struct vmsect_section *section, uint64_t length)
{
	const struct vmsect_map_options options = {
		.size = sizeof(options),
		.protection = (enum vmsect_protection)view->protection,
		.offset = view->offset,
		.length = length,
	};
	struct section_answer answer = section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);

	if (!dev->broker_gone)
		answer = section_answer_of(dev, vmsect_view_register(section, &options, view->place,
								     &view->registered));
	if (answer.status == VMSECT_S_EINVAL)
		answer.detail = VMSECT_D_VIEW_SIZE; /* all else was checked here */
	if (answer.status != VMSECT_S_OK)
		return answer;
	answer = map_window(dev, view, section);
	if (answer.status != VMSECT_S_OK)
		view->registered = vmsect_view_unmap(view->registered);
	return answer;
}

static struct section_view *free_view(struct section_dev *dev)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++)
		if (!dev->views[i].is_used)
			return &dev->views[i];
	return NULL;
}

struct section_answer section_view_place(struct section_dev *dev, uint32_t handle,
					 const struct section_place *place, uint32_t *ret_view)
{
	struct section_handle *through = section_handle_of(dev, handle);
	struct section_view view = {
		.is_used = true,
		.handle = handle,
		.protection = place->protection,
		.offset = place->offset,
	};
	struct section_view *free_slot = free_view(dev);
	struct section_answer answer;

	if (!through)
		return section_refuse(VMSECT_S_EBADF, VMSECT_D_NONE);
	answer = check_rights(through->section, place->protection);
	if (answer.status == VMSECT_S_OK)
		answer = check_range(vmsect_section_info(through->section), place, &view.bytes);
	if (answer.status != VMSECT_S_OK)
		return answer;
	if (!free_slot)
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_VIEWS);
	answer = take_room(dev, &view, place->window_offset);
	if (answer.status != VMSECT_S_OK)
		return answer;
	*free_slot = view;
	answer = register_and_map(dev, free_slot, through->section, place->length);
	if (answer.status != VMSECT_S_OK) {
		window_release(dev->env.window, view.place);
		*free_slot = (struct section_view){ 0 };
		return answer;
	}
	*ret_view = (uint32_t)(free_slot - dev->views) + 1;
	return answer;
}

void section_view_describe(struct section_dev *dev, uint32_t id, struct vmsect_dev_view *ret_view)
{
	const struct section_view *view = &dev->views[id - 1];

	*ret_view = (struct vmsect_dev_view){
		.view = htole32(id),
		.handle = htole32(view->handle),
		.protection = htole32(view->protection),
		.cache = htole32(VMSECT_DEV_CACHE_WRITE_BACK),
		.window_offset = htole64(view->place),
		.offset = htole64(view->offset),
		.length = htole64(view->bytes),
		.denied_writes = htole64(window_denied_writes(dev->env.window, view->place)),
	};
}

struct section_answer section_map(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_map *request = call->request;
	struct vmsect_rsp_map *reply = (struct vmsect_rsp_map *)(void *)call->reply;
	const struct section_place place = {
		.protection = le32toh(request->protection),
		.offset = le64toh(request->offset),
		.length = le64toh(request->length),
		.window_offset = le64toh(request->window_offset),
	};
	struct section_answer answer;
	uint32_t id;

	if (place.protection < VMSECT_DEV_PROT_NOACCESS ||
	    place.protection > VMSECT_DEV_PROT_EXECUTE_WRITECOPY)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_PROTECTION);
	if (place.protection >= VMSECT_DEV_PROT_EXECUTE)
		return section_refuse(VMSECT_S_EOPNOTSUPP, VMSECT_D_NONE);
	answer = section_view_place(dev, le32toh(request->handle), &place, &id);
	if (answer.status == VMSECT_S_OK)
		section_view_describe(dev, id, &reply->view);
	return answer;
}

static void report(struct section_dev *dev, struct section_view *view)
{
	uint64_t denied = window_denied_writes(dev->env.window, view->place);
	int result;

	if (dev->broker_gone || !view->registered || denied == view->reported_writes)
		return;
	result = vmsect_view_report(view->registered, denied);
	if (result == 0)
		view->reported_writes = denied;
	else
		(void)section_answer_of(dev, result);
}

static void drop(struct section_dev *dev, struct section_view *view)
{
	report(dev, view);
	window_unmap(dev->env.window, view->place);
	view->registered = vmsect_view_unmap(view->registered);
	*view = (struct section_view){ 0 };
}

static struct section_view *view_of(struct section_dev *dev, uint32_t id)
{
	if (id == 0 || id > SECTION_VIEWS_MAX || !dev->views[id - 1].is_used)
		return NULL;
	return &dev->views[id - 1];
}

struct section_answer section_unmap(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_unmap *request = call->request;
	struct section_view *view = view_of(dev, le32toh(request->view));

	if (!view)
		return section_refuse(VMSECT_S_ENXIO, VMSECT_D_NONE);
	if (view->is_attachment)
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_ATTACHMENT);
	drop(dev, view);
	return SECTION_OK;
}

struct section_answer section_query_view(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_query_view *request = call->request;
	struct vmsect_rsp_query_view *reply = (struct vmsect_rsp_query_view *)(void *)call->reply;
	uint32_t id = le32toh(request->view);

	if (!view_of(dev, id))
		return section_refuse(VMSECT_S_ENXIO, VMSECT_D_NONE);
	section_view_describe(dev, id, &reply->view);
	return SECTION_OK;
}

void section_views_orphan(struct section_dev *dev, uint32_t handle)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++)
		if (dev->views[i].handle == handle)
			dev->views[i].handle = 0;
}

void section_views_drop(struct section_dev *dev, bool all)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++) {
		struct section_view *view = &dev->views[i];

		if (view->is_used && (all || !view->is_attachment))
			drop(dev, view);
	}
}

void section_views_report(struct section_dev *dev)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++)
		if (dev->views[i].is_used)
			report(dev, &dev->views[i]);
}
