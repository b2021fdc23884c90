/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window_loss.c, and window_restore(): what the window's owner is told of lost
 * pages, and the way back.  RESERVE sections need userfaultfd, else they skip.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "unit/vmm/window_bed.h"

#define TIME_LIMIT_S 120

static void count_call(void *arg)
{
	++*(uint32_t *)arg;
}

static void test_truncated(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 8 * PAGE, UNIT, WINDOW_READWRITE);
	uint64_t ro = view(bed, 0, 8 * PAGE, WINDOW_READONLY);
	uint32_t calls = 0;

	check_no_loss(bed);
	window_set_loss_call(bed->window, count_call, &calls);
	assert_int_equal(ftruncate(bed->fd, (off_t)(5 * PAGE)), 0);
	assert_int_equal(guest_write(bed, place + 6 * PAGE, 1), WINDOW_FAULT_LOST);
	assert_int_equal(calls, 1);
	check_loss(bed, place, 5 * PAGE, 3 * PAGE, ENXIO);
	check_no_loss(bed);
	assert_int_equal(window_sweep_sizes(bed->window), 1);
	assert_int_equal(calls, 2);
	check_loss(bed, ro, 5 * PAGE, 3 * PAGE, ENXIO);
	assert_int_equal(window_sweep(bed->window), 0);
	/* Further down: only what went now. */
	assert_int_equal(ftruncate(bed->fd, (off_t)(3 * PAGE)), 0);
	assert_int_equal(window_sweep_sizes(bed->window), 2);
	window_set_loss_call(bed->window, NULL, NULL);
	check_loss(bed, place, 3 * PAGE, 2 * PAGE, ENXIO);
	check_loss(bed, ro, 3 * PAGE, 2 * PAGE, ENXIO);
	assert_int_equal(counters(bed).lost_pages, 10);
	check_no_loss(bed);
}

/* What may not be accessed cannot be missed. */
static void test_without_access(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 8 * PAGE, UNIT, WINDOW_READWRITE);

	assert_int_equal(protect(bed, place, 4 * PAGE, 2 * PAGE, WINDOW_NOACCESS), 0);
	assert_int_equal(ftruncate(bed->fd, (off_t)(3 * PAGE)), 0);
	assert_int_equal(window_sweep(bed->window), 1);
	check_loss(bed, place, 3 * PAGE, 5 * PAGE, ENXIO);
	assert_int_equal(counters(bed).lost_pages, 3);
	check_hole(bed, place + 4 * PAGE);
	/* Once it may, it can. */
	assert_int_equal(protect(bed, place, 4 * PAGE, PAGE, WINDOW_READONLY), 0);
	assert_int_equal(window_sweep_sizes(bed->window), 1);
	check_loss(bed, place, 4 * PAGE, PAGE, ENXIO);
	check_word(bed, place + 4 * PAGE, 0);
	assert_int_equal(window_sweep(bed->window), 0);
}

static void test_restore(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 8 * PAGE, UNIT, WINDOW_READWRITE);

	assert_int_equal(restore(bed, place, 0, 8 * PAGE), 0);
	assert_int_equal(ftruncate(bed->fd, (off_t)(2 * PAGE)), 0);
	assert_int_equal(guest_write(bed, place + 6 * PAGE, 1), WINDOW_FAULT_LOST);
	assert_int_equal(guest_write(bed, place + 3 * PAGE, 2), WINDOW_FAULT_RACE);
	assert_int_equal(protect(bed, place, 7 * PAGE, PAGE, WINDOW_READONLY), 0);
	assert_int_equal(restore(bed, place, 0, 8 * PAGE), 6);
	assert_int_equal(ftruncate(bed->fd, (off_t)(6 * PAGE)), 0);
	check_word(bed, place + 3 * PAGE, 2);
	assert_int_equal(restore(bed, place, 3 * PAGE, PAGE), 0);
	check_word(bed, place + 3 * PAGE, 0);
	assert_int_equal(restore(bed, place, 0, 8 * PAGE), 2);
	assert_int_equal(guest_write(bed, place + 5 * PAGE, 55), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 5 * PAGE), 55);
	check_word(bed, place + 6 * PAGE, 1);
	assert_int_equal(ftruncate(bed->fd, (off_t)(8 * PAGE)), 0);
	assert_int_equal(restore(bed, place, 0, 8 * PAGE), 0);
	assert_int_equal(guest_write(bed, place + 7 * PAGE, 1), WINDOW_FAULT_DENIED);
	check_word(bed, place + 6 * PAGE, 0);
	/* Lost once more: told once more. */
	check_loss(bed, place, 2 * PAGE, 6 * PAGE, ENXIO);
	assert_int_equal(ftruncate(bed->fd, (off_t)(7 * PAGE)), 0);
	assert_int_equal(window_sweep(bed->window), 1);
	check_loss(bed, place, 7 * PAGE, PAGE, ENXIO);
}

/* More than the queue holds; and those of a view that went are not told. */
static void test_missed(void **state)
{
	struct bed *bed = *state;
	uint64_t places[70];
	struct window_loss loss;
	bool missed = false;
	uint32_t told = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		places[i] = view(bed, 0, PAGE, WINDOW_READONLY);
	assert_int_equal(ftruncate(bed->fd, 0), 0);
	assert_int_equal(window_sweep_sizes(bed->window), ARRAY_SIZE(places));
	window_unmap(bed->window, places[0]);
	window_unmap(bed->window, places[5]);
	while (window_next_loss(bed->window, &loss, &missed))
		told++;
	assert_int_equal(told, 62);
	assert_true(missed);
	missed = false;
	assert_int_equal(window_next_loss(bed->window, &loss, &missed), 0);
	assert_false(missed);
}

/* A RESERVE section of 16 pages in the place of the bed's file; some are committed. */
static void reserve_file(struct bed *bed)
{
	int fd = memfd_create("reserve", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(16 * PAGE)), 0);
	assert_int_equal(dup3(fd, bed->fd, O_CLOEXEC), bed->fd);
	(void)close(fd);
}

static void commit(struct bed *bed, uint64_t offset, uint64_t bytes)
{
	assert_int_equal(fallocate(bed->fd, 0, (off_t)offset, (off_t)bytes), 0);
}

static uint64_t reserve_view(struct bed *bed, enum window_mode mode)
{
	struct window_map map = {
		.fd = bed->fd,
		.bytes = 16 * PAGE,
		.page_bytes = PAGE,
		.mode = mode,
		.is_reserve = true,
	};
	int result;

	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, map.bytes, &map.place), 0);
	result = window_map(bed->window, &map, 7);
	if (result == -EOPNOTSUPP)
		skip();
	assert_int_equal(result, 0);
	return map.place;
}

static void test_reserve_by_address(void **state)
{
	struct bed *bed = *state;
	struct window_pages pages;
	uint64_t place, word = 0;

	reserve_file(bed);
	commit(bed, 0, 4 * PAGE);
	place = reserve_view(bed, WINDOW_READWRITE);
	assert_int_equal(guest_write(bed, place + 3 * PAGE, 3), WINDOW_FAULT_RACE);
	assert_int_equal(window_query(bed->window, place, 4 * PAGE, &pages), 0);
	assert_int_equal(pages.bytes, 12 * PAGE);
	assert_false(pages.is_committed);
	assert_int_equal(window_read(bed->window, place, 4 * PAGE, &word, 8), -EIO);
	/* Only the page that was touched; pages one behind the other are one loss. */
	assert_int_equal(guest_write(bed, place + 5 * PAGE, 5), WINDOW_FAULT_LOST);
	check_word(bed, place + 5 * PAGE, 5);
	assert_int_equal(guest_read(bed, place + 6 * PAGE, &word), WINDOW_FAULT_LOST);
	assert_int_equal(guest_read(bed, place + 9 * PAGE, &word), WINDOW_FAULT_LOST);
	assert_int_equal(counters(bed).lost_pages, 3);
	check_loss(bed, place, 5 * PAGE, 2 * PAGE, EFAULT);
	check_loss(bed, place, 9 * PAGE, PAGE, EFAULT);
	/* A commit is seen at once where nothing was buried, else by a restore. */
	commit(bed, 4 * PAGE, 2 * PAGE);
	check_word(bed, place + 4 * PAGE, 0);
	check_word(bed, place + 5 * PAGE, 5);
	assert_int_equal(restore(bed, place, 4 * PAGE, 2 * PAGE), 0);
	check_word(bed, place + 5 * PAGE, 0);
	assert_int_equal(guest_write(bed, place + 5 * PAGE, 55), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 5 * PAGE), 55);
	assert_int_equal(restore(bed, place, 0, 16 * PAGE), 2);
	check_no_loss(bed);
}

/* As a vCPU that fails again and again: what a sweep finds, of a few in vain. */
static uint32_t sweep_on(struct bed *bed)
{
	uint32_t found = 0;

	for (int i = 0; i < 14 && found == 0; i++)
		found = window_sweep(bed->window);
	return found;
}

/* Without an address: nothing at first, then all that is not committed. */
static void test_reserve_by_sweep(void **state)
{
	struct bed *bed = *state;
	uint64_t place, cow;

	reserve_file(bed);
	commit(bed, 2 * PAGE, 2 * PAGE);
	commit(bed, 8 * PAGE, PAGE);
	place = reserve_view(bed, WINDOW_READWRITE);
	cow = reserve_view(bed, WINDOW_WRITECOPY);
	assert_int_equal(guest_write(bed, cow + 2 * PAGE, 22), WINDOW_FAULT_RACE);
	assert_int_equal(window_sweep_sizes(bed->window), 0);
	assert_int_equal(window_sweep(bed->window), 0);
	check_no_loss(bed);
	assert_int_equal(sweep_on(bed), 2);
	check_loss(bed, place, 0, 2 * PAGE, EFAULT);
	check_loss(bed, place, 4 * PAGE, 4 * PAGE, EFAULT);
	check_loss(bed, place, 9 * PAGE, 7 * PAGE, EFAULT);
	check_loss(bed, cow, 0, 2 * PAGE, EFAULT);
	assert_int_equal(counters(bed).lost_pages, 26);
	assert_int_equal(sweep_on(bed), 0);
	check_word(bed, cow + 2 * PAGE, 22);
	assert_int_equal(guest_write(bed, place + 8 * PAGE, 8), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 8 * PAGE), 8);
	commit(bed, 0, 16 * PAGE);
	assert_int_equal(restore(bed, place, 0, 16 * PAGE), 0);
	assert_int_equal(restore(bed, cow, 0, 16 * PAGE), 0);
	assert_int_equal(guest_write(bed, place + 15 * PAGE, 15), WINDOW_FAULT_RACE);
	check_word(bed, cow + 15 * PAGE, 15);
}

/* A truncated file is the likelier reason, and leaves RESERVE views alone. */
static void test_reserve_is_last(void **state)
{
	struct bed *bed = *state;
	uint64_t place, file = view(bed, 0, 4 * PAGE, WINDOW_READONLY);
	int kept = fcntl(bed->fd, F_DUPFD_CLOEXEC, 0);

	reserve_file(bed);
	place = reserve_view(bed, WINDOW_READWRITE);
	assert_int_equal(window_sweep(bed->window), 0);
	assert_int_equal(ftruncate(kept, (off_t)PAGE), 0);
	(void)close(kept);
	assert_int_equal(window_sweep(bed->window), 1);
	check_loss(bed, file, PAGE, 3 * PAGE, ENXIO);
	assert_int_equal(window_sweep(bed->window), 0); /* counted from here */
	check_no_loss(bed);
	assert_int_equal(sweep_on(bed), 1);
	check_loss(bed, place, 0, 16 * PAGE, EFAULT);
}

/* A file system of four pages at this folder, in a mount namespace of its own. */
static int mount_small(const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	return mount("tmpfs", folder, "tmpfs", 0, "size=16k") < 0 ? -errno : 0;
}

/* A hole of a sparse file that finds no room; private pages in it stay. */
static void test_store_is_full(void **state)
{
	struct bed *bed = *state;
	char folder[] = "/tmp/vmsect-window-XXXXXX", path[64];
	struct window_loss loss = { 0 };
	uint64_t place, good = 0;
	bool missed = false;
	int fd;

	assert_non_null(mkdtemp(folder));
	if (mount_small(folder) < 0) {
		(void)rmdir(folder);
		skip();
	}
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, (off_t)(64 * PAGE)), 0);
	assert_int_equal(dup3(fd, bed->fd, O_CLOEXEC), bed->fd);
	(void)close(fd);
	place = roomy_view(bed, 64 * PAGE, UNIT, WINDOW_READWRITE);
	assert_int_equal(protect(bed, place, 32 * PAGE, 32 * PAGE, WINDOW_WRITECOPY), 0);
	assert_int_equal(guest_write(bed, place + 40 * PAGE, 40), WINDOW_FAULT_RACE);
	assert_int_equal(fallocate(bed->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   (off_t)(40 * PAGE), (off_t)PAGE),
			 0);
	while (guest_write(bed, place + good * PAGE, good + 1) == WINDOW_FAULT_RACE)
		good++;
	assert_in_range(good, 0, 4);
	check_word(bed, place + 40 * PAGE, 40);
	check_word(bed, place + 41 * PAGE, 0);
	assert_int_equal(window_private_pages(bed->window, place), 1);
	assert_int_equal(window_sweep(bed->window), 0);
	assert_int_equal(window_next_loss(bed->window, &loss, &missed), 1);
	assert_int_equal(loss.error, ENOSPC);
	window_unmap(bed->window, place);
	place = roomy_view(bed, 64 * PAGE, UNIT, WINDOW_READWRITE);
	assert_int_equal(window_sweep(bed->window), 1);
	window_unmap(bed->window, place);
	check_no_loss(bed);
	assert_int_equal(dup3(bed->read_fd, bed->fd, O_CLOEXEC), bed->fd);
	assert_int_equal(umount(folder), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_truncated, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_without_access, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_restore, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_missed, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_reserve_by_address, window_setup,
						window_teardown),
		cmocka_unit_test_setup_teardown(test_reserve_by_sweep, window_setup,
						window_teardown),
		cmocka_unit_test_setup_teardown(test_reserve_is_last, window_setup,
						window_teardown),
		cmocka_unit_test_setup_teardown(test_store_is_full, window_setup, window_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
