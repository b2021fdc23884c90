// SPDX-License-Identifier: LGPL-2.1-or-later
/* See frames.h. */
#include "frames.h"

#include <stdbool.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "seqlock.h"

#define FRAMES_MAGIC 0x31415246u /* "FRA1" */
#define FRAMES_LINE 64u
#define FRAMES_SLOTS_MAX 64u
/* Each time the newest was drawn over while it was copied. */
#define TAKE_TRIES 8

struct frames_shared {
	/* Constant. */
	uint32_t magic; /* stored last */
	uint32_t width, height, slots;
	uint8_t constant_line[48];
	/* The producer's. */
	uint64_t newest; /* 0: none yet */
	uint8_t newest_line[56];
	uint64_t slot[]; /* sequence, checksum, pixels; each slot in whole lines */
};

#define SLOT_CHECKSUM 1
#define SLOT_PIXELS 8 /* the pixels begin a line */

static bool shape_is_possible(const struct frames_shape *shape)
{
	return shape->width && shape->width <= FRAMES_SIDE_MAX && shape->width % 2 == 0 &&
	       shape->height && shape->height <= FRAMES_SIDE_MAX && shape->slots >= 2 &&
	       shape->slots <= FRAMES_SLOTS_MAX;
}

static size_t pixel_words(const struct frames_shape *shape)
{
	return (size_t)shape->width * shape->height / 2;
}

/* At most 2^29 words: no overflow. */
static uint64_t slot_words(const struct frames_shape *shape)
{
	return SLOT_PIXELS + ((pixel_words(shape) + 7) & ~(size_t)7);
}

static bool fits(const struct frames_shape *shape, size_t bytes)
{
	return sizeof(struct frames_shared) + shape->slots * slot_words(shape) * 8 <= bytes;
}

static uint64_t checksum(const uint64_t *pixels, size_t words, uint64_t number)
{
	return XXH3_64bits_withSeed(pixels, words * sizeof(*pixels), number);
}

int frames_format(void *memory, size_t bytes, const struct frames_shape *shape)
{
	struct frames_shared *shared = memory;

	if (!memory || (uintptr_t)memory % FRAMES_LINE || !shape_is_possible(shape))
		return -EINVAL;
	if (!fits(shape, bytes))
		return -ENOSPC;
	__atomic_exchange_n(&shared->magic, 0, __ATOMIC_SEQ_CST);
	shared->newest = 0;
	for (uint32_t i = 0; i < shape->slots; i++)
		shared->slot[i * slot_words(shape)] = 0;
	shared->width = shape->width;
	shared->height = shape->height;
	shared->slots = shape->slots;
	/* Pairs with the load in frames_open(). */
	__atomic_store_n(&shared->magic, FRAMES_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

int frames_open(struct frames *ret_frames, const void *memory, size_t bytes)
{
	/* Written by frames_publish() only. */
	struct frames frames = { .shared = (struct frames_shared *)(uintptr_t)memory };
	uint32_t magic;

	if (!memory || (uintptr_t)memory % FRAMES_LINE)
		return -EINVAL;
	if (bytes < sizeof(struct frames_shared))
		return -EPROTO;
	magic = __atomic_load_n(&frames.shared->magic, __ATOMIC_ACQUIRE);
	if (magic != FRAMES_MAGIC)
		return magic ? -EPROTO : -ENOENT;
	/* Once: they bound every access from now on. */
	frames.shape.width = __atomic_load_n(&frames.shared->width, __ATOMIC_RELAXED);
	frames.shape.height = __atomic_load_n(&frames.shared->height, __ATOMIC_RELAXED);
	frames.shape.slots = __atomic_load_n(&frames.shared->slots, __ATOMIC_RELAXED);
	if (!shape_is_possible(&frames.shape) || !fits(&frames.shape, bytes))
		return -EPROTO;
	frames.pixel_words = pixel_words(&frames.shape);
	*ret_frames = frames;
	return 0;
}

static uint64_t *slot_of(const struct frames *frames, uint64_t number)
{
	return &frames->shared->slot[number % frames->shape.slots * slot_words(&frames->shape)];
}

uint64_t frames_next(const struct frames *frames)
{
	return __atomic_load_n(&frames->shared->newest, __ATOMIC_ACQUIRE) + 1;
}

void frames_publish(struct frames *frames, const uint64_t *pixels)
{
	uint64_t number = frames_next(frames);
	uint64_t *slot = slot_of(frames, number);
	const uint64_t sum = checksum(pixels, frames->pixel_words, number);

	seqlock_write_begin(slot, 2 * number - 1);
	seqlock_write_words(slot + SLOT_CHECKSUM, &sum, 1);
	seqlock_write_words(slot + SLOT_PIXELS, pixels, frames->pixel_words);
	seqlock_write_end(slot, 2 * number);
	/* Pairs with the load in frames_take(): a frame that is whole. */
	__atomic_store_n(&frames->shared->newest, number, __ATOMIC_RELEASE);
}

/* Copies a slot if it has that frame, whole, before and after. */
static bool slot_copy(const uint64_t *slot, uint64_t number, uint64_t *pixels, size_t words,
		      uint64_t *ret_checksum)
{
	if (seqlock_peek(slot) != 2 * number)
		return false;
	/* Acquire, each: not after the second look at the sequence; see seqlock.h. */
	*ret_checksum = __atomic_load_n(slot + SLOT_CHECKSUM, __ATOMIC_ACQUIRE);
	for (size_t i = 0; i < words; i++)
		pixels[i] = __atomic_load_n(slot + SLOT_PIXELS + i, __ATOMIC_ACQUIRE);
	return seqlock_peek(slot) == 2 * number;
}

int frames_take(const struct frames *frames, uint64_t last, uint64_t *pixels, uint64_t *ret_number)
{
	for (int try = 0; try < TAKE_TRIES; try++) {
		uint64_t number = __atomic_load_n(&frames->shared->newest, __ATOMIC_ACQUIRE);
		uint64_t sum;

		if (number <= last)
			return -EAGAIN;
		if (!slot_copy(slot_of(frames, number), number, pixels, frames->pixel_words, &sum))
			continue;
		if (sum != checksum(pixels, frames->pixel_words, number))
			return -EBADMSG;
		*ret_number = number;
		return 0;
	}
	return -EAGAIN;
}
