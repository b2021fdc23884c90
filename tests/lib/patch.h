/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patches for PUBLISH, as the protocol has them. */
#ifndef TESTS_LIB_PATCH_H
#define TESTS_LIB_PATCH_H

#include <stdint.h>

#include <vmsect/vmsect_proto.h>

/*
 * A sealed memfd with these ranges, all of whose bytes are `byte`; the caller
 * closes it.
 */
int patch_new(const struct vmsect_wire_range *ranges, uint32_t count, char byte);

/* The same with `bytes` of content whatever the ranges say, and with these seals. */
int patch_new_odd(const struct vmsect_wire_range *ranges, uint32_t count, uint64_t bytes,
		  int seals);

#endif
