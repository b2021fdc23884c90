// SPDX-License-Identifier: GPL-2.0-or-later
/* COMMIT: sections made with RESERVE, whose pages are there once they are committed. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RO VMSECT_GUEST_PROT_READONLY
#define RW VMSECT_GUEST_PROT_READWRITE
#define LIMIT_MS 10000

static int reserve_open(void)
{
	return scratch_open(&(struct scratch){ .flags = VMSECT_GUEST_CREATE_F_RESERVE });
}

static int commit(int fd, uint64_t offset, uint64_t length, uint32_t protection)
{
	struct vmsect_protect arg = {
		.offset = offset,
		.length = length,
		.protection = protection,
	};

	return call(fd, VMSECT_IOC_COMMIT, &arg);
}

static void refused(void)
{
	int section = reserve_open(), view, reads;

	NEED_FD(section);
	view = view_open(section, 0, 0, RW);
	reads = view_open(section, 0, 0, RO);
	NEED_FD(view);
	NEED_FD(reads);
	EXPECT_EQ(commit(view, 0, 0, 0), -EINVAL);
	EXPECT_EQ(commit(view, 0, PAGE, 9), -EINVAL);
	EXPECT_EQ(commit(view, 0, SCRATCH_BYTES + 1, 0), -EEXIST);
	EXPECT_EQ(commit(view, SCRATCH_BYTES, PAGE, 0), -EEXIST);
	EXPECT_EQ(commit(view, 0, PAGE, VMSECT_GUEST_PROT_EXECUTE), -EACCES);
	EXPECT_EQ(commit(reads, 0, PAGE, 0), -EBADF);
	close(reads);
	close(view);
	close(section);
}

static void refused_of_file(void)
{
	int fd;

	SKIP_UNLESS(!vmsect_guest_open("odd", O_RDWR, &fd), "no section `odd'");
	EXPECT_EQ(commit(fd, 0, PAGE, 0), -EPERM);
	close(fd);
}

static void refused_of_committed(void)
{
	int section = scratch_open(&(struct scratch){ 0 });

	NEED_FD(section);
	/* Once more is fine. */
	EXPECT_EQ(commit(section, 0, PAGE, 0), 0);
	EXPECT_EQ(commit(section, 0, SCRATCH_BYTES, 0), 0);
	close(section);
}

static void describes(void)
{
	struct vmsect_page_run run = { .offset = 0 };
	struct vmsect_section info;
	int section = reserve_open();

	NEED_FD(section);
	NEED_EQ(vmsect_guest_query(section, &info), 0);
	EXPECT_EQ(info.section_flags, VMSECT_GUEST_SECTION_F_RESERVE);
	EXPECT_EQ(info.committed_bytes, 0);
	EXPECT_EQ(commit(section, PAGE, PAGE, 0), 0);
	NEED_EQ(vmsect_guest_query(section, &info), 0);
	EXPECT_EQ(info.committed_bytes, PAGE);
	NEED_EQ(call(section, VMSECT_IOC_QUERY_PAGES, &run), 0);
	EXPECT_EQ(run.length, PAGE);
	EXPECT_EQ(run.flags & VMSECT_GUEST_PAGES_F_COMMITTED, 0);
	run = (struct vmsect_page_run){ .offset = PAGE };
	NEED_EQ(call(section, VMSECT_IOC_QUERY_PAGES, &run), 0);
	EXPECT_EQ(run.flags & VMSECT_GUEST_PAGES_F_COMMITTED, VMSECT_GUEST_PAGES_F_COMMITTED);
	close(section);
}

/* What was committed is there, for all views and at once. */
static void there_for_all(void)
{
	int section = reserve_open(), view;
	uint8_t *map, byte = POISON;

	NEED_FD(section);
	view = view_open(section, 2 * PAGE, 0, RW);
	NEED_FD(view);
	map = shared_map(section, 0, SCRATCH_BYTES, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	NEED_EQ(commit(view, 0, 2 * PAGE, 0), 0);
	EXPECT_EQ(tap_store(map + 2 * PAGE, 'c'), 0);
	EXPECT_EQ(pread(view, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 'c');
	EXPECT_EQ(tap_load(map + 3 * PAGE, &byte), 0);
	EXPECT_EQ(byte, 0);
	munmap(map, SCRATCH_BYTES);
	close(view);
	close(section);
}

/* Waits until a page is no longer there, or there, as the device has said. */
static int load_until(uint8_t *at, int signal)
{
	int64_t limit = now_ms() + LIMIT_MS;
	uint8_t value;
	int got;

	while ((got = tap_load(at, &value)) != signal && now_ms() < limit)
		poll(NULL, 0, 1);
	return got;
}

/* A touch finds nothing; what is committed afterwards is found. */
static void touched_before(void)
{
	int section = reserve_open();
	uint8_t *map, byte;

	NEED_FD(section);
	map = shared_map(section, 0, SCRATCH_BYTES, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	EXPECT_EQ(load_until(map, SIGBUS), SIGBUS);
	EXPECT(pread(section, &byte, 1, 0) < 0 && errno == EIO);
	NEED_EQ(commit(section, 0, PAGE, 0), 0);
	EXPECT_EQ(load_until(map, 0), 0);
	EXPECT_EQ(tap_store(map, 't'), 0);
	EXPECT_EQ(pread(section, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 't');
	munmap(map, SCRATCH_BYTES);
	close(section);
}

static void with_protection(void)
{
	int section = reserve_open(), view;
	uint8_t *map, value;

	NEED_FD(section);
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	map = shared_map(view, 0, SCRATCH_BYTES, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	NEED_EQ(commit(view, 0, PAGE, RO), 0);
	EXPECT_EQ(tap_load(map, &value), 0);
	EXPECT_EQ(tap_store(map, 1), SIGSEGV);
	munmap(map, SCRATCH_BYTES);
	close(view);
	close(section);
}

/* VIEW with `commit': from the view's start on. */
static void with_the_view(void)
{
	struct vmsect_view_request want = {
		.offset = PAGE,
		.length = 4 * PAGE,
		.commit = 2 * PAGE,
		.protection = RW,
	};
	int section = reserve_open(), view;
	struct vmsect_page_run run = { 0 };

	NEED_FD(section);
	view = call(section, VMSECT_IOC_VIEW, &want);
	NEED_FD(view);
	EXPECT_EQ(pwrite(view, "v", 1, 2 * PAGE - 1), 1);
	NEED_EQ(call(view, VMSECT_IOC_QUERY_PAGES, &run), 0);
	EXPECT_EQ(run.length, 2 * PAGE);
	EXPECT_EQ(run.flags, VMSECT_GUEST_PAGES_F_COMMITTED);
	close(view);
	close(section);
}

static const struct tap_case cases[] = {
	{ "COMMIT: EINVAL, EEXIST, EACCES, EBADF", refused },
	{ "COMMIT: of a data file is EPERM", refused_of_file },
	{ "COMMIT: once more is fine", refused_of_committed },
	{ "QUERY, QUERY_PAGES: what is committed", describes },
	{ "COMMIT: for all views", there_for_all },
	{ "COMMIT: of a page that was touched before", touched_before },
	{ "COMMIT: with a protection", with_protection },
	{ "VIEW: commits", with_the_view },
};

const struct tap_group group_commit = TAP_GROUP("commit", cases);
