/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two kernel loaders (pvh.c, bzimage.c) have in common: the result
 * of loading, and what the kernel is told afterwards.
 */
#ifndef BOOT_KERNEL_H
#define BOOT_KERNEL_H

#include <stdint.h>

#include <asm/bootparam.h>

enum kernel_protocol {
	KERNEL_PVH, /* 32-bit entry, hvm_start_info */
	KERNEL_LINUX64, /* Linux 64-bit boot protocol, boot_params */
};

/* A loaded kernel. */
struct kernel {
	enum kernel_protocol protocol;
	uint64_t entry;
	uint64_t end; /* the first byte after everything it needs at start */
	uint64_t initrd_limit; /* an initrd ends at or below */
	uint32_t cmdline_max; /* bytes without the NUL */
	struct setup_header setup; /* KERNEL_LINUX64 */
};

/* What it is told. */
struct kernel_hints {
	uint64_t cmdline_gpa;
	uint64_t initrd_gpa;
	uint64_t initrd_bytes; /* 0: none */
	uint64_t rsdp_gpa;
};

#endif
