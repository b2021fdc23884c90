/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exports in the journal: there and back, and records that make no sense. */
#include "restore_bed.h"

#include <unistd.h>

#include "broker/export.h"
#include "broker/restore_check.h"

#define SHM_PATH "/nowhere/vmsect-s"
#define BELL_PATH "/nowhere/doorbell/s"

/* A permanent section that is exported in both ways. */
static struct section *make(struct registry *registry)
{
	const struct section_spec spec = {
		.name = "s",
		.protection = PROTECTION_READWRITE,
		.permanent = true,
		.exportable = true,
		.max_bytes = BED_PAGE,
		.backing = { .kind = BACKING_SHMEM,
			     .page_shift = BACKING_PAGE_SHIFT,
			     .size_bytes = BED_PAGE },
	};
	const struct export exports[] = {
		{ .kind = VMSECT_EXPORT_PATH, .mode = 0640, .uid = 1, .gid = 2, .path = SHM_PATH },
		{ .kind = VMSECT_EXPORT_DOORBELL, .mode = 0660, .vectors = 3, .path = BELL_PATH },
	};
	struct section *section = NULL;
	struct refusal refusal;
	size_t i;

	assert_int_equal(registry_new_section(registry, &spec, &section, &refusal), 0);
	section->backing.size_bytes = BED_PAGE;
	section->backing.ino = 7;
	for (i = 0; i < ARRAY_SIZE(exports); i++)
		assert_int_equal(export_restore(section, &exports[i]), 0);
	return section;
}

static void test_there_and_back(void **state)
{
	struct journal_buffer image = { 0 };
	const struct export *path, *bell;
	struct registry registry;
	struct section *section;
	struct bed_copy copy;

	(void)state;
	bed_registry(&registry);
	registry.broker_generation = 1;
	section = make(&registry);
	bed_image(&registry, &image);
	bed_restore(&copy, image.bytes, image.size);
	assert_int_equal(copy.outcome, 0);
	assert_int_equal(copy.result.left_out, 0);
	path = export_find(registry_find_section(&copy.registry, "s"), VMSECT_EXPORT_PATH);
	bell = export_find(registry_find_section(&copy.registry, "s"), VMSECT_EXPORT_DOORBELL);
	assert_non_null(path);
	assert_non_null(bell);
	assert_true(registry_find_section(&copy.registry, "s")->exportable);
	assert_string_equal(path->path, SHM_PATH);
	assert_int_equal(path->mode, 0640);
	assert_int_equal(path->uid, 1);
	assert_int_equal(path->gid, 2);
	assert_string_equal(bell->path, BELL_PATH);
	assert_int_equal(bell->vectors, 3);
	bed_drop(&copy);
	/* One that is parked is known, and not shown. */
	section->exports[VMSECT_EXPORT_PATH - 1]->is_parked = true;
	journal_buffer_clear(&image);
	bed_image(&registry, &image);
	bed_restore(&copy, image.bytes, image.size);
	section = registry_find_section(&copy.registry, "s");
	assert_null(export_find(section, VMSECT_EXPORT_PATH));
	assert_non_null(section->exports[VMSECT_EXPORT_PATH - 1]);
	bed_drop(&copy);
	journal_buffer_deinit(&image);
	registry_deinit(&registry);
}

#define EXPECT_BAD(field, value)                                                                   \
	do {                                                                                       \
		bad = good;                                                                        \
		bad.field = value;                                                                 \
		assert_false(restore_check_export(&section, &bad));                                \
	} while (0)

static void test_records_without_sense(void **state)
{
	struct journal_section section = { .backing_kind = BACKING_SHMEM, .name = "s" };
	const uint32_t exportable = JOURNAL_SECTION_EXPORTABLE;
	struct journal_export good = { .kind = VMSECT_EXPORT_PATH, .mode = 0640, .path = SHM_PATH };
	struct journal_export bad;

	(void)state;
	assert_false(restore_check_export(&section, &good)); /* a memfd has no path */
	section.flags = exportable;
	EXPECT_BAD(kind, 0);
	EXPECT_BAD(kind, 3);
	EXPECT_BAD(kind, VMSECT_EXPORT_DOORBELL); /* without vectors */
	EXPECT_BAD(vectors, 1);
	EXPECT_BAD(mode, 01640);
	EXPECT_BAD(is_parked, 2);
	EXPECT_BAD(path[0], 'n');
	EXPECT_BAD(path[VMSECT_PATH_MAX], 'x'); /* has no end */
	assert_true(restore_check_export(&section, &good));
	good.is_parked = 1;
	assert_true(restore_check_export(&section, &good));
	section.backing_kind = BACKING_FILE; /* is never moved */
	assert_false(restore_check_export(&section, &good));
	good.is_parked = 0;
	section.name[0] = '\0'; /* exports end with the name */
	assert_false(restore_check_export(&section, &good));
	section.name[0] = 's';
	good.kind = VMSECT_EXPORT_DOORBELL;
	good.vectors = 64;
	assert_true(restore_check_export(&section, &good));
	EXPECT_BAD(vectors, 65);
	EXPECT_BAD(is_parked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_records_without_sense),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
