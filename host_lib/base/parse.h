/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What people and peers write: sizes and names.  Pure; no allocation.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_LENGTH_MAX 127u /* bytes; VMSECT_NAME_MAX of the protocol, asserted by its users */

/*
 * A size in bytes: a decimal or 0x number with an optional K, M, G or T
 * (powers of 1024, with or without "iB").  0, -EINVAL (no such number) or
 * -ERANGE (more than 64 bits).
 */
int parse_size(const char *text, uint64_t *ret_bytes);

/* A decimal number of at most `max`.  0, -EINVAL or -ERANGE. */
int parse_u32(const char *text, uint32_t max, uint32_t *ret_value);

/*
 * True for a legal section or VM name: 1 to NAME_LENGTH_MAX bytes out of
 * A-Z a-z 0-9 . _ + @ : -, the first neither '.' nor '-', and not "ctl",
 * which is the guest's control node.
 */
bool name_is_legal(const char *name, size_t length);

/*
 * The length of a name in a fixed field of `field` bytes: it ends at the first
 * NUL and the rest is NUL.  -EINVAL if it does not end or the rest is dirty.
 */
int name_field_length(const char *name, size_t field, size_t *ret_length);

#endif
