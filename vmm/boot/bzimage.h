/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Linux bzImage by the 64-bit boot protocol (Documentation/x86/boot.rst of
 * Linux).
 *
 * Pure over the file's bytes and guest memory.
 */
#ifndef BOOT_BZIMAGE_H
#define BOOT_BZIMAGE_H

#include <stdbool.h>

#include "boot/boot_error.h"
#include "boot/image.h"
#include "boot/kernel.h"

struct guest_mem;

/* The file claims to be a Linux boot image. */
bool bzimage_claims(const struct image_bytes *image);

/* 0, or -ENOEXEC or -ERANGE with a sentence; then guest memory is unchanged. */
int bzimage_load(const struct image_bytes *image, const struct guest_mem *mem,
		 struct kernel *ret_kernel, struct boot_error *error);

#endif
