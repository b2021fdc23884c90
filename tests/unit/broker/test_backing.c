/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-file memory: sizes, seals, and what its descriptors can do. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/backing.h"
#include "lib/huge_pages.h"
#include "lib/leak.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static const struct backing_spec shmem = {
	.kind = BACKING_SHMEM,
	.page_shift = BACKING_PAGE_SHIFT,
	.writable = true,
	.size_bytes = 8192,
};

static struct backing_work work;
static unsigned int allocations;

/* The one that is asked for blocks. */
int fallocate(int fd, int mode, off_t offset, off_t length)
{
	allocations++;
	return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

static void test_rounding(void **state)
{
	struct refusal refusal;
	uint64_t bytes = POISON;

	(void)state;
	assert_int_equal(backing_round(12, 0, &bytes, &refusal), -EINVAL);
	assert_int_equal(refusal.detail, VMSECT_DETAIL_SIZE);
	assert_int_equal(backing_round(12, UINT64_MAX, &bytes, &refusal), -EFBIG);
	assert_int_equal(backing_round(12, BACKING_BYTES_MAX + 1, &bytes, &refusal), -EFBIG);
	assert_int_equal(refusal.detail, VMSECT_DETAIL_SIZE);
	assert_int_equal(bytes, POISON);
	assert_int_equal(backing_round(12, 0x123, &bytes, &refusal), 0);
	assert_int_equal(bytes, 0x1000);
	assert_int_equal(backing_round(21, 1, &bytes, &refusal), 0);
	assert_int_equal(bytes, 2u << 20);
	assert_int_equal(backing_round(12, BACKING_BYTES_MAX, &bytes, &refusal), 0);
	assert_int_equal(bytes, BACKING_BYTES_MAX);
}

static void test_memfd(void **state)
{
	struct backing backing;
	struct refusal refusal;
	struct stat st;

	(void)state;
	assert_int_equal(backing_init_memory(&backing, &shmem, &work, &refusal), 0);
	assert_int_equal(fstat(backing.rw_fd, &st), 0);
	assert_int_equal(st.st_size, 8192);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fcntl(backing.rw_fd, F_GET_SEALS), SEALS);
	assert_int_equal(ftruncate(backing.rw_fd, 4096), -1);
	assert_int_equal(fcntl(backing.rw_fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_true(fcntl(backing.rw_fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(backing_allocated(&backing), 0);
	assert_int_equal(pwrite(backing.rw_fd, "x", 1, 4096), 1);
	assert_int_equal(backing_allocated(&backing), 4096);
	backing_deinit(&backing);
	backing_deinit(&backing);
}

static void test_read_only_descriptor(void **state)
{
	struct backing backing;
	struct refusal refusal;
	int fd = -1;

	(void)state;
	assert_int_equal(backing_init_memory(&backing, &shmem, &work, &refusal), 0);
	assert_int_equal(backing_open(&backing, false, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(errno, EACCES);
	fd_close(fd);
	backing_deinit(&backing);
}

/* Clients do not share a file offset with one another. */
static void test_descriptors_have_their_own_offset(void **state)
{
	struct backing backing;
	struct refusal refusal;
	int first = -1, second = -1;

	(void)state;
	assert_int_equal(backing_init_memory(&backing, &shmem, &work, &refusal), 0);
	assert_int_equal(backing_open(&backing, true, &first), 0);
	assert_int_equal(backing_open(&backing, true, &second), 0);
	assert_int_equal(lseek(first, 100, SEEK_SET), 100);
	assert_int_equal(lseek(second, 0, SEEK_CUR), 0);
	assert_int_equal(lseek(backing.rw_fd, 0, SEEK_CUR), 0);
	fd_close(first);
	fd_close(second);
	backing_deinit(&backing);
}

/* A number of the pool of 2 MiB pages, or -1. */
static struct huge_pages huge = HUGE_PAGES_NONE;

static void test_too_few_huge_pages(void **state)
{
	struct backing_spec spec = { .kind = BACKING_HUGETLB, .page_shift = BACKING_HUGE_SHIFT };
	long pages = huge_pages_free();
	struct backing backing;
	struct refusal refusal;

	(void)state;
	if (pages < 0)
		skip();
	spec.size_bytes = (uint64_t)(pages + 1000000) << BACKING_HUGE_SHIFT;
	backing_clear(&backing);
	assert_int_equal(backing_init_memory(&backing, &spec, &work, &refusal), -ENOMEM);
	assert_int_equal(refusal.detail, VMSECT_DETAIL_HUGEPAGES);
	assert_non_null(strstr(refusal.text, "missing"));
	assert_non_null(strstr(refusal.text, "vm.nr_hugepages="));
	assert_int_equal(backing.rw_fd, -1);
}

static int leave_huge_pages(void **state)
{
	huge_pages_give_back(&huge);
	return leak_teardown(state);
}

/* The pages are kept for the section from the start, touched or not. */
static void test_huge_pages_are_reserved(void **state)
{
	const struct backing_spec spec = {
		.kind = BACKING_HUGETLB,
		.page_shift = BACKING_HUGE_SHIFT,
		.writable = true,
		.size_bytes = 4u << 20,
	};
	struct backing backing;
	struct refusal refusal;
	struct stat st;
	long before;
	char *bytes;

	(void)state;
	backing_clear(&backing);
	if (!huge_pages_take(&huge, 2))
		skip();
	before = huge_pages_free();
	assert_int_equal(backing_init_memory(&backing, &spec, &work, &refusal), 0);
	assert_int_equal(fstat(backing.rw_fd, &st), 0);
	assert_int_equal(st.st_size, 4u << 20);
	assert_int_equal(fcntl(backing.rw_fd, F_GET_SEALS), SEALS);
	assert_int_equal(huge_pages_free(), before - 2);
	/* No reservation of its own: without the section's this could die. */
	bytes = mmap(NULL, spec.size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		     backing.rw_fd, 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	bytes[0] = 1;
	bytes[2u << 20] = 2;
	assert_int_equal(munmap(bytes, spec.size_bytes), 0);
	backing_deinit(&backing);
}

static void test_sealable(void **state)
{
	struct backing_spec spec = shmem;
	struct backing backing;
	struct refusal refusal;

	(void)state;
	spec.sealable = true;
	assert_int_equal(backing_init_memory(&backing, &spec, &work, &refusal), 0);
	assert_int_equal(fcntl(backing.rw_fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
	backing_deinit(&backing);
}

/* The memory is as large as the section may become; only the section's part is work. */
static void test_room_to_grow(void **state)
{
	struct backing_spec spec = shmem;
	struct backing backing;
	struct refusal refusal;
	struct stat st;

	(void)state;
	spec.max_bytes = 5 * 4096;
	spec.allocate = true;
	assert_int_equal(backing_init_memory(&backing, &spec, &work, &refusal), 0);
	assert_int_equal(backing.size_bytes, 8192);
	assert_int_equal(fstat(backing.rw_fd, &st), 0);
	assert_int_equal(st.st_size, 5 * 4096);
	assert_int_equal(backing.ino, st.st_ino);
	assert_int_equal(backing_work_run(&work), 0);
	assert_int_equal(backing_allocated(&backing), 8192);
	backing_deinit(&backing);
}

static void test_directory(void **state)
{
	struct backing_spec spec = { .kind = BACKING_DIRECTORY,
				     .page_shift = 12,
				     .size_bytes = 8192 };
	struct backing backing;
	struct refusal refusal;
	struct stat st;

	(void)state;
	backing_clear(&backing);
	assert_int_equal(backing_init_directory(&backing, &spec, NULL, &work, &refusal),
			 -EOPNOTSUPP);
	assert_int_equal(refusal.detail, VMSECT_DETAIL_ATTR);
	assert_int_equal(backing_init_directory(&backing, &spec, "/nonexistent", &work, &refusal),
			 -ENOENT);
	assert_int_equal(backing_init_directory(&backing, &spec, "/tmp", &work, &refusal), 0);
	assert_int_equal(backing_work_run(&work), 0);
	assert_int_equal(fstat(backing.rw_fd, &st), 0);
	assert_int_equal(st.st_size, 8192);
	assert_int_equal(st.st_nlink, 0);
	work.from = 8192;
	work.to = UINT64_C(1) << 43;
	allocations = 0;
	assert_int_equal(backing_work_run(&work), -ENOSPC);
	/* Trying would take all that others have left. */
	assert_int_equal(allocations, 0);
	assert_int_equal(backing_refuse_work(&work, -ENOSPC, &refusal), -ENOSPC);
	assert_int_equal(fstat(backing.rw_fd, &st), 0);
	assert_int_equal(st.st_size, 8192);
	backing_deinit(&backing);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rounding),
		TEST(test_memfd),
		TEST(test_read_only_descriptor),
		TEST(test_descriptors_have_their_own_offset),
		TEST(test_too_few_huge_pages),
		TEST(test_sealable),
		TEST(test_room_to_grow),
		TEST(test_directory),
		cmocka_unit_test_setup_teardown(test_huge_pages_are_reserved, leak_setup,
						leave_huge_pages),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
