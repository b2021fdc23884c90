/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mapping over a file with known content.  Pages are read and written with
 * process_vm_readv() and _writev(), which keep to what the mapping allows and
 * fail with EFAULT where a program would get a signal.
 */
#ifndef TESTS_UNIT_BASE_MAPPING_BED_H
#define TESTS_UNIT_BASE_MAPPING_BED_H

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mapping.h"
#include "lib/check.h"
#include "lib/huge_pages.h"
#include "lib/leak.h"

#define SMALL UINT64_C(4096)
#define HUGE (UINT64_C(2) << 20)
#define LEAD_PAGES 2u /* of the file, before the view */

enum bed_store { STORE_SHMEM, STORE_FILE, STORE_HUGE };

struct bed {
	struct mapping mapping;
	struct mapping_spec spec;
	unsigned char *reserved; /* as mmap() gave it */
	size_t reserved_bytes;
	int fd; /* read-write */
	uint64_t page;
	uint64_t file_pages;
	struct leak_guard *guard;
};

static inline unsigned char bed_byte(uint64_t page)
{
	return (unsigned char)(page * 7 + 1);
}

static inline int bed_file(enum bed_store store)
{
	char path[] = "/var/tmp/vmsect-mapping-XXXXXX";
	int fd;

	if (store == STORE_SHMEM)
		return memfd_create("bed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (store == STORE_HUGE)
		return memfd_create("bed", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

/* Sets every byte of a page of the file, past any view. */
static inline void bed_fill(const struct bed *bed, uint64_t page, unsigned char byte)
{
	void *start = mmap(NULL, bed->page, PROT_READ | PROT_WRITE, MAP_SHARED, bed->fd,
			   (off_t)(page * bed->page));

	assert_true(start != MAP_FAILED);
	memset(start, byte, bed->page);
	assert_int_equal(munmap(start, bed->page), 0);
}

/* A page of the view's file is committed. */
static inline void bed_commit(const struct bed *bed, uint64_t view_page)
{
	assert_int_equal(fallocate(bed->fd, 0, (off_t)((LEAD_PAGES + view_page) * bed->page),
				   (off_t)bed->page),
			 0);
}

static inline void bed_reserve(struct bed *bed, uint64_t room_pages)
{
	unsigned char *start;

	bed->reserved_bytes = room_pages * bed->page + HUGE;
	start = mmap(NULL, bed->reserved_bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(start != MAP_FAILED);
	bed->reserved = start;
	bed->spec.start = start + (-(uintptr_t)start & (HUGE - 1));
}

/* The file and the reservation; the view is the caller's to begin. */
static inline void bed_init(struct bed *bed, enum bed_store store, uint64_t pages,
			    uint64_t room_pages)
{
	memset(bed, 0, sizeof(*bed));
	bed->guard = leak_guard_new();
	bed->page = store == STORE_HUGE ? HUGE : SMALL;
	bed->file_pages = LEAD_PAGES + room_pages;
	bed->fd = bed_file(store);
	assert_true(bed->fd >= 0);
	assert_int_equal(ftruncate(bed->fd, (off_t)(bed->file_pages * bed->page)), 0);
	bed_reserve(bed, room_pages);
	bed->spec.room = room_pages * bed->page;
	bed->spec.length = pages * bed->page;
	bed->spec.page_bytes = bed->page;
	bed->spec.fd = bed->fd;
	bed->spec.fd_offset = LEAD_PAGES * bed->page;
}

static inline void bed_fill_all(const struct bed *bed)
{
	for (uint64_t i = 0; i < bed->file_pages; i++)
		bed_fill(bed, i, bed_byte(i));
}

static inline void bed_begin(struct bed *bed, enum mapping_mode mode)
{
	bed->spec.mode = mode;
	assert_int_equal(mapping_init(&bed->mapping, &bed->spec), 0);
}

/* The mapping leaves its reservation, all of it without access. */
static inline void bed_end(struct bed *bed)
{
	unsigned char byte;
	struct iovec to = { &byte, 1 }, from = { bed->spec.start, 1 };

	assert_true(mapping_deinit(&bed->mapping));
	assert_int_equal(process_vm_readv(getpid(), &to, 1, &from, 1, 0), -1);
	assert_int_equal(errno, EFAULT);
}

static inline void bed_deinit(struct bed *bed)
{
	assert_int_equal(munmap(bed->reserved, bed->reserved_bytes), 0);
	(void)close(bed->fd);
	leak_guard_check(bed->guard);
}

/* The last byte of a page of the view, or -EFAULT. */
static inline int bed_read(const struct bed *bed, uint64_t page)
{
	unsigned char byte = 0;
	struct iovec to = { &byte, 1 };
	struct iovec from = { bed->spec.start + (page + 1) * bed->page - 1, 1 };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1 ? byte : -errno;
}

/* Writes it: 0 or -EFAULT. */
static inline int bed_write(const struct bed *bed, uint64_t page, unsigned char byte)
{
	struct iovec from = { &byte, 1 };
	struct iovec to = { bed->spec.start + (page + 1) * bed->page - 1, 1 };

	return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == 1 ? 0 : -errno;
}

static inline int bed_protect(struct bed *bed, uint64_t page, uint64_t pages,
			      enum mapping_mode mode)
{
	struct mapping_run run = { .offset = page * bed->page,
				   .length = pages * bed->page,
				   .mode = mode };

	return mapping_protect(&bed->mapping, &run);
}

#endif
