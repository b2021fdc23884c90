/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring as it lies in shared memory, for those who write another end of it;
 * docs/memory-model.md is its specification.  Programs include vmsect_ring.h.
 *
 * Little endian, fixed width, no pointers.  Every line of 64 bytes has one
 * writer, and the lines of one party are a pair, as processors fetch pairs.
 * Everything here can change at any time: it is loaded once and then checked.
 */
#ifndef VMSECT_RING_LAYOUT_H
#define VMSECT_RING_LAYOUT_H

#include <stdint.h>

#define VMSECT_RING_MAGIC 0x31475256u /* "VRG1" */
#define VMSECT_RING_VERSION 1u
#define VMSECT_RING_HEADER_BYTES 512u

/* What a party writes; the other only reads it. */
struct vmsect_ring_party {
	/* A line that is written for every record. */
	uint64_t index; /* bytes produced or consumed, ever; a multiple of 8 */
	uint8_t index_line[56];
	/* A line that is written when the party sleeps, comes or goes. */
	uint64_t wake; /* notify me when your index passes this one */
	uint32_t generation; /* 0: never there; odd: attached; even: has left */
	uint32_t reserved;
	uint8_t wake_line[48];
};

struct vmsect_ring_header {
	/* Written once, the magic number last. */
	uint32_t magic;
	uint32_t version;
	uint64_t data_bytes; /* a power of two; they lie behind the header */
	uint32_t record_max; /* longest record, at most data_bytes / 2 - 8 */
	uint32_t reserved[11];
	uint8_t constant_pair[64];
	struct vmsect_ring_party party[2]; /* producer, consumer */
	uint8_t tail[128];
};

/*
 * A record: this word at a multiple of 8, then its bytes.  It never wraps round
 * the end of the data: a PAD, whose bytes reach exactly to the end, comes before.
 */
#define VMSECT_RING_RECORD 1u
#define VMSECT_RING_PAD 2u
struct vmsect_ring_word {
	uint32_t bytes; /* without this word and without what fills up to 8 */
	uint32_t type;
};

#ifdef __cplusplus
#define VMSECT_RING_ASSERT(c) static_assert(c, #c)
#else
#define VMSECT_RING_ASSERT(c) _Static_assert(c, #c)
#endif
VMSECT_RING_ASSERT(sizeof(struct vmsect_ring_party) == 128);
VMSECT_RING_ASSERT(sizeof(struct vmsect_ring_header) == VMSECT_RING_HEADER_BYTES);
VMSECT_RING_ASSERT(sizeof(struct vmsect_ring_word) == 8);

#endif
