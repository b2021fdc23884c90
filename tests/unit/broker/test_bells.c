/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Eventfds in hostile hands: neither reading nor ringing ever waits. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sys.h"
#include "broker/bells.h"
#include "lib/leak.h"

static void test_ring_and_read(void **state)
{
	struct ringer ringer;
	struct bells bells;
	unsigned int i;

	(void)state;
	ringer_clear(&ringer);
	assert_int_equal(bells_init(&bells, 3), 0);
	assert_int_equal(bell_read(bells.fds[0]), 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(ringer_ring(&ringer, bells.fds[0]), 0);
	assert_int_equal(ringer_ring(&ringer, bells.fds[2]), 0);
	assert_int_equal(bell_read(bells.fds[0]), 1000);
	assert_int_equal(bell_read(bells.fds[0]), 0);
	assert_int_equal(bell_read(bells.fds[1]), 0);
	assert_int_equal(bell_read(bells.fds[2]), 1);
	assert_true(fcntl(bells.fds[0], F_GETFD) & FD_CLOEXEC);
	bells_deinit(&bells);
	bells_deinit(&bells);
	ringer_deinit(&ringer);
	ringer_deinit(&ringer);
}

/* Whoever has the descriptor takes O_NONBLOCK from it, and fills it to the brim. */
static void test_blocking_and_full(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	struct ringer ringer;
	struct bells bells;
	unsigned int i;
	int flags;

	(void)state;
	ringer_clear(&ringer);
	assert_int_equal(bells_init(&bells, 1), 0);
	flags = fcntl(bells.fds[0], F_GETFL);
	assert_true(flags & O_NONBLOCK);
	assert_int_equal(fcntl(bells.fds[0], F_SETFL, flags & ~O_NONBLOCK), 0);
	assert_int_equal(bell_read(bells.fds[0]), 0);
	assert_int_equal(write(bells.fds[0], &full, sizeof(full)), sizeof(full));
	for (i = 0; i < 200; i++)
		assert_int_equal(ringer_ring(&ringer, bells.fds[0]), 0);
	assert_int_equal(bell_read(bells.fds[0]), UINT64_MAX);
	assert_int_equal(bell_read(bells.fds[0]), 0);
	bells_deinit(&bells);
	ringer_deinit(&ringer);
}

static void test_no_descriptors(void **state)
{
	struct rlimit before, few;
	struct ringer ringer;
	struct bells bells;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	ringer_clear(&ringer);
	assert_int_equal(bells_init(&bells, BELLS_MAX), -EMFILE);
	assert_int_equal(bells.count, 0); /* none stays, as the guard sees */
	few.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(ringer_prepare(&ringer), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(ringer_prepare(&ringer), 0);
	ringer_deinit(&ringer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ring_and_read),
		TEST(test_blocking_and_full),
		TEST(test_no_descriptors),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
