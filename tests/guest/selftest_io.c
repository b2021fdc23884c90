// SPDX-License-Identifier: GPL-2.0-or-later
/* read, write, lseek and their kin: sections and views as files. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define RO VMSECT_GUEST_PROT_READONLY
#define RW VMSECT_GUEST_PROT_READWRITE
#define NA VMSECT_GUEST_PROT_NOACCESS

static int result(ssize_t got)
{
	return got < 0 ? -errno : (int)got;
}

static void refused_descriptors(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), reads, writes;
	uint8_t byte = POISON;

	NEED_FD(section);
	reads = duplicate(section, VMSECT_GUEST_ACCESS_READ);
	writes = duplicate(section, VMSECT_GUEST_ACCESS_WRITE);
	NEED_FD(reads);
	NEED_FD(writes);
	EXPECT_EQ(result(write(reads, &byte, 1)), -EBADF);
	EXPECT_EQ(result(pwrite(reads, &byte, 1, 0)), -EBADF);
	EXPECT_EQ(result(read(writes, &byte, 1)), -EBADF);
	EXPECT_EQ(result(pread(writes, &byte, 1, 0)), -EBADF);
	EXPECT_EQ(result(pwrite(writes, "w", 1, 3)), 1);
	EXPECT_EQ(result(pread(reads, &byte, 1, 3)), 1);
	EXPECT_EQ(byte, 'w');
	close(writes);
	close(reads);
	close(section);
}

static void refused_offsets(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	uint8_t byte = POISON;

	NEED_FD(section);
	EXPECT_EQ(result(pread(section, &byte, 1, -1)), -EINVAL);
	EXPECT_EQ(result(pwrite(section, &byte, 1, -1)), -EINVAL);
	EXPECT(lseek(section, -1, SEEK_SET) < 0 && errno == EINVAL);
	EXPECT(lseek(section, -SCRATCH_BYTES - 1, SEEK_END) < 0 && errno == EINVAL);
	EXPECT(lseek(section, 0, 99) < 0 && errno == EINVAL);
	EXPECT_EQ(lseek(section, 0, SEEK_CUR), 0);
	EXPECT_EQ(result(pread(section, &byte, 1, INT64_MAX - 1)), 0);
	EXPECT_EQ(result(pwrite(section, &byte, 1, INT64_MAX - 1)), -ENOSPC);
	close(section);
}

static void refused_buffers(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	uint8_t *edge =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED_FD(section);
	EXPECT_EQ(mprotect(edge + PAGE, PAGE, PROT_NONE), 0);
	EXPECT_EQ(result(pread(section, edge + PAGE, 16, 0)), -EFAULT);
	EXPECT_EQ(result(pwrite(section, edge + PAGE, 16, 0)), -EFAULT);
	/* What is there before the edge goes through. */
	memset(edge, 'e', PAGE);
	EXPECT_EQ(result(pwrite(section, edge + PAGE - 16, 32, 0)), 16);
	memset(edge, 0, PAGE);
	EXPECT_EQ(result(pread(section, edge + PAGE - 16, 32, 0)), 16);
	EXPECT_EQ(edge[PAGE - 1], 'e');
	munmap(edge, 2 * PAGE);
	close(section);
}

static void whole_range(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	static uint8_t out[SCRATCH_BYTES], in[SCRATCH_BYTES];
	uint8_t *map;
	size_t i;

	NEED_FD(section);
	for (i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 31 + i / PAGE);
	EXPECT_EQ(result(write(section, out, sizeof(out))), SCRATCH_BYTES);
	EXPECT_EQ(lseek(section, 0, SEEK_CUR), SCRATCH_BYTES);
	map = shared_map(section, 0, SCRATCH_BYTES, PROT_READ);
	NEED_MAP(map);
	EXPECT(!memcmp(map, out, sizeof(out)));
	EXPECT_EQ(lseek(section, 0, SEEK_SET), 0);
	EXPECT_EQ(result(read(section, in, sizeof(in))), SCRATCH_BYTES);
	EXPECT(!memcmp(in, out, sizeof(in)));
	EXPECT_EQ(result(read(section, in, 1)), 0);
	/* Across a page, at no alignment. */
	memset(in, 0, sizeof(in));
	EXPECT_EQ(result(pread(section, in, PAGE + 7, PAGE - 3)), PAGE + 7);
	EXPECT(!memcmp(in, out + PAGE - 3, PAGE + 7));
	munmap(map, SCRATCH_BYTES);
	close(section);
}

static void ends(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	uint8_t bytes[64];

	NEED_FD(section);
	memset(bytes, POISON, sizeof(bytes));
	EXPECT_EQ(result(pread(section, bytes, 0, SCRATCH_BYTES)), 0);
	EXPECT_EQ(result(pread(section, bytes, 64, SCRATCH_BYTES)), 0);
	EXPECT_EQ(result(pread(section, bytes, 64, SCRATCH_BYTES + 1)), 0);
	EXPECT_EQ(bytes[0], POISON);
	EXPECT_EQ(result(pread(section, bytes, 64, SCRATCH_BYTES - 10)), 10);
	EXPECT_EQ(bytes[10], POISON);
	EXPECT_EQ(result(pwrite(section, bytes, 64, SCRATCH_BYTES)), -ENOSPC);
	EXPECT_EQ(result(pwrite(section, bytes, 0, SCRATCH_BYTES)), 0);
	EXPECT_EQ(result(pwrite(section, bytes, 64, SCRATCH_BYTES - 10)), 10);
	EXPECT_EQ(lseek(section, 0, SEEK_END), SCRATCH_BYTES);
	EXPECT_EQ(lseek(section, -1, SEEK_END), SCRATCH_BYTES - 1);
	EXPECT_EQ(result(write(section, bytes, 64)), 1);
	EXPECT_EQ(result(write(section, bytes, 64)), -ENOSPC);
	close(section);
}

/* A data file ends at its last byte, though its last page does not. */
static void ends_at_the_byte(void)
{
	struct vmsect_section info;
	uint8_t bytes[64];
	int fd;

	SKIP_UNLESS(!vmsect_guest_open("odd", O_RDWR, &fd), "no section `odd'");
	NEED_EQ(vmsect_guest_query(fd, &info), 0);
	SKIP_UNLESS(info.size_bytes % PAGE > 64, "it ends with a page");
	EXPECT_EQ(lseek(fd, 0, SEEK_END), info.size_bytes);
	EXPECT_EQ(result(pread(fd, bytes, 64, (off_t)info.size_bytes - 5)), 5);
	EXPECT_EQ(result(pread(fd, bytes, 64, (off_t)info.size_bytes)), 0);
	EXPECT_EQ(result(pwrite(fd, bytes, 1, (off_t)info.size_bytes)), -ENOSPC);
	EXPECT_EQ(result(pwrite(fd, bytes, 64, (off_t)info.size_bytes - 5)), 5);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_SHARED, info.size_bytes / PAGE * PAGE), 0);
	close(fd);
}

static void vectors(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	char a[3] = "ab", b[5] = "cdef", c[7] = { 0 };
	struct iovec out[] = { { a, 2 }, { NULL, 0 }, { b, 4 } };
	struct iovec in[] = { { c, 1 }, { c + 1, 5 } };

	NEED_FD(section);
	EXPECT_EQ(result(pwritev(section, out, 3, PAGE - 3)), 6);
	EXPECT_EQ(result(preadv(section, in, 2, PAGE - 3)), 6);
	EXPECT(!strcmp(c, "abcdef"));
	EXPECT_EQ(lseek(section, 0, SEEK_CUR), 0);
	EXPECT_EQ(result(writev(section, out, 3)), 6);
	EXPECT_EQ(lseek(section, 0, SEEK_CUR), 6);
	close(section);
}

/* Offsets and the end are the view's own; so is the position. */
static void of_a_view(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t bytes[8];

	NEED_FD(section);
	view = view_open(section, 2 * PAGE, 2 * PAGE, RW);
	NEED_FD(view);
	EXPECT_EQ(result(pwrite(section, "in view", 7, 2 * PAGE)), 7);
	EXPECT_EQ(result(read(view, bytes, 7)), 7);
	EXPECT(!memcmp(bytes, "in view", 7));
	EXPECT_EQ(lseek(view, 0, SEEK_CUR), 7);
	EXPECT_EQ(lseek(section, 0, SEEK_CUR), 0);
	EXPECT_EQ(lseek(view, 0, SEEK_END), 2 * PAGE);
	EXPECT_EQ(result(pwrite(view, bytes, 1, 2 * PAGE)), -ENOSPC);
	EXPECT_EQ(result(pread(view, bytes, 1, 2 * PAGE)), 0);
	close(view);
	close(section);
}

static void of_a_copy(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t byte = 0;

	NEED_FD(section);
	view = view_open(section, 0, 0, VMSECT_GUEST_PROT_WRITECOPY);
	NEED_FD(view);
	EXPECT_EQ(result(pwrite(view, "c", 1, 0)), 1);
	EXPECT_EQ(result(pread(view, &byte, 1, 0)), 1);
	EXPECT_EQ(byte, 'c');
	EXPECT_EQ(result(pread(section, &byte, 1, 0)), 1);
	EXPECT_EQ(byte, 0);
	close(view);
	close(section);
}

/* Up to the page that forbids it, and EACCES at it. */
static void of_protected_pages(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	static uint8_t bytes[2 * PAGE];

	NEED_FD(section);
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	NEED_EQ(protect(view, PAGE, PAGE, RO), 0);
	NEED_EQ(protect(view, 3 * PAGE, PAGE, NA), 0);
	EXPECT_EQ(result(pwrite(view, bytes, 1, PAGE)), -EACCES);
	EXPECT_EQ(result(pwrite(view, bytes, 2 * PAGE, 0)), PAGE);
	EXPECT_EQ(result(pread(view, bytes, 1, PAGE)), 1);
	EXPECT_EQ(result(pread(view, bytes, 1, 3 * PAGE)), -EACCES);
	EXPECT_EQ(result(pwrite(view, bytes, 1, 3 * PAGE)), -EACCES);
	EXPECT_EQ(result(pread(view, bytes, 2 * PAGE, 2 * PAGE)), PAGE);
	EXPECT_EQ(result(pwrite(view, bytes, 2 * PAGE, 4 * PAGE)), 2 * PAGE);
	close(view);
	close(section);
}

/* Nodes are files like the others; what is written is put back. */
static void expect_node_io(uint32_t mode, bool writes)
{
	off_t at = (off_t)subjects[mode].length - 2 * PAGE - 8;
	uint8_t before[16], after[16], *map;
	int fd;

	if (subjects[mode].length < 4 * PAGE)
		return;
	NEED_EQ(subject_open(mode, writes ? O_RDWR : O_RDONLY, &fd), 0);
	map = shared_map(fd, (uint64_t)at + 8 - PAGE, 2 * PAGE, PROT_READ);
	NEED_MAP(map);
	EXPECT_EQ(result(pread(fd, before, 16, at)), 16);
	EXPECT(!memcmp(before, map + PAGE - 8, 16));
	EXPECT_EQ(result(pwrite(fd, "node", 4, at + 6)), writes ? 4 : -EBADF);
	EXPECT_EQ(result(pread(fd, after, 16, at)), 16);
	EXPECT(!writes || !memcmp(after + 6, "node", 4));
	EXPECT(!memcmp(after, map + PAGE - 8, 16));
	if (writes)
		EXPECT_EQ(result(pwrite(fd, before, 16, at)), 16);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), subjects[mode].size_bytes);
	munmap(map, 2 * PAGE);
	close(fd);
}

static void of_nodes(void)
{
	expect_node_io(VMSECT_MODE_RO, false);
	expect_node_io(VMSECT_MODE_RW, true);
	expect_node_io(VMSECT_MODE_COW, true);
}

/*
 * Memory of a section is a buffer like any other, its own section's too: a
 * driver that holds a lock over the copy would wait for itself here.
 */
static void into_itself(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	uint8_t *map;

	NEED_FD(section);
	EXPECT_EQ(result(pwrite(section, "itself", 6, 0)), 6);
	map = shared_map(section, 0, SCRATCH_BYTES, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	EXPECT_EQ(result(pread(section, map + 4 * PAGE, PAGE, 0)), PAGE);
	EXPECT(!memcmp(map + 4 * PAGE, "itself", 6));
	EXPECT_EQ(madvise(map, SCRATCH_BYTES, MADV_DONTNEED), 0);
	EXPECT_EQ(result(pwrite(section, map, PAGE, 6 * PAGE)), PAGE);
	EXPECT(!memcmp(map + 6 * PAGE, "itself", 6));
	munmap(map, SCRATCH_BYTES);
	close(section);
}

static const struct tap_case cases[] = {
	{ "not open for that is EBADF", refused_descriptors },
	{ "offsets below 0 and far away", refused_offsets },
	{ "bad buffers are EFAULT, or a part", refused_buffers },
	{ "what is written is read, and mapped", whole_range },
	{ "reads end at the end, writes there are ENOSPC", ends },
	{ "a data file ends at its last byte", ends_at_the_byte },
	{ "readv and writev", vectors },
	{ "offsets and position are the view's", of_a_view },
	{ "what is written to a writecopy view is private", of_a_copy },
	{ "pages that PROTECT forbids are EACCES", of_protected_pages },
	{ "nodes of each mode", of_nodes },
	{ "a section is read into, and written from, its own memory", into_itself },
};

const struct tap_group group_io = TAP_GROUP("io", cases);
