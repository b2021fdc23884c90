/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See bootparams.h. */
#include "boot/bootparams.h"

#include <errno.h>

#include "boot/kernel.h"
#include "boot/memmap.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define LOADER_UNDEFINED 0xff

_Static_assert(sizeof(struct boot_params) == LAYOUT_PVH_INFO - LAYOUT_ZERO_PAGE, "zero page");

int bootparams_write(const struct guest_mem *mem, const struct kernel *kernel,
		     const struct kernel_hints *hints, uint64_t *ret_info_gpa)
{
	struct memmap map = memmap_of(mem);
	struct boot_params params = { .hdr = kernel->setup };

	params.hdr.type_of_loader = LOADER_UNDEFINED;
	params.hdr.ext_loader_type = 0;
	params.hdr.ext_loader_ver = 0;
	/* All loader addresses are below 4 GiB, so the upper halves stay zero. */
	params.hdr.cmd_line_ptr = (uint32_t)hints->cmdline_gpa;
	params.hdr.ramdisk_image = (uint32_t)hints->initrd_gpa;
	params.hdr.ramdisk_size = (uint32_t)hints->initrd_bytes;
	params.acpi_rsdp_addr = hints->rsdp_gpa;
	params.e820_entries = (uint8_t)map.count;
	for (uint32_t i = 0; i < map.count; i++)
		params.e820_table[i] = (struct boot_e820_entry){ .addr = map.entries[i].start,
								 .size = map.entries[i].bytes,
								 .type = map.entries[i].type };
	if (!guest_mem_write(mem, LAYOUT_ZERO_PAGE, &params, sizeof(params)))
		return -ENOSPC;
	*ret_info_gpa = LAYOUT_ZERO_PAGE;
	return 0;
}
