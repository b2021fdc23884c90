/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cloud-hypervisor: --pmem, which shares the file or copies all that the guest
 * writes (discard_writes=on opens it for reading only), and --ivshmem, which is
 * in it if it was built so.
 */
#include "cli/export.h"

#include <inttypes.h>
#include <string.h>

static int check_pmem(const struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	if (wish->mode == EXPORT_MODE_RO)
		return export_refuse(why, "cloud-hypervisor has no read-only memory device; with "
					  "'--mode cow' the section stays as it is as well");
	if (wish->size_bytes % EXPORT_HUGE_BYTES)
		return export_refuse(why,
				     "cloud-hypervisor takes multiples of 2 MiB: the section has "
				     "%" PRIu64 " bytes",
				     wish->size_bytes);
	return 0;
}

static int check_ivshmem(const struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	if (wish->vectors)
		return export_refuse(why, "cloud-hypervisor's ivshmem device has no doorbell");
	if (wish->mode != EXPORT_MODE_RW)
		return export_refuse(why, "cloud-hypervisor's ivshmem device always writes: --mode "
					  "rw, or --device pmem");
	if (!wish->size_bytes || wish->size_bytes & (wish->size_bytes - 1))
		return export_refuse(why,
				     "the memory of an ivshmem device is a power of two: the "
				     "section has %" PRIu64 " bytes",
				     wish->size_bytes);
	return 0;
}

int export_cloud_hypervisor_check(const struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	/* Its parser gives these a meaning, and a path has no other way in. */
	if (wish->path && strpbrk(wish->path, ",\"[]"))
		return export_refuse(why,
				     "cloud-hypervisor cannot be told of a path with , \" [ or ]: "
				     "%s",
				     wish->path);
	switch (wish->device) {
	case EXPORT_DEVICE_PMEM:
		return check_pmem(wish, why);
	case EXPORT_DEVICE_IVSHMEM:
		return check_ivshmem(wish, why);
	default:
		return export_refuse(why, "cloud-hypervisor has pmem and ivshmem devices");
	}
}

int export_cloud_hypervisor_print(const struct export_wish *wish,
				  const struct export_printer *printer)
{
	char id[EXPORT_ID_MAX];

	if (wish->device == EXPORT_DEVICE_IVSHMEM) {
		export_word(printer, "--ivshmem");
		export_word(printer, "path=%s,size=%" PRIu64, wish->path, wish->size_bytes);
		export_note(printer, "cloud-hypervisor has the device only if it was built with "
				     "the feature 'ivshmem'");
		return 0;
	}
	export_id(wish, id);
	export_word(printer, "--pmem");
	export_word(printer, "file=%s,size=%" PRIu64 "%s,id=%s", wish->path, wish->size_bytes,
		    wish->mode == EXPORT_MODE_COW ? ",discard_writes=on" : "", id);
	return 0;
}
