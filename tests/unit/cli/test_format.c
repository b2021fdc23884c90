/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as people and machines read them.
 */
#include "cli/format.h"

#include "lib/check.h"

#include <stdlib.h>
#include <string.h>

static void sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0B" },
		{ 1023, "1023B" },
		{ 1024, "1K" },
		{ 1536, "1.5K" },
		{ 5000, "4.8K" },
		{ 16777216, "16M" },
		{ UINT64_C(3) << 29, "1.5G" },
		{ UINT64_C(1) << 40, "1T" },
		{ UINT64_C(1) << 50, "1P" },
		{ UINT64_MAX, "15.9E" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = NULL;

		assert_int_equal(format_size(rows[i].bytes, CELL_PEOPLE, &text), 0);
		assert_string_equal(text, rows[i].text);
		free(text);
	}
}

static void assert_text(int r, char *text, const char *expected)
{
	assert_int_equal(r, 0);
	assert_string_equal(text, expected);
	free(text);
}

static void forms(void **state)
{
	char *text = NULL;
	int r;

	(void)state;
	r = format_size(16777216, CELL_BYTES, &text);
	assert_text(r, text, "16777216");
	r = format_place(0x1000, CELL_BYTES, &text);
	assert_text(r, text, "0x1000");
	r = format_place(0x1000, CELL_JSON, &text);
	assert_text(r, text, "4096");
	r = format_boolean(1, CELL_JSON, &text);
	assert_text(r, text, "1");
	r = format_boolean(0, CELL_PEOPLE, &text);
	assert_text(r, text, "no");
	r = format_mode(0640, &text);
	assert_text(r, text, "0640");
	r = format_signed(-5, &text);
	assert_text(r, text, "-5");
	r = format_user(0, &text);
	assert_text(r, text, "root");
	r = format_user(4294967294u, &text);
	assert_text(r, text, "4294967294");
	text = (void *)&r;
	assert_int_equal(format_text("", &text), 0);
	assert_null(text);
}

static void words(void **state)
{
	int i;

	(void)state;
	assert_string_equal(word_of_mode(VMSECT_PROT_NOACCESS), "none");
	assert_string_equal(word_of_mode(VMSECT_PROT_READONLY), "ro");
	assert_string_equal(word_of_mode(VMSECT_PROT_READWRITE), "rw");
	assert_string_equal(word_of_mode(VMSECT_PROT_WRITECOPY), "cow");
	/* Every number has a word, also one that does not exist. */
	for (i = 0; i < 12; i++) {
		assert_non_null(word_of_protection((enum vmsect_protection)i));
		assert_non_null(word_of_backing((enum vmsect_backing)i));
		assert_non_null(word_of_mode((enum vmsect_protection)i));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(forms),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("cli_format", tests, NULL, NULL);
}
