/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a VM ends: power-off and reboot with 0, a triple fault with 3.
 */
#include "lib/check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define LIMIT_S 60
#define EXIT_CRASHED 3

static struct vm_fixture *start(struct bed *bed, uint32_t cpus)
{
	const struct vm_config config = { .name = "vm", .cpus = cpus, .sections = { "data:rw" } };
	struct vm_fixture *vm;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UINT64_C(2) << 20);
	vm = vm_start(bed, &config);
	assert_int_equal(vm_number(vm, "cpus", "smp %u", cpus), cpus);
	return vm;
}

static void expect_end(struct bed *bed, uint32_t cpus, const char *command, int code)
{
	struct vm_fixture *vm = start(bed, cpus);

	/* Another CPU is in the middle of something. */
	if (cpus > 1)
		(void)vm_ok(vm, "watch 1 0 2M %llu", (unsigned long long)bed->section[0].seed);
	vm_send(vm, "%s", command);
	vm_wait_exit(vm, code);
	assert_int_equal(bed_count_views(bed, NULL), 0);
}

static void test_triple_fault(void **state)
{
	expect_end(*state, 2, "triplefault", EXIT_CRASHED);
}

static void test_power_off(void **state)
{
	expect_end(*state, 2, "poweroff", 0);
}

static void test_power_off_alone(void **state)
{
	expect_end(*state, 1, "poweroff", 0);
}

static void test_reboot(void **state)
{
	expect_end(*state, 2, "reboot", 0);
}

static void test_reboot_by_keyboard(void **state)
{
	expect_end(*state, 1, "out 1 0x64 0xfe", 0);
}

/* Values that mean nothing do nothing. */
static void test_not_yet(void **state)
{
	struct vm_fixture *vm = start(*state, 1);

	(void)vm_ok(vm, "out 1 0x604 0x14");
	(void)vm_ok(vm, "out 1 0x604 0x20");
	(void)vm_ok(vm, "out 1 0xcf9 0x02");
	(void)vm_ok(vm, "out 1 0x64 0xaa");
	(void)vm_ok(vm, "ping");
	vm_power_off(vm);
}

/* Sixteen CPUs start; the default memory type is write-back. */
static void test_many_cpus(void **state)
{
	struct vm_fixture *vm = start(*state, 16);

	assert_int_equal(vm_number(vm, "value", "rdmsr 0x2ff") & 0x8ff, 0x806);
	vm_power_off(vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_not_yet),	    TEST(test_triple_fault), TEST(test_power_off),
		TEST(test_power_off_alone), TEST(test_reboot),	     TEST(test_reboot_by_keyboard),
		TEST(test_many_cpus),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm power", tests, NULL, NULL);
}
