/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the log, and the budget for those that others cause. */
#include "lib/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "lib/leak.h"

/* What `write_lines` puts on stderr. */
static void capture(void (*write_lines)(void), char *text, size_t room)
{
	AUTO_FD int file = memfd_create("log", MFD_CLOEXEC);
	AUTO_FD int saved = dup(STDERR_FILENO);
	ssize_t size;

	assert_true(file >= 0 && saved >= 0);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	write_lines();
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	size = pread(file, text, room - 1, 0);
	assert_true(size >= 0);
	text[size] = '\0';
}

static void write_plain(void)
{
	(void)unsetenv("JOURNAL_STREAM");
	log_init("prog", LOG_LEVEL_INFO);
	log_error("number %d", 1);
	log_debug("not to be seen");
	log_info("number %d", 2);
}

static void write_for_journal(void)
{
	(void)setenv("JOURNAL_STREAM", "1:2", 1);
	log_init("prog", LOG_LEVEL_DEBUG);
	log_warning("w");
	log_debug("d");
	(void)unsetenv("JOURNAL_STREAM");
}

static void write_long(void)
{
	char line[5000];

	log_init("prog", LOG_LEVEL_INFO);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	log_error("%s", line);
}

static void test_lines(void **state)
{
	char text[8192];

	(void)state;
	capture(write_plain, text, sizeof(text));
	assert_string_equal(text, "prog: number 1\nprog: number 2\n");
	capture(write_for_journal, text, sizeof(text));
	assert_string_equal(text, "<4>prog: w\n<7>prog: d\n");
	capture(write_long, text, sizeof(text));
	assert_true(strlen(text) <= 1024);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_budget(void **state)
{
	struct log_limit limit = { .burst = 3 };
	uint64_t dropped = POISON;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(log_allowed(&limit, &dropped));
	assert_int_equal(dropped, 0);
	dropped = POISON;
	assert_false(log_allowed(&limit, &dropped));
	assert_false(log_allowed(&limit, &dropped));
	assert_int_equal(dropped, POISON);
	limit.since_ns = 0; /* long ago */
	assert_true(log_allowed(&limit, &dropped));
	assert_int_equal(dropped, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_budget),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
