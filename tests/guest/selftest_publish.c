// SPDX-License-Identifier: GPL-2.0-or-later
/* PUBLISH and FLUSH: what is private goes to the section, the section to its file. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define RW VMSECT_GUEST_PROT_READWRITE
#define WC VMSECT_GUEST_PROT_WRITECOPY

static int publish(int view, int section)
{
	struct vmsect_publish arg = { .section_fd = section };

	return call(view, VMSECT_IOC_PUBLISH, &arg);
}

static int flush(int fd, uint64_t offset, uint64_t length, uint32_t flags)
{
	struct vmsect_flush arg = { .offset = offset, .length = length, .flags = flags };

	return call(fd, VMSECT_IOC_FLUSH, &arg);
}

static int copy_open(int *ret_section)
{
	int section = scratch_open(&(struct scratch){ 0 });

	if (section < 0)
		return section;
	*ret_section = section;
	return view_open(section, 0, 0, WC);
}

static void publish_refused_descriptors(void)
{
	int section, view = copy_open(&section), reads, null;

	NEED_FD(view);
	reads = duplicate(section, VMSECT_GUEST_ACCESS_READ);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	NEED_FD(reads);
	NEED_FD(null);
	EXPECT_EQ(publish(view, -1), -EBADF);
	EXPECT_EQ(publish(view, 9999), -EBADF);
	EXPECT_EQ(publish(view, null), -EBADF);
	EXPECT_EQ(publish(view, view), -EBADF);
	EXPECT_EQ(publish(view, reads), -EBADF);
	close(null);
	close(reads);
	close(view);
	close(section);
}

static void publish_refused_other_section(void)
{
	int section, view = copy_open(&section), other = scratch_open(&(struct scratch){ 0 });
	uint8_t byte = POISON;

	NEED_FD(view);
	NEED_FD(other);
	EXPECT_EQ(pwrite(view, "x", 1, 0), 1);
	EXPECT_EQ(publish(view, other), -EINVAL);
	EXPECT_EQ(pread(other, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 0);
	EXPECT_EQ(pread(view, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 'x');
	close(other);
	close(view);
	close(section);
}

static void publish_refused_pinned(void)
{
	int section, view = copy_open(&section), pipes[2];
	struct iovec vec = { .iov_len = PAGE };
	uint8_t byte = POISON;

	NEED_FD(view);
	vec.iov_base = shared_map(view, 0, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(vec.iov_base);
	EXPECT_EQ(pwrite(view, "x", 1, 0), 1);
	NEED_EQ(pipe(pipes), 0);
	NEED_EQ(vmsplice(pipes[1], &vec, 1, 0), PAGE);
	EXPECT_EQ(publish(view, section), -EBUSY);
	EXPECT_EQ(pread(section, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 0);
	close(pipes[0]);
	close(pipes[1]);
	EXPECT_EQ(publish(view, section), 0);
	EXPECT_EQ(pread(section, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 'x');
	munmap(vec.iov_base, PAGE);
	close(view);
	close(section);
}

/* Pages that were private are the section's, and live, under the same mapping. */
static void publish_works(void)
{
	int section, view = copy_open(&section);
	struct vmsect_view_info info;
	uint8_t *map, text[8] = { 0 };

	NEED_FD(view);
	map = shared_map(view, 0, SCRATCH_BYTES, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	memcpy(map + PAGE, "publish", sizeof("publish"));
	memcpy(map + 7 * PAGE, "too", sizeof("too"));
	NEED_EQ(publish(view, section), 0);
	EXPECT_EQ(pread(section, text, 7, PAGE), 7);
	EXPECT(!memcmp(text, "publish", 7));
	EXPECT_EQ(pread(section, text, 3, 7 * PAGE), 3);
	EXPECT(!memcmp(text, "too", 3));
	NEED_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(info.private_bytes, 0);
	EXPECT(!memcmp(map + PAGE, "publish", 7));
	EXPECT_EQ(pwrite(section, "P", 1, PAGE), 1);
	EXPECT(!memcmp(map + PAGE, "Publish", 7));
	map[PAGE] = 'Q';
	EXPECT_EQ(pread(section, text, 1, PAGE), 1);
	EXPECT_EQ(text[0], 'P');
	munmap(map, SCRATCH_BYTES);
	close(view);
	close(section);
}

static void publish_nothing(void)
{
	int section, view = copy_open(&section), shared;

	NEED_FD(view);
	EXPECT_EQ(publish(view, section), 0);
	shared = view_open(section, 0, 0, RW);
	NEED_FD(shared);
	EXPECT_EQ(publish(shared, section), 0);
	close(shared);
	close(view);
	close(section);
}

/*
 * Stores of another process wait meanwhile: each of them is either published or
 * still private afterwards, and none is lost.
 */
static int child_stores(void *context)
{
	volatile uint32_t *word = context;
	uint32_t i;

	for (i = 1; i <= 20000; i++)
		*word = i;
	return *word == 20000 ? 0 : 1;
}

struct storm {
	int view, section;
};

static int child_publishes(void *context)
{
	struct storm *storm = context;
	int i;

	for (i = 0; i < 20; i++) {
		int err = publish(storm->view, storm->section);

		if (err)
			return -err;
	}
	return 0;
}

static void publish_among_stores(void)
{
	int section, view = copy_open(&section);
	struct storm storm = { .view = view };
	uint8_t *map;
	pid_t pid;

	NEED_FD(view);
	storm.section = section;
	map = shared_map(view, 0, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	pid = child_start(child_stores, map);
	EXPECT_EQ(in_child(child_publishes, &storm), 0);
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(*(uint32_t *)(void *)map, 20000);
	munmap(map, PAGE);
	close(view);
	close(section);
}

static void flush_refused(void)
{
	int section, view = copy_open(&section), none;

	NEED_FD(view);
	EXPECT_EQ(flush(view, 0, 0, 2), -EINVAL);
	EXPECT_EQ(flush(view, 0, 0, 1U << 31), -EINVAL);
	EXPECT_EQ(flush(view, SCRATCH_BYTES, 0, 0), -EINVAL);
	EXPECT_EQ(flush(view, 0, SCRATCH_BYTES + 1, 0), -EINVAL);
	EXPECT_EQ(flush(view, PAGE, UINT64_MAX, 0), -EINVAL);
	none = duplicate(section, VMSECT_GUEST_ACCESS_QUERY);
	NEED_FD(none);
	EXPECT_EQ(flush(none, 0, 0, 0), -EPERM);
	close(none);
	close(view);
	close(section);
}

/* Memory has nowhere to go; it succeeds all the same. */
static void flush_memory(void)
{
	int section, view = copy_open(&section);

	NEED_FD(view);
	EXPECT_EQ(flush(view, 0, 0, 0), 0);
	EXPECT_EQ(flush(view, 1, 1, VMSECT_GUEST_FLUSH_F_DURABLE), 0);
	EXPECT_EQ(flush(section, 0, 0, VMSECT_GUEST_FLUSH_F_DURABLE), 0);
	EXPECT_EQ(fsync(view), 0);
	EXPECT_EQ(fsync(section), 0);
	close(view);
	close(section);
}

static void flush_file(void)
{
	int fd;

	SKIP_UNLESS(!vmsect_guest_open("odd", O_RDWR, &fd), "no section `odd'");
	EXPECT_EQ(pwrite(fd, "flushed", 7, 100), 7);
	EXPECT_EQ(flush(fd, 100, 7, 0), 0);
	EXPECT_EQ(flush(fd, 100, 7, VMSECT_GUEST_FLUSH_F_DURABLE), 0);
	EXPECT_EQ(fdatasync(fd), 0);
	close(fd);
}

static const struct tap_case cases[] = {
	{ "PUBLISH: what is no section open to write is EBADF", publish_refused_descriptors },
	{ "PUBLISH: to another section is EINVAL", publish_refused_other_section },
	{ "PUBLISH: with a page that is pinned is EBUSY", publish_refused_pinned },
	{ "PUBLISH: private pages become the section's", publish_works },
	{ "PUBLISH: nothing is published at once", publish_nothing },
	{ "PUBLISH: no store is lost", publish_among_stores },
	{ "FLUSH: flags, ranges and rights", flush_refused },
	{ "FLUSH: of memory", flush_memory },
	{ "FLUSH: of a data file", flush_file },
};

const struct tap_group group_publish = TAP_GROUP("publish", cases);
