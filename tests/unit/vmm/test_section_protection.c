/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section_protection.c against the tables as they are written down. */
#include "lib/check.h"

#include <unistd.h>

#include "dev/section_protection.h"
#include "vmsect_dev.h"

#define R VMSECT_DEV_ACCESS_READ
#define W VMSECT_DEV_ACCESS_WRITE
#define X VMSECT_DEV_ACCESS_EXECUTE

/* Rows: sections RO, RW, WC, X, XR, XRW, XWC (2 to 8); columns: views NA to XWC. */
static const char *const fits[] = {
	[2] = "yy.y....", [3] = "yyyy....", [4] = "yy.y....", [5] = "y...y...",
	[6] = "yy.yyy.y", [7] = "yyyyyyyy", [8] = "yy.yyy.y",
};

/* Rows: views as they were mapped; columns: what their pages may become. */
static const char *const within[] = {
	[1] = "y.......", [2] = "yy.y....", [3] = "yyyy....", [4] = "yy.y....",
	[5] = "y...y...", [6] = "yy.yyy.y", [7] = "yyyyyyyy", [8] = "yy.yyy.y",
};

static void test_sections_and_views(void **state)
{
	(void)state;
	for (uint32_t view = 1; view <= 8; view++) {
		for (uint32_t section = 2; section <= 8; section++)
			assert_int_equal(section_protection_fits(section, view),
					 fits[section][view - 1] == 'y');
		for (uint32_t first = 1; first <= 8; first++)
			assert_int_equal(section_protection_within(first, view),
					 within[first][view - 1] == 'y');
	}
}

static void test_rights(void **state)
{
	static const uint32_t rights[] = { 0, R, R, W, R, X, X | R, X | W, X | R };

	(void)state;
	for (uint32_t view = 1; view <= 8; view++)
		assert_int_equal(section_protection_rights(view), rights[view]);
	for (uint32_t value = 0; value < 20; value++)
		assert_int_equal(section_protection_is_legal(value), value >= 1 && value <= 8);
	assert_false(section_protection_is_legal(UINT32_MAX));
}

static void test_modes(void **state)
{
	static const enum window_mode modes[] = {
		WINDOW_NOACCESS,  WINDOW_NOACCESS,  WINDOW_READONLY,
		WINDOW_READWRITE, WINDOW_WRITECOPY, WINDOW_READONLY,
		WINDOW_READONLY,  WINDOW_READWRITE, WINDOW_WRITECOPY,
	};

	(void)state;
	for (uint32_t view = 1; view <= 8; view++) {
		assert_int_equal(section_protection_mode(view), modes[view]);
		assert_int_equal(section_protection_executes(view), view >= 5);
		assert_int_equal(section_protection_of_page(view, false), view);
		assert_int_equal(section_protection_of_page(view, true), view == 4   ? 3
									 : view == 8 ? 7
										     : view);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections_and_views),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_modes),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
