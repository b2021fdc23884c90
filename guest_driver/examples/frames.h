/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames in shared memory: one producer draws, any number of viewers look, and
 * nobody waits for a slow one.
 *
 * Frame number n, from 1 on, is in slot n modulo slots, which is a seqlock: its
 * sequence is 2n when the frame is whole and 2n - 1 while it is drawn.  `newest` is
 * stored after that.  A viewer copies the newest frame and sees from its number how
 * many it has missed; it only reads, so a read-only view is enough, and a hostile
 * one can disturb nobody.  What a producer had half drawn when it died was never the
 * newest; its successor draws that number again.
 */
#ifndef EXAMPLES_FRAMES_H
#define EXAMPLES_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define FRAMES_SIDE_MAX 4096u

struct frames_shared;

struct frames_shape {
	uint32_t width, height; /* in pixels of 32 bits; width is even */
	uint32_t slots; /* 2 at least; more let a viewer be slower */
};

/* One party's; borrows the memory. */
struct frames {
	struct frames_shared *shared;
	struct frames_shape shape;
	size_t pixel_words; /* of 64 bits, in a frame */
};

/* EINVAL (memory not aligned to 64 bytes, shape), ENOSPC. */
int frames_format(void *memory, size_t bytes, const struct frames_shape *shape);
/* ENOENT (no frames), EPROTO (some that cannot be), EINVAL.  Read-only memory is fine. */
int frames_open(struct frames *ret_frames, const void *memory, size_t bytes);

/* The producer: the number of the frame to draw next. */
uint64_t frames_next(const struct frames *frames);
/* Hands over frame number frames_next(), of pixel_words; memory that can be written. */
void frames_publish(struct frames *frames, const uint64_t *pixels);

/*
 * A viewer: the newest frame, if it is newer than `last`, into pixels.  EAGAIN (none, or
 * the producer was faster each time), EBADMSG (its checksum is wrong).
 */
int frames_take(const struct frames *frames, uint64_t last, uint64_t *pixels, uint64_t *ret_number);

#endif
