/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that publishes dies at each of its system calls in turn, in front of
 * it or, where bytes are written, in the midst.  After recovery the section has
 * all of the patch or nothing of it, and no journal is left.  The recovery dies
 * at each of its calls, too, and is done again.
 */
#include "lib/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/publish.h"
#include "lib/leak.h"
#include "lib/patch.h"
#include "lib/tree.h"

#define PAGE 4096u
#define PAGES 8u
#define SIZE (PAGES * PAGE)
#define STEPS_MAX 200u
#define DIED 9

static struct leak_guard *guard;
static char folder[64], target_path[100], state_dir[100];
static unsigned int steps_left; /* to death; 0: immortal */

ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t offset);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *path, int flags);
int __real_fallocate(int fd, int mode, off_t offset, off_t length);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_unlinkat(int dir, const char *path, int flags);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t length);

static bool is_last_step(void)
{
	return steps_left && !--steps_left;
}

static void step(void)
{
	if (is_last_step())
		_exit(DIED);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	step();
	if (is_last_step()) {
		(void)__real_pwrite(fd, bytes, size / 2, offset);
		_exit(DIED);
	}
	return __real_pwrite(fd, bytes, size, offset);
}

int __wrap_fsync(int fd)
{
	step();
	return __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
	step();
	return __real_fdatasync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	step();
	return __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_unlinkat(int dir, const char *path, int flags)
{
	step();
	return __real_unlinkat(dir, path, flags);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t length)
{
	step();
	return __real_fallocate(fd, mode, offset, length);
}

static int setup(void **state)
{
	(void)state;
	guard = leak_guard_new();
	(void)snprintf(folder, sizeof(folder), "/tmp/vmsect-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(state_dir, sizeof(state_dir), "%s/state", folder);
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

static const struct vmsect_wire_range ranges[] = { { 0, PAGE }, { 2 * PAGE, 3 * PAGE } };

/* How many bytes of the patch are there; fails if others have changed. */
static unsigned int count_new(int target)
{
	char bytes[SIZE];
	unsigned int i, count = 0;

	assert_int_equal(pread(target, bytes, SIZE, 0), SIZE);
	for (i = 0; i < SIZE; i++) {
		bool is_patched = i / PAGE == 0 || (i / PAGE >= 2 && i / PAGE < 5);

		assert_true(bytes[i] == 'o' || (is_patched && bytes[i] == 'n'));
		count += bytes[i] == 'n';
	}
	return count;
}

static void fill(int target)
{
	char bytes[SIZE];

	memset(bytes, 'o', SIZE);
	assert_int_equal(pwrite(target, bytes, SIZE, 0), SIZE);
}

/* Publishes in a process that dies at that step; true if it has lived. */
static bool publish_and_die(int target, bool is_file, unsigned int steps)
{
	AUTO_FD int patch = patch_new(ranges, 2, 'n');
	const struct publish publish = {
		.dir = state_dir, .target = target, .patch = patch, .count = 2, .is_file = is_file
	};
	bool committed = false;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		steps_left = steps;
		_exit(publish_run(&publish, &committed) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == DIED || !WEXITSTATUS(status)));
	return !WEXITSTATUS(status);
}

static int find_target(void *arg, uint64_t dev, uint64_t ino)
{
	const int *target = arg;
	struct stat st;

	assert_int_equal(fstat(*target, &st), 0);
	if (st.st_dev != dev || st.st_ino != ino)
		return -ENOENT;
	return fcntl(*target, F_DUPFD_CLOEXEC, 0);
}

static int find_nothing(void *arg, uint64_t dev, uint64_t ino)
{
	(void)arg;
	(void)dev;
	(void)ino;
	return -ENOENT;
}

static int find_later(void *arg, uint64_t dev, uint64_t ino)
{
	(void)arg;
	(void)dev;
	(void)ino;
	return -EAGAIN;
}

static bool recover_and_die(publish_find *find, int *target, unsigned int steps)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		steps_left = steps;
		_exit(publish_recover(state_dir, find, target) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == DIED || !WEXITSTATUS(status)));
	return !WEXITSTATUS(status);
}

static unsigned int count_journals(void)
{
	DIR *dir = opendir(state_dir);
	const struct dirent *entry;
	unsigned int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		(void)closedir(dir);
	return count;
}

/* Every step of publishing, with that way to find the section afterwards. */
static void die_everywhere(int target, bool is_file, publish_find *find)
{
	unsigned int steps, all = 0, nothing = 0, count;
	bool alive = false;

	for (steps = 1; !alive; steps++) {
		assert_true(steps < STEPS_MAX);
		fill(target);
		alive = publish_and_die(target, is_file, steps);
		assert_int_equal(publish_recover(state_dir, find, &target), 0);
		count = count_new(target);
		assert_true(count == 0 || count == 4 * PAGE);
		assert_true(!alive || count);
		assert_int_equal(count_journals(), 0);
		all += count != 0;
		nothing += !count;
	}
	assert_true(all > 4 && nothing > 4); /* both sides of the commit were seen */
}

static void test_file_that_is_known(void **state)
{
	AUTO_FD int target = open(target_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	die_everywhere(target, true, find_target);
}

static void test_file_by_its_path(void **state)
{
	AUTO_FD int target = open(target_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	die_everywhere(target, true, find_nothing);
}

static void test_memory(void **state)
{
	AUTO_FD int target = memfd_create("target", MFD_CLOEXEC);

	(void)state;
	die_everywhere(target, false, find_target);
}

/* The first number of steps after which there is something to finish. */
static unsigned int die_committed(int target, bool is_file)
{
	unsigned int steps;

	for (steps = 1;; steps++) {
		fill(target);
		assert_false(publish_and_die(target, is_file, steps));
		if (count_new(target))
			return steps;
		assert_int_equal(publish_recover(state_dir, find_nothing, &target), 0);
		fill(target); /* a file is found by its path even so */
	}
}

static void test_recovery_that_dies(void **state)
{
	AUTO_FD int target = open(target_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unsigned int steps, recovery;
	bool alive = false;

	(void)state;
	steps = die_committed(target, true);
	for (recovery = 1; !alive; recovery++) {
		assert_true(recovery < STEPS_MAX);
		assert_int_equal(publish_recover(state_dir, find_target, &target), 0);
		fill(target);
		assert_false(publish_and_die(target, true, steps));
		alive = recover_and_die(find_target, &target, recovery);
		assert_int_equal(publish_recover(state_dir, find_target, &target), 0);
		assert_int_equal(count_new(target), 4 * PAGE);
		assert_int_equal(count_journals(), 0);
	}
}

/* Memory that comes back later gets its bytes then; memory that has gone needs none. */
static void test_memory_that_comes_back(void **state)
{
	AUTO_FD int target = memfd_create("target", MFD_CLOEXEC);

	(void)state;
	(void)die_committed(target, false);
	assert_int_equal(publish_recover(state_dir, find_later, NULL), 1);
	assert_int_equal(count_journals(), 1);
	assert_int_equal(publish_recover(state_dir, find_target, &target), 0);
	assert_int_equal(count_new(target), 4 * PAGE);
	(void)die_committed(target, false);
	assert_int_equal(publish_recover(state_dir, find_nothing, NULL), 0);
	assert_int_equal(count_journals(), 0);
}

/* Another file has the path by now: it is not touched, and the journal stays. */
static void test_path_of_another_file(void **state)
{
	AUTO_FD int target = open(target_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	AUTO_FD int other = -1;

	(void)state;
	(void)die_committed(target, true);
	assert_int_equal(unlink(target_path), 0);
	assert_int_equal(publish_recover(state_dir, find_nothing, NULL), 1);
	other = open(target_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fill(other);
	assert_int_equal(publish_recover(state_dir, find_nothing, NULL), 1);
	assert_int_equal(count_new(other), 0);
	assert_int_equal(publish_recover(state_dir, find_target, &target), 0);
	assert_int_equal(count_new(target), 4 * PAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file_that_is_known),
		TEST(test_file_by_its_path),
		TEST(test_memory),
		TEST(test_recovery_that_dies),
		TEST(test_memory_that_comes_back),
		TEST(test_path_of_another_file),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
