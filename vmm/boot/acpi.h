/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of a VM, in guest memory from LAYOUT_ACPI: RSDP, XSDT, FADT,
 * MADT, DSDT.  Pure but for guest memory; called once, before the guest runs.
 */
#ifndef BOOT_ACPI_H
#define BOOT_ACPI_H

#include <stdint.h>

struct guest_mem;

#define ACPI_CPUS_MAX 16

/*
 * Writes tables for a VM of 1 to ACPI_CPUS_MAX CPUs.  0, or -ENOSPC if guest
 * memory ends below them.
 */
int acpi_build(const struct guest_mem *mem, uint32_t cpus, uint64_t *ret_rsdp_gpa);

#endif
