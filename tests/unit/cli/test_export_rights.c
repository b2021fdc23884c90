/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owner and mode of exports: who only reads gets nothing that he could write. */
#include "lib/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/export_rights.h"

static const struct export_rights nothing = { EXPORT_MODE_UNSET, VMSECT_EXPORT_KEEP,
					      VMSECT_EXPORT_KEEP };

static struct export_rights settle(struct export_rights said, enum export_mode mode,
				   const struct vmsect_export_info *now)
{
	const struct export_wish wish = { .program = EXPORT_FOR_QEMU, .mode = mode };
	char why[EXPORT_WHY_MAX];

	assert_int_equal(export_rights_settle(&said, &wish, now, why), 0);
	return said;
}

static void test_an_owner_is_a_writer(void **state)
{
	static const enum export_mode readers[] = { EXPORT_MODE_RO, EXPORT_MODE_COW };
	struct export_rights said = { 0640, 1000, VMSECT_EXPORT_KEEP };
	struct export_wish wish = { .program = EXPORT_FOR_QEMU };
	char why[EXPORT_WHY_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		wish.mode = readers[i];
		assert_int_equal(export_rights_settle(&said, &wish, NULL, why), -EINVAL);
		assert_non_null(strstr(why, "-g"));
	}
	assert_int_equal(settle(said, EXPORT_MODE_RW, NULL).uid, 1000);
}

static void test_defaults(void **state)
{
	struct export_rights group = nothing;

	(void)state;
	group.gid = 107;
	assert_int_equal(settle(nothing, EXPORT_MODE_RW, NULL).mode, 0600);
	assert_int_equal(settle(nothing, EXPORT_MODE_RO, NULL).mode, 0600);
	assert_int_equal(settle(group, EXPORT_MODE_RW, NULL).mode, 0660);
	assert_int_equal(settle(group, EXPORT_MODE_RO, NULL).mode, 0640);
	assert_int_equal(settle(group, EXPORT_MODE_COW, NULL).mode, 0640);
	assert_int_equal(settle(group, EXPORT_MODE_COW, NULL).gid, 107);
	group.mode = 0666; /* who says it gets it */
	assert_int_equal(settle(group, EXPORT_MODE_RO, NULL).mode, 0666);
}

/* A second program does not take away what the first one was given. */
static void test_what_is_exported_stays(void **state)
{
	const struct vmsect_export_info now = { .mode = 0660, .uid = 5, .gid = 6 };
	struct export_rights said = nothing;

	(void)state;
	said = settle(said, EXPORT_MODE_RO, &now);
	assert_int_equal(said.mode, 0660);
	assert_int_equal(said.uid, 5);
	assert_int_equal(said.gid, 6);
	said = nothing;
	said.gid = 7;
	assert_int_equal(settle(said, EXPORT_MODE_RW, &now).gid, 7);
	assert_int_equal(settle(said, EXPORT_MODE_RW, &now).uid, VMSECT_EXPORT_KEEP);
}

static void test_data_files_keep_theirs(void **state)
{
	struct export_rights said = nothing;
	char why[EXPORT_WHY_MAX] = "";

	(void)state;
	assert_int_equal(export_rights_check_file(&said, why), 0);
	said.mode = 0600;
	assert_int_equal(export_rights_check_file(&said, why), -EINVAL);
	assert_non_null(strstr(why, "chmod"));
	said = nothing;
	said.gid = 1;
	assert_int_equal(export_rights_check_file(&said, why), -EINVAL);
}

static void expect_notes(uint32_t mode, uint32_t uid, enum export_mode for_mode, const char *part)
{
	const struct vmsect_export_info now = { .mode = mode, .uid = uid, .path = "/p" };
	const struct export_wish wish = { .program = EXPORT_FOR_QEMU, .mode = for_mode };
	struct export_printer printer = { 0 };
	char *notes = NULL;
	size_t size = 0;

	printer.notes = open_memstream(&notes, &size);
	assert_non_null(printer.notes);
	export_rights_note(&now, &wish, &printer);
	assert_int_equal(fclose(printer.notes), 0);
	if (!part)
		assert_string_equal(notes, "");
	else if (!strstr(notes, part))
		fail_msg("'%s' does not say '%s'", notes, part);
	free(notes);
}

static void test_notes(void **state)
{
	(void)state;
	expect_notes(0600, 0, EXPORT_MODE_RW, "only uid 0 and root");
	expect_notes(0660, 0, EXPORT_MODE_RW, NULL);
	expect_notes(0660, 0, EXPORT_MODE_RO, "lets others write");
	expect_notes(0642, 0, EXPORT_MODE_COW, "lets others write");
	expect_notes(0640, 0, EXPORT_MODE_COW, NULL);
	expect_notes(0640, 1000, EXPORT_MODE_COW, "runs as uid 1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_owner_is_a_writer),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_what_is_exported_stays),
		cmocka_unit_test(test_data_files_keep_theirs),
		cmocka_unit_test(test_notes),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
