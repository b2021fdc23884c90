/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A token bucket: so many at once, then so many each second.  Whoever has one
 * owns it and gives the time, so that a test needs no clock.  No lock.
 */
#ifndef BASE_TOKEN_BUCKET_H
#define BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
	uint64_t unit_ns; /* in which one token comes */
	uint64_t depth_ns; /* in which all of them do */
	uint64_t full_ns; /* when the bucket is full again */
};

/* A full bucket of `burst` tokens, which gets `rate` each second.  0: it never has one. */
void token_bucket_init(struct token_bucket *bucket, uint64_t rate, uint64_t burst);

/* Takes a token, if there is one.  Time that goes backwards brings none. */
bool token_bucket_take(struct token_bucket *bucket, uint64_t now_ns);

/*
 * Takes more for what turned out to cost more than the one that was taken for
 * it: what is not there is a debt, and there is no token until it is paid.
 */
void token_bucket_charge(struct token_bucket *bucket, uint64_t now_ns, uint64_t tokens);

/* The time to give: CLOCK_MONOTONIC in nanoseconds. */
uint64_t token_bucket_now(void);

#endif
