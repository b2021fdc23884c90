/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eventfds that are shared with those who are not trusted: whoever has one can
 * empty it, fill it up and take O_NONBLOCK from it, for all who have it.  So
 * read(2) and write(2) could block here.  They are read with RWF_NOWAIT, and
 * rung by the completion of an empty asynchronous read (IOCB_FLAG_RESFD), for
 * which the kernel adds to the counter and never waits.
 *
 * No lock: each object has one owner.
 */
#ifndef BROKER_BELLS_H
#define BROKER_BELLS_H

#include <stdint.h>

#define BELLS_MAX 64u

/* An eventfd for each vector. */
struct bells {
	uint32_t count;
	int fds[BELLS_MAX]; /* owned */
};

/* What rings; made at the first ring. */
struct ringer {
	uint64_t context; /* aio_context_t; 0: none yet */
	int null_fd; /* owned, or -1 */
};

/* Makes `count` of them.  -EMFILE, -ENFILE, -ENOMEM: then there are none. */
int bells_init(struct bells *bells, uint32_t count);

/* Closes them.  The zero value is fine. */
void bells_deinit(struct bells *bells);

/* What has been added since the last time; 0: nothing, or someone else has taken it. */
uint64_t bell_read(int fd);

/* The valid empty state. */
void ringer_clear(struct ringer *ringer);

/* Makes sure that it can ring.  -EAGAIN (fs.aio-max-nr), -ENOSYS, -EMFILE, -ENOMEM. */
int ringer_prepare(struct ringer *ringer);

void ringer_deinit(struct ringer *ringer);

/* Adds one to the eventfd.  What ringer_prepare() says. */
int ringer_ring(struct ringer *ringer, int fd);

#endif
