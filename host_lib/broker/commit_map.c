/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See commit_map.h. */
#include "broker/commit_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t range_end(const struct vmsect_wire_range *range)
{
	return range->offset + range->length;
}

/* The first range that ends at `offset` or behind it. */
static size_t find_first(const struct commit_map *map, uint64_t offset)
{
	size_t low = 0, high = map->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (range_end(&map->ranges[middle]) < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Ranges [first, *ret_last) overlap or touch the new one. */
static size_t find_neighbours(const struct commit_map *map, uint64_t offset, uint64_t length,
			      size_t *ret_last)
{
	size_t first = find_first(map, offset), last = first;

	while (last < map->count && map->ranges[last].offset <= offset + length)
		last++;
	*ret_last = last;
	return first;
}

void commit_map_deinit(struct commit_map *map)
{
	free(map->ranges);
	*map = (struct commit_map){ 0 };
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t commit_map_missing(const struct commit_map *map, uint64_t offset, uint64_t length)
{
	uint64_t missing = length, from, to;
	size_t i, last;

	for (i = find_neighbours(map, offset, length, &last); i < last; i++) {
		from = max_u64(offset, map->ranges[i].offset);
		to = min_u64(offset + length, range_end(&map->ranges[i]));
		missing -= to - from;
	}
	return missing;
}

uint64_t commit_map_bytes(const struct commit_map *map)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < map->count; i++)
		bytes += map->ranges[i].length;
	return bytes;
}

bool commit_map_is_full(const struct commit_map *map, uint64_t offset, uint64_t length)
{
	size_t last, first = find_neighbours(map, offset, length, &last);

	return first == last && map->count >= COMMIT_RANGES_MAX;
}

/* Room for one more range: always that for the next power of two. */
static int make_room(struct commit_map *map)
{
	struct vmsect_wire_range *ranges;

	if (map->count & (map->count - 1))
		return 0; /* the room is the next power of two */
	ranges = realloc(map->ranges, (map->count ? 2 * map->count : 1) * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	map->ranges = ranges;
	return 0;
}

static int insert(struct commit_map *map, size_t at, uint64_t offset, uint64_t length)
{
	int r = make_room(map);

	if (r < 0)
		return r;
	memmove(&map->ranges[at + 1], &map->ranges[at], (map->count - at) * sizeof(*map->ranges));
	map->ranges[at] = (struct vmsect_wire_range){ .offset = offset, .length = length };
	map->count++;
	return 0;
}

int commit_map_add(struct commit_map *map, uint64_t offset, uint64_t length)
{
	size_t last, first = find_neighbours(map, offset, length, &last);
	uint64_t end = offset + length;

	if (!length)
		return 0;
	if (first == last)
		return commit_map_is_full(map, offset, length) ? -EDQUOT
							       : insert(map, first, offset, length);
	offset = min_u64(offset, map->ranges[first].offset);
	end = max_u64(end, range_end(&map->ranges[last - 1]));
	map->ranges[first] = (struct vmsect_wire_range){ .offset = offset, .length = end - offset };
	memmove(&map->ranges[first + 1], &map->ranges[last],
		(map->count - last) * sizeof(*map->ranges));
	map->count -= last - first - 1;
	return 0;
}
