/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest RAM, below and above the 32-bit hole.
 *
 * Owner: struct machine.  The map is constant after guest_mem_init(), so any
 * thread may call.  The bytes change under our hands at any time: what is
 * decided on is copied out once with guest_mem_read() and then checked.
 */
#ifndef MEM_GUEST_MEM_H
#define MEM_GUEST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm;

#define GUEST_MEM_REGIONS 2

struct guest_mem_region {
	uint64_t gpa;
	uint64_t bytes; /* 0: not there */
	uint8_t *hva;
	uint32_t slot;
};

struct guest_mem {
	struct vm *vm; /* borrowed; NULL in the empty state and in unit tests */
	struct guest_mem_region region[GUEST_MEM_REGIONS];
};

/*
 * Reserves `bytes` of RAM (a multiple of 2 MiB), low part up to
 * LAYOUT_LOW_RAM_END, the rest from LAYOUT_HIGH_RAM_START, and gives it to vm
 * (NULL: no VM, for tests).  0 or -errno.
 */
int guest_mem_init(struct guest_mem *mem, struct vm *vm, uint64_t bytes);
void guest_mem_deinit(struct guest_mem *mem);

/* True if all of [gpa, gpa + bytes) is RAM; bytes = 0 never is. */
bool guest_mem_has(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes);

/* The host address of a range that is all RAM of one region, else NULL. */
void *guest_mem_at(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes);

/* Copies; false, and nothing copied, unless all of the range is RAM. */
bool guest_mem_read(const struct guest_mem *mem, uint64_t gpa, void *to, size_t bytes);
bool guest_mem_write(const struct guest_mem *mem, uint64_t gpa, const void *from, size_t bytes);

#endif
