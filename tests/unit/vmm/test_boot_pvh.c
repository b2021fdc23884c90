/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PVH loader: a good file of each class, and what a bad one is told. */
#include "lib/check.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "boot/pvh.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define RAM UINT64_C(0x800000)
#define LOAD 0x200000
#define ENTRY 0x200010
#define CODE_BYTES 64
#define MEMORY_BYTES 0x3000
#define FILL 0xcc

struct note {
	Elf64_Nhdr head;
	char name[4];
	uint32_t entry;
};

struct file_64 {
	Elf64_Ehdr head;
	Elf64_Phdr load, notes;
	struct note note;
	uint8_t code[CODE_BYTES];
};

struct file_32 {
	Elf32_Ehdr head;
	Elf32_Phdr load, notes;
	struct note note;
	uint8_t code[CODE_BYTES];
};

static const struct note good_note = { { 4, 4, 18 }, "Xen", ENTRY };

static struct file_64 good_64(void)
{
	struct file_64 file = {
		.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				       ELFDATA2LSB },
			  .e_machine = EM_X86_64,
			  .e_phoff = offsetof(struct file_64, load),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 2 },
		.load = { .p_type = PT_LOAD,
			  .p_offset = offsetof(struct file_64, code),
			  .p_paddr = LOAD,
			  .p_filesz = CODE_BYTES,
			  .p_memsz = MEMORY_BYTES },
		.notes = { .p_type = PT_NOTE,
			   .p_offset = offsetof(struct file_64, note),
			   .p_filesz = sizeof(struct note) },
		.note = good_note,
	};

	memset(file.code, FILL, sizeof(file.code));
	return file;
}

static struct file_32 good_32(void)
{
	struct file_32 file = {
		.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32,
				       ELFDATA2LSB },
			  .e_machine = EM_386,
			  .e_phoff = offsetof(struct file_32, load),
			  .e_phentsize = sizeof(Elf32_Phdr),
			  .e_phnum = 2 },
		.load = { .p_type = PT_LOAD,
			  .p_offset = offsetof(struct file_32, code),
			  .p_paddr = LOAD,
			  .p_filesz = CODE_BYTES,
			  .p_memsz = MEMORY_BYTES },
		.notes = { .p_type = PT_NOTE,
			   .p_offset = offsetof(struct file_32, note),
			   .p_filesz = sizeof(struct note) },
		.note = good_note,
	};

	memset(file.code, FILL, sizeof(file.code));
	return file;
}

static int setup(void **state)
{
	static struct guest_mem mem;

	*state = &mem;
	return guest_mem_init(&mem, NULL, RAM);
}

static int teardown(void **state)
{
	guest_mem_deinit(*state);
	return 0;
}

static int load(const void *data, size_t bytes, const struct guest_mem *mem, struct kernel *kernel,
		struct boot_error *error)
{
	/* Exactly sized, so that a sanitizer sees a read past the end. */
	uint8_t *copy = test_malloc(bytes ? bytes : 1);
	int result;

	memcpy(copy, data, bytes);
	result = pvh_load(&(struct image_bytes){ copy, bytes }, mem, kernel, error);
	test_free(copy);
	return result;
}

typedef void (*spoil_fn)(struct file_64 *file);

static void spoil_machine(struct file_64 *file)
{
	file->head.e_machine = EM_AARCH64;
}
static void spoil_endian(struct file_64 *file)
{
	file->head.e_ident[EI_DATA] = ELFDATA2MSB;
}
static void spoil_entry_size(struct file_64 *file)
{
	file->head.e_phentsize = 8;
}
static void spoil_no_headers(struct file_64 *file)
{
	file->head.e_phnum = 0;
}
static void spoil_many_headers(struct file_64 *file)
{
	file->head.e_phnum = 0xffff;
}
static void spoil_table_wraps(struct file_64 *file)
{
	file->head.e_phoff = UINT64_MAX - 8;
}
static void spoil_no_note(struct file_64 *file)
{
	file->notes.p_type = PT_NULL;
}
static void spoil_note_type(struct file_64 *file)
{
	file->note.head.n_type = 17;
}
static void spoil_note_name(struct file_64 *file)
{
	file->note.name[0] = 'x';
}
static void spoil_note_name_length(struct file_64 *file)
{
	file->note.head.n_namesz = UINT32_MAX;
}
static void spoil_note_length(struct file_64 *file)
{
	file->note.head.n_descsz = UINT32_MAX;
}
static void spoil_note_width(struct file_64 *file)
{
	file->note.head.n_descsz = 2;
}
static void spoil_note_outside(struct file_64 *file)
{
	file->notes.p_offset = UINT64_MAX - 4;
}
static void spoil_load_outside(struct file_64 *file)
{
	file->load.p_offset = sizeof(*file);
}
static void spoil_load_wraps(struct file_64 *file)
{
	file->load.p_offset = UINT64_MAX;
}
static void spoil_file_larger(struct file_64 *file)
{
	file->load.p_memsz = CODE_BYTES - 1;
}
static void spoil_memory_large(struct file_64 *file)
{
	file->load.p_memsz = RAM;
}
static void spoil_address_wraps(struct file_64 *file)
{
	file->load.p_paddr = UINT64_MAX - 4095;
	file->load.p_memsz = 8192;
}
static void spoil_overlap(struct file_64 *file)
{
	file->load.p_paddr = LAYOUT_ZERO_PAGE;
}
static void spoil_nothing_to_load(struct file_64 *file)
{
	file->load.p_type = PT_NULL;
}
static void spoil_entry(struct file_64 *file)
{
	file->note.entry = 0xfffffff0;
}

static const struct {
	spoil_fn spoil;
	const char *says;
} bad[] = {
	{ spoil_machine, "not for x86-64" },
	{ spoil_endian, "little endian" },
	{ spoil_entry_size, "wrong size" },
	{ spoil_no_headers, "program headers" },
	{ spoil_many_headers, "program headers" },
	{ spoil_table_wraps, "cut short" },
	{ spoil_no_note, "XEN_ELFNOTE_PHYS32_ENTRY" },
	{ spoil_note_type, "XEN_ELFNOTE_PHYS32_ENTRY" },
	{ spoil_note_name, "XEN_ELFNOTE_PHYS32_ENTRY" },
	{ spoil_note_name_length, "XEN_ELFNOTE_PHYS32_ENTRY" },
	{ spoil_note_length, "XEN_ELFNOTE_PHYS32_ENTRY" },
	{ spoil_note_width, "XEN_ELFNOTE_PHYS32_ENTRY" },
	{ spoil_note_outside, "XEN_ELFNOTE_PHYS32_ENTRY" },
	{ spoil_load_outside, "cut short" },
	{ spoil_load_wraps, "cut short" },
	{ spoil_file_larger, "larger in the file" },
	{ spoil_memory_large, "does not fit" },
	{ spoil_address_wraps, "wraps" },
	{ spoil_overlap, "overlaps" },
	{ spoil_nothing_to_load, "no segment" },
	{ spoil_entry, "outside memory" },
};

static void test_bad_files(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct file_64 file = good_64();
		struct kernel kernel;
		struct boot_error error = { "" };

		bad[i].spoil(&file);
		memset(&kernel, 0xa5, sizeof(kernel));
		assert_true(load(&file, sizeof(file), *state, &kernel, &error) < 0);
		print_message("%s\n", error.text);
		assert_non_null(strstr(error.text, bad[i].says));
		assert_int_equal(kernel.end, UINT64_C(0xa5a5a5a5a5a5a5a5));
	}
}

static void test_every_cut(void **state)
{
	struct file_64 file_64 = good_64();
	struct file_32 file_32 = good_32();
	struct boot_error error;
	struct kernel kernel;

	for (size_t bytes = 0; bytes < offsetof(struct file_64, code) + CODE_BYTES; bytes++)
		assert_true(load(&file_64, bytes, *state, &kernel, &error) < 0);
	for (size_t bytes = 0; bytes < offsetof(struct file_32, code) + CODE_BYTES; bytes++)
		assert_true(load(&file_32, bytes, *state, &kernel, &error) < 0);
}

static void check_loaded(const struct guest_mem *mem, const struct kernel *kernel)
{
	const uint8_t *at = guest_mem_at(mem, LOAD, MEMORY_BYTES);

	assert_int_equal(kernel->protocol, KERNEL_PVH);
	assert_int_equal(kernel->entry, ENTRY);
	assert_int_equal(kernel->end, LOAD + MEMORY_BYTES);
	assert_non_null(at);
	assert_int_equal(at[0], FILL);
	assert_int_equal(at[CODE_BYTES - 1], FILL);
	assert_int_equal(at[CODE_BYTES], 0);
	assert_int_equal(at[MEMORY_BYTES - 1], 0);
}

static void test_good_files(void **state)
{
	struct file_64 file_64 = good_64();
	struct file_32 file_32 = good_32();
	struct boot_error error;
	struct kernel kernel;

	memset(guest_mem_at(*state, LOAD, MEMORY_BYTES), 0x77, MEMORY_BYTES);
	assert_int_equal(load(&file_64, sizeof(file_64), *state, &kernel, &error), 0);
	check_loaded(*state, &kernel);
	memset(guest_mem_at(*state, LOAD, MEMORY_BYTES), 0x77, MEMORY_BYTES);
	assert_int_equal(load(&file_32, sizeof(file_32), *state, &kernel, &error), 0);
	check_loaded(*state, &kernel);
}

/* Field offsets of Xen's hvm_start_info, version 1. */
static void test_start_info(void **state)
{
	const struct kernel_hints hints = { .cmdline_gpa = 0x20000,
					    .initrd_gpa = 0x400000,
					    .initrd_bytes = 77,
					    .rsdp_gpa = 0xe0000 };
	const struct guest_mem *mem = *state;
	uint64_t info = POISON, module, map, value64;
	uint32_t value32;

	assert_int_equal(pvh_write_info(mem, &hints, &info), 0);
	assert_true(guest_mem_read(mem, info, &value32, 4));
	assert_int_equal(value32, 0x336ec578);
	assert_true(guest_mem_read(mem, info + 12, &value32, 4));
	assert_int_equal(value32, 1);
	assert_true(guest_mem_read(mem, info + 16, &module, 8));
	assert_true(guest_mem_read(mem, module, &value64, 8));
	assert_int_equal(value64, 0x400000);
	assert_true(guest_mem_read(mem, module + 8, &value64, 8));
	assert_int_equal(value64, 77);
	assert_true(guest_mem_read(mem, info + 24, &value64, 8));
	assert_int_equal(value64, 0x20000);
	assert_true(guest_mem_read(mem, info + 32, &value64, 8));
	assert_int_equal(value64, 0xe0000);
	assert_true(guest_mem_read(mem, info + 40, &map, 8));
	assert_true(guest_mem_read(mem, info + 48, &value32, 4));
	assert_int_equal(value32, 3);
	/* The last entry: RAM from 1 MiB to the end. */
	assert_true(guest_mem_read(mem, map + 48, &value64, 8));
	assert_int_equal(value64, 0x100000);
	assert_true(guest_mem_read(mem, map + 56, &value64, 8));
	assert_int_equal(value64, RAM - 0x100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_good_files),
		cmocka_unit_test(test_start_info),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, setup, teardown);
}
