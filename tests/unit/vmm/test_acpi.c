/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI tables as a guest finds them: pointers, checksums, CPU count. */
#include "lib/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "boot/acpi.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define RAM UINT64_C(0x200000)
#define HEADER_BYTES 36u
#define MADT_CPU 0
#define MADT_IOAPIC 1

static int setup(void **state)
{
	static struct guest_mem mem;

	*state = &mem;
	return guest_mem_init(&mem, NULL, RAM);
}

static int teardown(void **state)
{
	guest_mem_deinit(*state);
	return 0;
}

static void check_sum(const uint8_t *at, size_t bytes)
{
	uint8_t sum = 0;

	while (bytes--)
		sum = (uint8_t)(sum + *at++);
	assert_int_equal(sum, 0);
}

static uint64_t number(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, at, bytes);
	return value;
}

/* A table with the right name, length and checksum. */
static const uint8_t *table_at(const struct guest_mem *mem, uint64_t gpa, const char *name)
{
	const uint8_t *at = guest_mem_at(mem, gpa, HEADER_BYTES);

	assert_non_null(at);
	assert_memory_equal(at, name, 4);
	assert_true(guest_mem_has(mem, gpa, number(at + 4, 4)));
	assert_true(gpa + number(at + 4, 4) <= LAYOUT_ACPI + LAYOUT_ACPI_BYTES);
	check_sum(at, number(at + 4, 4));
	return at;
}

static void check_madt(const uint8_t *madt, uint32_t cpus)
{
	uint32_t length = (uint32_t)number(madt + 4, 4), found = 0, ioapics = 0;
	uint32_t at = 44;

	assert_int_equal(number(madt + 36, 4), LAYOUT_LAPIC);
	while (at < length) {
		assert_true(madt[at + 1] >= 2);
		if (madt[at] == MADT_CPU) {
			assert_int_equal(madt[at + 3], found++);
			assert_int_equal(number(madt + at + 4, 4), 1);
		} else if (madt[at] == MADT_IOAPIC) {
			assert_int_equal(number(madt + at + 4, 4), LAYOUT_IOAPIC);
			ioapics++;
		}
		at += madt[at + 1];
	}
	assert_int_equal(at, length);
	assert_int_equal(found, cpus);
	assert_int_equal(ioapics, 1);
}

static void check_fadt(const struct guest_mem *mem, const uint8_t *fadt)
{
	uint32_t flags = (uint32_t)number(fadt + 112, 4);

	assert_true(flags & (UINT32_C(1) << 20)); /* hardware-reduced */
	assert_true(flags & (UINT32_C(1) << 10)); /* reset register */
	assert_int_equal(number(fadt + 120, 8), LAYOUT_RESET_PORT);
	assert_int_equal(fadt[128], LAYOUT_RESET_VALUE);
	assert_int_equal(number(fadt + 248, 8), LAYOUT_SLEEP_PORT);
	assert_int_equal(number(fadt + 260, 8), LAYOUT_SLEEP_STATUS_PORT);
	(void)table_at(mem, number(fadt + 140, 8), "DSDT");
}

static void test_refused(void **state)
{
	uint64_t rsdp = POISON;

	assert_int_equal(acpi_build(*state, 0, &rsdp), -EINVAL);
	assert_int_equal(acpi_build(*state, ACPI_CPUS_MAX + 1, &rsdp), -EINVAL);
	assert_int_equal(acpi_build(&(struct guest_mem){ 0 }, 1, &rsdp), -ENOSPC);
	assert_int_equal(rsdp, POISON);
}

static void test_tables(void **state)
{
	const struct guest_mem *mem = *state;

	for (uint32_t cpus = 1; cpus <= ACPI_CPUS_MAX; cpus++) {
		const uint8_t *rsdp, *xsdt;
		uint64_t gpa = POISON;

		assert_int_equal(acpi_build(mem, cpus, &gpa), 0);
		rsdp = guest_mem_at(mem, gpa, HEADER_BYTES);
		assert_non_null(rsdp);
		assert_memory_equal(rsdp, "RSD PTR ", 8);
		check_sum(rsdp, 20);
		check_sum(rsdp, 36);
		xsdt = table_at(mem, number(rsdp + 24, 8), "XSDT");
		assert_int_equal(number(xsdt + 4, 4), HEADER_BYTES + 16);
		check_fadt(mem, table_at(mem, number(xsdt + 36, 8), "FACP"));
		check_madt(table_at(mem, number(xsdt + 44, 8), "APIC"), cpus);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_tables),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, setup, teardown);
}
