/* SPDX-License-Identifier: GPL-2.0-or-later */
/* window_room.[ch]: units of the window, against a map of them. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem/window_room.h"
#include "unit/vmm/window_bed.h"

#define TIME_LIMIT_S 30

static uint64_t pick(unsigned int *seed, uint64_t limit)
{
	return ((uint64_t)rand_r(seed) << 31 | (uint64_t)rand_r(seed)) % limit;
}

#define ROOM_UNITS 200

/* The first place where `units` are free on the map, or ROOM_UNITS. */
static uint32_t first_fit(const bool *taken, uint32_t units)
{
	uint32_t run = 0;

	for (uint32_t i = 0; i < ROOM_UNITS; i++) {
		run = taken[i] ? 0 : run + 1;
		if (run == units)
			return i + 1 - units;
	}
	return ROOM_UNITS;
}

static void mark(bool *taken, uint32_t start, uint32_t units, bool value)
{
	for (uint32_t i = 0; i < units; i++) {
		assert_int_equal(taken[start + i], !value);
		taken[start + i] = value;
	}
}

static void test_refused_room(void **state)
{
	struct room room;
	uint32_t start = POISON;

	(void)state;
	room_init(&room, ROOM_UNITS);
	assert_int_equal(room_take(&room, 0, 0), -EINVAL);
	assert_int_equal(room_take(&room, ROOM_UNITS, 1), -EINVAL);
	assert_int_equal(room_take(&room, 1, ROOM_UNITS), -EINVAL);
	assert_int_equal(room_take(&room, 1, UINT32_MAX), -EINVAL);
	assert_int_equal(room_take_any(&room, 0, &start), -EINVAL);
	assert_int_equal(room_take_any(&room, UINT32_MAX, &start), -ENOSPC);
	assert_int_equal(start, POISON);
	room_give(&room, 3);
	assert_int_equal(room.count, 0);
	room_deinit(&room);
}

/* The allocator against a map: first fit, and ENOSPC only if nothing fits. */
static void test_random_room(void **state)
{
	bool taken[ROOM_UNITS] = { false };
	unsigned int seed = seed_of_run();
	struct room room;

	(void)state;
	room_init(&room, ROOM_UNITS);
	for (uint32_t turn = 0; turn < 20000; turn++) {
		uint32_t units = 1 + (uint32_t)pick(&seed, 12), got = POISON;
		uint32_t at = (uint32_t)pick(&seed, ROOM_UNITS);

		if (rand_r(&seed) % 2) {
			mark(taken, at, room_units_at(&room, at), false);
			room_give(&room, at);
			assert_int_equal(room_units_at(&room, at), 0);
			continue;
		}
		at = first_fit(taken, units);
		assert_int_equal(room_take_any(&room, units, &got), at == ROOM_UNITS ? -ENOSPC : 0);
		assert_int_equal(got, at == ROOM_UNITS ? POISON : at);
		if (at != ROOM_UNITS)
			mark(taken, at, units, true);
	}
	room_deinit(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_room),
		cmocka_unit_test(test_random_room),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
