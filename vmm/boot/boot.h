/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to a VM that is ready to run: kernel, initrd, command line, ACPI
 * tables and boot information in guest memory, and the first instruction.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include <stdint.h>

#include "boot/entry.h"

struct guest_mem;

struct boot_source {
	const char *kernel; /* path */
	const char *initrd; /* path or NULL */
	const char *cmdline;
	uint32_t cpus;
};

/* 0, or -errno after one logged line that names the file and what is wrong. */
int boot_load(const struct boot_source *source, const struct guest_mem *mem,
	      struct entry *ret_entry);

#endif
