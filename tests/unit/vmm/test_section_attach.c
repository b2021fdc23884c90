/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section_attach.c: memory that can grow, attached with room and without. */
#include "dev/section_impl.h"
#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 60
#define MOST (4 * UNIT)

static struct vmsect_section *create(struct test *test)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "grows",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = PAGE,
		.max_bytes = MOST,
	};
	struct vmsect_section *section = NULL;

	assert_int_equal(vmsect_section_create(test->owner, &options, &section), 0);
	return section;
}

static void start_with(struct test *test, const struct section_attach *list, size_t count)
{
	if (attach(test, list, count) < 0)
		fail_msg("%s", test->bed.error);
	bed_drive(&test->bed);
}

static void expect_view(struct section_bed *bed, uint32_t id, uint64_t length, uint64_t room)
{
	struct vmsect_rsp_query_view reply;

	assert_int_equal(bed_query_view(bed, id, &reply), VMSECT_S_OK);
	assert_int_equal(reply.view.length, length);
	assert_int_equal(reply.view.room, room);
	assert_int_equal(reply.view.view_flags, room ? VMSECT_VIEW_F_GROWABLE : 0);
}

/* In every mode; what comes after them is placed behind their room. */
static void test_with_room(void **state)
{
	const struct section_attach list[] = {
		{ .name = "grows", .mode = SECTION_ATTACH_RO, .at = WINDOW_ANY },
		{ .name = "grows", .mode = SECTION_ATTACH_RW, .at = WINDOW_ANY },
		{ .name = "grows", .mode = SECTION_ATTACH_COW, .at = WINDOW_ANY },
		{ .name = "data", .mode = SECTION_ATTACH_RO, .at = WINDOW_ANY },
		{ .name = "fixed", .mode = SECTION_ATTACH_RO, .at = WINDOW_ANY },
	};
	struct test *test = *state;
	struct section_bed *bed = &test->bed;
	struct vmsect_section *section = create(test);
	uint64_t size = 0, value = 7;

	start_with(test, list, ARRAY_SIZE(list));
	for (uint32_t id = 1; id <= 3; id++)
		expect_view(bed, id, PAGE, MOST);
	expect_view(bed, 4, DATA_VIEW, 0);
	expect_view(bed, 5, READ_BYTES, 0);
	check_hole(bed, PAGE);
	assert_int_equal(vmsect_section_extend(section, MOST, &size), 0);
	section_resync(bed->dev);
	for (uint32_t id = 1; id <= 3; id++)
		expect_view(bed, id, MOST, MOST);
	assert_int_equal(bed_touch(bed, 2 * MOST - PAGE, true, &value), WINDOW_FAULT_RACE);
	check_word(bed, MOST - PAGE, 7);
	check_word(bed, 3 * MOST - PAGE, 7);
	(void)vmsect_section_close(section);
}

/* The place that was asked for has room for what is there, and no more. */
static void test_without_room(void **state)
{
	const struct section_attach list[] = {
		{ .name = "fixed", .mode = SECTION_ATTACH_RO, .at = 9 * UNIT },
		{ .name = "grows", .mode = SECTION_ATTACH_RW, .at = 8 * UNIT },
		{ .name = "grows", .mode = SECTION_ATTACH_COW, .at = BED_WINDOW - UNIT },
	};
	struct test *test = *state;
	struct section_bed *bed = &test->bed;
	struct vmsect_section *section = create(test);
	uint64_t size = 0;

	start_with(test, list, ARRAY_SIZE(list));
	expect_view(bed, 2, PAGE, 0);
	expect_view(bed, 3, PAGE, 0);
	assert_int_equal(vmsect_section_extend(section, MOST, &size), 0);
	section_resync(bed->dev);
	expect_view(bed, 2, PAGE, 0);
	check_hole(bed, 8 * UNIT + PAGE);
	(void)vmsect_section_close(section);
}

/* One that is as large as it gets. */
static void test_grown_already(void **state)
{
	const struct section_attach list[] = {
		{ .name = "grows", .mode = SECTION_ATTACH_RW, .at = WINDOW_ANY }
	};
	struct test *test = *state;
	struct vmsect_section *section = create(test);
	uint64_t size = 0;

	assert_int_equal(vmsect_section_extend(section, MOST, &size), 0);
	start_with(test, list, ARRAY_SIZE(list));
	expect_view(&test->bed, 1, MOST, 0);
	(void)vmsect_section_close(section);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_with_room, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_without_room, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_grown_already, section_setup,
						section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
