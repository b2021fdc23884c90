/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See memmap.h. */
#include "boot/memmap.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#include "mem/guest_mem.h"
#include "mem/layout.h"

/* Where a PC's extended BIOS data starts, and where RAM goes on. */
#define LOW_END 0x9FC00u
#define HIGH_START 0x100000u

static void add(struct memmap *map, uint64_t start, uint64_t bytes, enum memmap_type type)
{
	map->entries[map->count++] =
		(struct memmap_entry){ .start = start, .bytes = bytes, .type = type };
}

struct memmap memmap_of(const struct guest_mem *mem)
{
	const struct guest_mem_region *low = &mem->region[0], *high = &mem->region[1];
	struct memmap map = { 0 };

	add(&map, 0, LOW_END, MEMMAP_RAM);
	add(&map, LOW_END, HIGH_START - LOW_END, MEMMAP_RESERVED);
	if (low->bytes > HIGH_START)
		add(&map, HIGH_START, low->bytes - HIGH_START, MEMMAP_RAM);
	if (high->bytes)
		add(&map, high->gpa, high->bytes, MEMMAP_RAM);
	return map;
}

/* What the VMM itself writes before the guest runs. */
static const struct {
	uint64_t start, end;
} own[] = {
	{ LAYOUT_GDT, LAYOUT_PAGE_TABLES_END },
	{ LAYOUT_CMDLINE, LAYOUT_CMDLINE + LAYOUT_CMDLINE_BYTES },
	{ LAYOUT_ACPI, HIGH_START },
};

int memmap_check_load(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes, const char *what,
		      struct boot_error *error)
{
	uint64_t end;

	if (__builtin_add_overflow(gpa, bytes, &end))
		return boot_fail(error, -ERANGE,
				 "%s at %#" PRIx64 " with %#" PRIx64
				 " bytes wraps around the address space",
				 what, gpa, bytes);
	if (!guest_mem_has(mem, gpa, bytes))
		return boot_fail(error, -ERANGE,
				 "%s at %#" PRIx64 " with %#" PRIx64
				 " bytes does not fit into the VM's memory",
				 what, gpa, bytes);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (gpa < own[i].end && end > own[i].start)
			return boot_fail(error, -ERANGE,
					 "%s at %#" PRIx64 " with %#" PRIx64
					 " bytes overlaps boot data at %#" PRIx64,
					 what, gpa, bytes, own[i].start);
	return 0;
}
