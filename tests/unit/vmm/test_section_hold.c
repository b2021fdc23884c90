/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section_hold.c: a reset that keeps what the driver has, once. */
#include "unit/vmm/section_notifier.h"

#define TIME_LIMIT_S 120

/* A handle and a view of the driver's. */
struct kept {
	uint32_t handle;
	uint32_t view;
	uint64_t place;
};

static struct kept make_kept(struct section_bed *bed)
{
	struct vmsect_req_map want = { .protection = RW, .window_offset = ANY };
	struct vmsect_rsp_map map;
	struct kept kept;

	kept.handle = open_handle(bed, "data", ACCESS_RW);
	want.handle = kept.handle;
	assert_int_equal(bed_map(bed, &want, &map), VMSECT_S_OK);
	kept.view = map.view.view;
	kept.place = map.view.window_offset;
	return kept;
}

static uint32_t hold(struct section_bed *bed)
{
	const struct vmsect_req_hold request = { .hdr.op = VMSECT_REQ_HOLD };
	struct vmsect_rsp_hdr reply;

	return bed_call(bed, &request, sizeof(request), &reply, sizeof(reply));
}

static void expect_kept(struct section_bed *bed, const struct kept *kept)
{
	struct vmsect_rsp_query_section section;
	struct vmsect_rsp_query_view view;

	assert_int_equal(bed_query_section(bed, kept->handle, &section), VMSECT_S_OK);
	assert_int_equal(bed_query_view(bed, kept->view, &view), VMSECT_S_OK);
	assert_int_equal(view.view.window_offset, kept->place);
	assert_int_equal(view.view.handle, kept->handle);
	check_word(bed, kept->place, word(0));
}

static void expect_dropped(struct section_bed *bed, const struct kept *kept)
{
	struct vmsect_rsp_query_section section;
	struct vmsect_rsp_query_view view;

	assert_int_equal(bed_query_section(bed, kept->handle, &section), VMSECT_S_EBADF);
	assert_int_equal(bed_query_view(bed, kept->view, &view), VMSECT_S_ENXIO);
	check_hole(bed, kept->place);
	check_word(bed, 0, word(0)); /* attachments are no one's to drop */
}

static void test_refused(void **state)
{
	const struct vmsect_req_hold dirty = { .hdr = { .op = VMSECT_REQ_HOLD, .flags = 1 } };
	struct test *test = *state;
	struct section_bed *bed = &test->bed;
	struct vmsect_rsp_hdr reply;
	struct kept kept;

	bed->refused = 1u << VMSECT_F_HOLD;
	(void)start(test);
	kept = make_kept(bed);
	assert_int_equal(hold(bed), VMSECT_S_EOPNOTSUPP);
	bed_reset(bed);
	bed->refused = 0;
	bed_drive(bed);
	expect_dropped(bed, &kept);
	kept = make_kept(bed);
	assert_int_equal(bed_call(bed, &dirty, sizeof(dirty), &reply, sizeof(reply)),
			 EINVAL_(RESERVED));
	bed_reset(bed);
	bed_drive(bed);
	expect_dropped(bed, &kept);
}

static void test_held_once(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct kept kept = make_kept(bed);

	assert_int_equal(hold(bed), VMSECT_S_OK);
	assert_int_equal(hold(bed), VMSECT_S_OK); /* twice is once */
	bed_reset(bed);
	check_word(bed, kept.place, word(0)); /* nobody drives it, and it is there */
	bed_drive(bed);
	expect_kept(bed, &kept);
	bed_reset(bed);
	bed_drive(bed);
	expect_dropped(bed, &kept);
}

/* Linux resets a device that it sets up again, though it was reset before. */
static void test_reset_of_what_is_reset(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct kept kept = make_kept(bed);

	assert_int_equal(hold(bed), VMSECT_S_OK);
	bed_reset(bed);
	bed_reset(bed);
	bed_reset(bed);
	bed_drive(bed);
	expect_kept(bed, &kept);
}

/* A driver that began and gave up was not back. */
static void test_second_reset_drops(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct kept kept = make_kept(bed);

	assert_int_equal(hold(bed), VMSECT_S_OK);
	bed_reset(bed);
	bed_put(bed, BED_STATUS, 1, 1);
	check_word(bed, kept.place, word(0));
	bed_reset(bed);
	check_hole(bed, kept.place);
	bed_drive(bed);
	expect_dropped(bed, &kept);
}

/* Joins, a notification and a leave, of which nobody is told for now. */
static void make_events(struct test *test)
{
	struct vmsect_client *other = box_connect(test->box, "other");
	struct section_dev_counters counted;
	struct vmsect_section *section = NULL;
	uint64_t before;

	section_dev_counters(test->bed.dev, &counted);
	before = counted.events;
	assert_int_equal(vmsect_section_open(other, "data", VMSECT_ACCESS_NOTIFY, &section), 0);
	assert_int_equal(vmsect_section_notify(section, 0, 42, NULL), 0);
	vmsect_section_close(section);
	vmsect_client_free(other);
	/* Each of the three comes alone, so none undoes another. */
	do {
		assert_int_equal(event_base_loop(test->bed.events, EVLOOP_ONCE), 0);
		section_dev_counters(test->bed.dev, &counted);
	} while (counted.events < before + 3);
}

static void test_events_wait(void **state)
{
	static const uint32_t types[] = { VMSECT_EV_PEER_JOINED, VMSECT_EV_NOTIFIED,
					  VMSECT_EV_PEER_LEFT };
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_dev_event event = { 0 };

	assert_int_equal(hold(bed), VMSECT_S_OK);
	bed_reset(bed);
	make_events(test);
	bed_drive(bed);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		bed_give_buffer(bed, sizeof(event));
		assert_true(bed_take_event(bed, &event));
		assert_int_equal(event.type, types[i]);
		assert_int_equal(event.flags, 0);
	}
	bed_give_buffer(bed, sizeof(event));
	assert_false(bed_take_event(bed, &event));
}

/* A driver that is back with fewer features does not hear of the others. */
static void test_events_of_other_features(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_dev_event event = { 0 };

	assert_int_equal(hold(bed), VMSECT_S_OK);
	bed_reset(bed);
	make_events(test);
	bed->refused = 1u << VMSECT_F_NOTIFY;
	bed_drive(bed);
	for (int i = 0; i < 3; i++)
		bed_give_buffer(bed, sizeof(event));
	assert_true(bed_take_event(bed, &event));
	assert_int_equal(event.type, VMSECT_EV_PEER_JOINED);
	assert_true(bed_take_event(bed, &event));
	assert_int_equal(event.type, VMSECT_EV_PEER_LEFT);
	assert_false(bed_take_event(bed, &event));
}

static void test_events_end_with_the_hold(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_dev_event event = { 0 };

	assert_int_equal(hold(bed), VMSECT_S_OK);
	bed_reset(bed);
	make_events(test);
	bed_put(bed, BED_STATUS, 1, 1);
	bed_reset(bed);
	bed_drive(bed);
	bed_give_buffer(bed, sizeof(event));
	assert_false(bed_take_event(bed, &event));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, section_setup, section_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),
		TEST(test_held_once),
		TEST(test_reset_of_what_is_reset),
		TEST(test_second_reset_drops),
		TEST(test_events_wait),
		TEST(test_events_of_other_features),
		TEST(test_events_end_with_the_hold),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
