/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See boot.h. */
#include "boot/boot.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "boot/acpi.h"
#include "boot/bootparams.h"
#include "boot/bzimage.h"
#include "boot/image.h"
#include "boot/pvh.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define KERNEL_BYTES_MAX (UINT64_C(1) << 30)
#define INITRD_ALIGN UINT64_C(0x1000)

static int load_kernel_bytes(const struct image_bytes *image, const struct guest_mem *mem,
			     struct kernel *ret_kernel, struct boot_error *error)
{
	if (pvh_claims(image))
		return pvh_load(image, mem, ret_kernel, error);
	if (bzimage_claims(image))
		return bzimage_load(image, mem, ret_kernel, error);
	return boot_fail(error, -ENOEXEC, "is neither an ELF file nor a Linux bzImage");
}

static int load_kernel(const char *path, const struct guest_mem *mem, struct kernel *ret_kernel,
		       struct boot_error *error)
{
	AUTO_FD int fd = -1;
	uint64_t bytes;
	uint8_t *data;
	int result = image_open(path, KERNEL_BYTES_MAX, &fd, &bytes, error);

	if (result < 0)
		return result;
	/* A copy, not a map of the file: that could shrink under our hands. */
	data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return boot_fail(error, -ENOMEM, "does not fit into the host's memory");
	result = image_read(fd, data, bytes, error);
	if (result == 0)
		result = load_kernel_bytes(&(struct image_bytes){ data, bytes }, mem, ret_kernel,
					   error);
	(void)munmap(data, bytes);
	return result;
}

/* As high as kernel and low RAM allow, so that a kernel that grows does not meet it. */
static int place_initrd(const struct guest_mem *mem, const struct kernel *kernel, uint64_t bytes,
			uint64_t *ret_gpa, struct boot_error *error)
{
	uint64_t end = mem->region[0].bytes;
	uint64_t gpa;

	if (end > kernel->initrd_limit)
		end = kernel->initrd_limit;
	gpa = (end - bytes) & ~(INITRD_ALIGN - 1);
	if (bytes > end || gpa < kernel->end)
		return boot_fail(error, -ERANGE,
				 "does not fit: %" PRIu64
				 " bytes between the kernel's end at %#" PRIx64 " and %#" PRIx64,
				 bytes, kernel->end, end);
	*ret_gpa = gpa;
	return 0;
}

static int load_initrd(const char *path, const struct guest_mem *mem, const struct kernel *kernel,
		       struct kernel_hints *hints, struct boot_error *error)
{
	AUTO_FD int fd = -1;
	uint64_t bytes, gpa = 0;
	int result = image_open(path, mem->region[0].bytes, &fd, &bytes, error);

	if (result == 0)
		result = place_initrd(mem, kernel, bytes, &gpa, error);
	if (result == 0)
		result = image_read(fd, guest_mem_at(mem, gpa, bytes), bytes, error);
	if (result < 0)
		return result;
	hints->initrd_gpa = gpa;
	hints->initrd_bytes = bytes;
	return 0;
}

static int write_cmdline(const char *cmdline, const struct guest_mem *mem,
			 const struct kernel *kernel)
{
	size_t length = strlen(cmdline);

	if (length > kernel->cmdline_max) {
		log_error("the command line has %zu bytes; this kernel takes %u", length,
			  kernel->cmdline_max);
		return -E2BIG;
	}
	return guest_mem_write(mem, LAYOUT_CMDLINE, cmdline, length + 1) ? 0 : -ENOSPC;
}

static int write_info(const struct guest_mem *mem, const struct kernel *kernel,
		      const struct kernel_hints *hints, struct entry *ret_entry)
{
	struct entry entry = { .protocol = kernel->protocol, .rip = kernel->entry };
	int result = entry_write_tables(mem);

	if (result == 0)
		result = kernel->protocol == KERNEL_PVH
				 ? pvh_write_info(mem, hints, &entry.info_gpa)
				 : bootparams_write(mem, kernel, hints, &entry.info_gpa);
	if (result < 0)
		log_error("the VM's memory is too small for boot data");
	else
		*ret_entry = entry;
	return result;
}

int boot_load(const struct boot_source *source, const struct guest_mem *mem,
	      struct entry *ret_entry)
{
	struct kernel_hints hints = { .cmdline_gpa = LAYOUT_CMDLINE };
	struct boot_error error = { "" };
	struct kernel kernel = { 0 };
	int result = load_kernel(source->kernel, mem, &kernel, &error);

	if (result < 0) {
		log_error("kernel %s: %s", source->kernel, error.text);
		return result;
	}
	if (source->initrd)
		result = load_initrd(source->initrd, mem, &kernel, &hints, &error);
	if (result < 0) {
		log_error("initrd %s: %s", source->initrd, error.text);
		return result;
	}
	result = write_cmdline(source->cmdline, mem, &kernel);
	if (result < 0)
		return result;
	result = acpi_build(mem, source->cpus, &hints.rsdp_gpa);
	if (result < 0) {
		log_error("the VM's memory is too small for its ACPI tables");
		return result;
	}
	return write_info(mem, &kernel, &hints, ret_entry);
}
