/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka with the headers that it needs first, and a time limit for a program. */
#ifndef TESTS_LIB_CHECK_H
#define TESTS_LIB_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* A number that is no result of anything: outputs hold it before a call. */
#define POISON 0xa5a5a5a5u

#endif
