/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a broker is looked for, by what is set.
 */
#include "lib/place.h"

#include "lib/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int clear_environment(void **state)
{
	(void)state;
	(void)unsetenv("VMSECT_SOCKET");
	(void)unsetenv("XDG_RUNTIME_DIR");
	return 0;
}

static void given_path_is_the_only_place(void **state)
{
	struct place_list places;

	(void)state;
	(void)setenv("VMSECT_SOCKET", "/from/environment", 1);
	assert_int_equal(places_find("/given", &places), 0);
	assert_int_equal(places.count, 1);
	assert_string_equal(places.places[0].path, "/given");
	assert_false(places.from_environment);
	assert_ptr_equal(place_to_start(&places), &places.places[0]);
	assert_int_equal(place_check(&places.places[0]), 0);
}

static void environment_is_the_only_place(void **state)
{
	struct place_list places;

	(void)state;
	(void)setenv("VMSECT_SOCKET", "/from/environment", 1);
	assert_int_equal(places_find(NULL, &places), 0);
	assert_int_equal(places.count, 1);
	assert_string_equal(places.places[0].path, "/from/environment");
	assert_true(places.from_environment);
}

static void long_paths_are_refused(void **state)
{
	struct place_list places = { .count = POISON };
	char path[PLACE_PATH_MAX + 1];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[PLACE_PATH_MAX] = 0;
	assert_int_equal(places_find(path, &places), -ENAMETOOLONG);
	assert_int_equal(places.count, POISON);
	path[PLACE_PATH_MAX - 1] = 0;
	assert_int_equal(places_find(path, &places), 0);
	(void)setenv("XDG_RUNTIME_DIR", path, 1);
	places.count = POISON;
	assert_int_equal(places_find(NULL, &places), -ENAMETOOLONG);
	assert_int_equal(places.count, POISON);
}

static void user_and_system(void **state)
{
	bool root = geteuid() == 0;
	struct place_list places;
	const struct place *user, *system;

	(void)state;
	(void)setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_int_equal(places_find(NULL, &places), 0);
	assert_int_equal(places.count, 2);
	user = &places.places[root ? 1 : 0];
	system = &places.places[root ? 0 : 1];
	assert_string_equal(user->path, "/run/user/7/vmsect/broker.sock");
	assert_int_equal(user->kind, PLACE_USER);
	assert_string_equal(system->path, "/run/vmsect/broker.sock");
	assert_int_equal(system->kind, PLACE_SYSTEM);
	assert_ptr_equal(place_to_start(&places), user);
}

/* A relative path is no runtime folder. */
static void odd_runtime_folders_are_passed_over(void **state)
{
	static const char *const values[] = { "", "relative/path" };
	struct place_list places;
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		(void)setenv("XDG_RUNTIME_DIR", values[i], 1);
		assert_int_equal(places_find(NULL, &places), 0);
		for (k = 0; k < places.count; k++)
			assert_int_equal(places.places[k].path[0], '/');
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(given_path_is_the_only_place, clear_environment),
		cmocka_unit_test_setup(environment_is_the_only_place, clear_environment),
		cmocka_unit_test_setup(long_paths_are_refused, clear_environment),
		cmocka_unit_test_setup(user_and_system, clear_environment),
		cmocka_unit_test_setup(odd_runtime_folders_are_passed_over, clear_environment),
	};

	return cmocka_run_group_tests_name("lib_place", tests, NULL, NULL);
}
