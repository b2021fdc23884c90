/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section_event.c: the broker's events on their way to the driver. */
#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 120

/* Runs the loop until an event has come to the driver. */
static struct vmsect_dev_event wait_for_event(struct section_bed *bed)
{
	struct vmsect_dev_event event;

	while (!bed_take_event(bed, &event))
		assert_int_equal(event_base_loop(bed->events, EVLOOP_ONCE), 0);
	return event;
}

static void test_peers_come_and_go(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_client *other = box_connect(test->box, "other");
	uint32_t peer = vmsect_client_peer_id(other);
	struct vmsect_section *section;
	struct vmsect_dev_event event;

	bed_give_buffer(bed, sizeof(event));
	bed_give_buffer(bed, 200); /* longer is fine */
	assert_int_equal(vmsect_section_open(other, "data", VMSECT_ACCESS_READ, &section), 0);
	event = wait_for_event(bed);
	assert_int_equal(event.type, VMSECT_EV_PEER_JOINED);
	assert_int_equal(event.flags, 0);
	assert_int_equal(event.handle, 1);
	assert_int_equal(event.peer, peer);
	assert_int_equal(event.view | event.reserved, 0);
	assert_int_equal(event.section_id, vmsect_section_info(test->data)->id);
	assert_int_equal(event.value | event.offset | event.length, 0);
	vmsect_section_close(section);
	event = wait_for_event(bed);
	assert_int_equal(event.type, VMSECT_EV_PEER_LEFT);
	assert_int_equal(event.peer, peer);
	vmsect_client_free(other);
}

/* Joins and leaves until this many events are due; the device learns of them. */
static void make_events(struct test *test, uint32_t count)
{
	struct section_dev_counters counted;
	uint64_t before, now;

	section_dev_counters(test->bed.dev, &counted);
	before = counted.events + counted.events_lost;
	for (uint32_t i = 0; i < count; i += 2) {
		struct vmsect_client *other = box_connect(test->box, "other");
		struct vmsect_section *section;

		assert_int_equal(vmsect_section_open(other, "data", VMSECT_ACCESS_READ, &section),
				 0);
		vmsect_section_close(section);
		vmsect_client_free(other);
		do {
			section_dev_counters(test->bed.dev, &counted);
			now = counted.events + counted.events_lost;
			if (now < before + i + 2)
				assert_int_equal(event_base_loop(test->bed.events, EVLOOP_ONCE), 0);
		} while (now < before + i + 2);
	}
}

static void test_events_wait_and_are_lost(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct section_dev_counters counted;
	struct vmsect_dev_event event = { 0 };

	make_events(test, 300);
	section_dev_counters(bed->dev, &counted);
	assert_int_equal(counted.events, 256);
	assert_int_equal(counted.events_lost, 44);
	for (int i = 0; i < 256; i++) {
		assert_false(bed_take_event(bed, &event));
		bed_give_buffer(bed, sizeof(event));
		assert_true(bed_take_event(bed, &event));
		assert_int_equal(event.type, i % 2 ? VMSECT_EV_PEER_LEFT : VMSECT_EV_PEER_JOINED);
		assert_int_equal(event.flags, i == 0 ? VMSECT_EV_FLAG_LOST : 0);
	}
	bed_give_buffer(bed, sizeof(event));
	assert_false(bed_take_event(bed, &event));
	make_events(test, 2);
	assert_true(bed_take_event(bed, &event));
	assert_int_equal(event.flags, 0);
}

static void test_events_end_with_the_driver(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);
	struct vmsect_dev_event event;

	make_events(test, 4);
	bed_reset(bed);
	bed_drive(bed);
	bed_give_buffer(bed, sizeof(event));
	assert_false(bed_take_event(bed, &event));
}

static void test_short_event_buffer_breaks(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start(test);

	bed_give_buffer(bed, sizeof(struct vmsect_dev_event) - 1);
	make_events(test, 2);
	assert_int_equal(bed_get(bed, BED_STATUS, 1), 0x4F);
	bed_reset(bed);
	bed_drive(bed);
	check_word(bed, 0, word(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_peers_come_and_go, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_events_wait_and_are_lost, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_events_end_with_the_driver, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_short_event_buffer_breaks, section_setup,
						section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
