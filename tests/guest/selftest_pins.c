// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that the kernel holds, here by a pipe that vmsplice has filled: the view
 * that was closed stays until they are let go, and all else goes on.
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define RW VMSECT_GUEST_PROT_READWRITE
#define MAP_RW (PROT_READ | PROT_WRITE)
#define LIMIT_MS 30000

static long long views_pending(void)
{
	return attribute_number(NULL, "views_pending");
}

static bool pending_becomes(long long wanted)
{
	int64_t limit = now_ms() + LIMIT_MS;

	while (views_pending() != wanted && now_ms() < limit)
		poll(NULL, 0, 5);
	return views_pending() == wanted;
}

/* Pins the first page of a descriptor that can be mapped; 0 or -errno. */
static int pin(int fd, int pipes[2])
{
	struct iovec vec = { .iov_len = PAGE };
	int err = 0;

	vec.iov_base = shared_map(fd, 0, PAGE, MAP_RW);
	if (!vec.iov_base)
		return -errno;
	if (pipe(pipes) < 0 || vmsplice(pipes[1], &vec, 1, 0) != PAGE)
		err = -errno;
	munmap(vec.iov_base, PAGE);
	return err;
}

static void unpin(int pipes[2])
{
	close(pipes[0]);
	close(pipes[1]);
}

static void delays_the_unmap(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view, pipes[2] = { -1, -1 };
	uint8_t bytes[PAGE] = { 0 };

	NEED_FD(section);
	SKIP_UNLESS(pending_becomes(0), "views of others are pending");
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	EXPECT_EQ(pwrite(view, "pinned", 6, 0), 6);
	NEED_EQ(pin(view, pipes), 0);
	close(view);
	EXPECT(pending_becomes(1));
	EXPECT_EQ(pread(section, bytes, 6, 0), 6);
	/* The pages behind the pin are still the section's. */
	EXPECT_EQ(pwrite(section, "PINNED", 6, 0), 6);
	EXPECT_EQ(read(pipes[0], bytes, PAGE), PAGE);
	EXPECT(!memcmp(bytes, "PINNED", 6));
	EXPECT(pending_becomes(0));
	unpin(pipes);
	close(section);
}

static void others_go_on(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view, pipes[2] = { -1, -1 }, i;

	NEED_FD(section);
	SKIP_UNLESS(pending_becomes(0), "views of others are pending");
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	NEED_EQ(pin(view, pipes), 0);
	close(view);
	for (i = 0; i < 20; i++) {
		int other = view_open(section, 0, 0, RW);

		NEED_FD(other);
		EXPECT_EQ(pwrite(other, "o", 1, i), 1);
		close(other);
	}
	EXPECT(pending_becomes(1));
	unpin(pipes);
	EXPECT(pending_becomes(0));
	close(section);
}

/* The last handle too: section and view are closed, the page is not free. */
static void outlives_everything(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), pipes[2] = { -1, -1 };
	uint8_t bytes[PAGE] = { 0 };

	NEED_FD(section);
	EXPECT_EQ(pwrite(section, "last", 4, 0), 4);
	NEED_EQ(pin(section, pipes), 0);
	close(section);
	EXPECT(pending_becomes(1));
	EXPECT_EQ(read(pipes[0], bytes, PAGE), PAGE);
	EXPECT(!memcmp(bytes, "last", 4));
	unpin(pipes);
	EXPECT(pending_becomes(0));
}

/* PROTECT does not wait for a pin: what a device was promised it may still do. */
static void protect_goes_on(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view, pipes[2] = { -1, -1 };

	NEED_FD(section);
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	NEED_EQ(pin(view, pipes), 0);
	EXPECT_EQ(protect(view, 0, PAGE, VMSECT_GUEST_PROT_READONLY), 0);
	EXPECT_EQ(protect(view, 0, PAGE, RW), 0);
	unpin(pipes);
	close(view);
	close(section);
}

static const struct tap_case cases[] = {
	{ "a pinned page delays the end of a closed view", delays_the_unmap },
	{ "a pinned page holds up nothing else", others_go_on },
	{ "a pinned page outlives view and section", outlives_everything },
	{ "PROTECT does not wait for pins", protect_goes_on },
};

const struct tap_group group_pins = TAP_GROUP("pins", cases);
