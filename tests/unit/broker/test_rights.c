/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protection matrix, access masks and ranges. */
#include "lib/check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "broker/rights.h"

static void expect(int got, int status, uint32_t detail, const struct refusal *refusal)
{
	assert_int_equal(got, status);
	if (!status)
		return;
	assert_int_equal(refusal->status, status);
	assert_int_equal(refusal->detail, detail);
	assert_true(strlen(refusal->text) > 10);
}

static void test_section_protections(void **state)
{
	static const struct {
		uint32_t protection;
		int status;
	} cases[] = {
		{ 0, -EINVAL },
		{ PROTECTION_NOACCESS, -EINVAL },
		{ 9, -EINVAL },
		{ 0x104, -EINVAL },
		{ UINT32_MAX, -EINVAL },
		{ PROTECTION_EXECUTE, -EOPNOTSUPP },
		{ PROTECTION_EXECUTE_READ, -EOPNOTSUPP },
		{ PROTECTION_EXECUTE_READWRITE, -EOPNOTSUPP },
		{ PROTECTION_EXECUTE_WRITECOPY, -EOPNOTSUPP },
		{ PROTECTION_READONLY, 0 },
		{ PROTECTION_READWRITE, 0 },
		{ PROTECTION_WRITECOPY, 0 },
	};
	struct refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		expect(rights_check_section_protection(cases[i].protection, &refusal),
		       cases[i].status, VMSECT_DETAIL_PROTECTION, &refusal);
	expect(rights_check_view_protection(PROTECTION_NOACCESS, &refusal), 0, 0, &refusal);
	expect(rights_check_view_protection(0, &refusal), -EINVAL, VMSECT_DETAIL_PROTECTION,
	       &refusal);
}

static void test_access_masks(void **state)
{
	struct refusal refusal;

	(void)state;
	expect(rights_check_access(0, &refusal), -EINVAL, VMSECT_DETAIL_ACCESS, &refusal);
	expect(rights_check_access(0x80, &refusal), -EINVAL, VMSECT_DETAIL_ACCESS, &refusal);
	expect(rights_check_access(UINT32_MAX, &refusal), -EINVAL, VMSECT_DETAIL_ACCESS, &refusal);
	expect(rights_check_access(ACCESS_ALL, &refusal), -EOPNOTSUPP, VMSECT_DETAIL_ACCESS,
	       &refusal);
	expect(rights_check_access(ACCESS_ALL & ~ACCESS_EXECUTE, &refusal), 0, 0, &refusal);
	expect(rights_check_access(ACCESS_QUERY, &refusal), 0, 0, &refusal);
}

static void test_open_within_protection(void **state)
{
	struct refusal refusal;

	(void)state;
	expect(rights_check_open(ACCESS_WRITE, PROTECTION_READONLY, &refusal), -EACCES,
	       VMSECT_DETAIL_ACCESS, &refusal);
	expect(rights_check_open(ACCESS_READ | ACCESS_WRITE, PROTECTION_WRITECOPY, &refusal),
	       -EACCES, VMSECT_DETAIL_ACCESS, &refusal);
	expect(rights_check_open(ACCESS_READ, PROTECTION_READONLY, &refusal), 0, 0, &refusal);
	expect(rights_check_open(ACCESS_WRITE, PROTECTION_READWRITE, &refusal), 0, 0, &refusal);
}

/* The rules in words: first the handle's right, then the section's protection. */
static void check_view(uint32_t access, uint32_t section, uint32_t view)
{
	bool writes = view == PROTECTION_READWRITE;
	uint32_t detail = VMSECT_DETAIL_PROTECTION;
	struct refusal refusal;
	int status = 0;

	if (!(access & (writes ? ACCESS_WRITE : ACCESS_READ))) {
		status = -EPERM;
		detail = VMSECT_DETAIL_ACCESS;
	} else if (writes && section != PROTECTION_READWRITE) {
		status = -EACCES;
	}
	expect(rights_check_view(access, section, view, &refusal), status, detail, &refusal);
}

/* Every access mask x section protection x view protection. */
static void test_view_matrix(void **state)
{
	uint32_t access, view;

	(void)state;
	for (access = 0; access <= ACCESS_ALL; access++) {
		for (view = PROTECTION_NOACCESS; view <= PROTECTION_WRITECOPY; view++) {
			check_view(access, PROTECTION_READONLY, view);
			check_view(access, PROTECTION_READWRITE, view);
			check_view(access, PROTECTION_WRITECOPY, view);
		}
	}
}

static void test_ranges(void **state)
{
	static const struct {
		const char *name;
		uint64_t section, offset, length;
		uint32_t shift;
		int status;
		uint32_t detail;
		uint64_t result;
	} cases[] = {
		{ "odd offset", 8192, 1, 0, 12, -EINVAL, VMSECT_DETAIL_ALIGNMENT, 0 },
		{ "odd offset wins over range", 8192, 9000, 0, 12, -EINVAL, VMSECT_DETAIL_ALIGNMENT,
		  0 },
		{ "4 KiB offset of 2 MiB pages", 4u << 20, 4096, 0, 21, -EINVAL,
		  VMSECT_DETAIL_ALIGNMENT, 0 },
		{ "offset at the end", 8192, 8192, 0, 12, -EINVAL, VMSECT_DETAIL_VIEW_SIZE, 0 },
		{ "offset behind the end", 8192, 1u << 30, 1, 12, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
		  0 },
		{ "highest offset", 8192, UINT64_MAX - 4095, 4096, 12, -EINVAL,
		  VMSECT_DETAIL_VIEW_SIZE, 0 },
		{ "one byte too many", 8192, 4096, 4097, 12, -EINVAL, VMSECT_DETAIL_VIEW_SIZE, 0 },
		{ "one byte too many within the last page", 5000, 4096, 905, 12, -EINVAL,
		  VMSECT_DETAIL_VIEW_SIZE, 0 },
		{ "length that wraps", 8192, 4096, UINT64_MAX, 12, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
		  0 },
		{ "negative length", 8192, 4096, (uint64_t)-4096, 12, -EINVAL,
		  VMSECT_DETAIL_VIEW_SIZE, 0 },
		{ "all", 8192, 0, 0, 12, 0, 0, 8192 },
		{ "to the end", 8192, 4096, 0, 12, 0, 0, 4096 },
		{ "one byte is a page", 8192, 0, 1, 12, 0, 0, 4096 },
		{ "last byte of a file", 5000, 4096, 904, 12, 0, 0, 4096 },
		{ "one byte is a huge page", 4u << 20, 2u << 20, 1, 21, 0, 0, 2u << 20 },
	};
	struct refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t length = cases[i].length;

		print_message("%s\n", cases[i].name);
		expect(rights_check_range(cases[i].section, cases[i].shift, cases[i].offset,
					  &length, &refusal),
		       cases[i].status, cases[i].detail, &refusal);
		if (!cases[i].status)
			assert_int_equal(length, cases[i].result);
		else
			assert_int_equal(length, cases[i].length);
	}
}

static void test_which_handles_have_a_descriptor(void **state)
{
	(void)state;
	assert_false(rights_has_fd(ACCESS_QUERY | ACCESS_EXTEND | ACCESS_NOTIFY | ACCESS_GRANT));
	assert_true(rights_has_fd(ACCESS_READ));
	assert_true(rights_has_fd(ACCESS_WRITE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_section_protections),
		cmocka_unit_test(test_access_masks),
		cmocka_unit_test(test_open_within_protection),
		cmocka_unit_test(test_view_matrix),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_which_handles_have_a_descriptor),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
