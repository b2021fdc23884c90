/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill -9 of a VMM, and of the broker: what the others keep, and how soon
 * the dead one's views are gone.
 */
#include "lib/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 120
#define BYTES (UINT64_C(4) << 20)
#define AT 0x2000000u
#define GONE_MS 1000

struct three {
	struct bed_section *section;
	struct vm_fixture *rw;
	struct vm_fixture *ro;
	struct vm_fixture *other; /* rw too, with a handle and a view of its own making */
	unsigned int handle;
	unsigned int view;
	uint64_t place;
};

static void start_three(struct bed *bed, struct three *three)
{
	const struct vm_config rw = { .name = "rw", .sections = { "data:rw,at=32M" } };
	const struct vm_config ro = { .name = "ro", .cpus = 2, .sections = { "data:ro,at=32M" } };
	const struct vm_config other = { .name = "other", .sections = { "data:rw,at=32M" } };

	three->section = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	three->rw = vm_start(bed, &rw);
	three->ro = vm_start(bed, &ro);
	three->other = vm_start(bed, &other);
	assert_int_equal(vm_number(three->ro, "cpus", "smp 2"), 2);
	/* The upper half is read and checked all the time. */
	(void)vm_ok(three->ro, "watch 1 0x%x 2M %llu 2M", AT + 0x200000,
		    (unsigned long long)three->section->seed);
	three->handle = (unsigned int)vm_number(three->other, "handle", "open data 7");
	(void)vm_ok(three->other, "map %u %u 0 2M", three->handle, VMSECT_DEV_PROT_READWRITE);
	three->view = (unsigned int)vm_reply_number(three->other, "view");
	three->place = vm_reply_number(three->other, "place");
}

/* Writes by one VM, seen by the other, in both its views. */
static void expect_sharing(struct three *three, struct vm_fixture *writer, uint64_t value)
{
	(void)vm_ok(writer, "w64 0x%x 0x%llx", AT + 64, (unsigned long long)value);
	bed_section_model(three->section, 64, &value, sizeof(value));
	assert_int_equal(vm_number(three->ro, "value", "r64 0x%x", AT + 64), value);
	assert_int_equal(vm_number(three->other, "value", "r64 0x%llx",
				   (unsigned long long)three->place + 64),
			 value);
}

static void expect_watch(struct vm_fixture *vm)
{
	uint64_t before = vm_number(vm, "passes", "watched 1");
	uint64_t now;

	do {
		now = vm_number(vm, "passes", "watched 1");
		assert_int_equal(vm_reply_number(vm, "wrong"), 0);
		assert_int_equal(vm_reply_number(vm, "faults"), 0);
	} while (now < before + 2);
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_vmm_killed(void **state)
{
	struct bed *bed = *state;
	struct three three;
	double start;

	start_three(bed, &three);
	expect_sharing(&three, three.rw, 1);
	assert_int_equal(bed_count_views(bed, "rw"), 1);
	while (bed_wait_event(bed, VMSECT_EVENT_PEER_LEFT, 0))
		;
	start = seconds();
	vm_kill(three.rw);
	assert_true(bed_wait_event(bed, VMSECT_EVENT_PEER_LEFT, GONE_MS));
	assert_int_equal(bed_count_views(bed, "rw"), 0);
	assert_true(seconds() - start < 1.0);
	assert_int_equal(bed_count_views(bed, "ro"), 1);
	assert_int_equal(bed_count_views(bed, "other"), 2);
	expect_sharing(&three, three.other, 2);
	expect_watch(three.ro);
	bed_section_check(three.section);
	vm_power_off(three.ro);
	vm_power_off(three.other);
}

static void test_broker_killed(void **state)
{
	struct bed *bed = *state;
	struct three three;

	start_three(bed, &three);
	broker_fixture_kill(&bed->broker);
	assert_true(bed_wait_event(bed, VMSECT_EVENT_DISCONNECTED, GONE_MS));
	expect_sharing(&three, three.rw, 3);
	expect_sharing(&three, three.other, 4);
	expect_watch(three.ro);
	vm_refused(three.other, VMSECT_S_EHOSTDOWN, VMSECT_D_NONE, "map %u %u 0 2M", three.handle,
		   VMSECT_DEV_PROT_READONLY);
	vm_refused(three.ro, VMSECT_S_EHOSTDOWN, VMSECT_D_NONE, "open data 2");
	assert_memory_equal(three.section->bytes_now, three.section->model, BYTES);
	assert_int_equal(vm_number(three.other, "length", "view %u", three.view), 0x200000);
	(void)vm_ok(three.other, "unmap %u", three.view);
	assert_true(vm_number(three.other, "value", "r64 0x%llx",
			      (unsigned long long)three.place) == UINT64_MAX);
	vm_refused(three.other, VMSECT_S_ENXIO, VMSECT_D_NONE, "view %u", three.view);
	assert_int_equal(vm_number(three.other, "value", "r64 0x%x", AT + 64), 4);
	vm_power_off(three.rw);
	vm_power_off(three.ro);
	vm_power_off(three.other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vmm_killed, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_broker_killed, bed_setup, bed_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm death", tests, NULL, NULL);
}
