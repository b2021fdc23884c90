/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bzImage loader and the zero page. */
#include "lib/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "boot/bootparams.h"
#include "boot/bzimage.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define RAM UINT64_C(0x4000000)
#define SETUP_SECTS 2u
#define SETUP_BYTES ((SETUP_SECTS + 1) * 512)
#define PAYLOAD_BYTES 4096u
#define FILE_BYTES (SETUP_BYTES + PAYLOAD_BYTES)
#define PREFERRED 0x1000000
#define INIT_SIZE 0x20000
#define FILL 0xcc

struct file {
	uint8_t bytes[FILE_BYTES];
};

static struct setup_header good_setup(void)
{
	return (struct setup_header){
		.setup_sects = SETUP_SECTS,
		.syssize = PAYLOAD_BYTES / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb,
		.header = 0x53726448,
		.version = 0x020f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.pref_address = PREFERRED,
		.init_size = INIT_SIZE,
	};
}

static struct file file_with(const struct setup_header *setup)
{
	struct file file;

	memset(&file, FILL, sizeof(file));
	memcpy(file.bytes + 0x1f1, setup, sizeof(*setup));
	return file;
}

static int setup_mem(void **state)
{
	static struct guest_mem mem;

	*state = &mem;
	return guest_mem_init(&mem, NULL, RAM);
}

static int teardown_mem(void **state)
{
	guest_mem_deinit(*state);
	return 0;
}

static int load(const struct file *file, size_t bytes, const struct guest_mem *mem,
		struct kernel *kernel, struct boot_error *error)
{
	uint8_t *copy = test_malloc(bytes ? bytes : 1);
	int result;

	memcpy(copy, file, bytes);
	result = bzimage_load(&(struct image_bytes){ copy, bytes }, mem, kernel, error);
	test_free(copy);
	return result;
}

static void spoil_magic(struct setup_header *setup)
{
	setup->header = 0;
}
static void spoil_flag(struct setup_header *setup)
{
	setup->boot_flag = 0;
}
static void spoil_version(struct setup_header *setup)
{
	setup->version = 0x020b;
}
static void spoil_32(struct setup_header *setup)
{
	setup->xloadflags = 0;
}
static void spoil_low(struct setup_header *setup)
{
	setup->loadflags = 0;
}
static void spoil_sects(struct setup_header *setup)
{
	setup->setup_sects = 255;
}
static void spoil_syssize(struct setup_header *setup)
{
	setup->syssize = UINT32_MAX;
}
static void spoil_preferred_low(struct setup_header *setup)
{
	setup->pref_address = 0x1000;
}
static void spoil_preferred_wraps(struct setup_header *setup)
{
	setup->pref_address = UINT64_MAX - 4095;
	setup->relocatable_kernel = 0;
}
static void spoil_init_size(struct setup_header *setup)
{
	setup->init_size = UINT32_MAX;
}
static void spoil_fixed_outside(struct setup_header *setup)
{
	setup->pref_address = RAM;
	setup->relocatable_kernel = 0;
}
static void spoil_alignment(struct setup_header *setup)
{
	setup->pref_address = RAM;
	setup->kernel_alignment = 3;
}
static void spoil_alignment_zero(struct setup_header *setup)
{
	setup->pref_address = RAM;
	setup->kernel_alignment = 0;
}

static const struct {
	void (*spoil)(struct setup_header *setup);
	const char *says;
} bad[] = {
	{ spoil_magic, "no Linux setup header" },
	{ spoil_flag, "boot flag" },
	{ spoil_version, "2.11" },
	{ spoil_32, "64-bit entry" },
	{ spoil_low, "loaded low" },
	{ spoil_sects, "cut short" },
	{ spoil_syssize, "cut short" },
	{ spoil_preferred_low, "below 1 MiB" },
	{ spoil_preferred_wraps, "wraps" },
	{ spoil_init_size, "does not fit" },
	{ spoil_fixed_outside, "does not fit" },
	{ spoil_alignment, "does not fit" },
	{ spoil_alignment_zero, "does not fit" },
};

static void test_bad_files(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct setup_header setup = good_setup();
		struct boot_error error = { "" };
		struct kernel kernel;
		struct file file;

		bad[i].spoil(&setup);
		file = file_with(&setup);
		memset(&kernel, 0xa5, sizeof(kernel));
		assert_true(load(&file, sizeof(file), *state, &kernel, &error) < 0);
		print_message("%s\n", error.text);
		assert_non_null(strstr(error.text, bad[i].says));
		assert_int_equal(kernel.end, UINT64_C(0xa5a5a5a5a5a5a5a5));
	}
}

static void test_every_cut(void **state)
{
	struct setup_header setup = good_setup();
	struct file file = file_with(&setup);
	struct boot_error error;
	struct kernel kernel;

	/* syssize allows for 15 bytes less, since it is rounded up. */
	for (size_t bytes = 0; bytes < sizeof(file) - 15; bytes++)
		assert_true(load(&file, bytes, *state, &kernel, &error) < 0);
	assert_int_equal(load(&file, sizeof(file) - 15, *state, &kernel, &error), 0);
}

static void test_preferred_place(void **state)
{
	struct setup_header setup = good_setup();
	struct file file = file_with(&setup);
	struct boot_error error;
	struct kernel kernel;
	uint8_t *at = guest_mem_at(*state, PREFERRED, INIT_SIZE);

	assert_non_null(at);
	assert_int_equal(load(&file, sizeof(file), *state, &kernel, &error), 0);
	assert_int_equal(kernel.protocol, KERNEL_LINUX64);
	assert_int_equal(kernel.entry, PREFERRED + 0x200);
	assert_int_equal(kernel.end, PREFERRED + INIT_SIZE);
	assert_int_equal(kernel.initrd_limit, 0x80000000);
	assert_int_equal(kernel.cmdline_max, 2047);
	assert_int_equal(at[0], FILL);
	assert_int_equal(at[PAYLOAD_BYTES - 1], FILL);
}

static void test_other_place(void **state)
{
	struct setup_header setup = good_setup();
	struct boot_error error;
	struct kernel kernel;
	struct file file;

	setup.pref_address = RAM;
	file = file_with(&setup);
	assert_int_equal(load(&file, sizeof(file), *state, &kernel, &error), 0);
	assert_int_equal(kernel.entry, 0x200000 + 0x200);
}

static void test_default_sects(void **state)
{
	static uint8_t bytes[5 * 512 + PAYLOAD_BYTES];
	struct setup_header setup = good_setup();
	struct image_bytes image = { bytes, sizeof(bytes) };
	struct boot_error error;
	struct kernel kernel;
	const uint8_t *at = guest_mem_at(*state, PREFERRED, 1);

	setup.setup_sects = 0;
	memcpy(bytes + 0x1f1, &setup, sizeof(setup));
	bytes[5 * 512] = 0x42;
	assert_int_equal(bzimage_load(&image, *state, &kernel, &error), 0);
	assert_non_null(at);
	assert_int_equal(at[0], 0x42);
}

static void test_zero_page(void **state)
{
	const struct kernel_hints hints = { .cmdline_gpa = 0x20000,
					    .initrd_gpa = 0x3000000,
					    .initrd_bytes = 4711,
					    .rsdp_gpa = 0xe0000 };
	const struct kernel kernel = { .setup = good_setup() };
	struct boot_params params;
	uint64_t gpa = POISON;

	assert_int_equal(bootparams_write(*state, &kernel, &hints, &gpa), 0);
	assert_true(guest_mem_read(*state, gpa, &params, sizeof(params)));
	assert_int_equal(params.hdr.header, 0x53726448);
	assert_int_equal(params.hdr.type_of_loader, 0xff);
	assert_int_equal(params.hdr.cmd_line_ptr, 0x20000);
	assert_int_equal(params.hdr.ramdisk_image, 0x3000000);
	assert_int_equal(params.hdr.ramdisk_size, 4711);
	assert_int_equal(params.acpi_rsdp_addr, 0xe0000);
	assert_int_equal(params.e820_entries, 3);
	assert_int_equal(params.e820_table[0].addr, 0);
	assert_int_equal(params.e820_table[0].type, 1);
	assert_int_equal(params.e820_table[2].addr, 0x100000);
	assert_int_equal(params.e820_table[2].size, RAM - 0x100000);
	assert_int_equal(params.e820_table[2].type, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files),	cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_preferred_place), cmocka_unit_test(test_other_place),
		cmocka_unit_test(test_default_sects),	cmocka_unit_test(test_zero_page),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, setup_mem, teardown_mem);
}
