/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The token bucket, by a clock that the test holds. */
#include "lib/check.h"

#include <unistd.h>

#include "base/token_bucket.h"

#define SECOND UINT64_C(1000000000)

/* How many tokens there are at that time. */
static unsigned int drain(struct token_bucket *bucket, uint64_t now_ns)
{
	unsigned int taken = 0;

	while (taken < 100000 && token_bucket_take(bucket, now_ns))
		taken++;
	return taken;
}

static void test_none_ever(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 0, 10);
	assert_int_equal(drain(&bucket, 0), 0);
	assert_int_equal(drain(&bucket, UINT64_MAX), 0);
	token_bucket_init(&bucket, 10, 0);
	assert_int_equal(drain(&bucket, 0), 0);
	assert_int_equal(drain(&bucket, 100 * SECOND), 0);
	/* One that nobody has set up is no open door. */
	bucket = (struct token_bucket){ 0 };
	assert_int_equal(drain(&bucket, SECOND), 0);
}

static void test_burst_then_rate(void **state)
{
	struct token_bucket bucket;
	uint64_t now = 5 * SECOND;

	(void)state;
	token_bucket_init(&bucket, 100, 7);
	assert_int_equal(drain(&bucket, now), 7);
	assert_int_equal(drain(&bucket, now), 0);
	assert_int_equal(drain(&bucket, now + SECOND / 100 - 1), 0);
	assert_int_equal(drain(&bucket, now + SECOND / 100), 1);
	assert_int_equal(drain(&bucket, now + 4 * SECOND / 100), 3);
	/* However long it rests, it holds no more than the burst. */
	assert_int_equal(drain(&bucket, now + 1000 * SECOND), 7);
}

static void test_rate_in_the_long_run(void **state)
{
	struct token_bucket bucket;
	unsigned int taken = 0;
	uint64_t now;

	(void)state;
	token_bucket_init(&bucket, 30000, 100);
	for (now = 0; now < SECOND; now += 12345)
		taken += token_bucket_take(&bucket, now);
	assert_in_range(taken, 30000, 30000 + 101);
}

static void test_debt_is_paid_first(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 10, 5);
	assert_true(token_bucket_take(&bucket, SECOND));
	token_bucket_charge(&bucket, SECOND, 9); /* 10 of 5: five are owed */
	assert_int_equal(drain(&bucket, SECOND), 0);
	assert_int_equal(drain(&bucket, SECOND + SECOND / 2), 0);
	assert_int_equal(drain(&bucket, SECOND + 6 * SECOND / 10), 1);
}

/* A bucket that has been full for a day has no more in it than a full one. */
static void test_debt_of_a_bucket_at_rest(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 10, 5);
	token_bucket_charge(&bucket, 86400 * SECOND, 10);
	assert_int_equal(drain(&bucket, 86400 * SECOND + SECOND / 2), 0);
	assert_int_equal(drain(&bucket, 86400 * SECOND + SECOND), 5);
}

static void test_odd_clocks_and_numbers(void **state)
{
	struct token_bucket bucket;

	(void)state;
	token_bucket_init(&bucket, 10, 5);
	assert_int_equal(drain(&bucket, 100 * SECOND), 5);
	assert_int_equal(drain(&bucket, 50 * SECOND), 0); /* back in time */
	assert_int_equal(drain(&bucket, 101 * SECOND), 5);
	token_bucket_charge(&bucket, 101 * SECOND, UINT64_MAX); /* never again, and no wrap */
	assert_int_equal(drain(&bucket, UINT64_MAX / 2), 0);
	token_bucket_init(&bucket, UINT64_MAX, UINT64_MAX);
	assert_int_equal(drain(&bucket, SECOND), 100000);
	token_bucket_init(&bucket, 1, UINT64_MAX);
	assert_int_equal(drain(&bucket, SECOND), 100000);
}

static void test_clock_runs(void **state)
{
	uint64_t before = token_bucket_now();

	(void)state;
	assert_true(before > 0);
	assert_true(token_bucket_now() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_ever),
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_rate_in_the_long_run),
		cmocka_unit_test(test_debt_is_paid_first),
		cmocka_unit_test(test_debt_of_a_bucket_at_rest),
		cmocka_unit_test(test_odd_clocks_and_numbers),
		cmocka_unit_test(test_clock_runs),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
