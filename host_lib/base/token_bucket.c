/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See token_bucket.h.  Nothing is filled as time goes by: the bucket is the time
 * at which it will be full, and each token moves that by what it takes to come.
 */
#include "base/token_bucket.h"

#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

/* Saturating: a time so far away never comes. */
static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

void token_bucket_init(struct token_bucket *bucket, uint64_t rate, uint64_t burst)
{
	uint64_t unit_ns = rate ? NS_PER_S / rate : NS_PER_S;

	/* Nobody takes one faster than in a nanosecond. */
	unit_ns = unit_ns ? unit_ns : 1;
	*bucket = (struct token_bucket){
		.unit_ns = unit_ns,
		.depth_ns = rate ? multiply(unit_ns, burst) : 0,
	};
}

bool token_bucket_take(struct token_bucket *bucket, uint64_t now_ns)
{
	uint64_t missing_ns = bucket->full_ns > now_ns ? bucket->full_ns - now_ns : 0;

	if (!bucket->unit_ns || add(missing_ns, bucket->unit_ns) > bucket->depth_ns)
		return false;
	bucket->full_ns = add(missing_ns ? bucket->full_ns : now_ns, bucket->unit_ns);
	return true;
}

void token_bucket_charge(struct token_bucket *bucket, uint64_t now_ns, uint64_t tokens)
{
	uint64_t from_ns = bucket->full_ns > now_ns ? bucket->full_ns : now_ns;

	bucket->full_ns = add(from_ns, multiply(bucket->unit_ns, tokens));
}

uint64_t token_bucket_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}
