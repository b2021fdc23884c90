/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring between two mappings of one memfd, at different addresses, with eventfds
 * as bells; and records whose length and bytes follow from their number.
 */
#ifndef TESTS_UNIT_GUEST_RING_BED_H
#define TESTS_UNIT_GUEST_RING_BED_H

#include "lib/check.h"

#include <stdbool.h>

#include "vmsect_ring.h"
#include "vmsect_ring_layout.h"

#define SIDES 2

/* One side's: rings the other's eventfd, sleeps on its own. */
struct bed_bell {
	int rings, hears;
	uint64_t rung, deaf; /* deaf: rings that are to be lost */
};

struct ring_bed {
	int memory_fd;
	size_t bytes;
	void *map[SIDES];
	struct bed_bell bells[SIDES];
	struct leak_guard *guard;
};

extern const struct vmsect_ring_bell_ops bed_bell_ops;

/* Formatted, nobody attached. */
struct ring_bed *ring_bed_new(size_t bytes, uint32_t record_max);
void ring_bed_free(struct ring_bed *bed);

/* Fails the test if that is refused. */
void ring_bed_attach(struct ring_bed *bed, enum vmsect_ring_side side, struct vmsect_ring *ring);
struct vmsect_ring_header *ring_bed_header(struct ring_bed *bed);

/* VMSECT_SEED or a new one; printed. */
unsigned int bed_seed(void);

/*
 * Record number i: its length, at most record_max and at least 16; filled in place;
 * and whether bytes are exactly it.
 */
uint32_t record_bytes(uint64_t number, uint32_t record_max);
void record_fill(void *record, uint64_t number, uint32_t bytes);
bool record_is(const void *record, uint64_t number, uint32_t bytes);
/* The number that it says it has. */
uint64_t record_number(const void *record);

#endif
