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

/* Address space only; a large one is aligned so that 1 GiB pages could agree too. */
static uint8_t *reserve_hva(uint64_t bytes)
{
	uint64_t align = bytes < ALIGN_MAX ? WINDOW_UNIT_BYTES : ALIGN_MAX, lead;
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

	if (bytes == 0 || bytes > BYTES_MAX || bytes % WINDOW_PAGE_BYTES)
		return -EINVAL;
	window = calloc(1, sizeof(*window));
	if (!window)
		return -ENOMEM;
	window->vm = vm;
	window->bytes = bytes;
	window->base_gpa = WINDOW_NOWHERE;
	LIST_INIT(&window->files);
	room_init(&window->room, (uint32_t)((bytes + UNIT_MASK) >> WINDOW_UNIT_SHIFT));
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

int window_set_base(struct window *window, uint64_t gpa)
{
	int result = 0;

	pthread_mutex_lock(&window->lock);
	for (size_t i = 0; i < window->count; i++)
		window_slots_withdraw(window, window->views[i]);
	window->base_gpa = gpa;
	for (size_t i = 0; i < window->count && result == 0; i++)
		result = window_slots_install(window, window->views[i]);
	if (result < 0) {
		for (size_t i = 0; i < window->count; i++)
			window_slots_withdraw(window, window->views[i]);
		window->base_gpa = WINDOW_NOWHERE;
	}
	pthread_mutex_unlock(&window->lock);
	return result;
}

bool window_units(const struct window *window, uint64_t place, uint64_t bytes, uint32_t *ret_start,
		  uint32_t *ret_units)
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
		if (!window_units(window, lead, bytes, &start, &units))
			return -ENOSPC;
	} else if ((place & UNIT_MASK) != lead ||
		   !window_units(window, place, bytes, &start, &units)) {
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
	if (!window_view_placed(window, place))
		room_give(&window->room, (uint32_t)(place >> WINDOW_UNIT_SHIFT));
	pthread_mutex_unlock(&window->lock);
}

struct window *window_free(struct window *window)
{
	if (!window)
		return NULL;
	while (window->count)
		window_view_remove(window, window->views[window->count - 1]);
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
	view = window_view_placed(window, place);
	denied = view ? view->denied_writes : 0;
	pthread_mutex_unlock(&window->lock);
	return denied;
}
