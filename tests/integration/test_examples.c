/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The example programs do what their heads say.
 */
#include "lib/client_fixture.h"

#include <string.h>

static void hello(void **state)
{
	struct box *box = *state;

	assert_int_equal(box_run(box, "../examples/hello_reader"), 1);
	assert_non_null(strstr(box->err, "there is no section 'hello'"));
	assert_int_equal(box_run(box, "../examples/hello_writer", "good morning"), 0);
	assert_int_equal(box_run(box, "../examples/hello_reader"), 0);
	assert_string_equal(box->out, "good morning\n");
	assert_int_equal(box_run(box, "../examples/hello_writer"), 0);
	assert_int_equal(box_run(box, "../examples/hello_reader"), 0);
	assert_string_equal(box->out, "hello\n");
}

static void hello_without_a_broker(void **state)
{
	struct box *box = *state;

	broker_fixture_stop(&box->broker);
	assert_int_equal(box_run(box, "../examples/hello_reader"), 1);
	assert_non_null(strstr(box->err, "cannot reach a broker"));
	assert_int_equal(box_run(box, "../examples/hello_writer"), 1);
	assert_non_null(strstr(box->err, "cannot reach a broker"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(hello),
		TEST(hello_without_a_broker),
	};

	return cmocka_run_group_tests_name("examples", tests, NULL, NULL);
}
