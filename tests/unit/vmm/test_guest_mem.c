/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest RAM: sizes, the 32-bit hole, and every kind of bad range. */
#include "lib/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/leak.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define MIB UINT64_C(0x100000)
#define GIB (1024 * MIB)
#define RAM (16 * GIB)
#define HIGH_BYTES (RAM - LAYOUT_LOW_RAM_END)

static void test_refused_sizes(void **state)
{
	static const uint64_t sizes[] = { 0, 4096, 3 * MIB, 2 * MIB + 1,
					  LAYOUT_HIGH_RAM_END - LAYOUT_HIGH_RAM_START +
						  LAYOUT_LOW_RAM_END + 2 * MIB };
	struct guest_mem mem;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(guest_mem_init(&mem, NULL, sizes[i]), -EINVAL);
		guest_mem_deinit(&mem);
	}
}

static const struct {
	const char *name;
	uint64_t gpa, bytes;
	bool has;
} ranges[] = {
	{ "no byte", 0, 0, false },
	{ "behind low RAM", LAYOUT_LOW_RAM_END, 1, false },
	{ "across the end of low RAM", LAYOUT_LOW_RAM_END - 1, 2, false },
	{ "in the hole", LAYOUT_PCI32_START + 4096, 8, false },
	{ "before high RAM", LAYOUT_HIGH_RAM_START - 1, 1, false },
	{ "into high RAM", LAYOUT_HIGH_RAM_START - 1, 2, false },
	{ "all of RAM in one", 0, RAM, false },
	{ "behind high RAM", LAYOUT_HIGH_RAM_START + HIGH_BYTES, 1, false },
	{ "wraps", LAYOUT_HIGH_RAM_START, UINT64_MAX, false },
	{ "wraps to zero", UINT64_MAX, 1, false },
	{ "wraps into RAM", UINT64_MAX - 3, 8, false },
	{ "the first byte", 0, 1, true },
	{ "all low RAM", 0, LAYOUT_LOW_RAM_END, true },
	{ "the last low byte", LAYOUT_LOW_RAM_END - 1, 1, true },
	{ "all high RAM", LAYOUT_HIGH_RAM_START, HIGH_BYTES, true },
	{ "the last byte", LAYOUT_HIGH_RAM_START + HIGH_BYTES - 1, 1, true },
};

static void test_ranges(void **state)
{
	struct guest_mem mem;
	uint8_t byte = 0x5a;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, NULL, RAM), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		print_message("%s\n", ranges[i].name);
		assert_int_equal(guest_mem_has(&mem, ranges[i].gpa, ranges[i].bytes),
				 ranges[i].has);
		if (ranges[i].bytes != 1)
			continue;
		byte = 0x5a;
		assert_int_equal(guest_mem_read(&mem, ranges[i].gpa, &byte, 1), ranges[i].has);
		assert_int_equal(byte, ranges[i].has ? 0 : 0x5a);
		assert_int_equal(guest_mem_write(&mem, ranges[i].gpa, &byte, 1), ranges[i].has);
	}
	guest_mem_deinit(&mem);
	assert_false(guest_mem_has(&mem, 0, 1));
}

static void test_huge_page_alignment(void **state)
{
	struct guest_mem mem;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, NULL, 4 * GIB), 0);
	for (int i = 0; i < GUEST_MEM_REGIONS; i++)
		assert_int_equal((uintptr_t)mem.region[i].hva % (2 * MIB), 0);
	assert_int_equal(mem.region[0].bytes + mem.region[1].bytes, 4 * GIB);
	guest_mem_deinit(&mem);
	guest_mem_deinit(&mem); /* idempotent */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_sizes, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_ranges, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_huge_page_alignment, leak_setup,
						leak_teardown),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
