/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The leak guard: descriptors and threads of this process, before and after a
 * test.  A test that ends with other descriptors than it began with fails and
 * names them.
 */
#ifndef TESTS_LIB_LEAK_H
#define TESTS_LIB_LEAK_H

#include <stddef.h>
#include <sys/types.h>

struct leak_guard;

/* What is open now.  Fails the test without memory. */
struct leak_guard *leak_guard_new(void);

/*
 * Fails the test if what is open now is not what was open then; frees the guard
 * in any case.  NULL is fine.
 */
void leak_guard_check(struct leak_guard *guard);

/* cmocka setup and teardown for tests that have no state of their own. */
int leak_setup(void **state);
int leak_teardown(void **state);

/* Open descriptors and threads of another process. */
size_t leak_count_fds(pid_t pid);
size_t leak_count_threads(pid_t pid);

#endif
