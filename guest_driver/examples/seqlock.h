/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A seqlock in shared memory: one writer, any number of readers who never write.
 * The sequence is odd while the words behind it change.  A reader copies the words
 * and keeps the copy only if the sequence was even and is the same afterwards; it
 * tries a bounded number of times, as the writer may have died in between, or never
 * stop.
 *
 * Every word of the data is stored with release and loaded with acquire order, which
 * costs nothing on x86: so no word passes the sequence, on either side, and no fence
 * is needed.
 */
#ifndef EXAMPLES_SEQLOCK_H
#define EXAMPLES_SEQLOCK_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t seqlock_peek(const uint64_t *sequence)
{
	return __atomic_load_n(sequence, __ATOMIC_ACQUIRE);
}

/* From here on readers keep nothing.  Pairs with the second load in seqlock_read(). */
static inline void seqlock_write_begin(uint64_t *sequence, uint64_t odd)
{
	__atomic_store_n(sequence, odd, __ATOMIC_RELAXED);
}

static inline void seqlock_write_words(uint64_t *shared, const uint64_t *words, size_t count)
{
	/* Release: not before the odd sequence. */
	for (size_t i = 0; i < count; i++)
		__atomic_store_n(&shared[i], words[i], __ATOMIC_RELEASE);
}

/* Pairs with the first load in seqlock_read(). */
static inline void seqlock_write_end(uint64_t *sequence, uint64_t even)
{
	__atomic_store_n(sequence, even, __ATOMIC_RELEASE);
}

/* 0: words are whole, of the returned sequence.  -EAGAIN: the writer was at it each time. */
static inline int seqlock_read(const uint64_t *sequence, const uint64_t *shared, uint64_t *words,
			       size_t count, uint64_t *ret_sequence)
{
	enum { TRIES = 1000 };

	for (int try = 0; try < TRIES; try++) {
		uint64_t before = __atomic_load_n(sequence, __ATOMIC_ACQUIRE);

		if (before & 1)
			continue;
		/* Acquire: not after the second load of the sequence. */
		for (size_t i = 0; i < count; i++)
			words[i] = __atomic_load_n(&shared[i], __ATOMIC_ACQUIRE);
		if (__atomic_load_n(sequence, __ATOMIC_RELAXED) == before) {
			*ret_sequence = before;
			return 0;
		}
	}
	return -EAGAIN;
}

#endif
