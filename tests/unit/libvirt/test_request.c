/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of vmsect-libvirt.
 */
#include "libvirt/request.h"

#include <string.h>

#include "lib/check.h"

#define WORDS_MAX 16

/* Parses words that end with NULL. */
static enum request_result parse(struct request *request, const char *const *words)
{
	static char texts[WORDS_MAX][128];
	char *argv[WORDS_MAX + 1];
	int argc = 0;

	for (; words[argc]; argc++) {
		strncpy(texts[argc], words[argc], sizeof(texts[0]) - 1);
		argv[argc] = texts[argc];
	}
	argv[argc] = NULL;
	return request_parse(request, argc, argv);
}
#define PARSE(request, ...) parse(request, (const char *const[]){ "p", __VA_ARGS__, NULL })

static void attach_has_defaults(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(PARSE(&request, "attach", "--domain", "d", "s", "--mode", "ro"),
			 REQUEST_OK);
	assert_int_equal(request.verb, VERB_ATTACH);
	assert_int_equal(request.mode, MODE_RO);
	assert_int_equal(request.device, DEVICE_IVSHMEM);
	assert_string_equal(request.domain, "d");
	assert_string_equal(request.section, "s");
	assert_null(request.uri);
	assert_null(request.socket_path);
}

static void all_words_are_taken(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(PARSE(&request, "attach", "--domain=d", "--mode=cow", "--device=pmem",
			       "--connect", "qemu:///session", "--socket", "/s", "s"),
			 REQUEST_OK);
	assert_int_equal(request.mode, MODE_COW);
	assert_int_equal(request.device, DEVICE_PMEM);
	assert_string_equal(request.uri, "qemu:///session");
	assert_string_equal(request.socket_path, "/s");
	assert_int_equal(request.vectors, 0);
	assert_int_equal(PARSE(&request, "attach", "s", "--domain", "d", "--mode", "rw", "--device",
			       "doorbell"),
			 REQUEST_OK);
	assert_int_equal(request.vectors, 1);
	assert_int_equal(PARSE(&request, "detach", "s", "--domain", "d", "--timeout", "7"),
			 REQUEST_OK);
	assert_int_equal(request.verb, VERB_DETACH);
	assert_int_equal(request.timeout_s, 7);
}

static void wrong_lines_are_refused(void **state)
{
	static const char *const lines[][WORDS_MAX] = {
		{ "p" },
		{ "p", "plug", "s", "--domain", "d" },
		{ "p", "attach", "--domain", "d", "--mode", "ro" },
		{ "p", "attach", "s", "--mode", "ro" },
		{ "p", "attach", "s", "--domain", "", "--mode", "ro" },
		{ "p", "attach", "s", "--domain", "d" },
		{ "p", "attach", "s", "--domain", "d", "--mode", "rwx" },
		{ "p", "attach", "s", "--domain", "d", "--mode" },
		{ "p", "attach", "s", "--domain", "d", "--mode", "ro", "--device", "floppy" },
		{ "p", "attach", "s", "--domain", "d", "--mode", "ro", "--timeout", "3" },
		{ "p", "attach", "s", "--domain", "d", "--mode", "ro", "--what" },
		{ "p", "attach", "s", "t", "--domain", "d", "--mode", "ro" },
		{ "p", "attach", "../s", "--domain", "d", "--mode", "ro" },
		{ "p", "detach", "s", "--domain", "d", "--mode", "ro" },
		{ "p", "detach", "s", "--domain", "d", "--device", "pmem" },
		{ "p", "detach", "s", "--domain", "d", "--timeout", "soon" },
		{ "p", "detach", "s", "--domain", "d", "--vectors", "2" },
		{ "p", "attach", "s", "--domain", "d", "--mode", "rw", "--vectors", "2" },
		{ "p", "attach", "s", "--domain", "d", "--mode", "ro", "--device", "doorbell" },
		{ "p", "attach", "s", "--domain", "d", "--mode", "rw", "--device", "doorbell",
		  "--vectors", "65" },
		{ "p", "attach", "s", "--domain", "d", "--mode", "rw", "--device", "doorbell",
		  "--vectors", "0" },
		{ "p", "detach", "s", "--domain", "d", "--timeout", "86401" },
	};
	struct request request;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		if (parse(&request, lines[i]) != REQUEST_WRONG)
			fail_msg("line %zu is taken", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attach_has_defaults),
		cmocka_unit_test(all_words_are_taken),
		cmocka_unit_test(wrong_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
