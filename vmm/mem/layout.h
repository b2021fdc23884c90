/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's physical address map.  Plain numbers only: the ACPI sources are
 * preprocessed with this file too, and iasl adds nothing up (boot/acpi.c
 * asserts that the _LAST numbers fit).
 */
#ifndef MEM_LAYOUT_H
#define MEM_LAYOUT_H

/* RAM below 4 GiB ends here; the rest of RAM starts at 4 GiB. */
#define LAYOUT_LOW_RAM_END 0xC0000000
#define LAYOUT_HIGH_RAM_START 0x100000000
#define LAYOUT_HIGH_RAM_END 0x1000000000

/* 32-bit PCI memory window: small BARs. */
#define LAYOUT_PCI32_START 0xC0000000
#define LAYOUT_PCI32_SIZE 0x20000000
#define LAYOUT_PCI32_LAST 0xDFFFFFFF

/* 64-bit prefetchable PCI memory window: the section window. */
#define LAYOUT_PCI64_START 0x1000000000
#define LAYOUT_PCI64_SIZE 0x3000000000
#define LAYOUT_PCI64_LAST 0x3FFFFFFFFF

/*
 * Persistent memory, in no BAR: its devices tell their drivers where it is.  It
 * takes 39 address bits (CPUID leaf 0x80000008), which Intel's client processors
 * have and servers exceed; the PCI window above takes 38.
 */
#define LAYOUT_PMEM_START 0x4000000000
#define LAYOUT_PMEM_SIZE 0x4000000000
#define LAYOUT_PMEM_LAST 0x7FFFFFFFFF
#define LAYOUT_PMEM_ADDRESS_BITS 39

/* Fixed by x86. */
#define LAYOUT_IOAPIC 0xFEC00000
#define LAYOUT_LAPIC 0xFEE00000

/* The four pages from 0xFFFBC000 are KVM's own: see kvm/vm.h. */

/* What the loaders place in low RAM. */
#define LAYOUT_ZERO_PAGE 0x7000
#define LAYOUT_GDT 0x6000
#define LAYOUT_PVH_INFO 0x8000
#define LAYOUT_PAGE_TABLES 0x9000
#define LAYOUT_PAGE_TABLES_END 0xF000
#define LAYOUT_CMDLINE 0x20000
#define LAYOUT_CMDLINE_BYTES 0x10000
#define LAYOUT_ACPI 0xE0000
#define LAYOUT_ACPI_BYTES 0x1F000
#define LAYOUT_RESET_VECTOR 0xFFFF0

/* I/O ports. */
#define LAYOUT_COM1 0x3F8
#define LAYOUT_COM1_GSI 4
#define LAYOUT_RESET_PORT 0xCF9
#define LAYOUT_RESET_VALUE 0x06
#define LAYOUT_I8042_COMMAND 0x64
#define LAYOUT_SLEEP_PORT 0x604
#define LAYOUT_SLEEP_STATUS_PORT 0x605
#define LAYOUT_SLEEP_TYPE_S5 5
#define LAYOUT_DEBUG_EXIT 0xF4
#define LAYOUT_HOTPLUG_PORT 0xAE00
#define LAYOUT_HOTPLUG_PORTS 8
#define LAYOUT_HOTPLUG_GSI 5

#endif
