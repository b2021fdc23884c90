/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest is told of its memory, and where a loader may put things.
 * Pure.
 */
#ifndef BOOT_MEMMAP_H
#define BOOT_MEMMAP_H

#include <stdint.h>

#include "boot/boot_error.h"

struct guest_mem;

/* The numbers are those of e820 and of the PVH memory map. */
enum memmap_type {
	MEMMAP_RAM = 1,
	MEMMAP_RESERVED = 2,
};

#define MEMMAP_ENTRIES_MAX 4

struct memmap {
	uint32_t count;
	struct memmap_entry {
		uint64_t start;
		uint64_t bytes;
		enum memmap_type type;
	} entries[MEMMAP_ENTRIES_MAX];
};

struct memmap memmap_of(const struct guest_mem *mem);

/*
 * 0 if [gpa, gpa + bytes) is RAM and touches nothing that the VMM places; else
 * -ERANGE and a sentence that starts with `what`.
 */
int memmap_check_load(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes, const char *what,
		      struct boot_error *error);

#endif
