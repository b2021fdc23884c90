/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The "zero page" of the Linux boot protocol.  Pure but for guest memory.
 */
#ifndef BOOT_BOOTPARAMS_H
#define BOOT_BOOTPARAMS_H

#include <stdint.h>

struct guest_mem;
struct kernel;
struct kernel_hints;

/* 0 or -ENOSPC. */
int bootparams_write(const struct guest_mem *mem, const struct kernel *kernel,
		     const struct kernel_hints *hints, uint64_t *ret_info_gpa);

#endif
