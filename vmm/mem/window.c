/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See window.h.  The host range is one reservation (PROT_NONE,
 * MAP_NORESERVE), into which views are mapped with MAP_FIXED and from which
 * nothing is ever unmapped: so no other mapping of the process can land under
 * a slot.
 */
#include "mem/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "kvm/vm.h"
#include "mem/window_impl.h"

#define UNIT_MASK (WINDOW_UNIT_BYTES - 1)
#define ALIGN_MAX (UINT64_C(1) << 30)
#define BYTES_MAX (UINT64_C(1) << 46)
#define PAGE_BYTES_MIN 4096

/* Address space only; aligned so that 1 GiB pages could agree too. */
static uint8_t *reserve_hva(uint64_t bytes)
{
	uint64_t align = bytes < ALIGN_MAX ? bytes : ALIGN_MAX, lead;
	uint8_t *start = mmap(NULL, bytes + align, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	lead = -(uintptr_t)start & (align - 1);
	if (lead)
		(void)munmap(start, lead);
	(void)munmap(start + lead + bytes, align - lead);
	return start + lead;
}

int window_new(struct vm *vm, uint64_t bytes, struct window **ret_window)
{
	struct window *window;
	int result;

	if (bytes < WINDOW_UNIT_BYTES || bytes > BYTES_MAX || (bytes & (bytes - 1)))
		return -EINVAL;
	window = calloc(1, sizeof(*window));
	if (!window)
		return -ENOMEM;
	window->vm = vm;
	window->bytes = bytes;
	window->base_gpa = WINDOW_NOWHERE;
	TAILQ_INIT(&window->changes);
	LIST_INIT(&window->files);
	room_init(&window->room, (uint32_t)(bytes >> WINDOW_UNIT_SHIFT));
	window->hva = reserve_hva(bytes);
	result = window->hva ? -pthread_mutex_init(&window->lock, NULL) : -ENOMEM;
	if (result < 0) {
		if (window->hva)
			(void)munmap(window->hva, bytes);
		free(window);
		return result;
	}
	*ret_window = window;
	return 0;
}

uint64_t window_bytes(const struct window *window)
{
	return window->bytes;
}

/* The index of the first view that ends after `offset`. */
static size_t view_search(const struct window *window, uint64_t offset)
{
	size_t low = 0, high = window->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct window_view *view = window->views[middle];

		if (view->place + view->bytes <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct window_view *window_view_at(const struct window *window, uint64_t offset)
{
	size_t at = view_search(window, offset);

	return at < window->count && window->views[at]->place <= offset ? window->views[at] : NULL;
}

static struct window_view *view_placed(const struct window *window, uint64_t place)
{
	struct window_view *view = window_view_at(window, place);

	return view && view->place == place ? view : NULL;
}

static int view_add_slot(struct window *window, struct window_view *view)
{
	const struct vm_slot slot = {
		.gpa = window->base_gpa + view->place,
		.hva = window->hva + view->place,
		.bytes = view->bytes,
		.read_only = view->mode == WINDOW_READONLY,
	};
	int result;

	if (!window->vm || window->base_gpa == WINDOW_NOWHERE || view->mode == WINDOW_NOACCESS)
		return 0;
	result = vm_slot_add(window->vm, &slot, &view->slot);
	view->has_slot = result == 0;
	return result;
}

static void view_del_slot(struct window *window, struct window_view *view)
{
	if (view->has_slot)
		vm_slot_del(window->vm, view->slot);
	view->has_slot = false;
}

int window_set_base(struct window *window, uint64_t gpa)
{
	int result = 0;

	pthread_mutex_lock(&window->lock);
	for (size_t i = 0; i < window->count; i++)
		view_del_slot(window, window->views[i]);
	window->base_gpa = gpa;
	for (size_t i = 0; i < window->count && result == 0; i++)
		result = view_add_slot(window, window->views[i]);
	if (result < 0) {
		for (size_t i = 0; i < window->count; i++)
			view_del_slot(window, window->views[i]);
		window->base_gpa = WINDOW_NOWHERE;
	}
	pthread_mutex_unlock(&window->lock);
	return result;
}

/* The whole units that a view at this place owns; false if it cannot be there. */
static bool view_units(const struct window *window, uint64_t place, uint64_t bytes,
		       uint32_t *ret_start, uint32_t *ret_units)
{
	uint64_t end;

	if (bytes == 0 || __builtin_add_overflow(place, bytes, &end) || end > window->bytes)
		return false;
	*ret_start = (uint32_t)(place >> WINDOW_UNIT_SHIFT);
	*ret_units = (uint32_t)((end - 1) >> WINDOW_UNIT_SHIFT) - *ret_start + 1;
	return true;
}

int window_reserve(struct window *window, uint64_t place, uint64_t offset, uint64_t bytes,
		   uint64_t *ret_place)
{
	uint64_t lead = offset & UNIT_MASK;
	uint32_t start, units;
	int result;

	if (place == WINDOW_ANY) {
		/* As if at the start: more than fits there fits nowhere. */
		if (bytes == 0)
			return -EINVAL;
		if (!view_units(window, lead, bytes, &start, &units))
			return -ENOSPC;
	} else if ((place & UNIT_MASK) != lead ||
		   !view_units(window, place, bytes, &start, &units)) {
		return -EINVAL;
	}
	pthread_mutex_lock(&window->lock);
	result = place == WINDOW_ANY ? room_take_any(&window->room, units, &start)
				     : room_take(&window->room, start, units);
	pthread_mutex_unlock(&window->lock);
	if (result == 0)
		*ret_place = ((uint64_t)start << WINDOW_UNIT_SHIFT) + lead;
	return result;
}

void window_release(struct window *window, uint64_t place)
{
	pthread_mutex_lock(&window->lock);
	if (!view_placed(window, place))
		room_give(&window->room, (uint32_t)(place >> WINDOW_UNIT_SHIFT));
	pthread_mutex_unlock(&window->lock);
}

static int views_grow(struct window *window)
{
	size_t space = window->space ? window->space * 2 : 16;
	struct window_view **views;

	if (window->count < window->space)
		return 0;
	views = reallocarray(window->views, space, sizeof(struct window_view *));
	if (!views)
		return -ENOMEM;
	window->views = views;
	window->space = space;
	return 0;
}

/* There is room, see views_grow(). */
static void views_insert(struct window *window, struct window_view *view)
{
	size_t at = view_search(window, view->place);

	memmove(&window->views[at + 1], &window->views[at],
		(window->count - at) * sizeof(struct window_view *));
	window->views[at] = view;
	window->count++;
	TAILQ_INSERT_HEAD(&window->changes, view, change);
}

static void views_remove(struct window *window, struct window_view *view)
{
	size_t at = view_search(window, view->place);

	window->count--;
	memmove(&window->views[at], &window->views[at + 1],
		(window->count - at) * sizeof(struct window_view *));
	TAILQ_REMOVE(&window->changes, view, change);
}

static int view_map(struct window *window, struct window_view *view, int fd)
{
	int result = views_grow(window);

	if (result == 0)
		result = window_view_map_file(window, view, fd);
	if (result == 0)
		result = view_add_slot(window, view);
	if (result == 0) {
		views_insert(window, view);
		return 0;
	}
	/* MAP_FIXED that failed may have removed what was there before. */
	if (!window_view_unmap_file(window, view))
		log_error("cannot take a failed view out of the window: %s", strerror(errno));
	return result;
}

static bool map_is_good(const struct window *window, const struct window_map *map)
{
	uint64_t page = map->page_bytes, end;
	uint32_t start, units;

	return page >= PAGE_BYTES_MIN && page <= WINDOW_UNIT_BYTES && (page & (page - 1)) == 0 &&
	       map->bytes % page == 0 && map->fd_offset % page == 0 &&
	       ((map->place ^ map->fd_offset) & UNIT_MASK) == 0 &&
	       !__builtin_add_overflow(map->fd_offset, map->bytes, &end) && end <= INT64_MAX &&
	       view_units(window, map->place, map->bytes, &start, &units) &&
	       room_units_at(&window->room, start) == units && !view_placed(window, map->place);
}

int window_map(struct window *window, const struct window_map *map, uint32_t id)
{
	struct window_view *view = calloc(1, sizeof(*view));
	int result = -EINVAL;

	if (!view)
		return -ENOMEM;
	*view = (struct window_view){
		.place = map->place,
		.bytes = map->bytes,
		.page_bytes = map->page_bytes,
		.fd_offset = map->fd_offset,
		.live_bytes = map->bytes,
		.mode = map->mode,
		.id = id,
	};
	pthread_mutex_lock(&window->lock);
	if (map_is_good(window, map))
		result = view_map(window, view, map->fd);
	pthread_mutex_unlock(&window->lock);
	if (result < 0)
		free(view);
	return result;
}

/* The slot goes first: the guest must not see the mapping change to nothing. */
static void view_remove(struct window *window, struct window_view *view)
{
	view_del_slot(window, view);
	if (window_view_unmap_file(window, view))
		room_give(&window->room, (uint32_t)(view->place >> WINDOW_UNIT_SHIFT));
	else
		log_error("cannot take a view out of the window, its room is lost: %s",
			  strerror(errno));
	views_remove(window, view);
	free(view);
}

void window_unmap(struct window *window, uint64_t place)
{
	struct window_view *view;

	pthread_mutex_lock(&window->lock);
	view = view_placed(window, place);
	if (view)
		view_remove(window, view);
	pthread_mutex_unlock(&window->lock);
}

struct window *window_free(struct window *window)
{
	if (!window)
		return NULL;
	while (window->count)
		view_remove(window, window->views[window->count - 1]);
	(void)munmap(window->hva, window->bytes);
	room_deinit(&window->room);
	pthread_mutex_destroy(&window->lock);
	free(window->views);
	free(window);
	return NULL;
}

void window_counters(struct window *window, struct window_counters *ret_counters)
{
	pthread_mutex_lock(&window->lock);
	*ret_counters = window->counters;
	pthread_mutex_unlock(&window->lock);
}

void window_count_undecodable(struct window *window)
{
	pthread_mutex_lock(&window->lock);
	window->counters.undecodable++;
	pthread_mutex_unlock(&window->lock);
}

uint64_t window_denied_writes(struct window *window, uint64_t place)
{
	const struct window_view *view;
	uint64_t denied;

	pthread_mutex_lock(&window->lock);
	view = view_placed(window, place);
	denied = view ? view->denied_writes : 0;
	pthread_mutex_unlock(&window->lock);
	return denied;
}
