/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages whose file was truncated under a VM: what the guest is told, and how
 * the pages come back once the file is whole again.  And what a guest flushes.
 */
#include "lib/check.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 120
#define UNIT (UINT64_C(2) << 20)
#define KEPT 0x2000u /* bytes of the file that stay */
#define EVENT_MS 5000
#define PAGES_LOST ((2 * UNIT - KEPT) / 4096)

static const struct vm_config one = { .name = "vm", .sections = { "data:rw,at=0" } };

/* Writes the model into the file again. */
static void repair(const struct bed_section *data)
{
	AUTO_FD int fd = open(data->path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data->model, data->bytes, 0), data->bytes);
}

/* Losses that follow each other may come as several events: together they are all. */
static void expect_losses(struct vm_fixture *vm)
{
	uint64_t next = KEPT;

	while (next < 2 * UNIT) {
		assert_int_equal(vm_number(vm, "type", "event %u", EVENT_MS),
				 VMSECT_EV_IN_PAGE_ERROR);
		assert_int_equal(vm_reply_number(vm, "view"), 1);
		assert_int_equal(vm_reply_number(vm, "value"), VMSECT_S_ENXIO);
		assert_int_equal(vm_reply_number(vm, "handle"), 1);
		assert_int_equal(vm_reply_number(vm, "offset"), next);
		next += vm_reply_number(vm, "length");
	}
	assert_int_equal(next, 2 * UNIT);
}

static void expect_all(struct vm_fixture *vm, const struct bed_section *data, uint64_t bytes)
{
	assert_int_equal(vm_number(vm, "wrong", "check 0 %llu %llu", (unsigned long long)bytes,
				   (unsigned long long)data->seed),
			 0);
}

static void test_told_and_repaired(void **state)
{
	struct bed *bed = *state;
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_FILE, 2 * UNIT);
	struct vm_fixture *vm = vm_start(bed, &one);

	expect_all(vm, data, 2 * UNIT);
	assert_int_equal(truncate(data->path, KEPT), 0);
	assert_int_equal(vm_number(vm, "value", "r64 0x300000"), 0);
	expect_losses(vm);
	(void)vm_ok(vm, "w64 0x300000 0x55"); /* goes nowhere */
	assert_int_equal(vm_number(vm, "lost", "pages 1 0x300000"), 1);
	assert_int_equal(vm_number(vm, "lost", "pages 1 0"), 0);
	expect_all(vm, data, KEPT);
	/* As long as the file is short, so is the view. */
	assert_int_equal(vm_number(vm, "lost", "remap 1 0 0"), PAGES_LOST);
	repair(data);
	assert_int_equal(vm_number(vm, "value", "r64 0x300000"), 0x55);
	assert_int_equal(vm_number(vm, "lost", "remap 1 0 2M"), 0);
	assert_int_equal(vm_number(vm, "lost", "remap 1 0 0"), 0);
	expect_all(vm, data, 2 * UNIT);
	assert_int_equal(vm_number(vm, "lost", "pages 1 0x300000"), 0);
	(void)vm_ok(vm, "w64 0x300000 0x66");
	bed_section_model(data, 0x300000, &(uint64_t){ 0x66 }, 8);
	bed_section_check(data);
	/* Another loss is told again. */
	assert_int_equal(truncate(data->path, KEPT), 0);
	assert_int_equal(vm_number(vm, "value", "r64 0x300000"), 0);
	expect_losses(vm);
	repair(data);
	assert_int_equal(vm_number(vm, "lost", "remap 1 0 0"), 0);
	vm_power_off(vm);
}

/* A driver that did not take the feature is not told, and lives. */
static void test_not_asked_for(void **state)
{
	struct bed *bed = *state;
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_FILE, 2 * UNIT);
	struct vm_fixture *vm = vm_start(bed, &one);

	(void)vm_ok(vm, "start 0x%x", 1u << VMSECT_F_IN_PAGE_ERROR);
	assert_int_equal(truncate(data->path, KEPT), 0);
	assert_int_equal(vm_number(vm, "value", "r64 0x300000"), 0);
	vm_refused(vm, VMSECT_S_EOPNOTSUPP, 0, "remap 1 0 0");
	assert_string_equal(vm_ask(vm, "event 1000"), "err none");
	vm_power_off(vm);
}

/* Of a file, to the disk or only started; of what is no file; through a view without handle. */
static void test_flush(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = {
		.name = "vm", .sections = { "data:rw,at=0", "memory:rw", "data2:cow" }
	};
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_FILE, UNIT + 100);
	struct vm_fixture *vm;
	unsigned int handle, view;

	(void)bed_section_new(bed, "memory", VMSECT_BACKING_SHMEM, UNIT);
	(void)bed_section_new(bed, "data2", VMSECT_BACKING_FILE, UNIT);
	vm = vm_start(bed, &config);
	(void)vm_ok(vm, "w64 0x1000 0x1234");
	bed_section_model(data, 0x1000, &(uint64_t){ 0x1234 }, 8);
	(void)vm_ok(vm, "flush 1 0 0 1");
	(void)vm_ok(vm, "flush 1 0 0");
	(void)vm_ok(vm, "flush 1 0x1008 1 1");
	(void)vm_ok(vm, "flush 1 2M 0x1000 1"); /* the last page, of which 100 bytes are there */
	(void)vm_ok(vm, "flush 2 0 0 1");
	(void)vm_ok(vm, "flush 3 0 0 1");
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_RANGE, "flush 1 2M 0x1001 1");
	handle = (unsigned int)vm_number(vm, "handle", "open data 2");
	view = (unsigned int)vm_number(vm, "view", "map %u 2 0 0", handle);
	(void)vm_ok(vm, "close %u", handle);
	(void)vm_ok(vm, "flush %u 0 0 1", view);
	vm_power_off(vm);
	bed_section_check(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_told_and_repaired, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_not_asked_for, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_flush, bed_setup, bed_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm error", tests, NULL, NULL);
}
