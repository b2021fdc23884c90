/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section_protect.c, section_size.c, section_overlay.c, section_loss.c: what is
 * asked of pages of a view, without a VM; and the quotas.
 */
#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 60
#define VIEW_RW 2 /* attachments of "data", see start() */
#define VIEW_COW 3
#define AT_RW (8 * UNIT)

static uint32_t range(struct section_bed *bed, const struct vmsect_req_range *want,
		      uint64_t *ret_value)
{
	struct vmsect_rsp_value reply;
	uint32_t got = bed_call(bed, want, sizeof(*want), &reply, sizeof(reply));

	if (got == VMSECT_S_OK && ret_value)
		*ret_value = reply.value;
	return got;
}

static uint32_t protect(struct section_bed *bed, uint64_t offset, uint64_t length,
			uint32_t protection, uint64_t *ret_old)
{
	const struct vmsect_req_range want = { .hdr.op = VMSECT_REQ_PROTECT,
					       .view = VIEW_RW,
					       .protection = protection,
					       .offset = offset,
					       .length = length };

	return range(bed, &want, ret_old);
}

static void expect_pages(struct section_bed *bed, uint64_t offset, uint64_t length,
			 uint32_t protection)
{
	const struct vmsect_req_range want = { .hdr.op = VMSECT_REQ_QUERY_PAGES,
					       .view = VIEW_RW,
					       .offset = offset };
	struct vmsect_rsp_query_pages reply = { 0 };

	assert_int_equal(bed_call(bed, &want, sizeof(want), &reply, sizeof(reply)), VMSECT_S_OK);
	assert_int_equal(reply.offset, offset & ~(PAGE - 1));
	assert_int_equal(reply.length, length);
	assert_int_equal(reply.protection, protection);
	assert_int_equal(reply.pages, VMSECT_PAGES_F_COMMITTED);
}

static void test_protect(void **state)
{
	struct section_bed *bed = start(*state);
	struct vmsect_rsp_query_view view = { 0 };
	uint64_t old = 0, value = 7;

	assert_int_equal(protect(bed, PAGE + 1, PAGE, RO, &old), VMSECT_S_OK);
	assert_int_equal(old, RW);
	expect_pages(bed, 0, PAGE, RW);
	expect_pages(bed, PAGE + 5, 2 * PAGE, RO);
	expect_pages(bed, 3 * PAGE, DATA_VIEW - 3 * PAGE, RW);
	assert_int_equal(bed_query_view(bed, VIEW_RW, &view), VMSECT_S_OK);
	assert_int_equal(view.view.protection_now, 0);
	assert_int_equal(bed_touch(bed, AT_RW + PAGE, true, &value), WINDOW_FAULT_DENIED);
	check_word(bed, AT_RW + PAGE, word(PAGE));
	assert_int_equal(bed_touch(bed, AT_RW, true, &value), WINDOW_FAULT_RACE);
	check_word(bed, 0, 7); /* through the readonly attachment */
	assert_int_equal(protect(bed, 0, 0, NA, &old), VMSECT_S_OK);
	assert_int_equal(old, RW);
	check_hole(bed, AT_RW);
	assert_int_equal(protect(bed, 0, 0, RW, &old), VMSECT_S_OK);
	assert_int_equal(old, NA);
	assert_int_equal(bed_query_view(bed, VIEW_RW, &view), VMSECT_S_OK);
	assert_int_equal(view.view.protection_now, RW);
	assert_int_equal(view.view.denied_writes, 1);
}

static void test_private_pages_say_so(void **state)
{
	struct section_bed *bed = start(*state);
	const struct vmsect_req_range look = { .hdr.op = VMSECT_REQ_QUERY_PAGES,
					       .view = VIEW_RW,
					       .offset = PAGE };
	struct vmsect_rsp_query_pages pages = { 0 };
	uint64_t old = 0, value = 9;

	assert_int_equal(protect(bed, 0, 0, WC, NULL), VMSECT_S_OK);
	assert_int_equal(bed_touch(bed, AT_RW + PAGE, true, &value), WINDOW_FAULT_RACE);
	check_word(bed, PAGE, word(PAGE)); /* the section has nothing of it */
	assert_int_equal(bed_call(bed, &look, sizeof(look), &pages, sizeof(pages)), VMSECT_S_OK);
	assert_int_equal(pages.length, PAGE);
	assert_int_equal(pages.protection, RW);
	assert_int_equal(pages.pages, VMSECT_PAGES_F_COMMITTED | VMSECT_PAGES_F_PRIVATE);
	assert_int_equal(protect(bed, PAGE, PAGE, RO, &old), VMSECT_S_OK);
	assert_int_equal(old, RW);
	assert_int_equal(bed_touch(bed, AT_RW + PAGE, true, &value), WINDOW_FAULT_DENIED);
	check_word(bed, AT_RW + PAGE, 9);
}

struct range_case {
	const char *name;
	struct vmsect_req_range want;
	uint32_t expected;
};

static const struct range_case refused[] = {
	{ "protect: value first", { { VMSECT_REQ_PROTECT, 0 }, 99, 9, 0, 0 }, EINVAL_(PROTECTION) },
	{ "protect: no view", { { VMSECT_REQ_PROTECT, 0 }, 99, RO, 0, 0 }, VMSECT_S_ENXIO },
	{ "protect: bound first",
	  { { VMSECT_REQ_PROTECT, 0 }, 1, RW, DATA_VIEW, 0 },
	  VMSECT_S_EACCES },
	{ "protect: cow", { { VMSECT_REQ_PROTECT, 0 }, 3, RW, 0, 0 }, VMSECT_S_EACCES },
	{ "protect: execute", { { VMSECT_REQ_PROTECT, 0 }, 2, 6, 0, 0 }, VMSECT_S_EACCES },
	{ "protect: at the end",
	  { { VMSECT_REQ_PROTECT, 0 }, 2, RO, DATA_VIEW, 0 },
	  EINVAL_(RANGE) },
	{ "protect: past it",
	  { { VMSECT_REQ_PROTECT, 0 }, 2, RO, PAGE, DATA_VIEW },
	  EINVAL_(RANGE) },
	{ "protect: wraps",
	  { { VMSECT_REQ_PROTECT, 0 }, 2, RO, PAGE, UINT64_MAX },
	  EINVAL_(RANGE) },
	{ "commit: a file", { { VMSECT_REQ_COMMIT, 0 }, 2, 0, 0, PAGE }, VMSECT_S_EPERM },
	{ "commit: nothing", { { VMSECT_REQ_COMMIT, 0 }, 2, 0, 0, 0 }, EINVAL_(RANGE) },
	{ "commit: past the end",
	  { { VMSECT_REQ_COMMIT, 0 }, 2, 0, PAGE, DATA_VIEW },
	  REFUSED(VMSECT_S_EEXIST, VMSECT_D_RANGE) },
	{ "commit: bound", { { VMSECT_REQ_COMMIT, 0 }, 1, RW, 0, PAGE }, VMSECT_S_EACCES },
	{ "reset: protection", { { VMSECT_REQ_RESET, 0 }, 3, RO, 0, 0 }, EINVAL_(RESERVED) },
	{ "reset: no view", { { VMSECT_REQ_RESET, 0 }, 0, 0, 0, 0 }, VMSECT_S_ENXIO },
	{ "reset: past the end",
	  { { VMSECT_REQ_RESET, 0 }, 3, 0, 0, DATA_VIEW + 1 },
	  EINVAL_(RANGE) },
	{ "remap: protection", { { VMSECT_REQ_REMAP, 0 }, 3, RO, 0, 0 }, EINVAL_(RESERVED) },
	{ "remap: no view", { { VMSECT_REQ_REMAP, 0 }, 1025, 0, 0, 0 }, VMSECT_S_ENXIO },
	{ "remap: past the end", { { VMSECT_REQ_REMAP, 0 }, 3, 0, UINT64_MAX, 0 }, EINVAL_(RANGE) },
};

static void test_refused(void **state)
{
	struct section_bed *bed = start(*state);

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		uint32_t got = range(bed, &refused[i].want, NULL);

		if (got != refused[i].expected)
			fail_msg("%s: %#x", refused[i].name, got);
	}
}

static void test_diff_has_as_much_room_as_it_is_given(void **state)
{
	struct section_bed *bed = start(*state);
	const struct vmsect_req_diff want = { .hdr.op = VMSECT_REQ_DIFF, .view = VIEW_COW };
	_Alignas(uint64_t) unsigned char
		room[sizeof(struct vmsect_rsp_diff) + 4 * sizeof(struct vmsect_dev_range)] = { 0 };
	const struct vmsect_rsp_diff *reply = (const void *)room;
	struct vmsect_rsp_query_view view = { 0 };
	uint64_t value = 1;

	assert_int_equal(bed_query_view(bed, VIEW_COW, &view), VMSECT_S_OK);
	for (uint64_t page = 0; page < 6; page += 2)
		assert_int_equal(
			bed_touch(bed, view.view.window_offset + page * PAGE, true, &value),
			WINDOW_FAULT_RACE);
	assert_int_equal(bed_send(bed, &want, sizeof(want), room, 15), 8);
	assert_int_equal(bed_send(bed, &want, sizeof(want), room, 16), 16);
	assert_int_equal(reply->count, 0);
	assert_int_equal(reply->more, 1);
	assert_int_equal(bed_send(bed, &want, sizeof(want), room, 16 + 47), 48);
	assert_int_equal(reply->count, 2);
	assert_int_equal(reply->more, 1);
	assert_int_equal(bed_send(bed, &want, sizeof(want), room, 16 + 64), 64);
	assert_int_equal(reply->count, 3);
	assert_int_equal(reply->more, 0);
	assert_int_equal(reply->ranges[2].offset, 4 * PAGE);
	assert_int_equal(reply->ranges[2].length, PAGE);
}

static void stop(void *owner)
{
	++*(unsigned int *)owner;
}

/* Over the VM's quota and the attachment's: the VM is stopped for either. */
static void test_quotas(void **state)
{
	const struct section_attach list[] = {
		{ .name = "data", .mode = SECTION_ATTACH_COW, .at = 0, .cow_quota = PAGE }
	};
	struct test *test = *state;
	struct section_bed *bed = &test->bed;
	struct section_dev_counters counted = { 0 };
	struct vmsect_dev_event event = { 0 };
	unsigned int stopped = 0;
	uint64_t value = 1;

	bed->policy = (struct section_dev_policy){ .cow_quota = 2 * PAGE,
						   .stop = stop,
						   .owner = &stopped };
	assert_int_equal(attach(test, list, 1), 0);
	bed_drive(bed);
	bed_give_buffer(bed, sizeof(event));
	bed_give_buffer(bed, sizeof(event));
	for (uint64_t page = 0; page < 3; page++)
		assert_int_equal(bed_touch(bed, page * PAGE, true, &value), WINDOW_FAULT_RACE);
	while (stopped < 2)
		assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 0);
	section_dev_counters(bed->dev, &counted);
	assert_int_equal(counted.quota_hits, 2);
	assert_true(bed_take_event(bed, &event));
	assert_int_equal(event.type, VMSECT_EV_QUOTA);
	assert_int_equal(event.view, 1);
	assert_int_equal(event.value, 3);
	assert_true(bed_take_event(bed, &event));
	assert_int_equal(event.type, VMSECT_EV_QUOTA);
	assert_int_equal(event.view, 0);
	assert_int_equal(event.section_id, 0);
	assert_int_equal(event.value, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_protect, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_private_pages_say_so, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_refused, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_diff_has_as_much_room_as_it_is_given,
						section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_quotas, section_setup, section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
