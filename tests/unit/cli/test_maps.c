/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of /proc/PID/maps: the kernel's, and what only looks like them.
 */
#include "cli/maps.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/check.h"

static bool parse(const char *text, struct maps_line *ret_line)
{
	static char line[512];

	strncpy(line, text, sizeof(line) - 1);
	return maps_parse(line, ret_line);
}

static void a_file(void **state)
{
	struct maps_line line;

	(void)state;
	assert_true(parse("7f00a000-7f00c000 rw-s 00003000 fd:01 1234                       "
			  "/dev/shm/a\n",
			  &line));
	assert_int_equal(line.start, 0x7f00a000);
	assert_int_equal(line.end, 0x7f00c000);
	assert_int_equal(line.offset, 0x3000);
	assert_int_equal(line.device, makedev(0xfd, 1));
	assert_int_equal(line.inode, 1234);
	assert_string_equal(line.access, "rw-s");
	assert_string_equal(line.path, "/dev/shm/a");
}

/* A path is all that follows, whatever it is. */
static void odd_paths(void **state)
{
	static const char *const paths[] = {
		"/a b", "/a (deleted)", "/a\\012b", "/7f00-7f01 rw-s 0 0:0 1 /b", "[heap]", "",
	};
	char text[256];
	struct maps_line line;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		(void)snprintf(text, sizeof(text), "1000-2000 r--p 00000000 00:1a 7   %s\n",
			       paths[i]);
		assert_true(parse(text, &line));
		assert_string_equal(line.path, paths[i]);
		assert_string_equal(line.access, "r--p");
	}
	assert_true(parse("1000-2000 r--p 00000000 00:00 0 \n", &line));
	assert_int_equal(line.inode, 0);
	assert_string_equal(line.path, "");
}

static void the_last_page(void **state)
{
	struct maps_line line;

	(void)state;
	assert_true(parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          "
			  "[vsyscall]\n",
			  &line));
	assert_true(line.end == UINT64_C(0xffffffffff601000));
}

static void not_lines(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"1000",
		"1000-2000",
		"1000-2000 rw-s",
		"1000-2000 rw-s 0 0:0",
		"1000-2000 rw-s 0 0:0 1",
		"2000-1000 rw-s 0 0:0 1 /a",
		"1000-1000 rw-s 0 0:0 1 /a",
		"-1000-2000 rw-s 0 0:0 1 /a",
		"1000-+2000 rw-s 0 0:0 1 /a",
		"1000-2000 rwxy 0 0:0 1 /a",
		"1000-2000 rw-ss 0 0:0 1 /a",
		"1000-2000 w--s 0 0:0 1 /a",
		"1000-2000 rw-s 0 00 1 /a",
		"1000-2000 rw-s 0 0:0 f /a",
		"1000-2000 rw-s 0 0:0 99999999999999999999 /a",
		"10000000000000000-20000000000000000 rw-s 0 0:0 1 /a",
	};
	struct maps_line line;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		memset(&line, 0xa5, sizeof(line));
		if (parse(lines[i], &line))
			fail_msg("'%s' is taken", lines[i]);
		assert_int_equal(line.inode, UINT64_C(0xa5a5a5a5a5a5a5a5));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file),
		cmocka_unit_test(odd_paths),
		cmocka_unit_test(the_last_page),
		cmocka_unit_test(not_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
