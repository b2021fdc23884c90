/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See deadline.h.  A binary heap: parent of `i` is `i / 2`, places begin with 1. */
#include "broker/deadline.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define ROOM_FIRST 64u

uint64_t deadline_now(void)
{
	struct timespec now;

	/* Cannot fail: the clock is there since Linux 2.6.39. */
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t deadline_in(uint64_t ms)
{
	uint64_t now = deadline_now();

	if (!ms)
		return 0;
	/* For ever, if not in name. */
	return ms > INT64_MAX - now ? INT64_MAX : now + ms;
}

uint64_t deadline_earlier(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

void deadlines_deinit(struct deadlines *deadlines)
{
	assert(!deadlines->count);
	free(deadlines->heap);
	deadlines->heap = NULL;
	deadlines->room = 0;
}

int deadlines_reserve(struct deadlines *deadlines)
{
	size_t room = deadlines->room ? deadlines->room * 2 : ROOM_FIRST;
	struct deadline_entry *heap;

	if (deadlines->count < deadlines->room)
		return 0;
	heap = reallocarray(deadlines->heap, room, sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	deadlines->heap = heap;
	deadlines->room = room;
	return 0;
}

static struct deadline_entry at(const struct deadlines *deadlines, size_t place)
{
	return deadlines->heap[place - 1];
}

static void put(struct deadlines *deadlines, size_t place, struct deadline_entry entry)
{
	deadlines->heap[place - 1] = entry;
	entry.deadline->place = place;
}

/* Puts it at the place or above, where it belongs. */
static void sift_up(struct deadlines *deadlines, size_t place, struct deadline_entry entry)
{
	while (place > 1 && at(deadlines, place / 2).at_ms > entry.at_ms) {
		put(deadlines, place, at(deadlines, place / 2));
		place /= 2;
	}
	put(deadlines, place, entry);
}

/* Puts it at the place or below. */
static void sift_down(struct deadlines *deadlines, size_t place, struct deadline_entry entry)
{
	size_t child;

	while ((child = place * 2) <= deadlines->count) {
		if (child < deadlines->count &&
		    at(deadlines, child + 1).at_ms < at(deadlines, child).at_ms)
			child++;
		if (at(deadlines, child).at_ms >= entry.at_ms)
			break;
		put(deadlines, place, at(deadlines, child));
		place = child;
	}
	put(deadlines, place, entry);
}

static void tell_first(const struct deadlines *deadlines)
{
	const struct deadline *first = deadlines_first(deadlines);

	if (deadlines->first_changed)
		deadlines->first_changed(deadlines->arg, first ? first->at_ms : 0);
}

void deadlines_add(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind,
		   uint64_t at_ms)
{
	assert(!deadline->place && deadlines->count < deadlines->room);
	deadline->kind = kind;
	deadline->at_ms = at_ms;
	deadlines->count++;
	sift_up(deadlines, deadlines->count, (struct deadline_entry){ at_ms, deadline });
	if (deadline->place == 1)
		tell_first(deadlines);
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
	size_t place = deadline->place;
	struct deadline_entry last;

	if (!place)
		return;
	last = at(deadlines, deadlines->count);
	deadlines->count--;
	deadline->place = 0;
	if (last.deadline != deadline) {
		sift_down(deadlines, place, last);
		sift_up(deadlines, last.deadline->place, last);
	}
	if (place == 1)
		tell_first(deadlines);
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
	return deadlines->count ? deadlines->heap[0].deadline : NULL;
}
