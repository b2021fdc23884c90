/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an ELF kernel.  What the loader accepts must leave a kernel whose
 * entry and end lie in memory, and what it refuses must have a reason.
 */
#include <stdlib.h>

#include "boot/pvh.h"
#include "mem/guest_mem.h"

#define RAM_BYTES UINT64_C(0x800000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Made once: what one input leaves in it is nothing to the next. */
static const struct guest_mem *memory(void)
{
	static struct guest_mem mem;

	if (!mem.region[0].bytes)
		require(guest_mem_init(&mem, NULL, RAM_BYTES) == 0);
	return &mem;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct image_bytes image = { data, size };
	struct boot_error error = { "" };
	struct kernel kernel;

	if (pvh_load(&image, memory(), &kernel, &error) < 0) {
		require(error.text[0] != '\0');
		return 0;
	}
	require(guest_mem_has(memory(), kernel.entry, 1));
	require(kernel.end > 0 && guest_mem_has(memory(), kernel.end - 1, 1));
	return 0;
}
