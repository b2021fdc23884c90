/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages whose backing goes while guests that take interrupts have views of
 * them: a file that is truncated, a file system that is full.  What is left
 * goes on, what is lost reads as zeros and takes writes, and the VMs live.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define LIMIT_S 180
#define UNIT (UINT64_C(2) << 20)
#define FULL_BYTES (16 * (UINT64_C(1) << 20)) /* of a file that has room for a quarter */
#define FULL_SIZE "size=4M"

static void expect_pattern(struct vm_fixture *vm, const struct bed_section *section,
			   const char *bytes)
{
	assert_int_equal(
		vm_number(vm, "wrong", "check 0 %s %llu", bytes, (unsigned long long)section->seed),
		0);
}

/* What is behind the 8 KiB that are left, in one VM. */
static void expect_lost_tail(struct vm_fixture *vm, const struct bed_section *section,
			     bool is_writable)
{
	uint64_t kept = is_writable ? 5 : 0;

	assert_int_equal(vm_number(vm, "value", "r64 0x300000"), 0);
	(void)vm_ok(vm, "w64 0x200000 5");
	assert_int_equal(vm_number(vm, "value", "r64 0x200000"), kept);
	(void)vm_ask(vm, "store vmovdqu 0x201000 5");
	(void)vm_ok(vm, "differ 0x2000 0x10000 0");
	expect_pattern(vm, section, "0x2000");
	(void)vm_ok(vm, "list");
}

static void test_truncated(void **state)
{
	struct bed *bed = *state;
	const struct vm_config configs[] = {
		{ .name = "rw", .cpus = 2, .sections = { "data:rw,at=0" } },
		{ .name = "ro", .sections = { "data:ro,at=0" } },
		{ .name = "cow", .sections = { "data:cow,at=0" } },
	};
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_FILE, 2 * UNIT);
	struct vm_fixture *vms[ARRAY_SIZE(configs)];
	struct vmsect_peer_info counted;

	for (size_t i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = vm_start(bed, &configs[i]);
		expect_pattern(vms[i], data, "4M");
	}
	/* A copied page goes as well: the kernel takes it away with the file's. */
	(void)vm_ok(vms[2], "w64 0x300000 0x77");
	assert_int_equal(truncate(data->path, 8192), 0);
	for (size_t i = 0; i < ARRAY_SIZE(vms); i++)
		expect_lost_tail(vms[i], data, i != 1);
	assert_int_equal(vm_number(vms[0], "cpus", "smp 2"), 2);
	(void)vm_ok(vms[0], "w64 0 0x1234");
	assert_int_equal(vm_number(vms[1], "value", "r64 0"), 0x1234);
	assert_true(bed_wait_counters(bed, "ro", &(struct vmsect_vm_counters){ .lost_pages = 1 },
				      &counted));
	assert_in_range(counted.lost_pages, 2 * UNIT / 4096 - 2, 2 * UNIT / 4096);
	for (size_t i = 0; i < ARRAY_SIZE(vms); i++)
		vm_power_off(vms[i]);
}

/* All VMs touch the lost range at once, and none has a look at it before. */
static void test_truncated_under_load(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "rw", .cpus = 4, .sections = { "data:rw,at=0" } };
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_FILE, 2 * UNIT);
	struct vm_fixture *vm = vm_start(bed, &config);

	assert_int_equal(vm_number(vm, "cpus", "smp 4"), 4);
	for (unsigned int cpu = 1; cpu < 4; cpu++)
		(void)vm_ok(vm, "watch %u 0 4M %llu", cpu, (unsigned long long)data->seed);
	assert_int_equal(truncate(data->path, 8192), 0);
	assert_int_equal(vm_number(vm, "value", "r64 0x300000"), 0);
	for (unsigned int cpu = 1; cpu < 4; cpu++)
		assert_int_equal(vm_number(vm, "faults", "unwatch %u", cpu), 0);
	expect_pattern(vm, data, "0x2000");
	vm_power_off(vm);
}

/* Nobody can take the page file away. */
static void test_page_file_is_sealed(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm", .sections = { "data:rw,at=0" } };
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, 2 * UNIT);
	struct vm_fixture *vm = vm_start(bed, &config);
	int fd = vmsect_section_fd(data->handle);

	assert_int_equal(ftruncate(fd, 8192), -1);
	assert_int_equal(errno, EPERM);
	expect_pattern(vm, data, "4M");
	vm_power_off(vm);
	bed_section_check(data);
}

static void full_path(const struct bed *bed, const char *name, char *path, size_t bytes)
{
	(void)snprintf(path, bytes, "%s/full%s", bed->broker.folder, name);
}

/* A small file system in a mount namespace of this process, or a skipped test. */
static void mount_full(struct bed *bed)
{
	char folder[128];

	full_path(bed, "", folder, sizeof(folder));
	assert_int_equal(mkdir(folder, 0700), 0);
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", folder, "tmpfs", 0, FULL_SIZE) == 0)
		return;
	print_message("cannot mount a tmpfs: %s\n", strerror(errno));
	skip();
}

/* Temporary: it goes with the handle, and lets the file system go. */
static struct vmsect_section *create_sparse(struct bed *bed)
{
	char path[128];
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "sparse",
		.backing = VMSECT_BACKING_FILE,
		.protection = VMSECT_PROT_READWRITE,
		.path = path,
	};
	struct vmsect_section *section = NULL;
	AUTO_FD int fd = -1;

	full_path(bed, "/data", path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, FULL_BYTES), 0);
	assert_int_equal(vmsect_section_create(bed->client, &options, &section), 0);
	return section;
}

static uint64_t file_word(const struct bed *bed, uint64_t offset)
{
	char path[128];
	uint64_t word = 0;
	AUTO_FD int fd = -1;

	full_path(bed, "/data", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, &word, sizeof(word), (off_t)offset), sizeof(word));
	return word;
}

/*
 * The writer fills what room there is and goes on: from the first page that
 * has none its view is its own.  The reader sees what is in the file.
 */
static void fill_up(struct bed *bed, struct vm_fixture *rw, struct vm_fixture *ro)
{
	struct vmsect_peer_info counted;

	(void)vm_ok(rw, "w64 0x100000 0x1111");
	assert_int_equal(vm_number(ro, "value", "r64 0x100000"), 0x1111);
	(void)vm_ok(rw, "set 0 8M 0x5c");
	(void)vm_ok(rw, "w64 12M 0x2222");
	assert_int_equal(vm_number(rw, "value", "r64 12M"), 0x2222);
	assert_int_equal(vm_number(rw, "count", "differ 0 8M 0x5c"), 0);
	assert_int_equal(file_word(bed, 12 << 20), 0);
	assert_true(file_word(bed, 0x100000) == UINT64_C(0x5c5c5c5c5c5c5c5c));
	assert_int_equal(vm_number(ro, "count", "differ 0 2M 0x5c"), 0);
	assert_int_equal(vm_number(ro, "value", "r64 12M"), 0);
	(void)vm_ok(rw, "w64 0x100000 0x3333");
	assert_int_equal(vm_number(ro, "value", "r64 0x100000"), 0x3333);
	assert_true(bed_wait_counters(bed, "rw", &(struct vmsect_vm_counters){ .lost_pages = 1 },
				      &counted));
}

static void test_store_is_full(void **state)
{
	struct bed *bed = *state;
	const struct vm_config rw = { .name = "rw", .sections = { "sparse:rw,at=0" } };
	const struct vm_config ro = { .name = "ro", .sections = { "sparse:ro,at=0" } };
	struct vmsect_section *section;
	struct vm_fixture *writer, *reader;
	char folder[128];

	mount_full(bed);
	section = create_sparse(bed);
	writer = vm_start(bed, &rw);
	reader = vm_start(bed, &ro);
	fill_up(bed, writer, reader);
	(void)vm_ok(writer, "list");
	vm_power_off(writer);
	vm_power_off(reader);
	(void)vmsect_section_close(section);
	full_path(bed, "", folder, sizeof(folder));
	assert_int_equal(umount(folder), 0);
}

/* Whatever a failed test has left mounted. */
static int full_teardown(void **state)
{
	const struct bed *bed = *state;
	char folder[128];

	full_path(bed, "", folder, sizeof(folder));
	(void)umount2(folder, MNT_DETACH);
	(void)rmdir(folder);
	return bed_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_truncated, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_truncated_under_load, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_page_file_is_sealed, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_store_is_full, bed_setup, full_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm lost", tests, NULL, NULL);
}
