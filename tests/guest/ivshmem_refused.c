// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an ivshmem device cannot do, and with which error the driver says so.
 */
#include "guest/ivshmem_test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPECT_ERRNO(call, number)                                                                 \
	do {                                                                                       \
		errno = 0;                                                                         \
		EXPECT_EQ((call), -1);                                                             \
		EXPECT_EQ(errno, (number));                                                        \
	} while (0)

static void no_control_node(void)
{
	struct vmsect_list list = { .index = 0 };
	struct vmsect_info info;
	struct vmsect_open open = { .access = VMSECT_GUEST_ACCESS_READ, .name = "other" };
	struct vmsect_create create = { .size_bytes = PAGE };
	int fd = ivshmem_open(O_RDWR);

	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(call(fd, VMSECT_IOC_INFO, &info), -ENOTTY);
	EXPECT_EQ(call(fd, VMSECT_IOC_LIST, &list), -ENOTTY);
	EXPECT_EQ(call(fd, VMSECT_IOC_OPEN, &open), -ENOTTY);
	EXPECT_EQ(call(fd, VMSECT_IOC_CREATE, &create), -ENOTTY);
	close(fd);
}

static void no_further_handles(void)
{
	uint64_t bytes = 2 * (uint64_t)subject.bytes;
	int fd = ivshmem_open(O_RDWR);

	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(duplicate(fd, 0), -EOPNOTSUPP);
	EXPECT_EQ(duplicate(fd, VMSECT_GUEST_ACCESS_READ), -EOPNOTSUPP);
	EXPECT_EQ(vmsect_guest_extend(fd, bytes, &bytes), -EOPNOTSUPP);
	EXPECT_EQ(bytes, 2 * (uint64_t)subject.bytes);
	EXPECT_ERRNO(fallocate(fd, 0, 0, (off_t)bytes), ENODEV);
	EXPECT_ERRNO(ftruncate(fd, PAGE), EINVAL);
	close(fd);
}

static void no_views(void)
{
	int fd = ivshmem_open(O_RDWR);
	uint32_t protection;

	NEED_EQ(fd >= 0, 1);
	for (protection = VMSECT_GUEST_PROT_NOACCESS;
	     protection <= VMSECT_GUEST_PROT_EXECUTE_WRITECOPY; protection++) {
		EXPECT_EQ(view_open(fd, 0, PAGE, protection), -EOPNOTSUPP);
		EXPECT_EQ(protect(fd, 0, PAGE, protection), -EOPNOTSUPP);
	}
	close(fd);
	fd = ivshmem_open(O_RDONLY);
	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(view_open(fd, 0, PAGE, VMSECT_GUEST_PROT_READWRITE), -EBADF);
	close(fd);
}

static void no_changes(void)
{
	struct vmsect_range range;
	struct vmsect_page_run run;
	uint32_t count = 4711;
	uint64_t after = 0;
	int fd = ivshmem_open(O_RDWR);

	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(vmsect_guest_commit(fd, 0, PAGE, 0), -EOPNOTSUPP);
	EXPECT_EQ(vmsect_guest_reset(fd, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(vmsect_guest_query_pages(fd, 0, &run), -EOPNOTSUPP);
	EXPECT_EQ(vmsect_guest_diff(fd, &after, &range, 1, &count), -EOPNOTSUPP);
	EXPECT_EQ(count, 4711);
	EXPECT_EQ(vmsect_guest_publish(fd, fd), -EOPNOTSUPP);
	close(fd);
}

/* The host's file is out of reach, so nothing claims to be on its disk. */
static void nothing_is_durable(void)
{
	int fd = ivshmem_open(O_RDWR);
	uint8_t *map;

	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(vmsect_guest_flush(fd, 0, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(vmsect_guest_flush(fd, 0, 0, VMSECT_GUEST_FLUSH_F_DURABLE), -EOPNOTSUPP);
	EXPECT_ERRNO(fsync(fd), EOPNOTSUPP);
	EXPECT_ERRNO(fdatasync(fd), EOPNOTSUPP);
	map = shared_map(fd, 0, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	EXPECT_ERRNO(msync(map, PAGE, MS_SYNC), EOPNOTSUPP);
	EXPECT_EQ(msync(map, PAGE, MS_ASYNC), 0);
	munmap(map, PAGE);
	close(fd);
}

static void wrong_files(void)
{
	struct vmsect_notify notify = { .peer = 1 };
	int fd = ivshmem_open(O_RDONLY);

	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(map_try(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0), -EACCES);
	EXPECT_EQ(map_try(fd, PROT_READ | PROT_EXEC, MAP_SHARED, 0), -EACCES);
	EXPECT_EQ(map_try(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0), -EACCES);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_SHARED, subject.bytes), -ENXIO);
	EXPECT_EQ(call(fd, VMSECT_IOC_NOTIFY, &notify), -EBADF);
	EXPECT_EQ(call(fd, VMSECT_IOC_EXTEND, &notify), -EBADF);
	EXPECT_EQ(call(fd, 0, NULL), -ENOTTY);
	EXPECT_ERRNO(write(fd, "x", 1), EBADF);
	close(fd);
}

static void wrong_places(void)
{
	int fd = ivshmem_open(O_RDWR);
	char byte = 'x';

	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(pread(fd, &byte, 1, (off_t)subject.bytes), 0);
	EXPECT_ERRNO(pwrite(fd, &byte, 1, (off_t)subject.bytes), ENOSPC);
	EXPECT_ERRNO(pread(fd, &byte, 1, -1), EINVAL);
	EXPECT_ERRNO(lseek(fd, (off_t)subject.bytes + 1, SEEK_SET), EINVAL);
	close(fd);
	fd = ivshmem_open(O_WRONLY | O_APPEND);
	NEED_EQ(fd >= 0, 1);
	EXPECT_ERRNO(write(fd, &byte, 1), EINVAL);
	close(fd);
}

static void plain_is_silent(void)
{
	int fd = ivshmem_open(O_RDWR);

	SKIP_UNLESS(!subject.vectors, "the device has a doorbell");
	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(ivshmem_ring(fd, 1, 0), -EOPNOTSUPP);
	EXPECT_EQ(ivshmem_ring(fd, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(ivshmem_ring(fd, UINT32_MAX, UINT64_MAX), -EOPNOTSUPP);
	EXPECT_EQ(ivshmem_events(fd, 0), -EOPNOTSUPP);
	EXPECT_EQ(ivshmem_events(fd, 1U << VMSECT_EVENT_GONE), -EOPNOTSUPP);
	EXPECT_EQ(ivshmem_events(fd, 1U << (VMSECT_EVENT_GONE + 1)), -EINVAL);
	close(fd);
}

static void wrong_rings(void)
{
	struct vmsect_notify notify = { .peer = 1, .reserved = 1 };
	int fd = ivshmem_open(O_RDWR);

	SKIP_UNLESS(subject.vectors, "the device has no doorbell");
	NEED_EQ(fd >= 0, 1);
	EXPECT_EQ(ivshmem_ring(fd, 0x10000, 0), -EINVAL);
	EXPECT_EQ(ivshmem_ring(fd, UINT32_MAX, 0), -EINVAL);
	EXPECT_EQ(ivshmem_ring(fd, 1, 0x10000), -EINVAL);
	EXPECT_EQ(ivshmem_ring(fd, 1, UINT64_MAX), -EINVAL);
	EXPECT_EQ(ivshmem_ring(fd, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(call(fd, VMSECT_IOC_NOTIFY, &notify), -EINVAL);
	EXPECT_EQ(ivshmem_events(fd, 1U << (VMSECT_EVENT_GONE + 1)), -EINVAL);
	/* A peer or a vector that is not there: the device does not tell. */
	EXPECT_EQ(ivshmem_ring(fd, 0xffff, 0), 0);
	EXPECT_EQ(ivshmem_ring(fd, SERVER_PEER, 0xff), 0);
	close(fd);
}

static const struct tap_case cases[] = {
	{ "there is nothing to open or create through", no_control_node },
	{ "no DUPLICATE, no EXTEND", no_further_handles },
	{ "no VIEW, no PROTECT", no_views },
	{ "no COMMIT, RESET, QUERY_PAGES, DIFF, PUBLISH", no_changes },
	{ "no FLUSH, no fsync", nothing_is_durable },
	{ "descriptors that are not open for it", wrong_files },
	{ "places that are not there", wrong_places },
	{ "without a doorbell neither NOTIFY nor EVENTS", plain_is_silent },
	{ "peers and vectors that the doorbell has no room for", wrong_rings },
};

const struct tap_group group_ivshmem_refused = TAP_GROUP("refused", cases);
