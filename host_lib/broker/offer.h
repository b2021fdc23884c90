/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offers: handles that wait for another party to accept them, once.  An offer
 * ends with its section, with either party, and at its time; it is charged to
 * the party that made it.  It does not keep its section alive.
 */
#ifndef BROKER_OFFER_H
#define BROKER_OFFER_H

#include "broker/registry.h"

/* What an offer is; both parties are there. */
struct offer_spec {
	uint64_t expires_ms; /* as a time; 0: never */
	uint32_t access;
	uint32_t from; /* party ids */
	uint32_t to;
	struct section *section;
};

/* -EDQUOT, -ENOMEM.  Nobody is told. */
int offer_add(struct registry *registry, const struct offer_spec *spec, struct offer **ret_offer,
	      struct refusal *refusal);

/* Tells the party that the offer is for. */
void offer_tell(const struct registry *registry, const struct offer *offer);

/* NULL: there is none. */
struct offer *offer_find(const struct registry *registry, uint64_t id);

/* An OFFERED that still waits to be sent is taken back. */
void offer_end(struct registry *registry, struct offer *offer);

/* All offers of a section, or from and to a party, which ends. */
void offer_end_of_section(struct registry *registry, struct section *section);
void offer_end_of_party(struct registry *registry, struct party *party);

#endif
