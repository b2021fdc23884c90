/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options structs of older and newer programs.
 */
#include "lib/options.h"

#include "lib/check.h"

#include <errno.h>
#include <string.h>

struct old_options {
	size_t size;
	uint64_t first;
};

struct known_options {
	size_t size;
	uint64_t first;
	uint64_t second;
};

struct new_options {
	size_t size;
	uint64_t first;
	uint64_t second;
	uint64_t third;
};

static void poison(struct known_options *options)
{
	memset(options, 0xa5, sizeof(*options));
}

static void assert_poisoned(const struct known_options *options)
{
	struct known_options poisoned;

	poison(&poisoned);
	assert_memory_equal(options, &poisoned, sizeof(poisoned));
}

static void sizes_that_are_none(void **state)
{
	static const size_t sizes[] = { 0, 1, sizeof(size_t), 4097, SIZE_MAX };
	struct known_options known;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct known_options user = { .size = sizes[i] };

		poison(&known);
		assert_int_equal(options_copy(&known, sizeof(known), &user), -EINVAL);
		assert_poisoned(&known);
	}
}

static void newer_with_something_set(void **state)
{
	struct new_options user = { .size = sizeof(user), .third = 1 };
	struct known_options known;

	(void)state;
	poison(&known);
	assert_int_equal(options_copy(&known, sizeof(known), &user), -EINVAL);
	assert_poisoned(&known);
}

static void newer_with_nothing_set(void **state)
{
	struct new_options user = { .size = sizeof(user), .first = 1, .second = 2 };
	struct known_options known;

	(void)state;
	assert_int_equal(options_copy(&known, sizeof(known), &user), 0);
	assert_int_equal(known.first, 1);
	assert_int_equal(known.second, 2);
}

static void older(void **state)
{
	struct old_options user = { .size = sizeof(user), .first = 1 };
	struct known_options known;

	(void)state;
	poison(&known);
	assert_int_equal(options_copy(&known, sizeof(known), &user), 0);
	assert_int_equal(known.first, 1);
	assert_int_equal(known.second, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_that_are_none),
		cmocka_unit_test(newer_with_something_set),
		cmocka_unit_test(newer_with_nothing_set),
		cmocka_unit_test(older),
	};

	return cmocka_run_group_tests_name("lib_options", tests, NULL, NULL);
}
