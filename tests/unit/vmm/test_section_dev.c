/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section_dev.c, section_attach.c: attachments, reset, reports, and the
 * broker's death.
 */
#include <errno.h>

#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 120

static void test_refused_attachments(void **state)
{
	struct test *test = *state;
	const struct {
		const char *says;
		struct section_attach list[2];
		size_t count;
		int result;
	} cases[] = {
		{ "none",
		  { { .name = "none", .mode = SECTION_ATTACH_RO, .at = WINDOW_ANY } },
		  1,
		  -ENOENT },
		{ "fixed",
		  { { .name = "fixed", .mode = SECTION_ATTACH_RW, .at = WINDOW_ANY } },
		  1,
		  -EACCES },
		{ "2 MiB",
		  { { .name = "data", .mode = SECTION_ATTACH_RO, .at = PAGE } },
		  1,
		  -EINVAL },
		{ "past the end",
		  { { .name = "data", .mode = SECTION_ATTACH_RO, .at = BED_WINDOW - UNIT } },
		  1,
		  -EINVAL },
		{ "is taken",
		  { { .name = "data", .mode = SECTION_ATTACH_RO, .at = 2 * UNIT },
		    { .name = "fixed", .mode = SECTION_ATTACH_RO, .at = 4 * UNIT } },
		  2,
		  -EEXIST },
	};
	struct vmsect_view_info *views;
	size_t count;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct section_attach *last = &cases[i].list[cases[i].count - 1];

		test->bed.error[0] = 0;
		assert_int_equal(attach(test, cases[i].list, cases[i].count), cases[i].result);
		assert_null(test->bed.dev);
		if (!strstr(test->bed.error, last->name) || !strstr(test->bed.error, cases[i].says))
			fail_msg("%zu: %s", i, test->bed.error);
		assert_int_equal(vmsect_list_views(test->owner, 0, &views, &count), 0);
		assert_int_equal(count, 0);
		free(views);
	}
}

static void test_list(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_req_list request = { .hdr.op = VMSECT_REQ_LIST };
	struct {
		struct vmsect_rsp_hdr hdr;
		uint32_t count, next;
		struct vmsect_attachment entries[4];
	} reply;
	const uint32_t protections[] = { VMSECT_DEV_PROT_READONLY, VMSECT_DEV_PROT_READWRITE,
					 VMSECT_DEV_PROT_WRITECOPY };
	const uint64_t places[] = { 0, 8 * UNIT, 4 * UNIT };

	assert_int_equal(bed_get(bed, 0x2014, 4), 3);
	assert_int_equal(bed_get(bed, 0x2018, 4), vmsect_client_peer_id(test->client));
	/* No room: the same cursor; room for two; the rest. */
	assert_int_equal(bed_send(bed, &request, sizeof(request), &reply, 16 + 255), 16);
	assert_int_equal(reply.count, 0);
	assert_int_equal(reply.next, 0);
	assert_int_equal(bed_send(bed, &request, sizeof(request), &reply, 16 + 3 * 256 - 1),
			 16 + 2 * 256);
	assert_int_equal(reply.count, 2);
	assert_int_equal(reply.next, 2);
	request.cursor = 2;
	assert_int_equal(bed_send(bed, &request, sizeof(request), &reply, sizeof(reply)), 16 + 256);
	assert_int_equal(reply.count, 1);
	assert_int_equal(reply.next, 0);
	request.cursor = 3;
	assert_int_equal(bed_send(bed, &request, sizeof(request), &reply, sizeof(reply)), 8);
	assert_int_equal(reply.hdr.detail, VMSECT_D_CURSOR);

	request.cursor = 0;
	assert_int_equal(bed_send(bed, &request, sizeof(request), &reply, sizeof(reply)),
			 16 + 3 * 256);
	for (uint32_t i = 0; i < 3; i++) {
		const struct vmsect_attachment *entry = &reply.entries[i];

		assert_string_equal(entry->section.name, "data");
		assert_int_equal(entry->section.size_bytes, DATA_BYTES);
		assert_int_equal(entry->section.page_shift, 12);
		assert_int_equal(entry->section.backing, VMSECT_DEV_BACKING_FILE);
		assert_int_equal(entry->section.protection, VMSECT_DEV_PROT_READWRITE);
		assert_int_equal(entry->section.section_id, vmsect_section_info(test->data)->id);
		assert_int_equal(entry->section.access,
				 i == 1 ? ACCESS_RW | VMSECT_DEV_ACCESS_NOTIFY : 3);
		assert_int_equal(entry->view.view, i + 1);
		assert_int_equal(entry->view.handle, i + 1);
		assert_int_equal(entry->view.protection, protections[i]);
		assert_int_equal(entry->view.cache, VMSECT_DEV_CACHE_WRITE_BACK);
		assert_int_equal(entry->view.window_offset, places[i]);
		assert_int_equal(entry->view.offset, 0);
		assert_int_equal(entry->view.length, DATA_VIEW);
	}
}

static void test_attached_modes(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	const uint64_t ro = 0, rw = 8 * UNIT, cow = 4 * UNIT;
	struct vmsect_rsp_query_view reply;
	uint64_t value = 1;

	check_word(bed, ro + UNIT, word(UNIT));
	check_word(bed, DATA_BYTES & ~UINT64_C(7), word(DATA_BYTES & ~UINT64_C(7)) & 0xFFFFFFFF);
	check_word(bed, ro + DATA_VIEW - 8, 0);
	check_hole(bed, ro + DATA_VIEW);
	assert_int_equal(bed_touch(bed, ro, true, &value), WINDOW_FAULT_DENIED);
	assert_int_equal(bed_query_view(bed, 1, &reply), VMSECT_S_OK);
	assert_int_equal(reply.view.denied_writes, 1);
	assert_int_equal(bed_touch(bed, rw, true, &value), WINDOW_FAULT_RACE);
	check_word(bed, ro, 1);
	value = 2;
	assert_int_equal(bed_touch(bed, cow, true, &value), WINDOW_FAULT_RACE);
	check_word(bed, cow, 2);
	check_word(bed, ro, 1);
	check_word(bed, cow + PAGE, word(PAGE));
}

static void test_attachments_are_not_the_drivers(void **state)
{
	struct section_bed *bed = start(*state);
	const uint32_t refused = REFUSED(VMSECT_S_EPERM, VMSECT_D_ATTACHMENT);

	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(bed_close(bed, i), refused);
		assert_int_equal(bed_unmap(bed, i), refused);
	}
	bed_reset(bed);
	check_word(bed, UNIT, word(UNIT));
	bed_drive(bed);
	check_word(bed, UNIT, word(UNIT));
}

static void test_reset_drops_what_the_driver_made(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_req_map want = { .handle = 4, .protection = RW, .window_offset = 20 * UNIT };
	struct vmsect_rsp_query_section section;
	struct vmsect_view_info *views;
	struct vmsect_rsp_map reply;
	size_t count;

	open_all(bed);
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	bed_reset(bed);
	check_hole(bed, 20 * UNIT);
	assert_int_equal(vmsect_list_views(test->owner, 0, &views, &count), 0);
	assert_int_equal(count, 3);
	free(views);
	bed_drive(bed);
	for (uint32_t id = 4; id <= 8; id++)
		assert_int_equal(bed_query_section(bed, id, &section), VMSECT_S_EBADF);
	assert_int_equal(bed_query_section(bed, 1, &section), VMSECT_S_OK);
}

/* Runs the loop, which waits, until the owner sees this count on a view. */
static void wait_for_report(struct test *test, uint64_t denied)
{
	uint64_t most;

	do {
		struct vmsect_view_info *views;
		size_t count;

		assert_int_equal(vmsect_list_views(test->owner, 0, &views, &count), 0);
		most = 0;
		for (size_t i = 0; i < count; i++)
			most = views[i].denied_writes > most ? views[i].denied_writes : most;
		free(views);
		assert_true(most <= denied);
		if (most < denied)
			assert_int_equal(event_base_loop(test->bed.events, EVLOOP_ONCE), 0);
	} while (most < denied);
}

static void test_denied_writes_are_reported(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	uint64_t value = 1;

	for (int i = 0; i < 5; i++)
		assert_int_equal(bed_touch(bed, 8, true, &value), WINDOW_FAULT_DENIED);
	wait_for_report(test, 5);
}

/* Runs the loop, which waits, until the owner sees this count of holes. */
static void wait_for_counters(struct test *test, struct vmsect_peer_info *ret_vm)
{
	struct vmsect_peer_info vm = { 0 };

	do {
		struct vmsect_peer_info *list;
		size_t count;

		assert_int_equal(vmsect_list_peers(test->owner, &list, &count), 0);
		for (size_t i = 0; i < count; i++)
			if (list[i].is_vm)
				vm = list[i];
		free(list);
		if (!vm.hole_accesses)
			assert_int_equal(event_base_loop(test->bed.events, EVLOOP_ONCE), 0);
	} while (!vm.hole_accesses);
	*ret_vm = vm;
}

/* All at once, in one report. */
static void test_counters_are_reported(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_peer_info vm;
	uint64_t value = 1;

	for (int i = 0; i < 3; i++)
		assert_int_equal(bed_touch(bed, 8, true, &value), WINDOW_FAULT_DENIED);
	for (int i = 0; i < 4; i++)
		window_count_undecodable(bed->window);
	assert_int_equal(bed_touch(bed, BED_WINDOW - 8, false, &value), WINDOW_FAULT_HOLE);
	wait_for_counters(test, &vm);
	assert_int_equal(vm.hole_accesses, 1);
	assert_int_equal(vm.denied_writes, 3);
	assert_int_equal(vm.undecodable_stores, 4);
	assert_int_equal(vm.lost_pages, 0);
}

static void test_broker_dies(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_req_map want = { .handle = 4, .protection = RW, .window_offset = 20 * UNIT };
	struct vmsect_rsp_query_section section;
	struct vmsect_rsp_query_view view;
	struct vmsect_rsp_open opened;
	struct vmsect_rsp_map reply;
	uint64_t value = 3;

	open_all(bed);
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_OK);
	broker_fixture_kill(&test->box->broker);
	assert_int_equal(bed_open(bed, "data", 2, &opened), VMSECT_S_EHOSTDOWN);
	want.window_offset = ANY;
	assert_int_equal(bed_map(bed, &want, &reply), VMSECT_S_EHOSTDOWN);
	/* What is wrong anyway is still told. */
	want.offset = 1;
	assert_int_equal(bed_map(bed, &want, &reply), EINVAL_(ALIGNMENT));
	assert_int_equal(bed_query_section(bed, 4, &section), VMSECT_S_OK);
	assert_int_equal(section.section.size_bytes, DATA_BYTES);
	assert_int_equal(bed_query_view(bed, 4, &view), VMSECT_S_OK);
	assert_int_equal(bed_touch(bed, 20 * UNIT, true, &value), WINDOW_FAULT_RACE);
	check_word(bed, 0, 3);
	assert_int_equal(bed_close(bed, 4), VMSECT_S_OK);
	assert_int_equal(bed_unmap(bed, 4), VMSECT_S_OK);
	check_hole(bed, 20 * UNIT);
	bed_reset(bed);
	bed_drive(bed);
	check_word(bed, 0, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_attachments, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_list, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_attached_modes, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_attachments_are_not_the_drivers, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_reset_drops_what_the_driver_made,
						section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_counters_are_reported, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_denied_writes_are_reported, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_broker_dies, section_setup, section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
