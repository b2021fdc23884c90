/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private pages of a writecopy view: listed, dropped, published; and the
 * quotas on them.
 */
#include "lib/check.h"

#include <stdio.h>
#include <string.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 240
#define UNIT (UINT64_C(2) << 20)
#define AT 0x4000000u
#define EVENT_MS 5000
#define DIFF_AT_ONCE 64

/* Writes a word at an offset of the view, and into the model where it will count. */
static void store(struct vm_fixture *vm, uint64_t offset, uint64_t value)
{
	(void)vm_ok(vm, "w64 0x%llx 0x%llx", (unsigned long long)(AT + offset),
		    (unsigned long long)value);
}

static uint64_t load(struct vm_fixture *vm, uint64_t offset)
{
	return vm_number(vm, "value", "r64 0x%llx", (unsigned long long)(AT + offset));
}

static void expect_diff(struct vm_fixture *vm, unsigned int count, const char *ranges)
{
	char text[256];

	assert_int_equal(vm_number(vm, "count", "diff 1"), count);
	assert_int_equal(vm_reply_number(vm, "more"), 0);
	vm_reply_text(vm, "ranges", text, sizeof(text));
	assert_string_equal(text, ranges);
}

static uint64_t model_word(const struct bed_section *section, uint64_t offset)
{
	uint64_t word;

	memcpy(&word, section->model + offset, sizeof(word));
	return word;
}

static void diff_and_drop(struct bed *bed, enum vmsect_backing backing)
{
	const struct vm_config config = { .name = "vm", .sections = { "data:cow,at=64M" } };
	struct bed_section *data = bed_section_new(bed, "data", backing, 2 * UNIT);
	struct vm_fixture *vm = vm_start(bed, &config);

	expect_diff(vm, 0, "");
	store(vm, 0x3000, 1);
	store(vm, 0x4ff8, 2);
	store(vm, 0x3ffff8, 3);
	expect_diff(vm, 2, "0x3000+0x2000,0x3ff000+0x1000");
	assert_int_equal(vm_number(vm, "count", "diff 1 0x5000"), 1);
	assert_int_equal(vm_number(vm, "count", "diff 1 4M"), 0);
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_RANGE, "diff 1 0x401000");
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_RANGE, "diff 1 1");
	vm_refused(vm, VMSECT_S_ENXIO, 0, "diff 9");
	bed_section_check(data);
	(void)vm_ok(vm, "drop 1 0x4000 1");
	expect_diff(vm, 2, "0x3000+0x1000,0x3ff000+0x1000");
	assert_true(load(vm, 0x4ff8) == model_word(data, 0x4ff8));
	assert_int_equal(load(vm, 0x3000), 1);
	(void)vm_ok(vm, "drop 1 0 0");
	expect_diff(vm, 0, "");
	assert_true(load(vm, 0x3000) == model_word(data, 0x3000));
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_RANGE, "drop 1 4M 1");
	vm_power_off(vm);
	bed_section_check(data);
}

static void test_diff_and_drop(void **state)
{
	diff_and_drop(*state, VMSECT_BACKING_SHMEM);
}

static void test_diff_and_drop_file(void **state)
{
	diff_and_drop(*state, VMSECT_BACKING_FILE);
}

/* More ranges than a reply has room for. */
static void test_long_diff(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm", .sections = { "data:cow,at=64M" } };
	struct vm_fixture *vm;
	uint64_t after;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, 2 * UNIT);
	vm = vm_start(bed, &config);
	for (uint64_t page = 0; page < DIFF_AT_ONCE + 3; page++)
		store(vm, page * 0x2000, page);
	assert_int_equal(vm_number(vm, "count", "diff 1"), DIFF_AT_ONCE);
	assert_int_equal(vm_reply_number(vm, "more"), 1);
	after = (DIFF_AT_ONCE - 1) * 0x2000 + 0x1000;
	assert_int_equal(vm_number(vm, "count", "diff 1 %llu", (unsigned long long)after), 3);
	assert_int_equal(vm_reply_number(vm, "more"), 0);
	vm_power_off(vm);
}

static void publish(struct bed *bed, enum vmsect_backing backing)
{
	const struct vm_config config = { .name = "vm", .sections = { "data:cow,at=64M" } };
	const struct vm_config reader = { .name = "reader", .sections = { "data:ro,at=64M" } };
	struct bed_section *data = bed_section_new(bed, "data", backing, 2 * UNIT + 0x1000);
	struct vm_fixture *vm = vm_start(bed, &config), *ro = vm_start(bed, &reader);
	unsigned int handle = (unsigned int)vm_number(vm, "handle", "open data 7");
	const uint64_t offsets[] = { 0, 0x3000, 0x4008, 2 * UNIT + 0xff8 };

	(void)vm_ok(vm, "publish 1 %u", handle); /* nothing */
	bed_section_check(data);
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++)
		store(vm, offsets[i], 0x100 + i);
	bed_section_check(data);
	vm_refused(vm, VMSECT_S_EPERM, 0, "publish 1 1");
	vm_refused(vm, VMSECT_S_EBADF, 0, "publish 1 77");
	vm_refused(vm, VMSECT_S_ENXIO, 0, "publish 9 %u", handle);
	(void)vm_ok(vm, "publish 1 %u", handle);
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		uint64_t value = 0x100 + i;

		bed_section_model(data, offsets[i], &value, sizeof(value));
		assert_int_equal(load(ro, offsets[i]), value);
		assert_int_equal(load(vm, offsets[i]), value);
	}
	expect_diff(vm, 0, "");
	bed_section_check(data);
	/* It is the section again: what others write shows through. */
	((uint8_t *)vmsect_view_address(data->view))[0x3000] = 0x77;
	assert_int_equal(load(vm, 0x3000) & 0xff, 0x77);
	vm_power_off(vm);
	vm_power_off(ro);
}

static void test_publish(void **state)
{
	publish(*state, VMSECT_BACKING_SHMEM);
}

static void test_publish_file(void **state)
{
	publish(*state, VMSECT_BACKING_FILE);
}

static void test_publish_elsewhere(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm", .sections = { "data:cow,at=64M" } };
	struct vm_fixture *vm;
	unsigned int handle;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UNIT);
	(void)bed_section_new(bed, "else", VMSECT_BACKING_SHMEM, UNIT);
	vm = vm_start(bed, &config);
	handle = (unsigned int)vm_number(vm, "handle", "open else 7");
	store(vm, 0, 1);
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_HANDLE, "publish 1 %u", handle);
	vm_power_off(vm);
}

static void expect_quota_event(struct vm_fixture *vm, unsigned int view, uint64_t least)
{
	assert_int_equal(vm_number(vm, "type", "event %u", EVENT_MS), VMSECT_EV_QUOTA);
	assert_int_equal(vm_reply_number(vm, "view"), view);
	assert_true(vm_reply_number(vm, "value") >= least);
}

static void test_quota_is_reported(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm",
					  .options = { "--cow-quota", "32K" },
					  .sections = { "data:cow,at=64M,cow-quota=16K" } };
	struct vm_fixture *vm;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UNIT);
	vm = vm_start(bed, &config);
	(void)vm_ok(vm, "set 0x%x 16K 1", AT);
	assert_string_equal(vm_ask(vm, "event 2500"), "err none");
	(void)vm_ok(vm, "set 0x%x 20K 1", AT);
	expect_quota_event(vm, 1, 5);
	(void)vm_ok(vm, "set 0x%x 36K 1", AT);
	expect_quota_event(vm, 0, 9);
	assert_true(vm_log_has(vm, "view 1 has 20480 bytes of private pages"));
	assert_true(vm_log_has(vm, "the VM has 36864 bytes of private pages"));
	/* Once for each time. */
	assert_string_equal(vm_ask(vm, "event 2500"), "err none");
	(void)vm_ok(vm, "drop 1 0 0");
	assert_string_equal(vm_ask(vm, "event 2500"), "err none");
	(void)vm_ok(vm, "set 0x%x 20K 1", AT);
	expect_quota_event(vm, 1, 5);
	vm_power_off(vm);
}

static void test_quota_stops(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm",
					  .options = { "--cow-quota", "1M,stop" },
					  .sections = { "data:cow,at=64M" } };
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, 2 * UNIT);
	struct vm_fixture *vm = vm_start(bed, &config);

	(void)vm_ok(vm, "set 0x%x 1M 1", AT);
	(void)vm_ok(vm, "ping");
	vm_send(vm, "set 0x%x 2M 1", AT);
	vm_wait_exit(vm, 4);
	assert_true(vm_log_has(vm, "the VM is stopped: it has copied more on write than it may"));
	bed_section_check(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_diff_and_drop, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_diff_and_drop_file, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_long_diff, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_publish, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_publish_file, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_publish_elsewhere, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_quota_is_reported, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_quota_stops, bed_setup, bed_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm cow", tests, NULL, NULL);
}
