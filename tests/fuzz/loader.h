/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes for a kernel loader.  What it accepts must leave a kernel whose
 * entry and end lie in memory, and what it refuses must have a reason.
 */
#ifndef FUZZ_LOADER_H
#define FUZZ_LOADER_H

#include <stdlib.h>

#include "boot/boot_error.h"
#include "boot/image.h"
#include "boot/kernel.h"
#include "mem/guest_mem.h"

#define RAM_BYTES UINT64_C(0x800000)

typedef int loader(const struct image_bytes *image, const struct guest_mem *mem,
		   struct kernel *ret_kernel, struct boot_error *error);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool condition)
{
	if (!condition)
		abort();
}

static inline int fuzz_loader(loader *load, const uint8_t *data, size_t size)
{
	/* Made once: what one input leaves in it is nothing to the next. */
	static struct guest_mem mem;
	const struct image_bytes image = { data, size };
	struct boot_error error = { "" };
	struct kernel kernel;

	if (!mem.region[0].bytes)
		require(guest_mem_init(&mem, NULL, RAM_BYTES) == 0);
	if (load(&image, &mem, &kernel, &error) < 0) {
		require(error.text[0] != '\0');
		return 0;
	}
	require(guest_mem_has(&mem, kernel.entry, 1));
	require(kernel.end > 0 && guest_mem_has(&mem, kernel.end - 1, 1));
	return 0;
}

#endif
