/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers of parties: 16 bits, since a doorbell of ivshmem names its peer
 * by so many.  They are given out in turn, so that one that was given back is
 * used again as late as can be.  Pure; the zero value is the empty set.
 */
#ifndef BROKER_PARTY_IDS_H
#define BROKER_PARTY_IDS_H

#include <stdint.h>

#include <vmsect/vmsect_proto.h>

struct party_ids {
	uint64_t used[VMSECT_PEER_MAX / 64 + 1]; /* a bit for each */
};

/* The first free number behind `last`, which is then in use; 0: there is none. */
uint32_t party_ids_take(struct party_ids *ids, uint32_t last);

void party_ids_give_back(struct party_ids *ids, uint32_t id);

/* The first number above `after` that is in use; 0: there is none. */
uint32_t party_ids_next(const struct party_ids *ids, uint32_t after);

#endif
