/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PVH boot protocol: an ELF file with a note that names its 32-bit entry
 * (xen/include/public/elfnote.h and arch-x86/hvm/start_info.h of Xen).
 *
 * Pure over the file's bytes and guest memory.
 */
#ifndef BOOT_PVH_H
#define BOOT_PVH_H

#include <stdbool.h>

#include "boot/boot_error.h"
#include "boot/image.h"
#include "boot/kernel.h"

struct guest_mem;

/* The file claims to be ELF. */
bool pvh_claims(const struct image_bytes *image);

/* 0, or -ENOEXEC or -ERANGE with a sentence; then guest memory may be changed. */
int pvh_load(const struct image_bytes *image, const struct guest_mem *mem,
	     struct kernel *ret_kernel, struct boot_error *error);

/* Writes hvm_start_info; 0 or -ENOSPC. */
int pvh_write_info(const struct guest_mem *mem, const struct kernel_hints *hints,
		   uint64_t *ret_info_gpa);

#endif
