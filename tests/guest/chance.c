// SPDX-License-Identifier: GPL-2.0-or-later
/* SplitMix64: short, and any seed is a good one. */
#include "guest/chance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

uint64_t chance_seed(void)
{
	const char *text = getenv("VMSECT_SEED");
	uint64_t seed;

	if (text && *text)
		seed = strtoull(text, NULL, 0);
	else if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		/* Early in a boot there is nothing better. */
		seed = (uint64_t)time(NULL) ^ (uint64_t)clock() << 32;
	printf("# VMSECT_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	return seed;
}

void chance_init(struct chance *chance, uint64_t seed, uint64_t stream)
{
	chance->state = seed + stream * 0xd1342543de82ef95u;
}

uint64_t chance_next(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t chance_below(struct chance *chance, uint32_t below)
{
	return (uint32_t)(chance_next(chance) >> 32) % below;
}
