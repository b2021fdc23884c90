/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What test sections are filled with, and a small random generator: the same
 * for the host's side of a test and the guest's.  The word at offset o of a
 * section depends on its seed and o, so that a misplaced page is found.
 */
#ifndef GUEST_PATTERN_H
#define GUEST_PATTERN_H

#include <stdint.h>

static inline uint64_t pattern_mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
	return value ^ (value >> 31);
}

/* The 8 bytes at `offset`, a multiple of 8. */
static inline uint64_t pattern_word(uint64_t seed, uint64_t offset)
{
	return pattern_mix((seed << 40) + (offset >> 3) + 1);
}

/* One byte of it. */
static inline uint8_t pattern_byte(uint64_t seed, uint64_t offset)
{
	return (uint8_t)(pattern_word(seed, offset & ~7ull) >> (8 * (offset & 7)));
}

/* Checksum of words: order matters. */
static inline uint64_t pattern_sum(uint64_t sum, uint64_t word)
{
	return (sum ^ word) * 0x100000001b3ull;
}

#define PATTERN_SUM_START 0xcbf29ce484222325ull

/* The next number of a generator; *state may be anything. */
static inline uint64_t pattern_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return pattern_mix(*state);
}

#endif
