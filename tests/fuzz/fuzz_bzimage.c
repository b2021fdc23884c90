/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a bzImage; see loader.h. */
#include "boot/bzimage.h"
#include "fuzz/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_loader(bzimage_load, data, size);
}
