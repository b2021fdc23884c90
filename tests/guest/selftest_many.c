// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As many handles as the device has: nobody else may want one meanwhile, so this
 * runs only by name.  The story of views has as many views.
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define RW VMSECT_GUEST_PROT_READWRITE
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
	{ "handles to the limit", handles_to_the_limit },
	{ "afterwards all is as before", all_given_back },
};

const struct tap_group group_many = TAP_GROUP("many", cases);
