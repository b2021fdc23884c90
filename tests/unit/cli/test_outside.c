/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search through /proc, on a /proc of files that the test writes: what a
 * kernel would say of hostile processes, and what it says on filesystems where
 * stat() and maps have different devices.
 */
#include "cli/outside.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/tree.h"

#define INODE 158u

struct bed {
	char folder[64];
	int fd;
	struct outside found;
};

/* 00:1a */
static const struct outside_file file = { 0x1a, INODE, "/dev/shm/a" };

static int bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	strcpy(bed->folder, "/tmp/vmsect-test-proc.XXXXXX");
	assert_non_null(mkdtemp(bed->folder));
	bed->fd = open(bed->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(bed->fd >= 0);
	*state = bed;
	return 0;
}

static int bed_teardown(void **state)
{
	struct bed *bed = *state;

	outside_deinit(&bed->found);
	(void)close(bed->fd);
	tree_remove(bed->folder);
	free(bed);
	return 0;
}

static void write_file(const struct bed *bed, const char *process, const char *name,
		       const char *text)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", process, name);
	fd = openat(bed->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void add_process(const struct bed *bed, const char *process, const char *maps)
{
	assert_int_equal(mkdirat(bed->fd, process, 0700), 0);
	write_file(bed, process, "comm", "some\nbody\n");
	write_file(bed, process, "status", "Name:\tsome\\nUid:\t7\nUid:\t64055\t0\t0\t0\n");
	write_file(bed, process, "maps", maps);
}

static size_t scan(struct bed *bed)
{
	outside_deinit(&bed->found);
	assert_int_equal(outside_scan(bed->fd, &file, 1, &bed->found), 0);
	return bed->found.count;
}

static void what_is_told(void **state)
{
	struct bed *bed = *state;
	const struct outside_mapping *mapping;

	add_process(bed, "42",
		    "1000-2000 r--p 00000000 00:1a 157 /dev/shm/b\n"
		    "7f0000000000-7f0000200000 rw-s 00001000 00:1a 158 /dev/shm/a\n"
		    "7f0000300000-7f0000400000 r--p 00000000 00:1a 158 /dev/shm/a\n");
	assert_int_equal(scan(bed), 2);
	assert_int_equal(bed->found.hidden, 0);
	mapping = &bed->found.list[0];
	assert_int_equal(mapping->file, 0);
	assert_int_equal(mapping->pid, 42);
	assert_int_equal(mapping->uid, 64055);
	assert_string_equal(mapping->name, "some\nbody");
	assert_true(mapping->start == UINT64_C(0x7f0000000000));
	assert_int_equal(mapping->length, 0x200000);
	assert_int_equal(mapping->offset, 0x1000);
	assert_string_equal(mapping->access, "rw-s");
	assert_string_equal(bed->found.list[1].access, "r--p");
}

/* Only numbers are processes, and one that has ended has no files. */
static void what_is_no_process(void **state)
{
	struct bed *bed = *state;
	static const char line[] = "1000-2000 rw-s 0 00:1a 158 /dev/shm/a\n";

	add_process(bed, "self", line);
	add_process(bed, "0", line);
	add_process(bed, "4x", line);
	add_process(bed, "99999999999", line);
	assert_int_equal(mkdirat(bed->fd, "43", 0700), 0);
	write_file(bed, ".", "44", "a file\n");
	assert_int_equal(scan(bed), 0);
	assert_int_equal(bed->found.hidden, 0);
}

/* Without the mapping's link the path decides when the device is another one. */
static void another_device_same_path(void **state)
{
	struct bed *bed = *state;

	add_process(bed, "42", "1000-2000 rw-s 0 00:2b 158 /dev/shm/a\n");
	assert_int_equal(scan(bed), 1);
}

/* Names that end or go on as ours does are others' names. */
static void paths_that_look_alike(void **state)
{
	struct bed *bed = *state;

	add_process(bed, "42",
		    "1000-2000 rw-s 0 00:2b 158 /dev/shm/a (deleted)\n"
		    "2000-3000 rw-s 0 00:2b 158 /dev/shm/a\\012\n"
		    "3000-4000 rw-s 0 00:2b 158 /tmp/dev/shm/a\n"
		    "4000-5000 rw-s 0 00:2b 158 /dev/shm/a b\n"
		    "5000-6000 rw-s 0 00:1a 0 /dev/shm/a\n"
		    "garbage\n"
		    "6000-7000 rw-s 0 00:1a 158 anything\n");
	assert_int_equal(scan(bed), 1);
	assert_int_equal(bed->found.list[0].start, 0x6000);
}

/* The link tells what the file really is; here it leads where the test says. */
static void the_link_decides(void **state)
{
	struct bed *bed = *state;
	struct outside_file real = { .path = "/dev/shm/a" };
	struct stat status;
	char path[128];

	add_process(bed, "42",
		    "1000-2000 rw-s 0 00:2b 9 /dev/shm/a\n"
		    "2000-3000 rw-s 0 00:2b 9 /dev/shm/a\n");
	(void)snprintf(path, sizeof(path), "%s/42/comm", bed->folder);
	assert_int_equal(stat(path, &status), 0);
	real.device = status.st_dev;
	real.inode = status.st_ino;
	assert_int_equal(mkdirat(bed->fd, "42/map_files", 0700), 0);
	assert_int_equal(symlinkat("../comm", bed->fd, "42/map_files/1000-2000"), 0);
	assert_int_equal(symlinkat("../status", bed->fd, "42/map_files/2000-3000"), 0);
	assert_int_equal(outside_scan(bed->fd, &real, 1, &bed->found), 0);
	assert_int_equal(bed->found.count, 1);
	assert_int_equal(bed->found.list[0].start, 0x1000);
}

/* Root reads all: the test then has no way to be refused. */
static void what_must_not_be_looked_at(void **state)
{
	struct bed *bed = *state;
	uid_t user = geteuid();

	add_process(bed, "42", "1000-2000 rw-s 0 00:1a 158 /dev/shm/a\n");
	assert_int_equal(fchmodat(bed->fd, "42/maps", 0, 0), 0);
	if (!user) {
		assert_int_equal(fchmodat(bed->fd, "42", 0755, 0), 0);
		assert_int_equal(fchmodat(bed->fd, "42/status", 0644, 0), 0);
		assert_int_equal(chmod(bed->folder, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	assert_int_equal(scan(bed), 0);
	assert_int_equal(seteuid(user), 0);
	assert_int_equal(bed->found.hidden, 1);
}

static void many(void **state)
{
	struct bed *bed = *state;
	char *text = malloc(1000 * 64);
	size_t length = 0, i;

	assert_non_null(text);
	for (i = 1; i <= 1000; i++)
		length +=
			(size_t)sprintf(text + length, "%zx000-%zx800 rw-s 0 00:1a 158 x\n", i, i);
	add_process(bed, "42", text);
	free(text);
	assert_int_equal(scan(bed), 1000);
	assert_int_equal(bed->found.list[999].start, 1000 << 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_told, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_process, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(another_device_same_path, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(paths_that_look_alike, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(the_link_decides, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(what_must_not_be_looked_at, bed_setup,
						bed_teardown),
		cmocka_unit_test_setup_teardown(many, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
