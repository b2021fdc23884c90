/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an ELF kernel; see loader.h. */
#include "boot/pvh.h"
#include "fuzz/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_loader(pvh_load, data, size);
}
