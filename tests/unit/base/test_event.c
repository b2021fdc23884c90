/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A loop, and signals as its events. */
#include "lib/check.h"

#include <event2/event.h>
#include <signal.h>
#include <unistd.h>

#include "base/event.h"
#include "lib/leak.h"

struct seen {
	struct event_base *base;
	int numbers[8];
	int count;
};

static void on_signal(int number, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->count < (int)ARRAY_SIZE(seen->numbers));
	seen->numbers[seen->count++] = number;
	if (number == SIGTERM)
		(void)event_base_loopbreak(seen->base);
}

static void test_signals(void **state)
{
	static const int numbers[] = { SIGUSR1, SIGTERM };
	struct seen seen = { .base = loop_new() };
	struct loop_signals signals = { .call = on_signal, .arg = &seen };

	(void)state;
	assert_non_null(seen.base);
	assert_int_equal(loop_signals_init(&signals, seen.base, numbers, 2), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_int_equal(event_base_dispatch(seen.base), 0);
	assert_int_equal(seen.count, 2);
	loop_signals_deinit(&signals);
	loop_signals_deinit(&signals);
	event_base_free(seen.base);
}

static void test_periods(void **state)
{
	struct timeval period = loop_ms(12345);

	(void)state;
	assert_int_equal(period.tv_sec, 12);
	assert_int_equal(period.tv_usec, 345000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_signals),
		TEST(test_periods),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
