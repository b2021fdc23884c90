/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes, numbers and names.
 */
#include "base/parse.h"

#include "lib/check.h"

#include <errno.h>
#include <string.h>

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t bytes;
	} rows[] = {
		{ "", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "1KB", -EINVAL, 0 },
		{ "1Ki", -EINVAL, 0 },
		{ "1KiBx", -EINVAL, 0 },
		{ "1Q", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "0xg", -EINVAL, 0 },
		{ "1a", -EINVAL, 0 },
		{ "1\xc3", -EINVAL, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "16777216T", -ERANGE, 0 },
		{ "0x10000000000000000", -ERANGE, 0 },
		{ "0", 0, 0 },
		{ "0K", 0, 0 },
		{ "4096", 0, 4096 },
		{ "0x1000", 0, 4096 },
		{ "0X1f", 0, 31 },
		{ "4K", 0, 4096 },
		{ "4k", 0, 4096 },
		{ "4KiB", 0, 4096 },
		{ "0x10M", 0, 16 << 20 },
		{ "3G", 0, UINT64_C(3) << 30 },
		{ "16777215T", 0, UINT64_C(16777215) << 40 },
		{ "18446744073709551615", 0, UINT64_MAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t bytes = POISON;
		int r = parse_size(rows[i].text, &bytes);

		if (r != rows[i].result)
			fail_msg("'%s': %d", rows[i].text, r);
		assert_int_equal(bytes, r < 0 ? POISON : rows[i].bytes);
	}
}

static void numbers(void **state)
{
	uint32_t value = POISON;

	(void)state;
	assert_int_equal(parse_u32("", 9, &value), -EINVAL);
	assert_int_equal(parse_u32("0x1", 9, &value), -EINVAL);
	assert_int_equal(parse_u32("1K", 9, &value), -EINVAL);
	assert_int_equal(parse_u32("10", 9, &value), -ERANGE);
	assert_int_equal(parse_u32("4294967296", UINT32_MAX, &value), -ERANGE);
	assert_int_equal(value, POISON);
	assert_int_equal(parse_u32("4294967295", UINT32_MAX, &value), 0);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(parse_u32("007", 9, &value), 0);
	assert_int_equal(value, 7);
}

static void names(void **state)
{
	static const char *const good[] = { "a",  "A-Z.0_9+@:x", "_", "@a", "ctl2", "Ctl",
					    "ct", "+",		 "0", ":",  "a.",   "a-" };
	static const char *const bad[] = { "",	  ".",	 "..",	"-a",	".a",  "a/b", "a b",
					   "ctl", "a\n", "a\t", "\xe4", "a\\", "a!",  "\x7f" };
	char name[129];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (name_is_legal(bad[i], strlen(bad[i])))
			fail_msg("'%s' is taken for a name", bad[i]);
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		if (!name_is_legal(good[i], strlen(good[i])))
			fail_msg("'%s' is not taken for a name", good[i]);
	}
	memset(name, 'a', sizeof(name));
	assert_true(name_is_legal(name, 127));
	assert_false(name_is_legal(name, 128));
	assert_false(name_is_legal("a\0b", 3));
}

static void fields(void **state)
{
	char field[8] = "abc";
	size_t length = POISON;

	(void)state;
	field[7] = 'x';
	assert_int_equal(name_field_length(field, sizeof(field), &length), -EINVAL);
	memset(field, 'a', sizeof(field));
	assert_int_equal(name_field_length(field, sizeof(field), &length), -EINVAL);
	assert_int_equal(length, POISON);
	field[7] = 0;
	assert_int_equal(name_field_length(field, sizeof(field), &length), 0);
	assert_int_equal(length, 7);
	memset(field, 0, sizeof(field));
	assert_int_equal(name_field_length(field, sizeof(field), &length), 0);
	assert_int_equal(length, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(numbers),
		cmocka_unit_test(names),
		cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests_name("base_parse", tests, NULL, NULL);
}
