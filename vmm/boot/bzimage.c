/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See bzimage.h. */
#include "boot/bzimage.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "boot/memmap.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define SETUP_OFFSET 0x1f1u
#define SETUP_END_BASE 0x202u /* the jump's operand counts from here */
#define SETUP_JUMP_OPERAND 0x201u
#define SETUP_MAGIC_OFFSET 0x202u
#define SETUP_MAGIC 0x53726448u /* HdrS */
#define BOOT_FLAG 0xaa55u
#define VERSION_MIN 0x020cu
#define SETUP_SECTS_DEFAULT 4u
#define SECTOR 512u
#define ENTRY_64 0x200u
#define LOAD_MIN UINT64_C(0x100000)

bool bzimage_claims(const struct image_bytes *image)
{
	uint32_t magic;

	if (image->bytes < SETUP_MAGIC_OFFSET + sizeof(magic))
		return false;
	memcpy(&magic, image->data + SETUP_MAGIC_OFFSET, sizeof(magic));
	return magic == SETUP_MAGIC;
}

/* The setup header as this file has it; what an older one lacks is zero. */
static int read_setup(const struct image_bytes *image, struct setup_header *ret_setup,
		      struct boot_error *error)
{
	struct setup_header setup = { 0 };
	uint64_t bytes;

	if (!bzimage_claims(image))
		return boot_fail(error, -ENOEXEC, "has no Linux setup header");
	bytes = SETUP_END_BASE + (uint64_t)image->data[SETUP_JUMP_OPERAND] - SETUP_OFFSET;
	if (bytes > sizeof(setup))
		bytes = sizeof(setup);
	if (image->bytes < SETUP_OFFSET + bytes)
		return boot_fail(error, -ENOEXEC, "is cut short within its setup header");
	memcpy(&setup, image->data + SETUP_OFFSET, bytes);
	*ret_setup = setup;
	return 0;
}

static int check_setup(const struct setup_header *setup, struct boot_error *error)
{
	if (setup->boot_flag != BOOT_FLAG)
		return boot_fail(error, -ENOEXEC, "has boot flag %#x, not %#x", setup->boot_flag,
				 BOOT_FLAG);
	if (setup->version < VERSION_MIN)
		return boot_fail(error, -ENOEXEC,
				 "speaks boot protocol %u.%02u, older than 2.12 of Linux 3.8",
				 setup->version >> 8, setup->version & 0xff);
	if (!(setup->xloadflags & XLF_KERNEL_64))
		return boot_fail(error, -ENOEXEC, "has no 64-bit entry (a 32-bit kernel?)");
	if (!(setup->loadflags & LOADED_HIGH))
		return boot_fail(error, -ENOEXEC, "is not a bzImage (it wants to be loaded low)");
	return 0;
}

/* The part behind the real-mode setup code: what is loaded. */
static int find_payload(const struct image_bytes *image, const struct setup_header *setup,
			struct image_bytes *ret_payload, struct boot_error *error)
{
	uint32_t sects = setup->setup_sects ? setup->setup_sects : SETUP_SECTS_DEFAULT;
	uint64_t start = (uint64_t)(sects + 1) * SECTOR;
	uint64_t wanted = (uint64_t)setup->syssize * 16;

	if (image->bytes <= start + ENTRY_64)
		return boot_fail(error, -ENOEXEC,
				 "is cut short: %u setup sectors leave no room for the kernel",
				 sects);
	*ret_payload = (struct image_bytes){ image->data + start, image->bytes - start };
	/* syssize is rounded up, the file need not be. */
	if (ret_payload->bytes + 15 < wanted)
		return boot_fail(error, -ENOEXEC,
				 "is cut short: the kernel has %" PRIu64 " of %" PRIu64 " bytes",
				 ret_payload->bytes, wanted);
	return 0;
}

static bool is_power_of_two(uint64_t value)
{
	return value && !(value & (value - 1));
}

/* Where it wants to be, or the lowest aligned place if it can be moved. */
static int choose_place(const struct setup_header *setup, const struct guest_mem *mem,
			uint64_t bytes, uint64_t *ret_gpa, struct boot_error *error)
{
	uint64_t gpa = setup->pref_address;
	struct boot_error ignored;
	int result;

	if (gpa < LOAD_MIN)
		return boot_fail(error, -ERANGE, "wants to be loaded at %#" PRIx64 ", below 1 MiB",
				 gpa);
	result = memmap_check_load(mem, gpa, bytes, "kernel", error);
	if (result < 0 && setup->relocatable_kernel && is_power_of_two(setup->kernel_alignment)) {
		uint64_t align = setup->kernel_alignment;

		gpa = (LOAD_MIN + align - 1) & ~(align - 1);
		if (memmap_check_load(mem, gpa, bytes, "kernel", &ignored) == 0)
			result = 0;
	}
	/* The page tables of the entry reach to 4 GiB. */
	if (result == 0 && gpa >= LAYOUT_LOW_RAM_END)
		return boot_fail(error, -ERANGE, "wants to be loaded at %#" PRIx64 ", above 4 GiB",
				 gpa);
	if (result == 0)
		*ret_gpa = gpa;
	return result;
}

int bzimage_load(const struct image_bytes *image, const struct guest_mem *mem,
		 struct kernel *ret_kernel, struct boot_error *error)
{
	struct setup_header setup;
	struct image_bytes payload;
	uint64_t gpa = 0, bytes;
	int result = read_setup(image, &setup, error);

	if (result == 0)
		result = check_setup(&setup, error);
	if (result == 0)
		result = find_payload(image, &setup, &payload, error);
	if (result < 0)
		return result;
	bytes = setup.init_size > payload.bytes ? setup.init_size : payload.bytes;
	result = choose_place(&setup, mem, bytes, &gpa, error);
	if (result < 0)
		return result;
	if (!guest_mem_write(mem, gpa, payload.data, payload.bytes))
		return boot_fail(error, -ERANGE, "does not fit into the VM's memory");
	setup.code32_start = (uint32_t)gpa;
	*ret_kernel = (struct kernel){
		.protocol = KERNEL_LINUX64,
		.entry = gpa + ENTRY_64,
		.end = gpa + bytes,
		.initrd_limit = (uint64_t)setup.initrd_addr_max + 1,
		.cmdline_max = setup.cmdline_size < LAYOUT_CMDLINE_BYTES ? setup.cmdline_size
									 : LAYOUT_CMDLINE_BYTES - 1,
		.setup = setup,
	};
	return 0;
}
