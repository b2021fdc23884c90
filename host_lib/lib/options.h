/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options structs that start with their size.  Pure.
 */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include <stddef.h>

/*
 * Copies the caller's struct to `options` (of `size` bytes, as this library
 * knows it).  A shorter one, of an older header, is filled up with zeros; what
 * a longer one has more must be zero.  0 or -EINVAL.
 */
int options_copy(void *options, size_t size, const void *user_options);

#endif
