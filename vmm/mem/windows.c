/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See windows.h. */
#include "mem/windows.h"

#include <errno.h>
#include <stdlib.h>

struct windows {
	struct vm *vm; /* borrowed; NULL in tests */
	struct window **items; /* owned, as are the windows */
	size_t count;
};

int windows_new(struct vm *vm, struct windows **ret_windows)
{
	struct windows *windows = calloc(1, sizeof(*windows));

	if (!windows)
		return -ENOMEM;
	windows->vm = vm;
	*ret_windows = windows;
	return 0;
}

struct windows *windows_free(struct windows *windows)
{
	if (!windows)
		return NULL;
	while (windows->count > 0)
		(void)window_free(windows->items[--windows->count]);
	free(windows->items);
	free(windows);
	return NULL;
}

int windows_add(struct windows *windows, uint64_t bytes, struct window **ret_window)
{
	struct window **items =
		reallocarray(windows->items, windows->count + 1, sizeof(struct window *));
	int result;

	if (!items)
		return -ENOMEM;
	windows->items = items;
	result = window_new(windows->vm, bytes, &items[windows->count]);
	if (result < 0)
		return result;
	*ret_window = items[windows->count++];
	return 0;
}

struct window *windows_get(const struct windows *windows, size_t index)
{
	return index < windows->count ? windows->items[index] : NULL;
}

struct window *windows_at(const struct windows *windows, uint64_t gpa)
{
	for (size_t i = 0; i < windows->count; i++)
		if (window_has(windows->items[i], gpa))
			return windows->items[i];
	return NULL;
}

uint32_t windows_sweep(const struct windows *windows)
{
	uint32_t found = 0;

	for (size_t i = 0; i < windows->count; i++)
		found += window_sweep(windows->items[i]);
	return found;
}

uint32_t windows_sweep_sizes(const struct windows *windows)
{
	uint32_t found = 0;

	for (size_t i = 0; i < windows->count; i++)
		found += window_sweep_sizes(windows->items[i]);
	return found;
}

void windows_counters(const struct windows *windows, struct window_counters *ret_counters)
{
	struct window_counters sum = { 0 };

	for (size_t i = 0; i < windows->count; i++) {
		struct window_counters one;

		window_counters(windows->items[i], &one);
		sum.denied_writes += one.denied_writes;
		sum.hole_accesses += one.hole_accesses;
		sum.lost_accesses += one.lost_accesses;
		sum.lost_pages += one.lost_pages;
		sum.undecodable += one.undecodable;
	}
	*ret_counters = sum;
}

void windows_count_undecodable(const struct windows *windows)
{
	if (windows->count > 0)
		window_count_undecodable(windows->items[0]);
}
