/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Huge pages of 2 MiB for a test: the host's pool is made larger and put back.
 * One test program at a time has them; others wait, since each looks at how
 * many are free.
 */
#ifndef TESTS_LIB_HUGE_PAGES_H
#define TESTS_LIB_HUGE_PAGES_H

#include <stdbool.h>

struct huge_pages {
	int lock_fd; /* owned; -1: the pool was not touched */
	long before; /* the pool's size then */
};

#define HUGE_PAGES_NONE                                                                            \
	{                                                                                          \
		.lock_fd = -1                                                                      \
	}

/*
 * Makes `pages` more; may be called again for more.  False, after a message,
 * where the host has none or does not let us: then skip.
 */
bool huge_pages_take(struct huge_pages *huge, long pages);

/* Puts the pool back; none is fine. */
void huge_pages_give_back(struct huge_pages *huge);

/* Those that nobody uses and nothing is reserved for; -1 without a pool. */
long huge_pages_free(void);

#endif
