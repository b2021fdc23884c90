/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patches: which are accepted, and what they do to files and memory. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/publish.h"
#include "lib/huge_pages.h"
#include "lib/leak.h"
#include "lib/patch.h"
#include "lib/tree.h"

#define PAGE 4096u
#define SIZE (10 * PAGE + 100)
#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static struct leak_guard *guard;
static char folder[64], state_dir[100], target_path[100];

static int setup(void **state)
{
	(void)state;
	guard = leak_guard_new();
	(void)snprintf(folder, sizeof(folder), "/tmp/vmsect-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(state_dir, sizeof(state_dir), "%s/a/b", folder);
	(void)snprintf(target_path, sizeof(target_path), "%s/target", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(folder);
	leak_guard_check(guard);
	return 0;
}

static int new_target(void)
{
	char bytes[SIZE];
	int fd = open(target_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	memset(bytes, 'o', sizeof(bytes));
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	return fd;
}

static void expect_refused(const struct vmsect_wire_range *ranges, uint32_t count, const char *word)
{
	const struct publish_bounds bounds = { .size_bytes = SIZE, .page_bytes = PAGE };
	AUTO_FD int fd = patch_new_odd(ranges, count, 20 * PAGE, SEALS);
	struct vmsect_wire_range *copy = NULL;
	const char *why = NULL;

	assert_int_equal(publish_check(fd, count, &bounds, &copy, &why), -EINVAL);
	assert_null(copy);
	assert_non_null(strstr(why, word));
}

#define REFUSED(word, ...)                                                                         \
	do {                                                                                       \
		const struct vmsect_wire_range list[] = { __VA_ARGS__ };                           \
		expect_refused(list, sizeof(list) / sizeof(list[0]), word);                        \
	} while (0)

static void test_ranges(void **state)
{
	(void)state;
	REFUSED("empty", { 0, 0 });
	REFUSED("within", { 11 * PAGE, PAGE });
	REFUSED("within", { 10 * PAGE, PAGE });
	REFUSED("within", { PAGE, UINT64_MAX });
	REFUSED("within", { UINT64_MAX - PAGE + 1, PAGE });
	REFUSED("whole pages", { 1, PAGE });
	REFUSED("whole pages", { 0, PAGE - 1 });
	REFUSED("ascending", { PAGE, PAGE }, { 0, PAGE });
	REFUSED("ascending", { 0, 2 * PAGE }, { PAGE, PAGE });
}

static void test_patches(void **state)
{
	const struct vmsect_wire_range ranges[] = { { 0, PAGE }, { 10 * PAGE, 100 } };
	const struct publish_bounds bounds = { .size_bytes = SIZE, .page_bytes = PAGE };
	struct vmsect_wire_range *copy = NULL;
	const char *why = NULL;
	int fd;

	(void)state;
	fd = patch_new(ranges, 2, 'n');
	assert_int_equal(publish_check(fd, 0, &bounds, &copy, &why), -EINVAL);
	assert_int_equal(publish_check(fd, PUBLISH_RANGES_MAX + 1, &bounds, &copy, &why), -EINVAL);
	assert_int_equal(publish_check(fd, PUBLISH_RANGES_MAX, &bounds, &copy, &why), -EINVAL);
	assert_null(copy);
	assert_int_equal(publish_check(fd, 2, &bounds, &copy, &why), 0);
	assert_memory_equal(copy, ranges, sizeof(ranges));
	free(copy);
	fd_close(fd);
	copy = NULL;
	fd = patch_new_odd(ranges, 2, PAGE + 99, SEALS); /* a byte too short */
	assert_int_equal(publish_check(fd, 2, &bounds, &copy, &why), -EINVAL);
	fd_close(fd);
	fd = patch_new_odd(ranges, 2, PAGE + 100, F_SEAL_GROW | F_SEAL_SHRINK);
	assert_int_equal(publish_check(fd, 2, &bounds, &copy, &why), -EINVAL);
	assert_non_null(strstr(why, "sealed"));
	fd_close(fd);
	fd = new_target(); /* no memfd */
	assert_int_equal(publish_check(fd, 2, &bounds, &copy, &why), -EINVAL);
	fd_close(fd);
}

static void check_bytes(int fd, uint64_t offset, uint64_t length, char byte)
{
	char got;
	uint64_t i;

	for (i = offset; i < offset + length; i++) {
		assert_int_equal(pread(fd, &got, 1, (off_t)i), 1);
		assert_int_equal(got, byte);
	}
}

static void run(int target, bool is_file)
{
	const struct vmsect_wire_range ranges[] = { { PAGE, 2 * PAGE }, { 10 * PAGE, 100 } };
	AUTO_FD int patch = patch_new(ranges, 2, 'n');
	const struct publish publish = {
		.dir = state_dir, .target = target, .patch = patch, .count = 2, .is_file = is_file
	};
	bool committed = false;

	assert_int_equal(publish_run(&publish, &committed), 0);
	assert_true(committed);
	check_bytes(target, 0, PAGE, 'o');
	check_bytes(target, PAGE, 2 * PAGE, 'n');
	check_bytes(target, 3 * PAGE, 7 * PAGE, 'o');
	check_bytes(target, 10 * PAGE, 100, 'n');
	assert_int_equal(rmdir(state_dir), 0); /* nothing is left */
}

static void test_file(void **state)
{
	AUTO_FD int target = new_target();
	struct stat st;

	(void)state;
	run(target, true);
	assert_int_equal(fstat(target, &st), 0);
	assert_int_equal(st.st_size, SIZE);
}

static void test_memory(void **state)
{
	AUTO_FD int target = memfd_create("target", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char bytes[SIZE];

	(void)state;
	memset(bytes, 'o', sizeof(bytes));
	assert_int_equal(pwrite(target, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(fcntl(target, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
	run(target, false);
}

static struct huge_pages huge = HUGE_PAGES_NONE;

static int leave_huge_pages(void **state)
{
	huge_pages_give_back(&huge);
	return teardown(state);
}

/* Huge pages take no write(): they are written by a mapping. */
static void test_huge_pages(void **state)
{
	const struct vmsect_wire_range range = { 2u << 20, 2u << 20 };
	struct publish publish = {
		.dir = state_dir, .target = -1, .patch = -1, .count = 1, .is_mapped = true
	};
	bool committed = false;

	(void)state;
	if (!huge_pages_take(&huge, 2))
		skip();
	publish.target = memfd_create("target", MFD_CLOEXEC | MFD_HUGETLB);
	publish.patch = patch_new(&range, 1, 'n');
	assert_int_equal(ftruncate(publish.target, 4u << 20), 0);
	assert_int_equal(publish_run(&publish, &committed), 0);
	check_bytes(publish.target, 2u << 20, 1000, 'n');
	check_bytes(publish.target, (4u << 20) - 1000, 1000, 'n');
	check_bytes(publish.target, 0, 1000, 0);
	fd_close(publish.target);
	fd_close(publish.patch);
}

/* A target that cannot be written: nothing happens, and nothing is left. */
static void test_failure_before_the_commit(void **state)
{
	const struct vmsect_wire_range range = { 0, PAGE };
	AUTO_FD int target = -1;
	AUTO_FD int patch = patch_new(&range, 1, 'n');
	struct publish publish = { .dir = state_dir, .patch = patch, .count = 1, .is_file = true };
	bool committed = true;

	(void)state;
	fd_close(new_target());
	target = open(target_path, O_RDONLY | O_CLOEXEC);
	publish.target = target;
	assert_int_equal(publish_run(&publish, &committed), -EBADF);
	assert_false(committed);
	check_bytes(target, 0, PAGE, 'o');
	assert_int_equal(rmdir(state_dir), 0);
	publish.dir = target_path; /* no folder */
	assert_int_equal(publish_run(&publish, &committed), -ENOTDIR);
}

static int find_none(void *arg, uint64_t dev, uint64_t ino)
{
	(void)dev;
	(void)ino;
	(*(unsigned int *)arg)++;
	return -ENOENT;
}

static void write_file(const char *name, const char *text)
{
	char path[160];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fd_close(fd);
}

static bool exists(const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return !access(path, F_OK);
}

/* Rubbish is left alone, what was not committed goes, what others work on stays. */
static void test_recovery_of_odd_files(void **state)
{
	unsigned int asked = 0;
	char path[160];
	int fd;

	(void)state;
	write_file("publish-1.work", "x");
	write_file("publish-2.work", "x");
	write_file("publish-3.committed", "makes no sense");
	write_file("other", "x");
	(void)snprintf(path, sizeof(path), "%s/publish-2.work", folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(publish_recover(folder, find_none, &asked), 1);
	assert_false(exists("publish-1.work"));
	assert_true(exists("publish-2.work"));
	assert_true(exists("publish-3.committed"));
	assert_true(exists("other"));
	assert_int_equal(asked, 0);
	fd_close(fd);
	assert_int_equal(publish_recover("/nonexistent/folder", find_none, &asked), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ranges),
		TEST(test_patches),
		TEST(test_file),
		TEST(test_memory),
		cmocka_unit_test_setup_teardown(test_huge_pages, setup, leave_huge_pages),
		TEST(test_failure_before_the_commit),
		TEST(test_recovery_of_odd_files),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
