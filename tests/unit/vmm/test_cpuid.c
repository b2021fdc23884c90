/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID topology: what the guest's own rules must find. */
#include "lib/check.h"

#include <string.h>
#include <unistd.h>

#include "kvm/cpuid.h"

static void add(struct cpuid_table *table, uint32_t function, uint32_t eax, uint32_t ecx)
{
	table->entries[table->count++] =
		(struct kvm_cpuid_entry2){ .function = function, .eax = eax, .ecx = ecx };
}

static uint32_t leaves(const struct cpuid_table *table, uint32_t function, uint32_t index)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < table->count; i++)
		found += table->entries[i].function == function && table->entries[i].index == index;
	return found;
}

/* The one such leaf. */
static struct kvm_cpuid_entry2 leaf(const struct cpuid_table *table, uint32_t function,
				    uint32_t index)
{
	uint32_t i = 0;

	assert_int_equal(leaves(table, function, index), 1);
	while (table->entries[i].function != function || table->entries[i].index != index)
		i++;
	return table->entries[i];
}

static struct cpuid_table host_table(void)
{
	struct cpuid_table table = { 0 };

	add(&table, 0, 0x1f, 0);
	add(&table, 1, 0, 1u << 24);
	add(&table, 4, 0x3u << 5 | 1, 0);
	add(&table, 0xb, 7, 0x100);
	add(&table, 0x1f, 7, 0x100);
	add(&table, 0x80000001, 0, 1u << 22);
	add(&table, 0x80000008, 0x3030, 0xffff);
	add(&table, 0x8000001e, 99, 99);
	return table;
}

struct expect {
	uint32_t cpus;
	uint32_t bits; /* of an APIC id */
};

static void check_leaf_1(const struct cpuid_table *table, const struct expect *expect)
{
	struct kvm_cpuid_entry2 found = leaf(table, 1, 0);

	assert_int_equal(found.ebx >> 24, expect->cpus - 1);
	assert_int_equal((found.ebx >> 16) & 0xff, 1u << expect->bits);
	assert_true(found.ecx & (1u << 31));
	assert_false(found.ecx & (1u << 24));
	assert_true(found.edx & (1u << 12));
	assert_int_equal((found.edx >> 28) & 1, expect->cpus > 1);
}

static void check_leaf_b(const struct cpuid_table *table, const struct expect *expect)
{
	struct kvm_cpuid_entry2 thread = leaf(table, 0xb, 0), core = leaf(table, 0xb, 1);

	assert_int_equal(thread.eax, 0);
	assert_int_equal(thread.ebx, 1);
	assert_int_equal(thread.ecx, 0x100);
	assert_int_equal(thread.edx, expect->cpus - 1);
	assert_int_equal(core.eax, expect->bits);
	assert_int_equal(core.ebx, expect->cpus);
	assert_int_equal(core.ecx, 0x201);
	assert_int_equal(core.edx, expect->cpus - 1);
	assert_int_equal(leaves(table, 0x1f, 0), 0);
}

static void check_vendor_leaves(const struct cpuid_table *table, const struct expect *expect)
{
	struct kvm_cpuid_entry2 found = leaf(table, 4, 0);

	assert_int_equal(found.eax >> 26, (1u << expect->bits) - 1);
	found = leaf(table, 0x80000008, 0);
	assert_int_equal(found.eax, 0x3030);
	assert_int_equal(found.ecx & 0xff, expect->cpus - 1);
	assert_int_equal((found.ecx >> 12) & 0xf, expect->bits);
	found = leaf(table, 0x8000001e, 0);
	assert_int_equal(found.eax, expect->cpus - 1);
	assert_int_equal(found.ecx, 0);
}

/* The last CPU of VMs of several sizes. */
static void test_topology(void **state)
{
	static const struct expect cases[] = { { 1, 0 }, { 2, 1 }, { 3, 2 },
					       { 4, 2 }, { 5, 3 }, { 16, 4 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpuid_place place = { .cpus = cases[i].cpus, .index = cases[i].cpus - 1 };
		struct cpuid_table table = host_table();

		cpuid_for(&table, &place);
		check_leaf_1(&table, &cases[i]);
		check_leaf_b(&table, &cases[i]);
		check_vendor_leaves(&table, &cases[i]);
	}
}

static void test_old_cpu_and_deadline(void **state)
{
	struct cpuid_place place = { .cpus = 1, .index = 0, .tsc_deadline = true };
	struct cpuid_table table = { 0 };

	(void)state;
	add(&table, 0, 7, 0);
	add(&table, 1, 0, 0);
	cpuid_for(&table, &place);
	assert_int_equal(leaves(&table, 0xb, 0), 0);
	assert_true(leaf(&table, 1, 0).ecx & (1u << 24));
}

static void test_full_table(void **state)
{
	struct cpuid_place place = { .cpus = 2, .index = 0 };
	struct cpuid_table table = { 0 };

	(void)state;
	add(&table, 0, 0x1f, 0);
	while (table.count < CPUID_LEAVES_MAX)
		add(&table, 0x40000000, 0, 0);
	cpuid_for(&table, &place);
	assert_int_equal(table.count, CPUID_LEAVES_MAX);
}

static void test_address_bits(void **state)
{
	struct cpuid_table table = host_table();

	(void)state;
	assert_int_equal(cpuid_address_bits(&table), 48);
	table.count = 0;
	assert_int_equal(cpuid_address_bits(&table), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topology),
		cmocka_unit_test(test_old_cpu_and_deadline),
		cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_address_bits),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
