/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU: a memory backend and a device on it, or the socket of a doorbell.
 *
 * What `share`, `readonly` and `rom` mean together: share=on is the file itself;
 * readonly=on opens it for reading only and, unless rom=off says otherwise, makes
 * the device read-only for the guest.  A copy of the guest's own is share=off; with
 * readonly=on,rom=off it needs no right to write the file.  QEMU has `rom` from 8.2
 * on; before that it opens the file for writing even if it only copies.
 */
#include "cli/export.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"

#define PAGE_BYTES 4096u

static bool is_power_of_two(uint64_t bytes)
{
	return bytes && !(bytes & (bytes - 1));
}

int export_qemu_check(const struct export_wish *wish, char why[EXPORT_WHY_MAX])
{
	if (wish->size_bytes % PAGE_BYTES)
		return export_refuse(why,
				     "QEMU takes whole pages: the section has %" PRIu64 " bytes",
				     wish->size_bytes);
	if (wish->device == EXPORT_DEVICE_IVSHMEM && !is_power_of_two(wish->size_bytes))
		return export_refuse(why,
				     "QEMU aborts if the memory of an ivshmem device is no power "
				     "of two: the section has %" PRIu64
				     " bytes; '--device pmem' takes any number of pages",
				     wish->size_bytes);
	if (wish->mode == EXPORT_MODE_COW && wish->qemu_version < QEMU_VERSION_ROM &&
	    !wish->may_write)
		return export_refuse(why,
				     "QEMU %u.%u opens the file for writing to make a copy of its "
				     "own (8.2 and later do not): if you trust it with the file, "
				     "say so with '--perm 0660' or the like",
				     wish->qemu_version / 100, wish->qemu_version % 100);
	return 0;
}

/* In QEMU's options a comma is doubled. */
static char *escape_commas(const char *text)
{
	char *escaped = malloc(2 * strlen(text) + 1), *at = escaped;

	if (!escaped)
		return NULL;
	for (; *text; text++) {
		*at++ = *text;
		if (*text == ',')
			*at++ = ',';
	}
	*at = '\0';
	return escaped;
}

/* See above; huge pages are taken at once where the guest shares them. */
static const char *backend_options(const struct export_wish *wish)
{
	switch (wish->mode) {
	case EXPORT_MODE_RO:
		return ",share=on,readonly=on";
	case EXPORT_MODE_COW:
		return wish->qemu_version < QEMU_VERSION_ROM ? ",share=off"
							     : ",share=off,readonly=on,rom=off";
	default:
		return wish->is_huge ? ",share=on,prealloc=on" : ",share=on";
	}
}

static void print_device(const struct export_wish *wish, const struct export_printer *printer,
			 const char *id)
{
	bool is_ro = wish->mode == EXPORT_MODE_RO;

	export_word(printer, "-device");
	switch (wish->device) {
	case EXPORT_DEVICE_PMEM:
		export_word(printer, "virtio-pmem-pci,id=%s,memdev=%s", id, id);
		break;
	case EXPORT_DEVICE_NVDIMM:
		export_word(printer, "nvdimm,id=%s,memdev=%s%s", id, id,
			    is_ro ? ",unarmed=on" : "");
		break;
	default:
		export_word(printer, "ivshmem-plain,id=%s,memdev=%s", id, id);
	}
}

static void print_notes(const struct export_wish *wish, const struct export_printer *printer)
{
	bool is_pmem = wish->device == EXPORT_DEVICE_PMEM;

	if (is_pmem || wish->device == EXPORT_DEVICE_NVDIMM)
		export_note(printer,
			    "the machine needs room for it: -m SIZE,slots=N,maxmem=MORE%s, where "
			    "MORE is at least %" PRIu64 " bytes more than SIZE",
			    is_pmem ? "" : " and -machine ...,nvdimm=on", wish->size_bytes);
	if (is_pmem && wish->mode == EXPORT_MODE_RO)
		export_note(printer, "virtio-pmem cannot tell the guest that it may not write: "
				     "what it writes is dropped");
	if (wish->mode == EXPORT_MODE_COW && wish->qemu_version < QEMU_VERSION_ROM)
		export_note(printer, "this QEMU opens the file for writing: only QEMU itself keeps "
				     "it as it is");
}

static void print_doorbell(const struct export_wish *wish, const struct export_printer *printer,
			   const char *id, const char *path)
{
	export_word(printer, "-chardev");
	export_word(printer, "socket,id=%s,path=%s", id, path);
	export_word(printer, "-device");
	export_word(printer, "ivshmem-doorbell,id=%s,chardev=%s,vectors=%" PRIu32, id, id,
		    wish->vectors);
}

int export_qemu_print(const struct export_wish *wish, const struct export_printer *printer)
{
	AUTO_FREE char *path = escape_commas(wish->path);
	char id[EXPORT_ID_MAX];

	if (!path)
		return -ENOMEM;
	export_id(wish, id);
	if (wish->vectors) {
		print_doorbell(wish, printer, id, path);
		return 0;
	}
	export_word(printer, "-object");
	export_word(printer, "memory-backend-file,id=%s,size=%" PRIu64 ",mem-path=%s%s", id,
		    wish->size_bytes, path, backend_options(wish));
	print_device(wish, printer, id);
	print_notes(wish, printer);
	return 0;
}
