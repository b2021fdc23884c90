/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing back: which calls are made, and what becomes of their errors. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "broker/flush.h"
#include "lib/leak.h"

static int range_errno, sync_errno;
static unsigned int range_calls, range_flags, sync_calls;
static off_t range_offset, range_length;

static int fake_range(int fd, off_t offset, off_t length, unsigned int flags)
{
	(void)fd;
	range_calls++;
	range_offset = offset;
	range_length = length;
	range_flags = flags;
	errno = range_errno;
	return range_errno ? -1 : 0;
}

static int fake_sync(int fd)
{
	(void)fd;
	sync_calls++;
	errno = sync_errno;
	return sync_errno ? -1 : 0;
}

static const struct flush_calls fakes = { fake_range, fake_sync };

static int reset(void **state)
{
	range_errno = sync_errno = 0;
	range_calls = range_flags = sync_calls = 0;
	return leak_setup(state);
}

static void test_start(void **state)
{
	(void)state;
	assert_int_equal(flush_run(&fakes, 3, 4096, 8192, false), 0);
	assert_int_equal(range_calls, 1);
	assert_int_equal(range_offset, 4096);
	assert_int_equal(range_length, 8192);
	assert_int_equal(range_flags, SYNC_FILE_RANGE_WRITE);
	assert_int_equal(sync_calls, 0);
}

static void test_durable(void **state)
{
	(void)state;
	assert_int_equal(flush_run(&fakes, 3, 0, 100, true), 0);
	assert_int_equal(range_flags, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
					      SYNC_FILE_RANGE_WAIT_AFTER);
	assert_int_equal(sync_calls, 1);
}

static void test_errors(void **state)
{
	(void)state;
	sync_errno = EIO;
	assert_int_equal(flush_run(&fakes, 3, 0, 100, true), -EIO);
	sync_errno = 0;
	range_errno = ENOSPC;
	assert_int_equal(flush_run(&fakes, 3, 0, 100, false), -ENOSPC);
	assert_int_equal(flush_run(&fakes, 3, 0, 100, true), -ENOSPC);
	assert_int_equal(sync_calls, 2); /* asked even so */
	sync_errno = EIO;
	assert_int_equal(flush_run(&fakes, 3, 0, 100, true), -ENOSPC); /* the first counts */
}

/* A file system without the call is written back by fdatasync() alone. */
static void test_without_ranges(void **state)
{
	(void)state;
	range_errno = ENOSYS;
	assert_int_equal(flush_run(&fakes, 3, 0, 100, false), 0);
	assert_int_equal(flush_run(&fakes, 3, 0, 100, true), 0);
	assert_int_equal(sync_calls, 1);
}

static void test_what_is_a_loss(void **state)
{
	(void)state;
	assert_true(flush_is_loss(-EIO));
	assert_true(flush_is_loss(-ENOSPC));
	assert_true(flush_is_loss(-EDQUOT));
	assert_false(flush_is_loss(0));
	assert_false(flush_is_loss(-ENOMEM));
	assert_false(flush_is_loss(-ECANCELED));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start),	   TEST(test_durable),	      TEST(test_errors),
		TEST(test_without_ranges), TEST(test_what_is_a_loss),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
