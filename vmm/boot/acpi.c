/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See acpi.h.  DSDT, FADT and MADT are compiled by iasl from the .asl and
 * .aslt sources beside this file; here they get the addresses and the CPU
 * count of this VM.  Field offsets are those of the ACPI specification 6.4,
 * sections 5.2.5 to 5.2.12.
 */
#include "boot/acpi.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "mem/guest_mem.h"
#include "mem/layout.h"

#include "dsdt.hex"
#include "fadt.hex"
#include "madt.hex"

_Static_assert(LAYOUT_PCI32_LAST == LAYOUT_PCI32_START + LAYOUT_PCI32_SIZE - 1, "window");
_Static_assert(LAYOUT_PCI64_LAST == LAYOUT_PCI64_START + LAYOUT_PCI64_SIZE - 1, "window");

#define TABLE_ALIGN 64u
#define MADT_CPU_BYTES 8u
#define FADT_X_DSDT 140u

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt_gpa;
	uint32_t bytes;
	uint64_t xsdt_gpa;
	uint8_t checksum_all;
	uint8_t reserved[3];
} __attribute__((packed));

#define RSDP_V1_BYTES 20u

struct acpi_header {
	char signature[4];
	uint32_t bytes;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct acpi_xsdt {
	struct acpi_header header;
	uint64_t fadt_gpa;
	uint64_t madt_gpa;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_rsdp) == 36, "RSDP");
_Static_assert(sizeof(struct acpi_header) == 36, "header");
_Static_assert(sizeof(fadt_aml_code) >= FADT_X_DSDT + sizeof(uint64_t), "FADT");
_Static_assert(sizeof(madt_aml_code) > ACPI_CPUS_MAX * MADT_CPU_BYTES, "MADT");

static uint8_t checksum(const void *data, size_t bytes)
{
	const uint8_t *at = data;
	uint8_t sum = 0;

	while (bytes--)
		sum = (uint8_t)(sum + *at++);
	return (uint8_t)-sum;
}

/* Writes length and checksum of a table that is otherwise complete. */
static void seal(void *table, uint32_t bytes)
{
	struct acpi_header *header = table;

	header->bytes = bytes;
	header->checksum = 0;
	header->checksum = checksum(table, bytes);
}

/* The place for the next tables, from low to high. */
struct acpi_area {
	const struct guest_mem *mem;
	uint64_t next_gpa;
};

/* Writes a table and says where it is. */
static int place(struct acpi_area *area, const void *table, size_t bytes, uint64_t *ret_gpa)
{
	uint64_t gpa = area->next_gpa;

	if (gpa + bytes > LAYOUT_ACPI + LAYOUT_ACPI_BYTES ||
	    !guest_mem_write(area->mem, gpa, table, bytes))
		return -ENOSPC;
	area->next_gpa = (gpa + bytes + TABLE_ALIGN - 1) & ~(uint64_t)(TABLE_ALIGN - 1);
	*ret_gpa = gpa;
	return 0;
}

static int place_fadt(struct acpi_area *area, uint64_t *ret_gpa)
{
	uint8_t fadt[sizeof(fadt_aml_code)];
	uint64_t dsdt_gpa;
	int result = place(area, dsdt_aml_code, sizeof(dsdt_aml_code), &dsdt_gpa);

	if (result < 0)
		return result;
	memcpy(fadt, fadt_aml_code, sizeof(fadt));
	memcpy(fadt + FADT_X_DSDT, &dsdt_gpa, sizeof(dsdt_gpa));
	seal(fadt, sizeof(fadt));
	return place(area, fadt, sizeof(fadt), ret_gpa);
}

static int place_madt(struct acpi_area *area, uint32_t cpus, uint64_t *ret_gpa)
{
	uint8_t madt[sizeof(madt_aml_code)];
	uint32_t bytes = (uint32_t)sizeof(madt) - (ACPI_CPUS_MAX - cpus) * MADT_CPU_BYTES;

	memcpy(madt, madt_aml_code, sizeof(madt));
	seal(madt, bytes);
	return place(area, madt, bytes, ret_gpa);
}

static int place_xsdt(struct acpi_area *area, uint32_t cpus, uint64_t *ret_gpa)
{
	struct acpi_xsdt xsdt = { 0 };
	uint64_t fadt_gpa, madt_gpa;
	int result = place_fadt(area, &fadt_gpa);

	if (result == 0)
		result = place_madt(area, cpus, &madt_gpa);
	if (result < 0)
		return result;
	/* Names, revision and creator are those of the compiled tables. */
	memcpy(&xsdt.header, fadt_aml_code, sizeof(xsdt.header));
	memcpy(xsdt.header.signature, "XSDT", sizeof(xsdt.header.signature));
	xsdt.header.revision = 1;
	xsdt.fadt_gpa = fadt_gpa;
	xsdt.madt_gpa = madt_gpa;
	seal(&xsdt, sizeof(xsdt));
	return place(area, &xsdt, sizeof(xsdt), ret_gpa);
}

int acpi_build(const struct guest_mem *mem, uint32_t cpus, uint64_t *ret_rsdp_gpa)
{
	/* The RSDP comes first: a guest without a pointer searches for it here. */
	struct acpi_area area = { .mem = mem, .next_gpa = LAYOUT_ACPI + TABLE_ALIGN };
	struct acpi_rsdp rsdp = {
		.signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
		.oem_id = { 'V', 'M', 'S', 'E', 'C', 'T' },
		.revision = 2,
		.bytes = sizeof(rsdp),
	};
	uint64_t xsdt_gpa = 0;
	int result;

	if (cpus == 0 || cpus > ACPI_CPUS_MAX)
		return -EINVAL;
	result = place_xsdt(&area, cpus, &xsdt_gpa);
	if (result < 0)
		return result;
	rsdp.xsdt_gpa = xsdt_gpa;
	rsdp.checksum = checksum(&rsdp, RSDP_V1_BYTES);
	rsdp.checksum_all = checksum(&rsdp, sizeof(rsdp));
	if (!guest_mem_write(mem, LAYOUT_ACPI, &rsdp, sizeof(rsdp)))
		return -ENOSPC;
	*ret_rsdp_gpa = LAYOUT_ACPI;
	return 0;
}
