/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a large VM: 16 GiB, of which 3 GiB are below the hole for
 * devices and the rest from 4 GiB on.  Only touched pages cost anything.
 */
#include "lib/check.h"

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define LIMIT_S 60
#define GIB (UINT64_C(1) << 30)
#define LOW_END (3 * GIB)
#define HIGH_START (4 * GIB)
#define HIGH_END (17 * GIB)
#define WORD UINT64_C(0x1122334455667788)
#define WORD_BYTES 8
#define ONES UINT64_MAX

static void expect_ram(struct vm_fixture *vm, uint64_t gpa)
{
	unsigned long long at = gpa;

	assert_int_equal(vm_number(vm, "value", "r64 @%#llx", at), 0);
	(void)vm_ok(vm, "w64 @%#llx %#llx", at, (unsigned long long)(WORD ^ gpa));
	assert_int_equal(vm_number(vm, "value", "r64 @%#llx", at), WORD ^ gpa);
}

static void expect_hole(struct vm_fixture *vm, uint64_t gpa)
{
	unsigned long long at = gpa;

	(void)vm_ok(vm, "w64 @%#llx 0", at);
	assert_int_equal(vm_number(vm, "value", "r64 @%#llx", at), ONES);
}

static void test_sixteen_gib(void **state)
{
	const struct vm_config config = { .name = "large", .memory = "16G" };
	struct vm_fixture *vm = vm_start(*state, &config);

	(void)vm_ok(vm, "mapping @%#llx 2M", (unsigned long long)HIGH_START);
	(void)vm_ok(vm, "mapping @%#llx 4M", (unsigned long long)(HIGH_END - (UINT64_C(2) << 20)));
	expect_ram(vm, LOW_END - WORD_BYTES);
	expect_hole(vm, LOW_END + (UINT64_C(256) << 20));
	expect_ram(vm, HIGH_START);
	expect_ram(vm, HIGH_END - WORD_BYTES);
	expect_hole(vm, HIGH_END);
	vm_power_off(vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_sixteen_gib) };
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm memory", tests, NULL, NULL);
}
