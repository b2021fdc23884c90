/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section_device.c: attachments that another PCI device shows to the guest. */
#include "dev/section_impl.h"
#include "unit/vmm/section_box.h"

#define TIME_LIMIT_S 60

struct told {
	unsigned int revoked;
	unsigned int reconnected;
};

static void on_revoked(void *owner)
{
	struct told *told = owner;

	told->revoked++;
}

static void on_reconnected(void *owner)
{
	struct told *told = owner;

	told->reconnected++;
}

static const struct section_device_ops ops = { on_revoked, on_reconnected };

static const struct section_attach list[] = {
	{ .name = "data", .as = SECTION_AS_PMEM, .mode = SECTION_ATTACH_RW, .at = WINDOW_ANY },
	{ .name = "fixed", .mode = SECTION_ATTACH_RO, .at = WINDOW_ANY },
	{ .name = "data", .as = SECTION_AS_IVSHMEM, .mode = SECTION_ATTACH_COW, .at = WINDOW_ANY },
};

static struct section_bed *start_devices(struct test *test)
{
	if (attach(test, list, ARRAY_SIZE(list)) < 0)
		fail_msg("%s", test->bed.error);
	bed_drive(&test->bed);
	return &test->bed;
}

/* Each in a window of its own, as large as its device needs it. */
static void test_windows(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start_devices(test);
	struct section_attached attached;

	assert_true(section_dev_attached(bed->dev, 0, &attached));
	assert_ptr_equal(attached.attach, &list[0]);
	assert_int_equal(attached.bytes, DATA_VIEW);
	assert_int_equal(window_bytes(attached.window), 4 * UNIT);
	assert_ptr_equal(attached.window, windows_get(bed->windows, 1));
	assert_true(section_dev_attached(bed->dev, 1, &attached));
	assert_ptr_equal(attached.attach, &list[2]);
	assert_int_equal(window_bytes(attached.window), 4 * UNIT);
	assert_string_equal(vmsect_section_info(attached.section)->name, "data");
	assert_false(section_dev_attached(bed->dev, 2, &attached));
	assert_null(windows_get(bed->windows, 3));
}

static uint64_t load(struct window *window, uint64_t gpa)
{
	uint64_t value = 0;

	assert_int_equal(window_fault(window, gpa, false, &value, 8), WINDOW_FAULT_RACE);
	return value;
}

/* The windows are at addresses of their own, and the set knows which is where. */
static void test_bytes(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start_devices(test);
	uint64_t one = UINT64_C(1) << 40, two = UINT64_C(2) << 40, value = 0;
	struct section_attached shared, copied;

	assert_true(section_dev_attached(bed->dev, 0, &shared));
	assert_true(section_dev_attached(bed->dev, 1, &copied));
	assert_null(windows_at(bed->windows, one));
	assert_int_equal(window_set_base(shared.window, one), 0);
	assert_int_equal(window_set_base(copied.window, two), 0);
	assert_ptr_equal(windows_at(bed->windows, one + 4 * UNIT - 1), shared.window);
	assert_ptr_equal(windows_at(bed->windows, two), copied.window);
	assert_null(windows_at(bed->windows, one + 4 * UNIT));
	assert_int_equal(load(shared.window, one + PAGE), word(PAGE));
	assert_int_equal(window_fault(copied.window, two, true, &value, 8), WINDOW_FAULT_RACE);
	assert_int_equal(load(copied.window, two), 0);
	assert_int_equal(load(shared.window, one), word(0));
	assert_int_equal(window_fault(shared.window, one + DATA_VIEW, false, &value, 8),
			 WINDOW_FAULT_HOLE);
}

/* The driver hears of one section, and cannot reach the others by their numbers. */
static void test_unknown_to_driver(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start_devices(test);
	_Alignas(struct vmsect_rsp_list)
		uint8_t bytes[sizeof(struct vmsect_rsp_list) + sizeof(struct vmsect_attachment)];
	const struct vmsect_rsp_list *reply = (const void *)bytes;
	const struct vmsect_req_list request = { .hdr.op = VMSECT_REQ_LIST };
	struct vmsect_rsp_query_section section;
	struct vmsect_rsp_query_view view;

	assert_int_equal(bed_call(bed, &request, sizeof(request), bytes, sizeof(bytes)),
			 VMSECT_S_OK);
	assert_int_equal(reply->count, 1);
	assert_int_equal(reply->next, 0);
	assert_string_equal((const char *)reply->entries[0].section.name, "fixed");
	assert_int_equal(bed_query_section(bed, 1, &section), VMSECT_S_OK);
	for (uint32_t id = 2; id <= 3; id++) {
		assert_int_equal(bed_query_section(bed, id, &section) & 0xFFFF, VMSECT_S_EBADF);
		assert_int_equal(bed_query_view(bed, id, &view) & 0xFFFF, VMSECT_S_ENXIO);
		assert_int_equal(bed_close(bed, id) & 0xFFFF, VMSECT_S_EBADF);
		assert_int_equal(bed_unmap(bed, id) & 0xFFFF, VMSECT_S_ENXIO);
	}
}

/* A reset of the section device is no business of the others. */
static void test_reset(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start_devices(test);
	struct section_attached attached;

	bed_reset(bed);
	assert_true(section_dev_attached(bed->dev, 0, &attached));
	assert_int_equal(window_set_base(attached.window, UINT64_C(1) << 40), 0);
	assert_int_equal(load(attached.window, (UINT64_C(1) << 40) + 8), word(8));
}

/* A hole from then on; the device is told, the driver is not. */
static void test_revoked(void **state)
{
	struct test *test = *state;
	struct section_bed *bed = start_devices(test);
	struct section_attached attached;
	struct told told = { 0 };
	uint64_t value = 0;

	assert_true(section_dev_attached(bed->dev, 0, &attached));
	assert_int_equal(window_set_base(attached.window, UINT64_C(1) << 40), 0);
	section_dev_follow(bed->dev, 0, &ops, &told);
	section_view_revoke(bed->dev, &bed->dev->views[1]);
	assert_int_equal(told.revoked, 1);
	assert_int_equal(window_fault(attached.window, UINT64_C(1) << 40, false, &value, 8),
			 WINDOW_FAULT_HOLE);
	assert_int_equal(bed->dev->events_count, 0);
	section_devices_reconnected(bed->dev);
	assert_int_equal(told.reconnected, 1);
	section_dev_follow(bed->dev, 0, NULL, NULL);
	section_devices_reconnected(bed->dev);
	assert_int_equal(told.reconnected, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_windows, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_bytes, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_unknown_to_driver, section_setup,
						section_teardown),
		cmocka_unit_test_setup_teardown(test_reset, section_setup, section_teardown),
		cmocka_unit_test_setup_teardown(test_revoked, section_setup, section_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
