/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See window_impl.h.  Which views are where, and how one comes and goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"
#include "mem/window_impl.h"

#define PAGE_BYTES_MIN 4096
#define UNIT_MASK (WINDOW_UNIT_BYTES - 1)
#define PAGE_BYTES_SMALL UINT64_C(4096)
#define BLOCK_BYTES 512 /* of st_blocks */

/*
 * A view is populated before its slot is added if it is this small: a first
 * touch is then several times cheaper for the guest.  More would keep the io
 * thread waiting for the disk.
 */
#define POPULATE_MAX WINDOW_UNIT_BYTES

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

struct window_view *window_view_placed(const struct window *window, uint64_t place)
{
	struct window_view *view = window_view_at(window, place);

	return view && view->place == place ? view : NULL;
}

struct window_view *window_view_live(const struct window *window, uint64_t place)
{
	struct window_view *view = window_view_placed(window, place);

	return view && !view->is_revoked ? view : NULL;
}

bool window_range_is_good(const struct window_view *view, const struct window_range *range)
{
	uint64_t mask = window_page_bytes(view) - 1;

	return range->bytes > 0 && ((range->offset | range->bytes) & mask) == 0 &&
	       range->offset < view->bytes && range->bytes <= view->bytes - range->offset;
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
}

static void views_remove(struct window *window, const struct window_view *view)
{
	size_t at = view_search(window, view->place);

	window->count--;
	memmove(&window->views[at], &window->views[at + 1],
		(window->count - at) * sizeof(struct window_view *));
}

enum mapping_mode window_mode_to_mapping(enum window_mode mode)
{
	switch (mode) {
	case WINDOW_READONLY:
		return MAPPING_READ;
	case WINDOW_READWRITE:
		return MAPPING_WRITE;
	case WINDOW_WRITECOPY:
		return MAPPING_COPY;
	case WINDOW_NOACCESS:
		break;
	}
	return MAPPING_NONE;
}

/*
 * Is all of it in memory?  Then populating waits for no disk, where it would go
 * round for ever, before Linux 6.9, on a page whose read fails.  Of a file that
 * is neither ours nor writable for us the kernel says yes in any case.
 */
static bool is_resident(const struct window *window, const struct window_view *view)
{
	unsigned char pages[POPULATE_MAX / PAGE_BYTES_SMALL];
	size_t count = view->bytes / PAGE_BYTES_SMALL;

	if (view->mapping.spec.page_bytes > PAGE_BYTES_SMALL)
		return true; /* huge pages have no disk */
	if (mincore(window->hva + view->place, view->bytes, pages) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!(pages[i] & 1))
			return false;
	return true;
}

/*
 * Speed only, so failures are none: a page that cannot be had is found when
 * the guest asks for it.  A sparse file is left alone, since populating would
 * allocate what nobody has written; so is what is not committed.
 */
static void view_populate(const struct window *window, const struct window_view *view)
{
	const struct mapping_spec *spec = &view->mapping.spec;
	uint64_t end = spec->fd_offset + view->bytes;
	struct stat status;

	if (view->bytes > POPULATE_MAX || spec->reserve || spec->mode == MAPPING_NONE ||
	    fstat(spec->fd, &status) < 0 || end > (uint64_t)status.st_size ||
	    status.st_blocks * BLOCK_BYTES < status.st_size || !is_resident(window, view))
		return;
	(void)madvise(window->hva + view->place, view->bytes, MADV_POPULATE_READ);
}

/* A view that nobody may ever access needs no file. */
static int view_take_file(struct window *window, struct window_view *view,
			  const struct window_map *map)
{
	if (map->fd < 0 && map->mode == WINDOW_NOACCESS)
		return 0;
	return window_file_take(window, map->fd, &view->file);
}

static int view_init_mapping(struct window *window, struct window_view *view,
			     const struct window_map *map)
{
	const struct mapping_spec spec = {
		.start = window->hva + map->place,
		.room = map->room ? map->room : map->bytes,
		.length = map->bytes,
		.page_bytes = map->page_bytes,
		.fd = view->file ? view->file->fd : -1,
		.fd_offset = map->fd_offset,
		.mode = window_mode_to_mapping(map->mode),
		.execute = map->execute,
		.reserve = map->is_reserve,
	};
	int result = mapping_init(&view->mapping, &spec);

	if (result == 0)
		view_populate(window, view);
	return result;
}

static int view_add_slots(struct window *window, struct window_view *view)
{
	const struct window_range all = { .bytes = view->bytes };
	struct window_slots plan;
	int result = window_slots_plan(view, &all, view->mapping.spec.mode, &plan);

	if (result < 0)
		return result;
	view->slots = plan;
	return window_slots_install(window, view);
}

void window_view_changed(const struct window *window, const struct window_view *view)
{
	/* A core dump of the VMM has no sections; what was mapped anew has to be told. */
	(void)madvise(window->hva + view->place, view->bytes, MADV_DONTDUMP);
}

static void view_deinit_mapping(struct window_view *view)
{
	if (!mapping_deinit(&view->mapping))
		log_error("cannot take a failed view out of the window");
}

/* The mapping first: a slot without it would fail a vCPU. */
static int view_init(struct window *window, struct window_view *view, const struct window_map *map)
{
	int result = views_grow(window);

	if (result == 0)
		result = view_take_file(window, view, map);
	if (result < 0)
		return result;
	result = view_init_mapping(window, view, map);
	if (result == 0) {
		result = view_add_slots(window, view);
		if (result < 0)
			view_deinit_mapping(view);
	}
	if (result < 0) {
		window_slots_deinit(&view->slots);
		window_file_give(view->file);
		return result;
	}
	window_view_changed(window, view);
	views_insert(window, view);
	return 0;
}

static bool map_is_good(const struct window *window, const struct window_map *map)
{
	uint64_t page = map->page_bytes, end, room = map->room ? map->room : map->bytes;
	uint32_t start, units;

	return page >= PAGE_BYTES_MIN && page <= WINDOW_UNIT_BYTES && (page & (page - 1)) == 0 &&
	       map->bytes > 0 && map->bytes <= room && map->bytes % page == 0 && room % page == 0 &&
	       map->fd_offset % page == 0 && ((map->place ^ map->fd_offset) & UNIT_MASK) == 0 &&
	       !__builtin_add_overflow(map->fd_offset, room, &end) && end <= INT64_MAX &&
	       window_units(window, map->place, room, &start, &units) &&
	       room_units_at(&window->room, start) == units &&
	       !window_view_placed(window, map->place);
}

int window_map(struct window *window, const struct window_map *map, uint32_t id)
{
	struct window_view *view = calloc(1, sizeof(*view));
	int result = -EINVAL;

	if (!view)
		return -ENOMEM;
	view->place = map->place;
	view->bytes = map->bytes;
	view->id = id;
	pthread_mutex_lock(&window->lock);
	if (map_is_good(window, map))
		result = view_init(window, view, map);
	pthread_mutex_unlock(&window->lock);
	if (result < 0)
		free(view);
	return result;
}

/* The slots go first: the guest must not see the mapping change to nothing. */
void window_view_remove(struct window *window, struct window_view *view)
{
	window_slots_withdraw(window, view);
	if (!view->is_revoked)
		view->is_stuck = !mapping_deinit(&view->mapping);
	if (!view->is_stuck)
		room_give(&window->room, (uint32_t)(view->place >> WINDOW_UNIT_SHIFT));
	else
		log_error("cannot take a view out of the window: its room is lost");
	window_loss_forget(window, view->place);
	views_remove(window, view);
	window_file_give(view->file);
	window_slots_deinit(&view->slots);
	free(view);
}

void window_unmap(struct window *window, uint64_t place)
{
	struct window_view *view;

	pthread_mutex_lock(&window->lock);
	view = window_view_placed(window, place);
	if (view)
		window_view_remove(window, view);
	pthread_mutex_unlock(&window->lock);
}
