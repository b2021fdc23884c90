/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section_resync.c: what an event would have said is found without it.  The
 * events themselves are not taken before the check: only the function is run.
 */
#include "dev/section_impl.h"
#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 60

static struct vmsect_section *create(struct test *test, const char *name, uint32_t flags)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = name,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = UNIT,
		.max_bytes = 2 * UNIT,
		.flags = flags,
	};
	struct vmsect_section *section = NULL;

	assert_int_equal(vmsect_section_create(test->owner, &options, &section), 0);
	return section;
}

static const struct section_view *map(struct section_bed *bed, const char *name, uint32_t flags)
{
	struct vmsect_req_map want = { .protection = RW,
				       .window_offset = 20 * UNIT,
				       .map_flags = flags };
	struct vmsect_rsp_map reply;

	want.handle = open_handle(bed, name, ACCESS_RW);
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	return &bed->dev->views[reply.view.view - 1];
}

static void test_grown(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_section *section = create(test, "grows", 0);
	const struct section_view *view = map(bed, "grows", VMSECT_VIEW_F_GROWABLE);
	uint64_t size = 0;

	section_resync(bed->dev);
	assert_int_equal(view->bytes, UNIT);
	assert_int_equal(vmsect_section_extend(section, 2 * UNIT, &size), 0);
	section_resync(bed->dev);
	assert_int_equal(view->bytes, 2 * UNIT);
	check_word(bed, 21 * UNIT, 0);
	(void)vmsect_section_close(section);
}

static void test_committed(void **state)
{
	const struct vmsect_map_options options = { .size = sizeof(options),
						    .protection = VMSECT_PROT_READWRITE };
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_section *section = create(test, "reserve", VMSECT_CREATE_RESERVE);
	struct vmsect_view *host = NULL;
	uint64_t value = 0;

	(void)map(bed, "reserve", 0);
	assert_int_equal(bed_touch(bed, 20 * UNIT, false, &value), WINDOW_FAULT_LOST);
	assert_int_equal(vmsect_view_map(section, &options, &host), 0);
	assert_int_equal(vmsect_view_commit(host, 0, PAGE, 0), 0);
	*(volatile uint64_t *)vmsect_view_address(host) = 0x1234;
	section_resync(bed->dev);
	check_word(bed, 20 * UNIT, 0x1234);
	(void)vmsect_view_unmap(host);
	(void)vmsect_section_close(section);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grown, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_committed, section_setup, section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
