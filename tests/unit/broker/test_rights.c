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
		{ PROTECTION_EXECUTE, 0 },
		{ PROTECTION_EXECUTE_READ, 0 },
		{ PROTECTION_EXECUTE_READWRITE, 0 },
		{ PROTECTION_EXECUTE_WRITECOPY, 0 },
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
	expect(rights_check_access(ACCESS_ALL, &refusal), 0, 0, &refusal);
	expect(rights_check_access(ACCESS_EXECUTE, &refusal), 0, 0, &refusal);
	expect(rights_check_access(ACCESS_QUERY, &refusal), 0, 0, &refusal);
	/* What a handle is reduced to may be nothing, and nothing that it has not. */
	expect(rights_check_part(0, 0, &refusal), 0, 0, &refusal);
	expect(rights_check_part(0, ACCESS_ALL, &refusal), 0, 0, &refusal);
	expect(rights_check_part(ACCESS_READ, ACCESS_READ | ACCESS_WRITE, &refusal), 0, 0,
	       &refusal);
	expect(rights_check_part(ACCESS_READ, ACCESS_WRITE, &refusal), -EPERM, VMSECT_DETAIL_ACCESS,
	       &refusal);
	expect(rights_check_part(0x80, ACCESS_ALL, &refusal), -EINVAL, VMSECT_DETAIL_ACCESS,
	       &refusal);
}

static void test_writing(void **state)
{
	(void)state;
	assert_true(rights_can_write(ACCESS_WRITE, PROTECTION_READWRITE));
	assert_true(rights_can_write(ACCESS_READ | ACCESS_WRITE, PROTECTION_EXECUTE_READWRITE));
	assert_false(rights_can_write(ACCESS_ALL, PROTECTION_READONLY));
	assert_false(rights_can_write(ACCESS_ALL, PROTECTION_WRITECOPY));
	assert_false(rights_can_write(ACCESS_ALL, PROTECTION_EXECUTE));
	assert_false(rights_can_write(ACCESS_ALL, PROTECTION_EXECUTE_READ));
	assert_false(rights_can_write(ACCESS_ALL, PROTECTION_EXECUTE_WRITECOPY));
	assert_false(rights_can_write(ACCESS_ALL & ~(uint32_t)ACCESS_WRITE, PROTECTION_READWRITE));
}

/* Section x view with all rights; columns NA RO RW WC X XR XRW XWC. */
static const struct {
	uint32_t section;
	const char *views;
} matrix[] = {
	{ PROTECTION_READONLY, "yy.y...." },	      { PROTECTION_WRITECOPY, "yy.y...." },
	{ PROTECTION_READWRITE, "yyyy...." },	      { PROTECTION_EXECUTE, "y...y..." },
	{ PROTECTION_EXECUTE_READ, "yy.yyy.y" },      { PROTECTION_EXECUTE_WRITECOPY, "yy.yyy.y" },
	{ PROTECTION_EXECUTE_READWRITE, "yyyyyyyy" },
};

/* The rights that each view needs, all of them. */
static const uint32_t needed[] = {
	[PROTECTION_NOACCESS] = ACCESS_READ,
	[PROTECTION_READONLY] = ACCESS_READ,
	[PROTECTION_READWRITE] = ACCESS_WRITE,
	[PROTECTION_WRITECOPY] = ACCESS_READ,
	[PROTECTION_EXECUTE] = ACCESS_EXECUTE,
	[PROTECTION_EXECUTE_READ] = ACCESS_EXECUTE | ACCESS_READ,
	[PROTECTION_EXECUTE_READWRITE] = ACCESS_EXECUTE | ACCESS_WRITE,
	[PROTECTION_EXECUTE_WRITECOPY] = ACCESS_EXECUTE | ACCESS_READ,
};

/* First the handle's rights, then the section's protection. */
static void check_view(uint32_t access, size_t row, uint32_t view)
{
	bool allowed = matrix[row].views[view - 1] == 'y';
	struct refusal refusal;
	int r = rights_check_view(access, matrix[row].section, view, &refusal);

	if (needed[view] & ~access)
		expect(r, -EPERM, VMSECT_DETAIL_ACCESS, &refusal);
	else
		expect(r, allowed ? 0 : -EACCES, VMSECT_DETAIL_PROTECTION, &refusal);
}

/* Every access mask x section protection x view protection. */
static void test_view_matrix(void **state)
{
	uint32_t access, view;
	size_t row;

	(void)state;
	for (access = 0; access <= ACCESS_ALL; access++) {
		for (row = 0; row < ARRAY_SIZE(matrix); row++) {
			for (view = PROTECTION_NOACCESS; view <= PROTECTION_EXECUTE_WRITECOPY;
			     view++)
				check_view(access, row, view);
		}
	}
}

/* Mapped with x changed to; columns as above. */
static void test_protect_matrix(void **state)
{
	static const struct {
		uint32_t mapped;
		const char *changes;
	} rows[] = {
		{ PROTECTION_NOACCESS, "y......." },
		{ PROTECTION_READONLY, "yy.y...." },
		{ PROTECTION_READWRITE, "yyyy...." },
		{ PROTECTION_WRITECOPY, "yy.y...." },
		{ PROTECTION_EXECUTE, "y...y..." },
		{ PROTECTION_EXECUTE_READ, "yy.yyy.y" },
		{ PROTECTION_EXECUTE_READWRITE, "yyyyyyyy" },
		{ PROTECTION_EXECUTE_WRITECOPY, "yy.yyy.y" },
	};
	struct refusal refusal;
	uint32_t to;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (to = PROTECTION_NOACCESS; to <= PROTECTION_EXECUTE_WRITECOPY; to++)
			expect(rights_check_protect(rows[i].mapped, to, &refusal),
			       rows[i].changes[to - 1] == 'y' ? 0 : -EACCES,
			       VMSECT_DETAIL_PROTECTION, &refusal);
		expect(rights_check_protect(rows[i].mapped, 0, &refusal), -EINVAL,
		       VMSECT_DETAIL_PROTECTION, &refusal);
		expect(rights_check_protect(rows[i].mapped, 9, &refusal), -EINVAL,
		       VMSECT_DETAIL_PROTECTION, &refusal);
	}
}

static void test_kinds_of_protection(void **state)
{
	uint32_t p;

	(void)state;
	for (p = PROTECTION_NOACCESS; p <= PROTECTION_EXECUTE_WRITECOPY; p++) {
		assert_int_equal(rights_is_writable(p),
				 p == PROTECTION_READWRITE || p == PROTECTION_EXECUTE_READWRITE);
		assert_int_equal(rights_is_writecopy(p),
				 p == PROTECTION_WRITECOPY || p == PROTECTION_EXECUTE_WRITECOPY);
		assert_false(rights_is_writable(rights_sealed(p)));
	}
	assert_int_equal(rights_sealed(PROTECTION_READWRITE), PROTECTION_READONLY);
	assert_int_equal(rights_sealed(PROTECTION_EXECUTE_READWRITE), PROTECTION_EXECUTE_READ);
	assert_int_equal(rights_sealed(PROTECTION_WRITECOPY), PROTECTION_WRITECOPY);
}

static void test_growable_ranges(void **state)
{
	static const struct {
		const char *name;
		uint64_t section, offset, room, length;
		int status;
		uint32_t detail;
		uint64_t result;
	} cases[] = {
		{ "all, with room", 8192, 0, 65536, 0, 0, 0, 8192 },
		{ "more than there is", 8192, 4096, 65536, 65536, 0, 0, 4096 },
		{ "a file's last byte", 5000, 4096, 8192, 0, 0, 0, 4096 },
		{ "room as large as the view", 8192, 0, 8192, 0, 0, 0, 8192 },
		{ "a part", 8192, 0, 65536, 100, 0, 0, 4096 },
		{ "odd room", 8192, 0, 8193, 0, -EINVAL, VMSECT_DETAIL_ALIGNMENT, 0 },
		{ "odd offset", 8192, 1, 65536, 0, -EINVAL, VMSECT_DETAIL_ALIGNMENT, 0 },
		{ "no room", 8192, 0, 0, 0, -EINVAL, VMSECT_DETAIL_VIEW_SIZE, 0 },
		{ "too little room", 8192, 0, 4096, 0, -EINVAL, VMSECT_DETAIL_VIEW_SIZE, 0 },
		{ "longer than its room", 8192, 0, 8192, 8193, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
		  0 },
		{ "behind the end", 8192, 8192, 65536, 0, -EINVAL, VMSECT_DETAIL_VIEW_SIZE, 0 },
		{ "absurd room", 8192, 0, UINT64_MAX - 4095, 0, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
		  0 },
		{ "absurd length", 8192, 0, 65536, UINT64_MAX, -EINVAL, VMSECT_DETAIL_VIEW_SIZE,
		  0 },
	};
	struct refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct rights_room room = { cases[i].offset, cases[i].room };
		uint64_t length = cases[i].length;

		print_message("%s\n", cases[i].name);
		expect(rights_check_growable(cases[i].section, 12, &room, &length, &refusal),
		       cases[i].status, cases[i].detail, &refusal);
		assert_int_equal(length, cases[i].status ? cases[i].length : cases[i].result);
	}
}

static void test_parts_of_views(void **state)
{
	static const struct {
		uint64_t view, offset, length;
		uint32_t shift;
		int status;
		uint64_t ret_offset, ret_length;
	} cases[] = {
		{ 8192, 0, 0, 12, 0, 0, 8192 },
		{ 8192, 4096, 0, 12, 0, 4096, 4096 },
		{ 8192, 5000, 1, 12, 0, 4096, 4096 },
		{ 8192, 4095, 2, 12, 0, 0, 8192 },
		{ 8192, 8191, 1, 12, 0, 4096, 4096 },
		{ 4u << 20, (2u << 20) + 1, 1, 21, 0, 2u << 20, 2u << 20 },
		{ 8192, 8192, 0, 12, -EINVAL, 0, 0 },
		{ 8192, 4096, 4097, 12, -EINVAL, 0, 0 },
		{ 8192, UINT64_MAX, 1, 12, -EINVAL, 0, 0 },
		{ 8192, 1, UINT64_MAX, 12, -EINVAL, 0, 0 },
	};
	struct refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t offset = cases[i].offset, length = cases[i].length;

		expect(rights_check_part_of_view(cases[i].view, cases[i].shift, &offset, &length,
						 &refusal),
		       cases[i].status, VMSECT_DETAIL_RANGE, &refusal);
		if (cases[i].status)
			continue;
		assert_int_equal(offset, cases[i].ret_offset);
		assert_int_equal(length, cases[i].ret_length);
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
	assert_true(rights_has_fd(ACCESS_EXECUTE));
	assert_false(rights_has_fd(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_section_protections),
		cmocka_unit_test(test_access_masks),
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_view_matrix),
		cmocka_unit_test(test_protect_matrix),
		cmocka_unit_test(test_kinds_of_protection),
		cmocka_unit_test(test_growable_ranges),
		cmocka_unit_test(test_parts_of_views),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_which_handles_have_a_descriptor),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
