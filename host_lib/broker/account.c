/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See account.h. */
#include "broker/account.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "broker/hash.h"

/* Descriptors that neither a client nor a section has: log, loop, listener. */
#define OWN_DESCRIPTORS 64u
#define JOB_DESCRIPTORS 2u /* that one may hold while it waits */

struct account_user {
	uid_t uid;
	uint64_t used[RESOURCE_COUNT];
	UT_hash_handle hh;
};

/*
 * One row per limit.  The queue has room for an event per handle, as many as a
 * peer with all of them sends to another when it dies.
 * 0: depends on the machine, see limits_init().
 */
static const struct {
	const char *name;
	const char *things;
	uint64_t user;
	uint64_t all;
} resources[RESOURCE_COUNT] = {
	[RESOURCE_CLIENTS] = { "clients", "connections", 1024, 4096 },
	[RESOURCE_SECTIONS] = { "sections", "sections", 131072, 262144 },
	[RESOURCE_BYTES] = { "bytes", "bytes of page file", 0, 0 },
	[RESOURCE_DESCRIPTORS] = { "descriptors", "descriptors of sections", 262144, 0 },
	[RESOURCE_HANDLES] = { "handles", "handles", 262144, 1048576 },
	[RESOURCE_VIEWS] = { "views", "views", 262144, 1048576 },
	[RESOURCE_QUEUE] = { "queue", "bytes of unread messages", 48u << 20, 256u << 20 },
	[RESOURCE_PRIVATE] = { "private", "bytes of copy-on-write views", 0, 0 },
	[RESOURCE_JOBS] = { "jobs", "requests that wait for a disk", 256, 4096 },
	[RESOURCE_OFFERS] = { "offers", "handles that wait to be accepted", 1024, 16384 },
	[RESOURCE_GRANTS] = { "grants", "entries of rights", 65536, 262144 },
};

/* One broker's thread does some ten times as many; a ring wakes far less often. */
#define NOTIFY_RATE 50000u

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void limits_init(struct limits *limits, uint64_t memory_bytes, uint64_t descriptors)
{
	uint64_t kept;
	int i;

	for (i = 0; i < RESOURCE_COUNT; i++) {
		limits->user[i] = resources[i].user;
		limits->all[i] = resources[i].all;
	}
	limits->notify_rate = NOTIFY_RATE;
	limits->user[RESOURCE_BYTES] = memory_bytes;
	limits->all[RESOURCE_BYTES] = memory_bytes;
	limits->user[RESOURCE_PRIVATE] = memory_bytes;
	limits->all[RESOURCE_PRIVATE] = memory_bytes;
	limits->all[RESOURCE_CLIENTS] = min_u64(limits->all[RESOURCE_CLIENTS], descriptors / 4);
	limits->all[RESOURCE_JOBS] = min_u64(limits->all[RESOURCE_JOBS], descriptors / 16);
	kept = limits->all[RESOURCE_CLIENTS] + JOB_DESCRIPTORS * limits->all[RESOURCE_JOBS] +
	       OWN_DESCRIPTORS;
	limits->all[RESOURCE_DESCRIPTORS] = descriptors > kept ? descriptors - kept : 0;
}

static int resource_find(const char *name, size_t length)
{
	int i;

	for (i = 0; i < RESOURCE_COUNT; i++) {
		if (strlen(resources[i].name) == length && !memcmp(resources[i].name, name, length))
			return i;
	}
	return -EINVAL;
}

/* Where the limit of that name is kept, or NULL. */
static uint64_t *limit_find(struct limits *limits, const char *name, size_t length)
{
	static const char notify[] = "client.notify";
	const char *dot = memchr(name, '.', length);
	size_t who = dot ? (size_t)(dot - name) : 0;
	int resource;

	if (length == sizeof(notify) - 1 && !memcmp(name, notify, length))
		return &limits->notify_rate;
	resource = dot ? resource_find(dot + 1, length - who - 1) : -EINVAL;
	if (resource < 0)
		return NULL;
	if (who == 4 && !memcmp(name, "user", 4))
		return &limits->user[resource];
	return who == 3 && !memcmp(name, "all", 3) ? &limits->all[resource] : NULL;
}

int limits_set(struct limits *limits, const char *text)
{
	const char *equals = strchr(text, '=');
	uint64_t *limit = equals ? limit_find(limits, text, (size_t)(equals - text)) : NULL;
	uint64_t value = 0;
	int r;

	if (!limit)
		return -EINVAL;
	r = parse_size(equals + 1, &value);
	if (r < 0)
		return r;
	*limit = value;
	return 0;
}

void account_init(struct account *account, const struct limits *limits)
{
	*account = (struct account){ .limits = *limits };
}

void account_deinit(struct account *account)
{
	assert(!account->users);
}

static struct account_user *user_find(const struct account *account, uid_t uid)
{
	struct account_user *user;

	HASH_FIND(hh, account->users, &uid, sizeof(uid), user);
	return user;
}

static struct account_user *user_get(struct account *account, uid_t uid)
{
	struct account_user *user = user_find(account, uid);

	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, account->users, uid, sizeof(user->uid), user);
	if (HASH_ADDED(hh, user))
		return user;
	free(user);
	return NULL;
}

/* Forgets a user who holds nothing. */
static void user_put(struct account *account, struct account_user *user)
{
	int i;

	for (i = 0; i < RESOURCE_COUNT; i++) {
		if (user->used[i])
			return;
	}
	HASH_DEL(account->users, user);
	free(user);
}

static int check(uint64_t used, uint64_t amount, uint64_t limit)
{
	return used > limit || amount > limit - used;
}

int account_charge(struct account *account, uid_t uid, enum resource resource, uint64_t amount,
		   struct refusal *refusal)
{
	struct account_user *user;
	int r = 0;

	if (check(account->used[resource], amount, account->limits.all[resource]))
		return refuse(refusal, -EDQUOT, VMSECT_DETAIL_LIMIT,
			      "limit all.%s: all users together may have %" PRIu64 " %s",
			      resources[resource].name, account->limits.all[resource],
			      resources[resource].things);
	user = user_get(account, uid);
	if (!user)
		return refuse_memory(refusal);
	if (check(user->used[resource], amount, account->limits.user[resource]))
		r = refuse(refusal, -EDQUOT, VMSECT_DETAIL_LIMIT,
			   "limit user.%s: a user may have %" PRIu64 " %s",
			   resources[resource].name, account->limits.user[resource],
			   resources[resource].things);
	if (!r) {
		user->used[resource] += amount;
		account->used[resource] += amount;
	}
	user_put(account, user);
	return r;
}

void account_refund(struct account *account, uid_t uid, enum resource resource, uint64_t amount)
{
	struct account_user *user = user_find(account, uid);

	if (!amount)
		return;
	assert(user && user->used[resource] >= amount && account->used[resource] >= amount);
	user->used[resource] -= amount;
	account->used[resource] -= amount;
	user_put(account, user);
}

uint64_t account_used(const struct account *account, uid_t uid, enum resource resource)
{
	const struct account_user *user = user_find(account, uid);

	return user ? user->used[resource] : 0;
}
