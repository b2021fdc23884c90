/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See bus.h.  The ranges are an array sorted by start; a bus has a few dozen
 * at most.
 */
#include "bus/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bus_range {
	uint64_t start;
	uint64_t last; /* inclusive, so that a range may end at the top */
	const struct bus_ops *ops;
	void *device;
};

struct bus {
	pthread_rwlock_t lock;
	struct bus_range *ranges; /* lock */
	size_t count; /* lock */
	size_t room; /* lock */
};

int bus_new(struct bus **ret_bus)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	int result;

	if (!bus)
		return -ENOMEM;
	result = -pthread_rwlock_init(&bus->lock, NULL);
	if (result < 0) {
		free(bus);
		return result;
	}
	*ret_bus = bus;
	return 0;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	pthread_rwlock_destroy(&bus->lock);
	free(bus->ranges);
	free(bus);
	return NULL;
}

/* The index of the first range that starts behind `address`. */
static size_t bus_search(const struct bus *bus, uint64_t address)
{
	size_t low = 0, high = bus->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bus->ranges[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_all(const struct bus_range *range, uint64_t start, uint64_t last)
{
	return range->start <= start && last <= range->last;
}

/* Apart, or one inside the other. */
static bool may_coexist(const struct bus_range *a, const struct bus_range *b)
{
	if (a->last < b->start || b->last < a->start)
		return true;
	return a->start != b->start &&
	       (has_all(a, b->start, b->last) || has_all(b, a->start, a->last));
}

static int bus_grow(struct bus *bus)
{
	size_t room = bus->room ? bus->room * 2 : 8;
	struct bus_range *ranges;

	if (bus->count < bus->room)
		return 0;
	ranges = reallocarray(bus->ranges, room, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	bus->ranges = ranges;
	bus->room = room;
	return 0;
}

static int bus_insert(struct bus *bus, const struct bus_range *range)
{
	size_t at = bus_search(bus, range->start);
	int result;

	for (size_t i = 0; i < bus->count; i++)
		if (!may_coexist(&bus->ranges[i], range))
			return -EEXIST;
	result = bus_grow(bus);
	if (result < 0)
		return result;
	memmove(&bus->ranges[at + 1], &bus->ranges[at], (bus->count - at) * sizeof(*range));
	bus->ranges[at] = *range;
	bus->count++;
	return 0;
}

int bus_add(struct bus *bus, uint64_t start, uint64_t bytes, const struct bus_ops *ops,
	    void *device)
{
	struct bus_range range = { .start = start, .ops = ops, .device = device };
	int result;

	if (bytes == 0 || __builtin_add_overflow(start, bytes - 1, &range.last))
		return -EINVAL;
	pthread_rwlock_wrlock(&bus->lock);
	result = bus_insert(bus, &range);
	pthread_rwlock_unlock(&bus->lock);
	return result;
}

void bus_remove(struct bus *bus, uint64_t start)
{
	size_t at;

	pthread_rwlock_wrlock(&bus->lock);
	at = bus_search(bus, start);
	if (at > 0 && bus->ranges[at - 1].start == start) {
		memmove(&bus->ranges[at - 1], &bus->ranges[at],
			(bus->count - at) * sizeof(bus->ranges[at]));
		bus->count--;
	}
	pthread_rwlock_unlock(&bus->lock);
}

/*
 * The innermost range that has all of the access, copied out of the lock.
 * Going back from the access, an inner range comes before what is around it.
 */
static bool bus_find(struct bus *bus, uint64_t address, uint32_t bytes, struct bus_range *ret_range)
{
	uint64_t last;
	bool found = false;

	if (bytes == 0 || bytes > 8 || __builtin_add_overflow(address, bytes - 1, &last))
		return false;
	pthread_rwlock_rdlock(&bus->lock);
	for (size_t i = bus_search(bus, address); i > 0 && !found; i--) {
		found = has_all(&bus->ranges[i - 1], address, last);
		if (found)
			*ret_range = bus->ranges[i - 1];
	}
	pthread_rwlock_unlock(&bus->lock);
	return found;
}

bool bus_read(struct bus *bus, uint64_t address, void *data, uint32_t bytes)
{
	struct bus_range range;

	if (!bus_find(bus, address, bytes, &range)) {
		memset(data, 0xFF, bytes);
		return false;
	}
	range.ops->read(range.device, address - range.start, data, bytes);
	return true;
}

bool bus_write(struct bus *bus, uint64_t address, const void *data, uint32_t bytes)
{
	struct bus_range range;

	if (!bus_find(bus, address, bytes, &range))
		return false;
	range.ops->write(range.device, address - range.start, data, bytes);
	return true;
}
