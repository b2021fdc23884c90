/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window_lost.c: truncated files, a full store, and the tombstones that the
 * guest finds then.
 */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "unit/vmm/window_bed.h"

#define TIME_LIMIT_S 120

static void test_truncated(void **state)
{
	struct bed *bed = *state;
	uint64_t ro = view(bed, 0, 4 * UNIT, WINDOW_READONLY);
	uint64_t rw = view(bed, 0, 4 * UNIT, WINDOW_READWRITE);
	uint64_t cow = view(bed, 0, 4 * UNIT, WINDOW_WRITECOPY);
	uint64_t early = view(bed, 0, UNIT, WINDOW_READWRITE), value = 0;

	assert_int_equal(guest_write(bed, cow + 3 * UNIT, 1), WINDOW_FAULT_RACE);
	assert_int_equal(ftruncate(bed->fd, UNIT + 100), 0);

	/* By an access that says where. */
	value = 1;
	assert_int_equal(guest_read(bed, ro + 2 * UNIT, &value), WINDOW_FAULT_LOST);
	assert_int_equal(value, 0);
	check_word(bed, ro + 3 * UNIT, 0); /* one tombstone for all of the tail */
	assert_int_equal(guest_write(bed, ro + 2 * UNIT, 1), WINDOW_FAULT_DENIED);
	assert_int_equal(counters(bed).lost_accesses, 1);

	/* By a sweep: the other two; not the one that the file still reaches. */
	assert_int_equal(window_sweep(bed->window), 2);
	assert_int_equal(window_sweep(bed->window), 0);
	assert_int_equal(guest_write(bed, rw + 2 * UNIT, 9), WINDOW_FAULT_RACE);
	check_word(bed, rw + 2 * UNIT, 9);
	check_word(bed, cow + 3 * UNIT, 0);
	check_word(bed, early, pattern(0));
	check_word(bed, rw + UNIT, pattern(UNIT));
	check_word(bed, rw + UNIT + PAGE - 8, 0); /* the page of the last byte is the file's */
	assert_int_equal(guest_write(bed, rw + UNIT, 3), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, UNIT), 3);

	/* Grown again: new bytes are not shown by an old tombstone. */
	assert_int_equal(ftruncate(bed->fd, FILE_BYTES), 0);
	check_word(bed, rw + 2 * UNIT, 9);
	assert_int_equal(file_word(bed, 2 * UNIT), 0);

	/* Once more, further down, and all the way. */
	assert_int_equal(ftruncate(bed->fd, 8), 0);
	assert_int_equal(counters(bed).lost_pages, 3 * (3 * UNIT / PAGE - 1));
	assert_int_equal(window_sweep_sizes(bed->window), 4);
	assert_true(counters(bed).lost_pages > 3 * (3 * UNIT / PAGE - 1));
	assert_int_equal(window_sweep_sizes(bed->window), 0);
	check_word(bed, rw, pattern(0));
	assert_int_equal(ftruncate(bed->fd, 0), 0);
	assert_int_equal(guest_write(bed, early, 4), WINDOW_FAULT_LOST);
	check_word(bed, early, 4);
	assert_int_equal(window_sweep(bed->window), 3);
	assert_int_equal(window_sweep(bed->window), 0);
	window_unmap(bed->window, rw);
	assert_int_equal(guest_read(bed, rw, &value), WINDOW_FAULT_HOLE);
}

/* A file system of four pages at this folder, in a mount namespace of its own. */
static int mount_small(const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	return mount("tmpfs", folder, "tmpfs", 0, "size=16k") < 0 ? -errno : 0;
}

/* Where a page has no room the hole is buried, and what was written stays. */
static void test_store_is_full(void **state)
{
	struct bed *bed = *state;
	char folder[] = "/tmp/vmsect-window-XXXXXX", path[64];
	uint64_t place, good = 0;
	int fd;

	assert_non_null(mkdtemp(folder));
	if (mount_small(folder) < 0) {
		(void)rmdir(folder);
		skip();
	}
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)UNIT), 0);
	assert_int_equal(dup3(fd, bed->fd, O_CLOEXEC), bed->fd);
	(void)close(fd);
	place = view(bed, 0, UNIT, WINDOW_READWRITE);
	/* The file system keeps some of its pages for itself. */
	while (guest_write(bed, place + good * PAGE, good + 1) == WINDOW_FAULT_RACE)
		good++;
	assert_in_range(good, 1, 4);
	assert_int_equal(counters(bed).lost_accesses, 1);
	check_word(bed, place + good * PAGE, good + 1);
	check_word(bed, place + (good - 1) * PAGE, good);
	/* The rest of the hole went with it: nothing is left to be found. */
	assert_int_equal(window_sweep(bed->window), 0);
	window_unmap(bed->window, place);
	/* The same where the access came without an address. */
	place = view(bed, 0, UNIT, WINDOW_READWRITE);
	assert_int_equal(window_sweep_sizes(bed->window), 0); /* sees no such thing */
	assert_int_equal(window_sweep(bed->window), 1);
	assert_int_equal(window_sweep(bed->window), 0);
	assert_int_equal(guest_write(bed, place + 9 * PAGE, 9), WINDOW_FAULT_RACE);
	assert_int_equal(guest_write(bed, place, 11), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 0), 11);
	window_unmap(bed->window, place);
	assert_int_equal(dup3(bed->read_fd, bed->fd, O_CLOEXEC), bed->fd);
	assert_int_equal(umount(folder), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_file_may_be_closed(void **state)
{
	struct bed *bed = *state;
	uint64_t place = view(bed, 0, UNIT, WINDOW_READONLY);
	uint64_t again = view(bed, 0, UNIT, WINDOW_READWRITE);

	assert_int_equal(ftruncate(bed->fd, 0), 0);
	assert_int_equal(dup3(STDIN_FILENO, bed->fd, O_CLOEXEC), bed->fd);
	assert_int_equal(dup3(STDIN_FILENO, bed->read_fd, O_CLOEXEC), bed->read_fd);
	assert_int_equal(window_sweep(bed->window), 2);
	window_unmap(bed->window, place);
	window_unmap(bed->window, again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_truncated, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_store_is_full, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_file_may_be_closed, window_setup,
						window_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
