/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Committed ranges: against a page by page model. */
#include "lib/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/commit_map.h"
#include "lib/leak.h"

#define PAGE 4096u
#define PAGES 300u
#define ROUNDS 3000

static uint64_t at(uint64_t page)
{
	return page * PAGE;
}

/* Ascending, not touching, none empty. */
static void check_form(const struct commit_map *map)
{
	size_t i;

	for (i = 0; i < map->count; i++) {
		assert_true(map->ranges[i].length > 0);
		if (i)
			assert_true(map->ranges[i - 1].offset + map->ranges[i - 1].length <
				    map->ranges[i].offset);
	}
}

static void test_empty(void **state)
{
	struct commit_map map = { 0 };

	(void)state;
	assert_int_equal(commit_map_missing(&map, 0, at(5)), at(5));
	assert_int_equal(commit_map_bytes(&map), 0);
	assert_int_equal(commit_map_add(&map, at(3), 0), 0);
	assert_int_equal(map.count, 0);
	commit_map_deinit(&map);
	commit_map_deinit(&map);
}

static void test_neighbours_merge(void **state)
{
	struct commit_map map = { 0 };

	(void)state;
	assert_int_equal(commit_map_add(&map, at(2), at(1)), 0);
	assert_int_equal(commit_map_add(&map, at(4), at(1)), 0);
	assert_int_equal(map.count, 2);
	assert_int_equal(commit_map_missing(&map, at(2), at(3)), at(1));
	assert_int_equal(commit_map_add(&map, at(3), at(1)), 0); /* touches both */
	assert_int_equal(map.count, 1);
	assert_int_equal(map.ranges[0].offset, at(2));
	assert_int_equal(map.ranges[0].length, at(3));
	assert_int_equal(commit_map_add(&map, at(3), at(1)), 0); /* again is fine */
	assert_int_equal(commit_map_bytes(&map), at(3));
	commit_map_deinit(&map);
}

static void test_limit(void **state)
{
	struct commit_map map = { 0 };
	uint64_t i;

	(void)state;
	for (i = 0; i < COMMIT_RANGES_MAX; i++)
		assert_int_equal(commit_map_add(&map, at(2 * i), PAGE), 0);
	assert_true(commit_map_is_full(&map, at(2 * i), PAGE));
	assert_int_equal(commit_map_add(&map, at(2 * i), PAGE), -EDQUOT);
	assert_int_equal(map.count, COMMIT_RANGES_MAX);
	assert_false(commit_map_is_full(&map, at(1), PAGE)); /* fills a gap */
	assert_int_equal(commit_map_add(&map, at(1), PAGE), 0);
	assert_int_equal(map.count, COMMIT_RANGES_MAX - 1);
	assert_int_equal(commit_map_add(&map, at(2 * i), PAGE), 0);
	assert_int_equal(commit_map_add(&map, 0, at(2 * i)), 0);
	assert_int_equal(map.count, 1);
	commit_map_deinit(&map);
}

static uint64_t model_missing(const bool *model, uint64_t first, uint64_t count)
{
	uint64_t missing = 0, i;

	for (i = first; i < first + count; i++)
		missing += !model[i];
	return missing;
}

static void test_random(void **state)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)getpid();
	struct commit_map map = { 0 };
	bool model[PAGES] = { false };
	uint64_t first, count;
	int round;

	(void)state;
	print_message("VMSECT_SEED=%u\n", seed);
	for (round = 0; round < ROUNDS; round++) {
		if (round % 100 == 0) {
			commit_map_deinit(&map);
			memset(model, 0, sizeof(model));
		}
		first = (uint64_t)rand_r(&seed) % PAGES;
		count = 1 + (uint64_t)rand_r(&seed) % (PAGES - first) % 7;
		assert_int_equal(commit_map_missing(&map, at(first), at(count)),
				 at(model_missing(model, first, count)));
		assert_int_equal(commit_map_add(&map, at(first), at(count)), 0);
		memset(model + first, 1, count);
		check_form(&map);
		assert_int_equal(commit_map_bytes(&map),
				 at(PAGES) - at(model_missing(model, 0, PAGES)));
	}
	commit_map_deinit(&map);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_neighbours_merge),
		TEST(test_limit),
		TEST(test_random),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
