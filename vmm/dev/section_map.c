/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  A new view.  The order: what can be checked here, room
 * in the window, the broker's consent, the mapping; whatever fails undoes what
 * was before.
 */
#include "dev/section_impl.h"

#include <errno.h>

#define UNIT_MASK (WINDOW_UNIT_BYTES - 1)

/* The handle's rights first, then the section's protection. */
static struct section_answer check_rights(const struct vmsect_section *section, uint32_t protection)
{
	uint32_t rights = section_protection_rights(protection);
	uint32_t most = (uint32_t)vmsect_section_info(section)->protection;

	if ((vmsect_section_access(section) & rights) != rights)
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	if (!section_protection_is_legal(most) || !section_protection_fits(most, protection))
		return section_refuse(VMSECT_S_EACCES, VMSECT_D_NONE);
	return SECTION_OK;
}

/* Rounds up to pages of this size; false if that wraps. */
static bool round_up(uint64_t bytes, uint64_t page, uint64_t *ret_bytes)
{
	if (__builtin_add_overflow(bytes, page - 1, &bytes))
		return false;
	*ret_bytes = bytes & ~(page - 1);
	return true;
}

static bool is_growable(const struct section_place *place)
{
	return place->flags & VMSECT_VIEW_F_GROWABLE;
}

/* A growable view needs a section that can grow. */
static struct section_answer check_growth(const struct section_handle *handle,
					  const struct section_place *place)
{
	const struct vmsect_section_info *info = vmsect_section_info(handle->section);
	uint32_t most = (uint32_t)info->protection;

	if (!is_growable(place))
		return SECTION_OK;
	if (section_protection_mode(most) != WINDOW_READWRITE)
		return section_refuse(VMSECT_S_EACCES, VMSECT_D_NONE);
	if (info->backing != VMSECT_BACKING_FILE && info->max_bytes <= handle->size_bytes)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ATTR);
	return SECTION_OK;
}

/*
 * Fills in bytes: what is accessible, in whole pages.  A growable view may
 * reach past the section: it has what is there by now.  The broker checks again.
 */
static struct section_answer check_range(const struct section_handle *handle,
					 const struct section_place *place,
					 struct section_view *view)
{
	uint64_t length = place->length, left;

	if (place->offset & (view->page_bytes - 1))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ALIGNMENT);
	if (place->window_offset != WINDOW_ANY &&
	    (place->window_offset ^ place->offset) & UNIT_MASK)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ALIGNMENT);
	if (place->offset >= handle->size_bytes)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE);
	left = handle->size_bytes - place->offset;
	if (length > left && !is_growable(place))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE);
	if (length == 0 || length > left)
		length = left;
	if (!round_up(length, view->page_bytes, &view->bytes))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE);
	return SECTION_OK;
}

/* Fills in room: of a growable view what it was asked for, or what it can need. */
static struct section_answer check_room(const struct vmsect_section_info *info,
					const struct section_place *place,
					struct section_view *view)
{
	uint64_t room = place->room;

	view->room = view->bytes;
	if (!is_growable(place))
		return SECTION_OK;
	if (room == 0 && info->max_bytes > place->offset)
		room = info->max_bytes - place->offset;
	if (place->room == 0 && room < place->length)
		room = place->length;
	if (place->room == 0 && room < view->bytes)
		room = view->bytes;
	if (!round_up(room, view->page_bytes, &room) || room < view->bytes || room < place->length)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE);
	view->room = room;
	return SECTION_OK;
}

static struct section_answer take_room(struct section_view *view, uint64_t window_offset)
{
	switch (-window_reserve(view->window, window_offset, view->offset, view->room,
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

static struct section_answer map_window(struct section_dev *dev, const struct section_view *view,
					const struct vmsect_section *section)
{
	const struct window_map map = {
		.fd = vmsect_section_fd(section),
		.fd_offset = view->offset,
		.bytes = view->bytes,
		.page_bytes = view->page_bytes,
		.place = view->place,
		.room = view->room,
		.mode = section_protection_mode(view->protection),
		.execute = section_protection_executes(view->protection),
		.is_reserve = view->is_reserve,
	};
	struct section_answer answer =
		section_answer_window(window_map(view->window, &map, section_view_id(dev, view)));

	/* All that a request can get wrong was checked: what is left is the host's failure. */
	if (answer.status == VMSECT_S_EINVAL)
		return section_refuse(VMSECT_S_EIO, VMSECT_D_NONE);
	return answer;
}

/* The length is said, so that the broker and the window agree on it. */
static struct section_answer enroll(struct section_dev *dev, struct section_view *view,
				    const struct section_handle *handle,
				    const struct section_place *place)
{
	uint64_t left = handle->size_bytes - place->offset;
	const struct vmsect_map_options options = {
		.size = sizeof(options),
		.protection = (enum vmsect_protection)view->protection,
		.offset = place->offset,
		.length = place->length && place->length < left ? place->length : left,
		.flags = place->flags,
		.room = is_growable(place) ? view->room : 0,
		.commit = place->commit,
	};

	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	return section_answer_of(dev, vmsect_view_register(handle->section, &options, view->place,
							   &view->registered));
}

/* There is room at view->place. */
static struct section_answer enroll_and_map(struct section_dev *dev, struct section_view *view,
					    const struct section_handle *handle,
					    const struct section_place *place)
{
	struct section_answer answer;

	if (section_runs_init(&view->runs, view->bytes, view->protection) < 0)
		return section_refuse(VMSECT_S_ENOMEM, VMSECT_D_NONE);
	answer = enroll(dev, view, handle, place);
	if (answer.status == VMSECT_S_OK) {
		answer = map_window(dev, view, handle->section);
		if (answer.status != VMSECT_S_OK)
			view->registered = vmsect_view_unmap(view->registered);
	}
	if (answer.status != VMSECT_S_OK)
		section_runs_deinit(&view->runs);
	return answer;
}

static struct section_view *free_view(struct section_dev *dev)
{
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++)
		if (!dev->views[i].is_used)
			return &dev->views[i];
	return NULL;
}

/* What can be said without asking anyone; fills in bytes and room. */
static struct section_answer check(const struct section_handle *handle,
				   const struct section_place *place, struct section_view *view)
{
	struct section_answer answer = check_rights(handle->section, place->protection);

	if (answer.status == VMSECT_S_OK)
		answer = check_growth(handle, place);
	if (answer.status == VMSECT_S_OK)
		answer = check_range(handle, place, view);
	if (answer.status == VMSECT_S_OK)
		answer = check_room(vmsect_section_info(handle->section), place, view);
	return answer;
}

struct section_answer section_view_place(struct section_dev *dev, uint32_t handle,
					 const struct section_place *place, uint32_t *ret_view)
{
	struct section_view view = {
		.is_used = true,
		.window = place->window ? place->window : dev->env.window,
		.handle = handle,
		.protection = place->protection,
		.flags = place->flags,
		.offset = place->offset,
		.is_copying = section_protection_mode(place->protection) == WINDOW_WRITECOPY,
	};
	struct section_view *slot = free_view(dev);
	struct section_answer answer;
	const struct section_handle *through = section_handle_of(dev, handle, &answer);

	if (!through)
		return answer;
	view.section_id = through->section_id;
	view.is_reserve = vmsect_section_info(through->section)->flags & VMSECT_SECTION_RESERVE;
	view.page_bytes = UINT64_C(1) << (vmsect_section_info(through->section)->page_shift & 63);
	answer = check(through, place, &view);
	if (answer.status != VMSECT_S_OK)
		return answer;
	if (!slot)
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_VIEWS);
	answer = take_room(&view, place->window_offset);
	if (answer.status != VMSECT_S_OK)
		return answer;
	view.serial = ++dev->views_made;
	*slot = view;
	answer = enroll_and_map(dev, slot, through, place);
	if (answer.status != VMSECT_S_OK) {
		window_release(view.window, view.place);
		*slot = (struct section_view){ 0 };
		return answer;
	}
	*ret_view = section_view_id(dev, slot);
	return answer;
}
