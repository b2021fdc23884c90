// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that can be checked.  The first and the last word are the sequence
 * number; those between come from section, page and sequence.  A writer goes
 * from the first word to the last and a reader from the last to the first: as
 * x86 keeps stores and loads in order, a reader that finds the same number at
 * both ends has a whole page between.  Words are copied one by one, volatile,
 * so that the compiler keeps the order too.
 */
#include "guest/guard.h"
#include "guest/stress.h"

#include <string.h>

#define LAST (PAGE_WORDS - 1)

static uint64_t word_of(const struct stress_stamp *stamp, uint64_t index)
{
	uint64_t z = stamp->page << 32 ^ stamp->sequence << 10 ^ index;

	return (z + stamp->section) * 0x9e3779b97f4a7c15u ^ stamp->sequence;
}

void stress_page_make(const struct stress_stamp *stamp, uint64_t *words)
{
	size_t i;

	for (i = 1; i < LAST; i++)
		words[i] = word_of(stamp, i);
	words[0] = stamp->sequence;
	words[LAST] = stamp->sequence;
}

bool stress_page_is(const struct stress_stamp *stamp, const uint64_t *words)
{
	uint64_t expected[PAGE_WORDS] = { 0 };

	if (stamp->sequence)
		stress_page_make(stamp, expected);
	return !memcmp(words, expected, PAGE);
}

/* A copy of a page; one of the two is memory that may fail. */
struct copy {
	volatile uint64_t *to;
	const volatile uint64_t *from;
};

static void copy_down(void *data)
{
	const struct copy *copy = data;
	size_t i;

	for (i = PAGE_WORDS; i > 0; i--)
		copy->to[i - 1] = copy->from[i - 1];
}

static void copy_up(void *data)
{
	const struct copy *copy = data;
	size_t i;

	for (i = 0; i < PAGE_WORDS; i++)
		copy->to[i] = copy->from[i];
}

int stress_page_load(const volatile uint64_t *from, uint64_t *words)
{
	struct copy copy = { .to = words, .from = from };

	return guard_run(copy_down, &copy);
}

int stress_page_store(volatile uint64_t *to, const uint64_t *words)
{
	struct copy copy = { .to = to, .from = words };

	return guard_run(copy_up, &copy);
}
