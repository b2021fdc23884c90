// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entries of 2 MiB.  Nodes count theirs (huge_faults); of views, which have no
 * node, only what their bytes are can be seen.
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE ((size_t)1 << 21)
#define MAP_RW (PROT_READ | PROT_WRITE)

static const struct vmsect_section *const rw = &subjects[VMSECT_MODE_RW];

#define SKIP_UNLESS_HUGE()                                                                         \
	SKIP_UNLESS(rw->name[0] && rw->length >= 2 * HUGE && rw->huge_shift == 21,                 \
		    "no section with huge_shift 21 and 4 MiB")

static long long huge_faults(void)
{
	return attribute_number(rw->name, "huge_faults");
}

static bool is_huge_aligned(const void *addr)
{
	return !((uintptr_t)addr & (HUGE - 1));
}

/* Maps the node from offset on; NULL with errno. */
static uint8_t *node_map(uint64_t offset, size_t length, int prot)
{
	uint8_t *map;
	int fd;

	if (subject_open(VMSECT_MODE_RW, O_RDWR, &fd))
		return NULL;
	map = shared_map(fd, offset, length, prot);
	close(fd);
	return map;
}

static void described(void)
{
	struct vmsect_view_info info;
	int section, view;

	EXPECT(rw->huge_shift == 12 || rw->huge_shift == 21 || !rw->name[0]);
	section = scratch_open(&(struct scratch){ .bytes = 2 * HUGE });
	NEED_FD(section);
	view = view_open(section, 0, 0, VMSECT_GUEST_PROT_READWRITE);
	NEED_FD(view);
	NEED_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT(info.huge_shift == 12 || info.huge_shift == 21);
	EXPECT(info.huge_shift == 12 || info.has_pages);
	close(view);
	close(section);
}

/* The kernel chooses addresses for 2 MiB in 64-bit programs only. */
#define SKIP_IF_32_BIT()                                                                           \
	SKIP_UNLESS(sizeof(long) == 8, "the kernel aligns no mapping of a 32-bit program")

/* One fault for 512 pages, and the address that allows it is chosen by itself. */
static void counted(void)
{
	long long before;
	uint8_t *map;
	size_t i;

	SKIP_IF_32_BIT();
	SKIP_UNLESS_HUGE();
	before = huge_faults();
	EXPECT(before >= 0);
	map = node_map(0, 2 * HUGE, MAP_RW);
	NEED_MAP(map);
	EXPECT(is_huge_aligned(map));
	for (i = 0; i < 2 * HUGE; i += PAGE)
		(void)*(volatile uint8_t *)(map + i);
	EXPECT_EQ(huge_faults() - before, 2);
	munmap(map, 2 * HUGE);
}

static void counted_write(void)
{
	long long before;
	uint8_t *map, byte;

	SKIP_IF_32_BIT();
	SKIP_UNLESS_HUGE();
	map = node_map(0, HUGE, MAP_RW);
	NEED_MAP(map);
	before = huge_faults();
	byte = 0;
	EXPECT_EQ(tap_store(map + HUGE - 1, 'w'), 0);
	EXPECT_EQ(huge_faults() - before, 1);
	EXPECT_EQ(map[HUGE - 1], 'w');
	EXPECT_EQ(tap_store(map + HUGE - 1, byte), 0);
	munmap(map, HUGE);
}

/* Where address and offset do not agree there are small pages, and the same bytes. */
static void unaligned(void)
{
	uint8_t *map, *place = mmap(NULL, 4 * HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *at = place + HUGE - ((uintptr_t)place & (HUGE - 1)) + PAGE;
	long long before;
	int fd;

	SKIP_UNLESS_HUGE();
	NEED_EQ(subject_open(VMSECT_MODE_RW, O_RDWR, &fd), 0);
	map = mmap(at, 2 * HUGE, MAP_RW, MAP_SHARED | MAP_FIXED, fd, 0);
	NEED_EQ(map == at, 1);
	before = huge_faults();
	EXPECT_EQ(tap_store(map + HUGE, 'u'), 0);
	EXPECT_EQ(pread(fd, place, 0, 0), 0);
	EXPECT_EQ(huge_faults(), before);
	EXPECT_EQ(tap_store(map + HUGE, 0), 0);
	munmap(place, 4 * HUGE);
	close(fd);
}

/* Bytes around a place where an entry has to be split. */
static void expect_split_is_right(uint8_t *map, size_t at)
{
	EXPECT_EQ(map[at - 1], 1);
	EXPECT_EQ(map[at + PAGE], 3);
}

static void split_by_munmap(void)
{
	int section = scratch_open(&(struct scratch){ .bytes = 2 * HUGE });
	const size_t at = 100 * PAGE;
	uint8_t *map, value;

	NEED_FD(section);
	map = shared_map(section, 0, 2 * HUGE, MAP_RW);
	NEED_MAP(map);
	map[at - 1] = 1;
	map[at] = 2;
	map[at + PAGE] = 3;
	munmap(map + at, PAGE);
	expect_split_is_right(map, at);
	EXPECT_EQ(tap_load(map + at, &value), SIGSEGV);
	EXPECT_EQ(pread(section, &value, 1, (off_t)at), 1);
	EXPECT_EQ(value, 2);
	munmap(map, 2 * HUGE);
	close(section);
}

static void split_by_mprotect(void)
{
	int section = scratch_open(&(struct scratch){ .bytes = 2 * HUGE });
	const size_t at = 200 * PAGE;
	uint8_t *map;

	NEED_FD(section);
	map = shared_map(section, 0, 2 * HUGE, MAP_RW);
	NEED_MAP(map);
	map[at - 1] = 1;
	map[at + PAGE] = 3;
	EXPECT_EQ(mprotect(map + at, PAGE, PROT_READ), 0);
	EXPECT_EQ(tap_store(map + at, 9), SIGSEGV);
	expect_split_is_right(map, at);
	EXPECT_EQ(tap_store(map + at + PAGE, 3), 0);
	EXPECT_EQ(mprotect(map + at, PAGE, MAP_RW), 0);
	EXPECT_EQ(tap_store(map + at, 9), 0);
	munmap(map, 2 * HUGE);
	close(section);
}

/* PROTECT of one page takes the large entry away, and brings no wider one back. */
static void split_by_protect(void)
{
	int section = scratch_open(&(struct scratch){ .bytes = 2 * HUGE }), view;
	const size_t at = 300 * PAGE;
	uint8_t *map, value;

	NEED_FD(section);
	view = view_open(section, 0, 0, VMSECT_GUEST_PROT_READWRITE);
	NEED_FD(view);
	map = shared_map(view, 0, 2 * HUGE, MAP_RW);
	NEED_MAP(map);
	map[at - 1] = 1;
	map[at] = 2;
	map[at + PAGE] = 3;
	NEED_EQ(protect(view, at, PAGE, VMSECT_GUEST_PROT_READONLY), 0);
	EXPECT_EQ(tap_store(map, 9), 0);
	EXPECT_EQ(tap_store(map + at, 9), SIGSEGV);
	EXPECT_EQ(tap_load(map + at, &value), 0);
	EXPECT_EQ(value, 2);
	expect_split_is_right(map, at);
	NEED_EQ(protect(view, 0, 0, VMSECT_GUEST_PROT_READWRITE), 0);
	EXPECT_EQ(tap_store(map + at, 9), 0);
	EXPECT_EQ(map[at], 9);
	munmap(map, 2 * HUGE);
	close(view);
	close(section);
}

/* A process's own copies, among large entries that it only reads. */
static void private_copies(void)
{
	int section = scratch_open(&(struct scratch){ .bytes = 2 * HUGE });
	const size_t at = 50 * PAGE;
	uint8_t *map, value;

	NEED_FD(section);
	map = mmap(NULL, 2 * HUGE, MAP_RW, MAP_PRIVATE, section, 0);
	NEED_EQ(map != MAP_FAILED, 1);
	EXPECT_EQ(pwrite(section, "\1\2", 2, (off_t)at), 2);
	EXPECT_EQ(map[at], 1);
	map[at] = 7;
	EXPECT_EQ(map[at + 1], 2);
	EXPECT_EQ(pread(section, &value, 1, (off_t)at), 1);
	EXPECT_EQ(value, 1);
	EXPECT_EQ(pwrite(section, "\5", 1, (off_t)at + PAGE), 1);
	EXPECT_EQ(map[at + PAGE], 5);
	EXPECT_EQ(map[at], 7);
	munmap(map, 2 * HUGE);
	close(section);
}

static int child_stores(void *context)
{
	uint8_t *map = context;

	map[HUGE + 3] = 'c';
	return map[3] == 'p' ? 0 : 1;
}

static void over_fork(void)
{
	int section = scratch_open(&(struct scratch){ .bytes = 2 * HUGE });
	uint8_t *map;

	NEED_FD(section);
	map = shared_map(section, 0, 2 * HUGE, MAP_RW);
	NEED_MAP(map);
	map[3] = 'p';
	EXPECT_EQ(in_child(child_stores, map), 0);
	EXPECT_EQ(map[HUGE + 3], 'c');
	munmap(map, 2 * HUGE);
	close(section);
}

static const struct tap_case cases[] = {
	{ "huge pages: QUERY_VIEW tells of them", described },
	{ "huge pages: two faults for 4 MiB", counted },
	{ "huge pages: one fault for a store", counted_write },
	{ "huge pages: none where address and offset disagree", unaligned },
	{ "huge pages: split by munmap", split_by_munmap },
	{ "huge pages: split by mprotect", split_by_mprotect },
	{ "huge pages: split by PROTECT", split_by_protect },
	{ "huge pages: private copies", private_copies },
	{ "huge pages: fork", over_fork },
};

const struct tap_group group_huge = TAP_GROUP("huge", cases);
