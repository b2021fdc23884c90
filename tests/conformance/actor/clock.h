/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time for limits, and for asking again.
 */
#ifndef CONFORMANCE_CLOCK_H
#define CONFORMANCE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Between two looks at a state that nobody tells of. */
static inline void clock_pause_ms(long ms)
{
	const struct timespec little = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&little, NULL);
}

#endif
