// SPDX-License-Identifier: GPL-2.0-or-later
/* Private pages of writecopy views: RESET, DIFF and what QUERY_PAGES says of them. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW VMSECT_GUEST_PROT_READWRITE
#define WC VMSECT_GUEST_PROT_WRITECOPY

/* A section of 16 pages and a writecopy view of all but its first. */
#define SECTION_PAGES 16
#define VIEW_PAGES 15

static int copy_open(int *ret_section)
{
	int section = scratch_open(&(struct scratch){ .bytes = SECTION_PAGES * PAGE });
	int view;

	if (section < 0)
		return section;
	view = view_open(section, PAGE, 0, WC);
	*ret_section = section;
	return view;
}

static void page_touch(int view, int page)
{
	EXPECT_EQ(pwrite(view, "x", 1, (off_t)page * PAGE + page), 1);
}

static int diff(int view, uint64_t after, struct vmsect_range *ranges, uint32_t count,
		struct vmsect_diff *ret_diff)
{
	*ret_diff = (struct vmsect_diff){
		.after = after,
		.ranges = (uintptr_t)ranges,
		.count = count,
	};
	return call(view, VMSECT_IOC_DIFF, ret_diff);
}

static void diff_refused(void)
{
	uint8_t *nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vmsect_range range;
	struct vmsect_diff arg;
	int section, view = copy_open(&section);

	NEED_FD(view);
	page_touch(view, 0);
	EXPECT_EQ(diff(view, 0, &range, 0, &arg), -EINVAL);
	EXPECT_EQ(diff(view, (VIEW_PAGES + 1) * PAGE, &range, 1, &arg), -EINVAL);
	EXPECT_EQ(diff(view, UINT64_MAX - PAGE + 1, &range, 1, &arg), -EINVAL);
	EXPECT_EQ(diff(view, 0, (struct vmsect_range *)nowhere, 1, &arg), -EFAULT);
	EXPECT_EQ(diff(view, VIEW_PAGES * PAGE, &range, 1, &arg), 0);
	EXPECT_EQ(arg.count, 0);
	EXPECT_EQ(arg.more, 0);
	munmap(nowhere, PAGE);
	close(view);
	close(section);
}

/* Two pages side by side, two alone; room for two ranges at a time. */
static void diff_in_parts(void)
{
	struct vmsect_range ranges[3] = { { 0, 0 }, { 0, 0 }, { 77, 77 } };
	struct vmsect_diff arg;
	int section, view = copy_open(&section);

	NEED_FD(view);
	EXPECT_EQ(diff(view, 0, ranges, 2, &arg), 0);
	EXPECT_EQ(arg.count, 0);
	EXPECT_EQ(arg.more, 0);
	page_touch(view, 2);
	page_touch(view, 3);
	page_touch(view, 7);
	page_touch(view, VIEW_PAGES - 1);
	NEED_EQ(diff(view, 0, ranges, 2, &arg), 0);
	EXPECT_EQ(arg.count, 2);
	EXPECT_EQ(arg.more, 1);
	EXPECT(ranges[0].offset == 2 * PAGE && ranges[0].length == 2 * PAGE);
	EXPECT(ranges[1].offset == 7 * PAGE && ranges[1].length == PAGE);
	EXPECT_EQ(ranges[2].offset, 77);
	NEED_EQ(diff(view, arg.after, ranges, 2, &arg), 0);
	EXPECT_EQ(arg.count, 1);
	EXPECT_EQ(arg.more, 0);
	EXPECT(ranges[0].offset == (VIEW_PAGES - 1) * PAGE && ranges[0].length == PAGE);
	close(view);
	close(section);
}

/* More ranges than one answer of the device can have. */
static void diff_many(void)
{
	enum { PAGES = 1200, RANGES = PAGES / 2 };
	static struct vmsect_range ranges[RANGES + 1];
	int section = scratch_open(&(struct scratch){ .bytes = PAGES * PAGE }), view, i;
	uint32_t found = 0;
	struct vmsect_diff arg = { 0 };

	NEED_FD(section);
	view = view_open(section, 0, 0, WC);
	NEED_FD(view);
	for (i = 1; i < PAGES; i += 2)
		EXPECT_EQ(pwrite(view, "x", 1, (off_t)i * PAGE), 1);
	do {
		NEED_EQ(diff(view, arg.after, ranges + found, RANGES + 1 - found, &arg), 0);
		EXPECT(arg.count > 0 || !arg.more);
		found += arg.count;
	} while (arg.more && arg.count);
	EXPECT_EQ(found, RANGES);
	for (i = 0; i < RANGES; i++)
		EXPECT(ranges[i].offset == (uint64_t)(2 * i + 1) * PAGE &&
		       ranges[i].length == PAGE);
	close(view);
	close(section);
}

static void diff_of_shared(void)
{
	struct vmsect_range range;
	struct vmsect_diff arg;
	int section = scratch_open(&(struct scratch){ 0 }), view;

	NEED_FD(section);
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	page_touch(view, 1);
	EXPECT_EQ(diff(view, 0, &range, 1, &arg), 0);
	EXPECT_EQ(arg.count, 0);
	close(view);
	close(section);
}

static void query_private(void)
{
	struct vmsect_page_run run = { .offset = 5 * PAGE + 9 };
	struct vmsect_view_info info;
	int section, view = copy_open(&section);

	NEED_FD(view);
	page_touch(view, 5);
	NEED_EQ(call(view, VMSECT_IOC_QUERY_PAGES, &run), 0);
	EXPECT_EQ(run.offset, 5 * PAGE);
	EXPECT_EQ(run.length, PAGE);
	EXPECT_EQ(run.protection, RW);
	EXPECT_EQ(run.flags, VMSECT_GUEST_PAGES_F_COMMITTED | VMSECT_GUEST_PAGES_F_PRIVATE);
	run = (struct vmsect_page_run){ .offset = 4 * PAGE };
	NEED_EQ(call(view, VMSECT_IOC_QUERY_PAGES, &run), 0);
	EXPECT_EQ(run.protection, WC);
	EXPECT_EQ(run.flags, VMSECT_GUEST_PAGES_F_COMMITTED);
	NEED_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(info.private_bytes, PAGE);
	close(view);
	close(section);
}

/* Under mappings that are there, in every process. */
static void reset_under_mappings(void)
{
	struct vmsect_range all = { 0 };
	struct vmsect_view_info info;
	int section, view = copy_open(&section);
	uint8_t *map;

	NEED_FD(view);
	map = shared_map(view, 0, VIEW_PAGES * PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	EXPECT_EQ(pwrite(section, "under", 5, 3 * PAGE), 5);
	memset(map, 'o', VIEW_PAGES * PAGE);
	NEED_EQ(call(view, VMSECT_IOC_RESET, &all), 0);
	EXPECT(!memcmp(map + 2 * PAGE, "under", 5));
	EXPECT_EQ(map[0], 0);
	NEED_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(info.private_bytes, 0);
	map[0] = 'n';
	EXPECT_EQ(map[0], 'n');
	munmap(map, VIEW_PAGES * PAGE);
	close(view);
	close(section);
}

/* Two views of one section, each with pages of its own. */
static void reset_of_one_view(void)
{
	struct vmsect_range all = { 0 };
	int section, first = copy_open(&section), second;
	uint8_t byte = 0;

	NEED_FD(first);
	second = view_open(section, PAGE, 0, WC);
	NEED_FD(second);
	EXPECT_EQ(pwrite(first, "1", 1, 0), 1);
	EXPECT_EQ(pwrite(second, "2", 1, 0), 1);
	NEED_EQ(call(first, VMSECT_IOC_RESET, &all), 0);
	EXPECT_EQ(pread(first, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 0);
	EXPECT_EQ(pread(second, &byte, 1, 0), 1);
	EXPECT_EQ(byte, '2');
	close(second);
	close(first);
	close(section);
}

/* Private pages end with the view: a new one of the same place has none. */
static void gone_with_the_view(void)
{
	int section, view = copy_open(&section);
	uint8_t byte = POISON;

	NEED_FD(view);
	page_touch(view, 0);
	close(view);
	view = view_open(section, PAGE, 0, WC);
	NEED_FD(view);
	EXPECT_EQ(pread(view, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 0);
	close(view);
	close(section);
}

static const struct tap_case cases[] = {
	{ "DIFF: no room or not in the view is EINVAL, bad arrays EFAULT", diff_refused },
	{ "DIFF: in parts", diff_in_parts },
	{ "DIFF: of 600 ranges", diff_many },
	{ "DIFF: of a shared view is none", diff_of_shared },
	{ "QUERY_PAGES: private pages", query_private },
	{ "RESET: under mappings that are there", reset_under_mappings },
	{ "RESET: of one of two views", reset_of_one_view },
	{ "private pages go with their view", gone_with_the_view },
};

const struct tap_group group_cow = TAP_GROUP("cow", cases);
