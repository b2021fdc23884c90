/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each user holds of the broker, and the limits: per uid and in all.
 * Whatever a client makes the broker keep is charged to a uid before it is
 * made and refunded when it goes.  A limit that is reached is an ordinary
 * answer, -EDQUOT with a sentence that names it.
 *
 * Owned by the registry's owner; one thread.
 */
#ifndef BROKER_ACCOUNT_H
#define BROKER_ACCOUNT_H

#include <stdint.h>
#include <sys/types.h>

#include "broker/refusal.h"

enum resource {
	RESOURCE_CLIENTS, /* connections */
	RESOURCE_SECTIONS,
	RESOURCE_BYTES, /* of page-file sections: their size or, reserved, what is committed */
	RESOURCE_DESCRIPTORS, /* that sections keep open in the broker */
	RESOURCE_HANDLES,
	RESOURCE_VIEWS,
	RESOURCE_QUEUE, /* bytes of messages that wait for slow readers */
	RESOURCE_PRIVATE, /* bytes that writecopy views may copy */
	RESOURCE_JOBS, /* requests that wait for a disk */
	RESOURCE_OFFERS, /* handles that wait to be accepted */
	RESOURCE_GRANTS, /* entries of sections */
	RESOURCE_COUNT,
};

struct limits {
	uint64_t user[RESOURCE_COUNT]; /* of one uid */
	uint64_t all[RESOURCE_COUNT]; /* of all uids */
	uint64_t notify_rate; /* of one client: notifications a second, and as many at once */
};

struct account_user;

struct account {
	struct limits limits;
	uint64_t used[RESOURCE_COUNT];
	struct account_user *users; /* by uid; only those that hold something */
};

/*
 * The defaults for a broker with that much memory (RAM and swap) and so many
 * descriptors.
 */
void limits_init(struct limits *limits, uint64_t memory_bytes, uint64_t descriptors);

/*
 * Sets one limit from "user.NAME=VALUE", "all.NAME=VALUE" or
 * "client.notify=VALUE"; bytes, queue and private take K, M, G, T.  -EINVAL,
 * -ERANGE.
 */
int limits_set(struct limits *limits, const char *text);

void account_init(struct account *account, const struct limits *limits);

/* Everything has been refunded by now. */
void account_deinit(struct account *account);

/* -EDQUOT (LIMIT), -ENOMEM; then nothing is charged. */
int account_charge(struct account *account, uid_t uid, enum resource resource, uint64_t amount,
		   struct refusal *refusal);

/* Gives back what was charged. */
void account_refund(struct account *account, uid_t uid, enum resource resource, uint64_t amount);

/* What the uid holds. */
uint64_t account_used(const struct account *account, uid_t uid, enum resource resource);

#endif
