/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 10,000 maps and unmaps that the guest asks for through the control queue,
 * in random order, places and sizes, against the guest's own model of its
 * window (guests/storm.c), while another vCPU reads the views that stay and
 * never sees a wrong byte or a fault.
 *
 * VMSECT_SEED repeats a run.
 */
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define LIMIT_S 300
#define STORM_MS 240000
#define COUNT 10000
#define ACCESS (VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE)

static uint64_t seed_of_run(void)
{
	const char *text = getenv("VMSECT_SEED");

	return text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
}

static unsigned int open_section(struct vm_fixture *vm, const struct bed_section *section)
{
	return (unsigned int)vm_number(vm, "handle", "open %s %u", section->name, ACCESS);
}

/* Runs it and checks what the reader saw. */
static void storm(struct vm_fixture *vm, const struct bed_section *a, const struct bed_section *b)
{
	unsigned int handle_a = open_section(vm, a);
	unsigned int handle_b = open_section(vm, b);
	unsigned long long seed = seed_of_run();

	print_message("storm: VMSECT_SEED=%llu\n", seed);
	vm->answer_ms = STORM_MS;
	(void)vm_ok(vm, "storm %llu %u 1 %u %llu %u %llu", seed, COUNT, handle_a,
		    (unsigned long long)a->seed, handle_b, (unsigned long long)b->seed);
	print_message("storm: %s\n", vm->reply);
	assert_int_equal(vm_reply_number(vm, "wrong"), 0);
	assert_int_equal(vm_reply_number(vm, "faults"), 0);
	assert_true(vm_reply_number(vm, "passes") > 100);
	assert_int_equal(vm_reply_number(vm, "live"), 0);
	assert_true(vm_reply_number(vm, "maps") >= COUNT / 2);
	vm->answer_ms = VM_ANSWER_MS;
}

static void test_storm(void **state)
{
	struct bed *bed = *state;
	struct bed_section *file =
		bed_section_new(bed, "file", VMSECT_BACKING_FILE, (9 << 20) + 0x5000);
	struct bed_section *shmem = bed_section_new(bed, "shmem", VMSECT_BACKING_SHMEM, 24 << 20);
	struct bed_section *fixed = bed_section_new(bed, "fixed", VMSECT_BACKING_SHMEM, 3 << 20);
	const struct vm_config config = {
		.name = "storm",
		.cpus = 3,
		.window = "256M",
		.sections = { "fixed:ro,at=32M" },
	};
	struct vm_fixture *vm = vm_start(bed, &config);

	assert_int_equal(vm_number(vm, "cpus", "smp 3"), 3);
	/* One CPU reads the attachment all the time, another what comes and goes. */
	(void)vm_ok(vm, "watch 2 32M 3M %llu", (unsigned long long)fixed->seed);
	storm(vm, file, shmem);
	(void)vm_ok(vm, "unwatch 2");
	assert_true(vm_reply_number(vm, "passes") > 0);
	assert_int_equal(vm_reply_number(vm, "wrong"), 0);
	assert_int_equal(vm_reply_number(vm, "faults"), 0);
	assert_int_equal(bed_count_views(bed, "storm"), 1);
	bed_section_check(file);
	bed_section_check(shmem);
	bed_section_check(fixed);
	vm_power_off(vm);
	assert_int_equal(bed_count_views(bed, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_storm, bed_setup, bed_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm storm", tests, NULL, NULL);
}
