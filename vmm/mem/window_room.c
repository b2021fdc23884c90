/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See window_room.h. */
#include "mem/window_room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void room_init(struct room *room, uint32_t units)
{
	*room = (struct room){ .units = units };
}

void room_deinit(struct room *room)
{
	free(room->ranges);
	*room = (struct room){ 0 };
}

/* The index of the first range that starts at or after `start`. */
static size_t room_search(const struct room *room, uint32_t start)
{
	size_t low = 0, high = room->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (room->ranges[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int room_insert(struct room *room, size_t at, uint32_t start, uint32_t units)
{
	if (room->count == room->space) {
		size_t space = room->space ? room->space * 2 : 16;
		struct room_range *ranges =
			reallocarray(room->ranges, space, sizeof(*room->ranges));

		if (!ranges)
			return -ENOMEM;
		room->ranges = ranges;
		room->space = space;
	}
	memmove(&room->ranges[at + 1], &room->ranges[at],
		(room->count - at) * sizeof(*room->ranges));
	room->ranges[at] = (struct room_range){ .start = start, .units = units };
	room->count++;
	return 0;
}

int room_take_any(struct room *room, uint32_t units, uint32_t *ret_start)
{
	uint32_t start = 0;
	size_t at = 0;
	int result;

	if (units == 0)
		return -EINVAL;
	while (at < room->count && room->ranges[at].start - start < units) {
		start = room->ranges[at].start + room->ranges[at].units;
		at++;
	}
	if (units > room->units - start)
		return -ENOSPC;
	result = room_insert(room, at, start, units);
	if (result == 0)
		*ret_start = start;
	return result;
}

int room_take(struct room *room, uint32_t start, uint32_t units)
{
	size_t at = room_search(room, start);

	if (units == 0 || start >= room->units || units > room->units - start)
		return -EINVAL;
	if (at < room->count && room->ranges[at].start - start < units)
		return -EEXIST;
	if (at > 0 && room->ranges[at - 1].units > start - room->ranges[at - 1].start)
		return -EEXIST;
	return room_insert(room, at, start, units);
}

uint32_t room_units_at(const struct room *room, uint32_t start)
{
	size_t at = room_search(room, start);

	return at < room->count && room->ranges[at].start == start ? room->ranges[at].units : 0;
}

void room_give(struct room *room, uint32_t start)
{
	size_t at = room_search(room, start);

	if (at == room->count || room->ranges[at].start != start)
		return;
	room->count--;
	memmove(&room->ranges[at], &room->ranges[at + 1],
		(room->count - at) * sizeof(*room->ranges));
}
