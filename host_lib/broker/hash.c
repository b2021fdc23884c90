/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See hash.h.  One seed for the whole process; the broker has one thread. */
#include "broker/hash.h"

#include <stdint.h>
#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed;

static void draw_seed(void)
{
	struct timespec now = { 0 };

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
		/* Early at boot: better than a constant. */
		(void)clock_gettime(CLOCK_REALTIME, &now);
		seed = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15);
	}
	seed |= 1; /* 0: not drawn yet */
}

unsigned int hash_bytes(const void *bytes, size_t length)
{
	if (!seed)
		draw_seed();
	return (unsigned int)XXH3_64bits_withSeed(bytes, length, seed);
}
