/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel and initrd as files: every kind that is none, and the whole way. */
#include "lib/check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "boot/boot.h"
#include "boot/image.h"
#include "lib/leak.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define RAM UINT64_C(0x800000)
#define LOAD 0x200000
#define INITRD_BYTES 5000

static char folder[] = "/tmp/vmsect-boot-XXXXXX";
static char kernel_path[64], initrd_path[64], fifo_path[64], empty_path[64];

static void write_file(const char *path, const void *data, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, bytes), (ssize_t)bytes);
	assert_int_equal(close(fd), 0);
}

/* The smallest kernel: one page of which a note names the start. */
static void write_kernel(void)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr load, notes;
		Elf64_Nhdr note;
		char name[4];
		uint32_t entry;
	} file = {
		.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				       ELFDATA2LSB },
			  .e_machine = EM_X86_64,
			  .e_phoff = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 2 },
		.load = { .p_type = PT_LOAD, .p_paddr = LOAD, .p_filesz = 64, .p_memsz = 4096 },
		.notes = { .p_type = PT_NOTE,
			   .p_offset = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr),
			   .p_filesz = sizeof(Elf64_Nhdr) + 8 },
		.note = { 4, 4, 18 },
		.name = "Xen",
		.entry = LOAD,
	};

	write_file(kernel_path, &file, sizeof(file));
}

static int setup_folder(void **state)
{
	static uint8_t initrd[INITRD_BYTES];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(kernel_path, sizeof(kernel_path), "%s/kernel", folder);
	(void)snprintf(initrd_path, sizeof(initrd_path), "%s/initrd", folder);
	(void)snprintf(fifo_path, sizeof(fifo_path), "%s/fifo", folder);
	(void)snprintf(empty_path, sizeof(empty_path), "%s/empty", folder);
	write_kernel();
	memset(initrd, 0x1d, sizeof(initrd));
	write_file(initrd_path, initrd, sizeof(initrd));
	write_file(empty_path, "", 0);
	return mkfifo(fifo_path, 0600);
}

static int teardown_folder(void **state)
{
	(void)state;
	(void)unlink(kernel_path);
	(void)unlink(initrd_path);
	(void)unlink(fifo_path);
	(void)unlink(empty_path);
	return rmdir(folder);
}

static void test_bad_kinds(void **state)
{
	const struct {
		const char *path;
		int result;
		const char *says;
	} cases[] = {
		{ "/nonexistent", -ENOENT, "No such file" },
		{ folder, -EINVAL, "a directory" },
		{ fifo_path, -EINVAL, "a FIFO" },
		{ "/dev/zero", -EINVAL, "a device" },
		{ empty_path, -EINVAL, "is empty" },
		{ initrd_path, -EFBIG, "5000 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct boot_error error = { "" };
		uint64_t bytes = POISON;
		int fd = -77;

		assert_int_equal(image_open(cases[i].path, INITRD_BYTES - 1, &fd, &bytes, &error),
				 cases[i].result);
		print_message("%s\n", error.text);
		assert_non_null(strstr(error.text, cases[i].says));
		assert_int_equal(fd, -77);
		assert_int_equal(bytes, POISON);
	}
}

static void test_file_that_shrinks(void **state)
{
	uint8_t data[INITRD_BYTES + 1];
	struct boot_error error = { "" };
	uint64_t bytes = 0;
	int fd = -1;

	(void)state;
	assert_int_equal(image_open(initrd_path, INITRD_BYTES, &fd, &bytes, &error), 0);
	assert_int_equal(image_read(fd, data, bytes + 1, &error), -EIO);
	assert_non_null(strstr(error.text, "shorter"));
	assert_int_equal(close(fd), 0);
}

static void test_refused_sources(void **state)
{
	char long_text[0x10001];
	const struct boot_source cases[] = {
		{ .kernel = fifo_path, .cmdline = "", .cpus = 1 },
		{ .kernel = initrd_path, .cmdline = "", .cpus = 1 },
		{ .kernel = kernel_path, .initrd = fifo_path, .cmdline = "", .cpus = 1 },
		{ .kernel = kernel_path, .initrd = "/proc/kcore", .cmdline = "", .cpus = 1 },
		{ .kernel = kernel_path, .cmdline = long_text, .cpus = 1 },
		{ .kernel = kernel_path, .cmdline = "", .cpus = 17 },
	};
	struct guest_mem mem;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(guest_mem_init(&mem, NULL, RAM), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct entry entry = { .rip = POISON };

		assert_true(boot_load(&cases[i], &mem, &entry) < 0);
		assert_int_equal(entry.rip, POISON);
	}
	guest_mem_deinit(&mem);
}

static void check_initrd(const struct guest_mem *mem, uint64_t info_gpa)
{
	uint64_t module = 0, at = 0, bytes = 0;
	uint8_t ends[2];

	assert_true(guest_mem_read(mem, info_gpa + 16, &module, 8));
	assert_true(guest_mem_read(mem, module, &at, 8));
	assert_true(guest_mem_read(mem, module + 8, &bytes, 8));
	assert_int_equal(bytes, INITRD_BYTES);
	assert_int_equal(at % 4096, 0);
	assert_true(at > LOAD + 4096);
	assert_true(guest_mem_read(mem, at, &ends[0], 1));
	assert_true(guest_mem_read(mem, at + bytes - 1, &ends[1], 1));
	assert_int_equal(ends[0], 0x1d);
	assert_int_equal(ends[1], 0x1d);
}

static void test_whole_way(void **state)
{
	const struct boot_source source = {
		.kernel = kernel_path, .initrd = initrd_path, .cmdline = "a b", .cpus = 2
	};
	struct kvm_sregs sregs = { 0 };
	struct guest_mem mem;
	struct kvm_regs regs;
	struct entry entry;
	char cmdline[4] = "";

	(void)state;
	assert_int_equal(guest_mem_init(&mem, NULL, RAM), 0);
	assert_int_equal(boot_load(&source, &mem, &entry), 0);
	assert_int_equal(entry.protocol, KERNEL_PVH);
	assert_int_equal(entry.rip, LOAD);
	check_initrd(&mem, entry.info_gpa);
	assert_true(guest_mem_read(&mem, LAYOUT_CMDLINE, cmdline, sizeof(cmdline)));
	assert_string_equal(cmdline, "a b");
	entry_registers(&entry, &sregs, &regs);
	assert_int_equal(regs.rip, LOAD);
	assert_int_equal(regs.rbx, entry.info_gpa);
	assert_int_equal(sregs.cr0 & 0x80000001, 1); /* protected, not paged */
	assert_int_equal(sregs.cs.db, 1);
	guest_mem_deinit(&mem);
}

/* The page tables of the 64-bit entry map the first 4 GiB one to one. */
static void test_long_mode(void **state)
{
	const struct entry entry = { KERNEL_LINUX64, 0x1000200, LAYOUT_ZERO_PAGE };
	struct kvm_sregs sregs = { 0 };
	struct guest_mem mem;
	struct kvm_regs regs;

	(void)state;
	assert_int_equal(guest_mem_init(&mem, NULL, RAM), 0);
	assert_int_equal(entry_write_tables(&mem), 0);
	entry_registers(&entry, &sregs, &regs);
	assert_int_equal(regs.rsi, LAYOUT_ZERO_PAGE);
	assert_int_equal(sregs.cs.l, 1);
	assert_int_equal(sregs.efer, 0x500);
	for (uint64_t gpa = 0; gpa < UINT64_C(1) << 32; gpa += UINT64_C(0x3f654321)) {
		uint64_t table = sregs.cr3, item = 0;

		assert_true(guest_mem_read(&mem, table + 8 * (gpa >> 39), &item, 8));
		table = item & ~UINT64_C(0xfff);
		assert_true(guest_mem_read(&mem, table + 8 * (gpa >> 30), &item, 8));
		table = item & ~UINT64_C(0xfff);
		assert_true(guest_mem_read(&mem, table + 8 * ((gpa >> 21) & 511), &item, 8));
		assert_int_equal(item, (gpa & ~UINT64_C(0x1fffff)) | 0x83);
	}
	guest_mem_deinit(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bad_kinds, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_file_that_shrinks, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_refused_sources, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_whole_way, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_long_mode, leak_setup, leak_teardown),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, setup_folder, teardown_folder);
}
