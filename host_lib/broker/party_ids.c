/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See party_ids.h.  Whole words are passed over at once. */
#include "broker/party_ids.h"

#define WORD_BITS 64u
#define WORDS (VMSECT_PEER_MAX / WORD_BITS + 1)

/* The first number from `from` on whose bit differs from that of `passed`; 0: none. */
static uint32_t find(const struct party_ids *ids, uint32_t from, uint64_t passed)
{
	uint32_t word = from / WORD_BITS;
	uint64_t bits;

	if (from > VMSECT_PEER_MAX)
		return 0;
	bits = (ids->used[word] ^ passed) >> from % WORD_BITS << from % WORD_BITS;
	while (!bits && ++word < WORDS)
		bits = ids->used[word] ^ passed;
	return bits ? word * WORD_BITS + (uint32_t)__builtin_ctzll(bits) : 0;
}

uint32_t party_ids_take(struct party_ids *ids, uint32_t last)
{
	uint32_t id = last < VMSECT_PEER_MAX ? find(ids, last + 1, UINT64_MAX) : 0;

	if (!id)
		id = find(ids, 1, UINT64_MAX);
	if (id)
		ids->used[id / WORD_BITS] |= UINT64_C(1) << id % WORD_BITS;
	return id;
}

void party_ids_give_back(struct party_ids *ids, uint32_t id)
{
	ids->used[id / WORD_BITS] &= ~(UINT64_C(1) << id % WORD_BITS);
}

uint32_t party_ids_next(const struct party_ids *ids, uint32_t after)
{
	return after < VMSECT_PEER_MAX ? find(ids, after + 1, 0) : 0;
}
