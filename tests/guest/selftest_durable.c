// SPDX-License-Identifier: GPL-2.0-or-later
/* fsync and msync of each mode, RESET of private pages, and what RESET refuses. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MODES_DO(what)                                                                             \
	do {                                                                                       \
		what(VMSECT_MODE_RO);                                                              \
		what(VMSECT_MODE_RW);                                                              \
		what(VMSECT_MODE_COW);                                                             \
	} while (0)

static int mode_flags(uint32_t mode)
{
	return mode == VMSECT_MODE_RO ? O_RDONLY : O_RDWR;
}

static int sync_result(int result)
{
	return result < 0 ? -errno : 0;
}

/* The kernel does not ask the driver about a mapping that can never be written. */
static int msync_expected(uint32_t mode, int result)
{
	return mode == VMSECT_MODE_RO ? 0 : result;
}

/* All three ways agree: done, or not offered by the device. */
static void expect_synced(uint32_t mode)
{
	struct vmsect_guest_mapping map;
	int fd, result;

	if (!subjects[mode].name[0])
		return;
	NEED_EQ(subject_open(mode, mode_flags(mode), &fd), 0);
	NEED_EQ(vmsect_guest_map(fd, VMSECT_GUEST_READ, 0, 0, &map), 0);
	result = sync_result(fsync(fd));
	EXPECT(result == 0 || result == -EOPNOTSUPP);
	EXPECT_EQ(sync_result(fdatasync(fd)), result);
	EXPECT_EQ(sync_result(msync(map.addr, map.length, MS_SYNC)), msync_expected(mode, result));
	EXPECT_EQ(sync_result(msync((uint8_t *)map.addr + PAGE, PAGE, MS_SYNC)),
		  msync_expected(mode, result));
	EXPECT_EQ(sync_result(msync(map.addr, map.length, MS_ASYNC)), 0);
	vmsect_guest_unmap(&map);
	close(fd);
}

static void durable_synced(void)
{
	MODES_DO(expect_synced);
}

/* Pages past the end are nobody's to write back. */
static void expect_synced_past_end(uint32_t mode)
{
	struct vmsect_guest_mapping map;
	int fd, result;

	if (!subjects[mode].name[0])
		return;
	NEED_EQ(subject_open(mode, mode_flags(mode), &fd), 0);
	NEED_EQ(vmsect_guest_map(fd, VMSECT_GUEST_READ, subjects[mode].length - PAGE, 3 * PAGE,
				 &map),
		0);
	result = sync_result(fsync(fd));
	EXPECT_EQ(sync_result(msync(map.addr, map.length, MS_SYNC)), msync_expected(mode, result));
	if (result == 0)
		EXPECT_EQ(sync_result(msync((uint8_t *)map.addr + 2 * PAGE, PAGE, MS_SYNC)), 0);
	vmsect_guest_unmap(&map);
	close(fd);
}

static void durable_past_end(void)
{
	MODES_DO(expect_synced_past_end);
}

/* Whether the device can; a range of one page does no harm. */
static bool can_reset(uint32_t mode)
{
	bool can;
	int fd;

	if (subject_open(mode, O_RDWR, &fd))
		return false;
	can = vmsect_guest_reset(fd, subjects[mode].length - PAGE, PAGE) != -EOPNOTSUPP;
	close(fd);
	return can;
}

static void reset_refused_ranges(void)
{
	uint64_t length = subjects[VMSECT_MODE_COW].length;
	void *nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	SKIP_UNLESS_HAVE(VMSECT_MODE_COW);
	SKIP_UNLESS(can_reset(VMSECT_MODE_COW), "the device does not offer it");
	NEED_EQ(subject_open(VMSECT_MODE_COW, O_RDWR, &fd), 0);
	EXPECT_EQ(vmsect_guest_reset(fd, length, 0), -EINVAL);
	EXPECT_EQ(vmsect_guest_reset(fd, length, 1), -EINVAL);
	EXPECT_EQ(vmsect_guest_reset(fd, 0, length + 1), -EINVAL);
	EXPECT_EQ(vmsect_guest_reset(fd, 1, length), -EINVAL);
	EXPECT_EQ(vmsect_guest_reset(fd, PAGE, UINT64_MAX), -EINVAL);
	EXPECT_EQ(vmsect_guest_reset(fd, UINT64_MAX, 2), -EINVAL);
	EXPECT_EQ(vmsect_guest_reset(fd, UINT64_MAX, UINT64_MAX), -EINVAL);
	EXPECT(ioctl(fd, VMSECT_IOC_RESET, nowhere) < 0 && errno == EFAULT);
	close(fd);
	munmap(nowhere, PAGE);
}

static void reset_refused_nodes(void)
{
	int fd;

	NEED_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &fd), 0);
	EXPECT_EQ(vmsect_guest_reset(fd, 0, 0), -ENOTTY);
	close(fd);
	/* What is open to read alone takes nothing from others. */
	SKIP_UNLESS_HAVE(VMSECT_MODE_COW);
	NEED_EQ(subject_open(VMSECT_MODE_COW, O_RDONLY, &fd), 0);
	EXPECT_EQ(vmsect_guest_reset(fd, 0, 0), -EBADF);
	close(fd);
}

/* A view without private pages has none to drop. */
static void reset_of_shared(void)
{
	struct vmsect_guest_mapping map;
	volatile uint8_t *byte;
	uint8_t before;
	int fd;

	SKIP_UNLESS_HAVE(VMSECT_MODE_RW);
	SKIP_UNLESS(can_reset(VMSECT_MODE_RW), "the device does not offer it");
	NEED_EQ(subject_open(VMSECT_MODE_RW, O_RDWR, &fd), 0);
	NEED_EQ(vmsect_guest_map(fd, VMSECT_GUEST_READ | VMSECT_GUEST_WRITE, 0, PAGE, &map), 0);
	byte = map.addr;
	before = *byte;
	*byte = (uint8_t)~before;
	EXPECT_EQ(vmsect_guest_reset(fd, 0, 0), 0);
	EXPECT_EQ(*byte, (uint8_t)~before);
	*byte = before;
	vmsect_guest_unmap(&map);
	close(fd);
}

/* The page goes, under a mapping that is there; the one before it stays. */
static void reset_of_page(void)
{
	struct vmsect_guest_mapping map;
	volatile uint8_t *page;
	uint64_t offset = subjects[VMSECT_MODE_COW].length - 2 * PAGE;
	uint8_t before[2];
	int fd;

	SKIP_UNLESS_HAVE(VMSECT_MODE_COW);
	SKIP_UNLESS(subjects[VMSECT_MODE_COW].page_shift == 12, "pages of another size");
	SKIP_UNLESS(can_reset(VMSECT_MODE_COW), "the device does not offer it");
	NEED_EQ(subject_open(VMSECT_MODE_COW, O_RDWR, &fd), 0);
	NEED_EQ(vmsect_guest_map(fd, VMSECT_GUEST_READ | VMSECT_GUEST_WRITE, offset, 2 * PAGE,
				 &map),
		0);
	NEED_EQ(vmsect_guest_reset(fd, offset, 2 * PAGE), 0);
	page = map.addr;
	before[0] = page[0];
	before[1] = page[PAGE];
	page[0] = (uint8_t)~before[0];
	page[PAGE] = (uint8_t)~before[1];
	EXPECT_EQ(vmsect_guest_reset(fd, offset + PAGE + 1, 1), 0);
	EXPECT_EQ(page[0], (uint8_t)~before[0]);
	EXPECT_EQ(page[PAGE], before[1]);
	EXPECT_EQ(vmsect_guest_reset(fd, offset, 0), 0);
	EXPECT_EQ(page[0], before[0]);
	vmsect_guest_unmap(&map);
	close(fd);
}

static const struct tap_case cases[] = {
	{ "fsync, fdatasync and msync of each mode", durable_synced },
	{ "msync past the end", durable_past_end },
	{ "RESET past the end is EINVAL, a bad pointer EFAULT", reset_refused_ranges },
	{ "RESET of ctl is ENOTTY, of what is open to read EBADF", reset_refused_nodes },
	{ "RESET of a shared view changes nothing", reset_of_shared },
	{ "RESET drops one private page", reset_of_page },
};

const struct tap_group group_durable = TAP_GROUP("durable", cases);
