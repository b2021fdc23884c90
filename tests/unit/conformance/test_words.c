/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words and numbers of scenario lines.
 */
#include "conformance/words.h"

#include "lib/check.h"

#include <string.h>
#include <unistd.h>

#include "lib/leak.h"

static void kinds_of_words(void **state)
{
	struct words words;

	(void)state;
	assert_null(words_split(&words,
				"  A write v 1p-1 \"a b\\n\\x41\\0\\\"\\\\\" k=v n>=\"2\" # no"));
	assert_int_equal(words.count, 7);
	assert_true(word_is(&words.word[0], "A"));
	assert_true(word_is_number(&words.word[3]));
	assert_true(words.word[4].is_quoted);
	assert_int_equal(words.word[4].length, 8);
	assert_memory_equal(words.word[4].value, "a b\nA\0\"\\", 8);
	assert_string_equal(words.word[5].key, "k");
	assert_int_equal(words.word[5].relation, WORD_EQUAL);
	assert_int_equal(words.word[6].relation, WORD_AT_LEAST);
	assert_true(words.word[6].is_quoted);
	words_deinit(&words);
}

static void what_is_no_key(void **state)
{
	struct words words;

	(void)state;
	assert_null(words_split(&words, "read => ok #7 user.bytes=1M =x"));
	assert_int_equal(words.count, 6);
	for (size_t i = 0; i < words.count; i++)
		assert_null(words.word[i].key);
	words_deinit(&words);
}

static void comments_and_nothing(void **state)
{
	static const char *const lines[] = { "", "   ", "# all of it", "#x", "  # so" };
	struct words words;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_null(words_split(&words, lines[i]));
		assert_int_equal(words.count, 0);
	}
}

static void lines_that_are_wrong(void **state)
{
	static const char *const lines[] = {
		"\"no end", "\"bad \\q\"", "\"short \\x4\"", "\"a\"b", "a\"b\"", "k=\"\\",
	};
	char many[4 * WORDS_MAX];
	struct words words;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_non_null(words_split(&words, lines[i]));
		assert_int_equal(words.count, 0);
	}
	memset(many, ' ', sizeof(many));
	many[sizeof(many) - 1] = '\0';
	for (size_t i = 0; i <= WORDS_MAX; i++)
		many[2 * i] = 'a';
	assert_string_equal(words_split(&words, many), "too many words");
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
	} good[] = {
		{ "0", 0 },
		{ "36", 36 },
		{ "0x3456", 0x3456 },
		{ "0644", 0644 },
		{ "2p", 8192 },
		{ "2p-1", 8191 },
		{ "1M+1p+5", (1 << 20) + 4096 + 5 },
		{ "8T", UINT64_C(8) << 40 },
		{ "0xffffffffffffffff", UINT64_MAX },
	};
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(number_parse(good[i].text, 4096, &number));
		assert_int_equal(number, good[i].number);
	}
	assert_true(number_parse("2p", UINT64_C(2) << 20, &number));
	assert_int_equal(number, 4 << 20);
}

static void what_is_no_number(void **state)
{
	static const char *const bad[] = {
		"",
		"p",
		"1q",
		"1pp",
		"1+",
		"1-2",
		"-1",
		"08",
		"0x",
		"18446744073709551616",
		"0xffffffffffffffff+1",
		"17000000T",
	};
	uint64_t number = POISON;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(number_parse(bad[i], 4096, &number));
	assert_int_equal(number, POISON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_words),
		cmocka_unit_test(what_is_no_key),
		cmocka_unit_test(comments_and_nothing),
		cmocka_unit_test(lines_that_are_wrong),
		cmocka_unit_test(numbers),
		cmocka_unit_test(what_is_no_number),
	};

	(void)alarm(30);
	return cmocka_run_group_tests(tests, leak_setup, leak_teardown);
}
