// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The limits of the device: handles, and a thousand views in one guest.  Takes
 * its time, so it runs only by name.
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define RW VMSECT_GUEST_PROT_READWRITE
#define VIEWS 1000
#define FDS 4096

static int fds[FDS];

static void fds_close(int count)
{
	while (count > 0)
		close(fds[--count]);
}

static int fds_allow(void)
{
	const struct rlimit limit = { FDS + 64, FDS + 64 };

	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

/* Each of a page of its own, all there at once. */
static void thousand_views(void)
{
	int section = scratch_open(&(struct scratch){ .bytes = VIEWS * PAGE }), i;
	uint32_t value;

	NEED_FD(section);
	NEED_EQ(fds_allow(), 0);
	for (i = 0; i < VIEWS; i++) {
		fds[i] = view_open(section, (uint64_t)i * PAGE, PAGE, RW);
		NEED_FD(fds[i]);
		value = (uint32_t)i;
		EXPECT_EQ(pwrite(fds[i], &value, sizeof(value), 8), (long long)sizeof(value));
	}
	for (i = 0; i < VIEWS; i++) {
		EXPECT_EQ(pread(section, &value, sizeof(value), (off_t)i * PAGE + 8),
			  (long long)sizeof(value));
		EXPECT_EQ(value, i);
	}
	fds_close(VIEWS);
	close(section);
}

/* The device says how many; one more is EDQUOT, and after a close it is there. */
static void views_to_the_limit(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), count = 0, fd;

	NEED_FD(section);
	NEED_EQ(fds_allow(), 0);
	while (count < FDS && (fd = view_open(section, 0, PAGE, RW)) >= 0)
		fds[count++] = fd;
	EXPECT(count >= VIEWS);
	EXPECT_EQ(fd, -EDQUOT);
	close(fds[--count]);
	fd = view_open(section, 0, PAGE, RW);
	EXPECT(fd >= 0);
	close(fd);
	fds_close(count);
	close(section);
}

static void handles_to_the_limit(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), count = 0, fd;

	NEED_FD(section);
	NEED_EQ(fds_allow(), 0);
	while (count < FDS && (fd = duplicate(section, VMSECT_GUEST_ACCESS_READ)) >= 0)
		fds[count++] = fd;
	EXPECT(count > 100);
	EXPECT_EQ(fd, -EDQUOT);
	fds_close(count);
	EXPECT_EQ(pwrite(section, "x", 1, 0), 1);
	close(section);
}

/* Afterwards there is as much as before. */
static void all_given_back(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t *map;

	NEED_FD(section);
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	map = shared_map(view, 0, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	map[0] = 1;
	munmap(map, PAGE);
	close(view);
	close(section);
}

static const struct tap_case cases[] = {
	{ "a thousand views", thousand_views },
	{ "views to the limit", views_to_the_limit },
	{ "handles to the limit", handles_to_the_limit },
	{ "afterwards all is as before", all_given_back },
};

const struct tap_group group_many = TAP_GROUP("many", cases);
