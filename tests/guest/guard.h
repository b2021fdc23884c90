/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses to memory that may not be there, by any number of threads.  (tap.h
 * has simpler ones for programs of one thread.)
 */
#ifndef TESTS_GUEST_GUARD_H
#define TESTS_GUEST_GUARD_H

/* The handlers of SIGBUS and SIGSEGV; once, before there are threads. */
void guard_init(void);
/*
 * Calls access(data): 0, or the signal that ended it.  It must be of a kind that
 * can be left anywhere: loads and stores.
 */
int guard_run(void (*access)(void *data), void *data);

#endif
