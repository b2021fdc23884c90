/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section_handle.c, section_view.c: OPEN, CLOSE, MAP, UNMAP, QUERY and all their answers. */
#include <errno.h>

#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 120

static void test_open(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_rsp_open reply;
	struct vmsect_rsp_query_section section;

	assert_int_equal(bed_open(bed, "none", 2, &reply), VMSECT_S_ENOENT);
	assert_int_equal(bed_open(bed, "data", ACCESS_RW, &reply), VMSECT_S_OK);
	assert_int_equal(reply.handle, 4);
	assert_int_equal(reply.reserved, 0);
	assert_string_equal(reply.section.name, "data");
	assert_int_equal(reply.section.size_bytes, DATA_BYTES);
	assert_int_equal(reply.section.access, ACCESS_RW);
	assert_int_equal(bed_query_section(bed, 4, &section), VMSECT_S_OK);
	assert_memory_equal(&section.section, &reply.section, sizeof(reply.section));
	assert_int_equal(open_handle(bed, "fixed", VMSECT_DEV_ACCESS_READ), 5);
	assert_int_equal(bed_query_section(bed, 5, &section), VMSECT_S_EPERM);
	assert_int_equal(bed_close(bed, 4), VMSECT_S_OK);
	assert_int_equal(bed_close(bed, 4), VMSECT_S_EBADF);
	assert_int_equal(bed_query_section(bed, 4, &section), VMSECT_S_EBADF);
}

static void test_handle_limit(void **state)
{
	struct section_bed *bed = start(*state);
	struct vmsect_rsp_open reply;

	for (uint32_t id = 4; id <= 256; id++)
		assert_int_equal(open_handle(bed, "data", VMSECT_DEV_ACCESS_READ), id);
	assert_int_equal(bed_open(bed, "data", VMSECT_DEV_ACCESS_READ, &reply),
			 REFUSED(VMSECT_S_EDQUOT, VMSECT_D_HANDLES));
	assert_int_equal(bed_close(bed, 100), VMSECT_S_OK);
	assert_int_equal(open_handle(bed, "fixed", VMSECT_DEV_ACCESS_READ), 100);
}

struct map_case {
	const char *name;
	uint32_t handle, protection;
	uint64_t offset, length, window_offset;
	uint32_t expected;
};

static const struct map_case refused_maps[] = {
	{ "bad handle", 10, RO, 0, 0, ANY, VMSECT_S_EBADF },
	{ "bad protection first", 10, 0, 1, 0, 1, EINVAL_(PROTECTION) },
	{ "handle before right", 10, 6, 1, 0, 1, VMSECT_S_EBADF },
	{ "executable of readwrite", 4, 6, 1, 0, ANY, VMSECT_S_EPERM },
	{ "rw of read", 5, RW, 1, 0, ANY, VMSECT_S_EPERM },
	{ "ro of write", 6, RO, 0, 0, ANY, VMSECT_S_EPERM },
	{ "cow of write", 6, WC, 0, 0, ANY, VMSECT_S_EPERM },
	{ "none of write", 6, NA, 0, 0, ANY, VMSECT_S_EPERM },
	{ "ro of query", 7, RO, 0, 0, ANY, VMSECT_S_EPERM },
	{ "rw of query", 7, RW, 0, 0, ANY, VMSECT_S_EPERM },
	{ "right before protection", 8, RW, 0, 0, ANY, VMSECT_S_EPERM },
	{ "protection before offset", 9, RW, 1, 0, ANY, VMSECT_S_EACCES },
	{ "offset", 4, RO, 1, 0, ANY, EINVAL_(ALIGNMENT) },
	{ "offset before size", 4, RO, UINT64_MAX, 0, ANY, EINVAL_(ALIGNMENT) },
	{ "place", 4, RO, 0, 0, PAGE, EINVAL_(ALIGNMENT) },
	{ "place and offset", 4, RO, PAGE, 0, 0, EINVAL_(ALIGNMENT) },
	{ "at the end", 4, RO, 3 * UNIT + PAGE, 0, ANY, EINVAL_(VIEW_SIZE) },
	{ "a byte more", 4, RO, 3 * UNIT, 101, ANY, EINVAL_(VIEW_SIZE) },
	{ "wraps", 4, RO, 2 * UNIT, UINT64_MAX - UNIT, ANY, EINVAL_(VIEW_SIZE) },
	{ "all ones", 4, RO, 0, UINT64_MAX, ANY, EINVAL_(VIEW_SIZE) },
	{ "offset wraps", 4, RO, UINT64_MAX - PAGE + 1, PAGE, ANY, EINVAL_(VIEW_SIZE) },
	{ "past the window", 4, RO, 0, 0, BED_WINDOW - UNIT, EINVAL_(WINDOW) },
	{ "far past", 4, RO, 0, 0, UINT64_MAX - UNIT + 1, EINVAL_(WINDOW) },
	{ "taken", 4, RO, 0, PAGE, 8 * UNIT, VMSECT_S_EEXIST },
	{ "taken at its end", 4, RO, 0, 0, 5 * UNIT, VMSECT_S_EEXIST },
};

static void test_refused_maps(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_view_info *views;
	struct vmsect_rsp_map reply;
	size_t count;

	open_all(bed);
	/* With a right that its section makes useless. */
	assert_int_equal(open_handle(bed, "fixed", ACCESS_RW), 9);
	for (size_t i = 0; i < ARRAY_SIZE(refused_maps); i++) {
		const struct map_case *c = &refused_maps[i];
		const struct vmsect_req_map want = { .handle = c->handle,
						     .protection = c->protection,
						     .offset = c->offset,
						     .length = c->length,
						     .window_offset = c->window_offset };
		uint32_t got = bed_map(bed, &want, &reply);

		if (got != c->expected)
			fail_msg("%s: %#x", c->name, got);
	}
	assert_int_equal(vmsect_list_views(test->owner, 0, &views, &count), 0);
	assert_int_equal(count, 3);
	free(views);
}

static void test_maps(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_req_map want = { .handle = 5,
				       .protection = RO,
				       .offset = UNIT + PAGE,
				       .length = PAGE + 1,
				       .window_offset = ANY };
	struct vmsect_rsp_map reply;
	struct vmsect_rsp_query_view query;
	struct vmsect_view_info *views;
	uint64_t value = 7;
	size_t count;

	open_all(bed);
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	assert_int_equal(reply.view.view, 4);
	assert_int_equal(reply.view.handle, 5);
	assert_int_equal(reply.view.length, 2 * PAGE);
	assert_int_equal(reply.view.window_offset, 12 * UNIT + PAGE); /* first fit */
	check_word(bed, reply.view.window_offset, word(UNIT + PAGE));
	check_word(bed, reply.view.window_offset + 2 * PAGE - 8, word(UNIT + 3 * PAGE - 8));
	check_hole(bed, reply.view.window_offset + 2 * PAGE);
	assert_int_equal(bed_touch(bed, reply.view.window_offset, true, &value),
			 WINDOW_FAULT_DENIED);

	want = (struct vmsect_req_map){
		.handle = 6, .protection = RW, .offset = 2 * UNIT, .window_offset = 20 * UNIT
	};
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	assert_int_equal(reply.view.length, UNIT + PAGE); /* to the end */
	assert_int_equal(bed_touch(bed, 20 * UNIT, true, &value), WINDOW_FAULT_RACE);
	check_word(bed, 2 * UNIT, 7); /* as the attachment sees it */

	want.handle = 4;
	want.protection = NA;
	want.window_offset = 30 * UNIT;
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	check_hole(bed, 30 * UNIT);
	want.protection = RO;
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_EEXIST);

	/* The broker knows them all, and where. */
	assert_int_equal(vmsect_list_views(test->owner, 0, &views, &count), 0);
	assert_int_equal(count, 6);
	for (size_t i = 0; i < count; i++) {
		uint32_t found = 0;

		for (uint32_t id = 1; id <= 6; id++) {
			assert_int_equal(bed_query_view(bed, id, &query), VMSECT_S_OK);
			found += query.view.window_offset == views[i].place &&
				 query.view.offset == views[i].offset &&
				 query.view.protection == (uint32_t)views[i].protection;
		}
		assert_int_equal(found, 1);
	}
	free(views);
}

static void test_unmap_and_close(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_req_map want = { .handle = 4, .protection = WC, .window_offset = 20 * UNIT };
	struct vmsect_rsp_query_view query;
	struct vmsect_view_info *views;
	struct vmsect_rsp_map reply;
	uint64_t value = 9;
	size_t count;

	open_all(bed);
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	assert_int_equal(bed_touch(bed, 20 * UNIT, true, &value), WINDOW_FAULT_RACE);
	assert_int_equal(bed_close(bed, 4), VMSECT_S_OK);
	check_word(bed, 20 * UNIT, 9); /* the view stays */
	assert_int_equal(bed_query_view(bed, 4, &query), VMSECT_S_OK);
	assert_int_equal(query.view.handle, 0);
	assert_int_equal(bed_unmap(bed, 4), VMSECT_S_OK);
	check_hole(bed, 20 * UNIT);
	assert_int_equal(bed_unmap(bed, 4), VMSECT_S_ENXIO);
	assert_int_equal(bed_query_view(bed, 4, &query), VMSECT_S_ENXIO);
	assert_int_equal(vmsect_list_views(test->owner, 0, &views, &count), 0);
	assert_int_equal(count, 3);
	free(views);
	/* A new view begins anew. */
	want.handle = 5;
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	check_word(bed, 20 * UNIT, word(0));
}

static void test_window_is_full(void **state)
{
	struct section_bed *bed = start(*state);
	const struct vmsect_req_map want = { .handle = 4, .protection = RO, .window_offset = ANY };
	struct vmsect_rsp_map reply;
	uint32_t mapped = 0, got;

	open_all(bed);
	while ((got = bed_map(bed, &want, &reply)) == VMSECT_S_OK)
		mapped++;
	assert_int_equal(got, VMSECT_S_ENOSPC);
	assert_int_equal(mapped, BED_WINDOW / (4 * UNIT) - 3);
}

static void test_view_limit(void **state)
{
	struct section_bed *bed = start(*state);
	struct vmsect_req_map want = {
		.handle = 8, .protection = RO, .length = 1, .window_offset = ANY
	};
	struct vmsect_rsp_map reply;

	open_all(bed);
	for (uint32_t id = 4; id <= 1024; id++) {
		assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
		assert_int_equal(reply.view.view, id);
	}
	assert_int_equal(bed_map(bed, &want, &reply), REFUSED(VMSECT_S_EDQUOT, VMSECT_D_VIEWS));
	assert_int_equal(bed_unmap(bed, 500), VMSECT_S_OK);
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	assert_int_equal(reply.view.view, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_handle_limit, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_refused_maps, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_maps, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_unmap_and_close, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_window_is_full, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_view_limit, section_setup, section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
