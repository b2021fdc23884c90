/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: BARs that move while they are in use, decoding off and on, and
 * configuration space under a hostile driver.
 */
#include "lib/check.h"

#include <stdio.h>
#include <string.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "mem/layout.h"

#define LIMIT_S 120
#define BYTES (UINT64_C(4) << 20)
#define ONES UINT64_MAX
#define COMMAND 4
#define COMMAND_MEMORY 2u

static struct vm_fixture *start(struct bed *bed)
{
	const struct vm_config config = { .name = "vm", .cpus = 2, .sections = { "data:rw,at=0" } };

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	return vm_start(bed, &config);
}

static void expect_data(struct vm_fixture *vm, const struct bed *bed)
{
	assert_int_equal(
		vm_number(vm, "wrong", "check 0 4M %llu", (unsigned long long)bed->section[0].seed),
		0);
	assert_int_equal(vm_number(vm, "count", "list"), 1);
}

/* The index of the BAR that has this address. */
static unsigned int bar_at(struct vm_fixture *vm, uint64_t address)
{
	for (unsigned int i = 0; i < 6; i++) {
		uint64_t start = vm_number(vm, "address", "bar %u", i);

		if (start <= address && address < start + 0x100000)
			return i;
	}
	fail_msg("no BAR has %#llx", (unsigned long long)address);
	return 0;
}

static void test_move_small(void **state)
{
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	unsigned int bar = bar_at(vm, vm_number(vm, "common", "find"));
	unsigned long long was = vm_number(vm, "address", "bar %u", bar);
	const unsigned long long to[] = { was + 0x1000000, LAYOUT_PCI32_START + 0x1f000000, was };

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		assert_int_equal(vm_number(vm, "address", "bar %u 0x%llx", bar, to[i]), to[i]);
		(void)vm_ok(vm, "find");
		expect_data(vm, bed);
	}
	vm_power_off(vm);
}

/* A small BAR over RAM, over nothing, at the top: not decoded, RAM stays RAM. */
static void test_move_small_away(void **state)
{
	static const unsigned long long bad[] = { 0x1000000,  0x0,	  0xfee00000,
						  0xfec00000, 0xfffff000, 0xe0000000 };
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	unsigned long long common = vm_number(vm, "common", "find");
	unsigned int bar = bar_at(vm, common);
	unsigned long long was = vm_number(vm, "address", "bar %u", bar);

	(void)vm_ok(vm, "fill @0x1000000 64K 9");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)vm_ok(vm, "bar %u 0x%llx", bar, bad[i]);
		assert_int_equal(vm_number(vm, "value", "r32 @0x%llx", common), 0xffffffff);
		assert_int_equal(vm_number(vm, "wrong", "check @0x1000000 64K 9"), 0);
		(void)vm_ok(vm, "bar %u 0x%llx", bar, was);
		(void)vm_ok(vm, "find");
		expect_data(vm, bed);
	}
	vm_power_off(vm);
}

static void test_move_window(void **state)
{
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	unsigned int bar = (unsigned int)vm_number(vm, "window_bar", "find");
	unsigned long long was = vm->window;
	const unsigned long long to[] = {
		LAYOUT_PCI64_START + (8ull << 30),
		LAYOUT_PCI64_START + LAYOUT_PCI64_SIZE - vm->window_bytes,
		was,
	};

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		(void)vm_ok(vm, "bar %u 0x%llx", bar, to[i]);
		assert_int_equal(vm_number(vm, "window", "find"), to[i]);
		expect_data(vm, bed);
		if (to[i] != was)
			assert_true(vm_number(vm, "value", "r64 @0x%llx", was) == ONES);
	}
	vm_power_off(vm);
	bed_section_check(&bed->section[0]);
}

/* Where the window may not be: no view is reachable until it is back. */
static void test_move_window_away(void **state)
{
	static const unsigned long long bad[] = { 0, 0x40000000, LAYOUT_HIGH_RAM_START,
						  LAYOUT_PCI64_START + LAYOUT_PCI64_SIZE,
						  0xffffffffc0000000 };
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	unsigned int bar = (unsigned int)vm_number(vm, "window_bar", "find");
	unsigned long long was = vm->window;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)vm_ok(vm, "bar %u 0x%llx", bar, bad[i]);
		assert_true(vm_number(vm, "value", "r64 @0x%llx", was) == ONES);
		(void)vm_ok(vm, "list");
		(void)vm_ok(vm, "bar %u 0x%llx", bar, was);
		expect_data(vm, bed);
	}
	vm_power_off(vm);
}

/* The window moves and decoding goes off and on while another CPU reads it. */
static void test_move_under_reader(void **state)
{
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	unsigned int bar = (unsigned int)vm_number(vm, "window_bar", "find");
	unsigned int command = (unsigned int)vm_number(vm, "value", "cfgr 2 %u", COMMAND);
	unsigned long long was = vm->window;

	assert_int_equal(vm_number(vm, "cpus", "smp 2"), 2);
	(void)vm_ok(vm, "watch 1 0 0x2000 %llu", (unsigned long long)bed->section[0].seed);
	for (unsigned int i = 0; i < 50; i++) {
		(void)vm_ok(vm, "bar %u 0x%llx", bar, was + (4ull << 30));
		(void)vm_ok(vm, "bar %u 0x%llx", bar, was);
		(void)vm_ok(vm, "cfgw 2 %u %u", COMMAND, command & ~COMMAND_MEMORY);
		(void)vm_ok(vm, "cfgw 2 %u %u", COMMAND, command);
	}
	/* It saw ones now and then, but never a fault. */
	(void)vm_ok(vm, "unwatch 1");
	assert_int_equal(vm_reply_number(vm, "faults"), 0);
	expect_data(vm, bed);
	vm_power_off(vm);
	bed_section_check(&bed->section[0]);
}

static void test_decode_off(void **state)
{
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	unsigned long long common = vm_number(vm, "common", "find");
	unsigned int command = (unsigned int)vm_number(vm, "value", "cfgr 2 %u", COMMAND);

	assert_true(command & COMMAND_MEMORY);
	(void)vm_ok(vm, "cfgw 2 %u %u", COMMAND, command & ~COMMAND_MEMORY);
	assert_int_equal(vm_number(vm, "value", "r32 @0x%llx", common), 0xffffffff);
	assert_true(vm_number(vm, "value", "r64 0") == ONES);
	(void)vm_ok(vm, "w64 0 0");
	(void)vm_ok(vm, "cfgw 2 %u %u", COMMAND, command);
	expect_data(vm, bed);
	vm_power_off(vm);
}

/* BAR sizing as drivers do it; BARs come back where they were. */
static void test_sizes(void **state)
{
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	unsigned int window_bar = (unsigned int)vm_number(vm, "window_bar", "find");
	unsigned int small_bar = bar_at(vm, vm_reply_number(vm, "common"));
	unsigned int command = (unsigned int)vm_number(vm, "value", "cfgr 2 %u", COMMAND);
	uint64_t bytes;

	(void)vm_ok(vm, "cfgw 2 %u %u", COMMAND, command & ~COMMAND_MEMORY);
	assert_int_equal(vm_number(vm, "bytes", "barsize %u", window_bar), vm->window_bytes);
	bytes = vm_number(vm, "bytes", "barsize %u", small_bar);
	assert_true(bytes >= 4096 && (bytes & (bytes - 1)) == 0);
	(void)vm_ok(vm, "cfgw 2 %u %u", COMMAND, command);
	assert_int_equal(vm_number(vm, "window", "find"), vm->window);
	expect_data(vm, bed);
	vm_power_off(vm);
}

/* Every byte of configuration space is written; BARs and command are put back. */
static void test_config_abuse(void **state)
{
	static const unsigned int values[] = { 0xffffffff, 0, 0xa5a5a5a5, 0x80000001 };
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	unsigned int saved[16];

	for (unsigned int i = 0; i < 16; i++)
		saved[i] = (unsigned int)vm_number(vm, "value", "cfgr 4 %u", 4 * i);
	for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
		for (unsigned int size = 1; size <= 4; size *= 2)
			for (unsigned int at = 0; at < 256; at += size)
				(void)vm_ok(vm, "cfgw %u %u 0x%x", size, at, values[v]);
		for (unsigned int i = 0; i < 16; i++)
			(void)vm_ok(vm, "cfgw 4 %u 0x%x", 4 * i, saved[i]);
		for (unsigned int i = 0; i < 16; i++)
			if (i != 1)
				assert_int_equal(vm_number(vm, "value", "cfgr 4 %u", 4 * i),
						 saved[i]);
		(void)vm_ok(vm, "start");
		expect_data(vm, bed);
	}
	vm_power_off(vm);
	bed_section_check(&bed->section[0]);
}

/* Functions that are not there read as ones; odd widths and ports do no harm. */
static void test_absent(void **state)
{
	static const unsigned int ports[] = {
		0xcf8, 0xcfa, 0xcfc, 0xcfd, 0xcfe, 0xcff, 0x605, 0x3ff
	};
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);

	for (unsigned int slot = 20; slot < 32; slot++)
		assert_int_equal(vm_number(vm, "value", "cfgr 4 0 %u", slot << 3), 0xffffffff);
	assert_int_equal(vm_number(vm, "value", "cfgr 4 0 0x%x", 0xff00), 0xffffffff);
	assert_true(vm_number(vm, "value", "cfgr 4 0 0") != 0xffffffff);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		for (unsigned int size = 1; size <= 4; size *= 2) {
			(void)vm_ok(vm, "in %u 0x%x", size, ports[i]);
			(void)vm_ok(vm, "out %u 0x%x 0", size, ports[i]);
		}
	(void)vm_ok(vm, "find");
	expect_data(vm, bed);
	vm_power_off(vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_move_small_away),   TEST(test_move_window_away),
		TEST(test_config_abuse),      TEST(test_absent),
		TEST(test_decode_off),	      TEST(test_sizes),
		TEST(test_move_small),	      TEST(test_move_window),
		TEST(test_move_under_reader),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm pci", tests, NULL, NULL);
}
