// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-lies-test: the driver and a device whose replies are not true.
 *
 * Each lie is one value poked into a good reply (tests/guest/fake_device).  The
 * driver refuses it, or what programs see of it is within their own object; what
 * the device gave is given back.  The kernel log is for the caller to look at.
 */
#include "guest/lies.h"
#include "guest/selftest.h"
#include "vmsect_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PARAMETERS "/sys/module/vmsect_fake/parameters/"
#define TIME_LIMIT_S 120
#define LIMIT_MS 20000
#define RW VMSECT_GUEST_PROT_READWRITE

bool device_set(const char *parameter, const char *value)
{
	char path[128];
	bool done;
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "%s", parameter);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, value, strlen(value)) > 0;
	close(fd);
	return done;
}

void lie(unsigned int op, unsigned int offset, unsigned int bytes, uint64_t value)
{
	char text[64];

	snprintf(text, sizeof(text), "%u,%u,%u,%lld", op, offset, bytes, (long long)value);
	EXPECT(device_set("poke", text));
}

void lies_end(void)
{
	EXPECT(device_set("poke", "0"));
}

void event_send(const char *event)
{
	int64_t limit = now_ms() + LIMIT_MS;

	while (!device_set("event", event) && now_ms() < limit)
		poll(NULL, 0, 1);
}

bool made_becomes(const char *wanted)
{
	int64_t limit = now_ms() + LIMIT_MS;
	char made[32];
	FILE *file;

	do {
		file = fopen(PARAMETERS "made", "re");
		if (!file || !fgets(made, sizeof(made), file))
			made[0] = '\0';
		if (file)
			fclose(file);
		made[strcspn(made, "\n")] = '\0';
		if (!strcmp(made, wanted))
			return true;
		poll(NULL, 0, 5);
	} while (now_ms() < limit);
	tap_note("handles and views are %s, not %s", made, wanted);
	return false;
}

int section_open(void)
{
	struct vmsect_open arg = { .access = 0x3f, .name = RW_NAME };
	int ctl = ctl_open(O_RDWR), fd;

	fd = call(ctl, VMSECT_IOC_OPEN, &arg);
	close(ctl);
	return fd;
}

static void honest(void)
{
	int section = section_open(), view;
	uint8_t byte = 0;

	NEED_FD(section);
	EXPECT(made_becomes("1 0"));
	view = view_open(section, 0, PAGE, RW);
	NEED_FD(view);
	EXPECT(made_becomes("1 1"));
	EXPECT_EQ(pwrite(view, "h", 1, 5), 1);
	EXPECT_EQ(pread(view, &byte, 1, 5), 1);
	EXPECT_EQ(byte, 'h');
	close(view);
	close(section);
	EXPECT(made_becomes("0 0"));
}

/* A handle that is none is refused; a section that makes no sense does no harm. */
static void of_open(void)
{
	static const struct {
		unsigned int offset, bytes;
		uint64_t value;
	} lies[] = {
#define SECTION_LIE(field, lied)                                                                   \
	{ offsetof(struct vmsect_rsp_open, section.field),                                         \
	  sizeof(((struct vmsect_rsp_open *)0)->section.field), lied }
		SECTION_LIE(size_bytes, 0),	   SECTION_LIE(size_bytes, UINT64_MAX),
		SECTION_LIE(max_bytes, 1),	   SECTION_LIE(protection, 0),
		SECTION_LIE(protection, 99),	   SECTION_LIE(backing, 99),
		SECTION_LIE(page_shift, 0),	   SECTION_LIE(page_shift, 255),
		SECTION_LIE(access, UINT32_MAX),   SECTION_LIE(section_flags, UINT32_MAX),
		SECTION_LIE(io_error, UINT32_MAX),
	};
	struct vmsect_section info;
	uint8_t byte;
	size_t i;
	int fd;

	lie(VMSECT_REQ_OPEN, offsetof(struct vmsect_rsp_open, handle), 4, 0);
	EXPECT_EQ(section_open(), -EIO);
	lies_end();
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		lie(VMSECT_REQ_OPEN, lies[i].offset, lies[i].bytes, lies[i].value);
		fd = section_open();
		lies_end();
		if (fd < 0)
			continue;
		/* Whatever the answer is, it is one. */
		EXPECT(call(fd, VMSECT_IOC_QUERY, &info) <= 0);
		EXPECT(pread(fd, &byte, 1, 0) <= 1);
		EXPECT(lseek(fd, 0, SEEK_END) >= -1);
		close(fd);
	}
	/* One handle was called 0: the device has it still. */
	EXPECT(made_becomes("1 0"));
}

#define VIEW_FIELD(field) offsetof(struct vmsect_rsp_map, view.field)

static void expect_map_refused(unsigned int offset, unsigned int bytes, uint64_t value)
{
	int section = section_open(), view;

	NEED_FD(section);
	lie(VMSECT_REQ_MAP, offset, bytes, value);
	view = view_open(section, 0, PAGE, RW);
	lies_end();
	if (view >= 0)
		tap_note("a view with %llx at %u", (unsigned long long)value, offset);
	EXPECT(view < 0);
	if (view >= 0)
		close(view);
	close(section);
}

/* Outside the window, over another view, of no pages, of another's number. */
static void of_map(void)
{
	expect_map_refused(VIEW_FIELD(length), 8, 0);
	expect_map_refused(VIEW_FIELD(length), 8, 1);
	expect_map_refused(VIEW_FIELD(length), 8, PAGE + 1);
	expect_map_refused(VIEW_FIELD(length), 8, UINT64_MAX);
	expect_map_refused(VIEW_FIELD(length), 8, UINT64_MAX - PAGE + 1);
	expect_map_refused(VIEW_FIELD(length), 8, 64 << 20);
	expect_map_refused(VIEW_FIELD(window_offset), 8, 1);
	expect_map_refused(VIEW_FIELD(window_offset), 8, 64 << 20);
	expect_map_refused(VIEW_FIELD(window_offset), 8, (uint64_t)-PAGE);
	expect_map_refused(VIEW_FIELD(window_offset), 8, 0);
	expect_map_refused(VIEW_FIELD(window_offset), 8, 0x400000 + PAGE);
	expect_map_refused(VIEW_FIELD(room), 8, UINT64_MAX);
	expect_map_refused(VIEW_FIELD(room), 8, 60 << 20);
	expect_map_refused(VIEW_FIELD(room), 8, PAGE + 1);
	expect_map_refused(VIEW_FIELD(protection), 4, 0);
	expect_map_refused(VIEW_FIELD(protection), 4, 99);
	/* What was refused was given back; the handle of the case before stays. */
	EXPECT(made_becomes("1 0"));
	expect_map_refused(VIEW_FIELD(view), 4, RW_VIEW);
	/* Which was taken for the attachment's, and the device refused to unmap it. */
	EXPECT(made_becomes("1 1"));
}

/* A second view in the place of the first, which goes on. */
static void of_map_twice(void)
{
	int section = section_open(), first, second;
	uint8_t *map;

	NEED_FD(section);
	first = view_open(section, 0, PAGE, RW);
	NEED_FD(first);
	map = shared_map(first, 0, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	map[0] = 1;
	lie(VMSECT_REQ_MAP, VIEW_FIELD(window_offset), 8, (9 + 1) * (UINT64_C(1) << 21));
	second = view_open(section, 0, PAGE, RW);
	lies_end();
	EXPECT(second < 0);
	EXPECT_EQ(map[0], 1);
	munmap(map, PAGE);
	close(first);
	close(section);
}

static void expect_run_sane(int fd)
{
	struct vmsect_page_run run = { .offset = 2 * PAGE + 1 };
	int err = call(fd, VMSECT_IOC_QUERY_PAGES, &run);

	lies_end();
	if (err) {
		EXPECT_EQ(err, -EIO);
		return;
	}
	/* A loop over runs must come to an end. */
	EXPECT(run.length > 0);
	EXPECT(run.offset <= 2 * PAGE && run.length <= RW_BYTES - run.offset);
	EXPECT(run.offset + run.length > 2 * PAGE + 1);
}

static void of_query_pages(void)
{
	const unsigned int offset = offsetof(struct vmsect_rsp_query_pages, offset);
	const unsigned int length = offsetof(struct vmsect_rsp_query_pages, length);
	int fd;

	NEED_EQ(vmsect_guest_open(RW_NAME, O_RDWR, &fd), 0);
	lie(VMSECT_REQ_QUERY_PAGES, length, 8, 0);
	expect_run_sane(fd);
	lie(VMSECT_REQ_QUERY_PAGES, length, 8, UINT64_MAX);
	expect_run_sane(fd);
	lie(VMSECT_REQ_QUERY_PAGES, length, 8, PAGE);
	expect_run_sane(fd);
	lie(VMSECT_REQ_QUERY_PAGES, length, 8, RW_BYTES + PAGE);
	expect_run_sane(fd);
	lie(VMSECT_REQ_QUERY_PAGES, offset, 8, 3 * PAGE);
	expect_run_sane(fd);
	lie(VMSECT_REQ_QUERY_PAGES, offset, 8, UINT64_MAX);
	expect_run_sane(fd);
	expect_run_sane(fd);
	close(fd);
}

static void expect_diff_sane(int fd)
{
	struct vmsect_range ranges[8];
	struct vmsect_diff arg = { .ranges = (uintptr_t)ranges, .count = 8 };
	int err = call(fd, VMSECT_IOC_DIFF, &arg);
	uint64_t end = 0;
	uint32_t i;

	lies_end();
	if (err) {
		EXPECT_EQ(err, -EIO);
		return;
	}
	EXPECT(arg.count <= 8);
	EXPECT(arg.count > 0 || !arg.more);
	for (i = 0; i < arg.count && i < 8; i++) {
		EXPECT(ranges[i].offset >= end && ranges[i].length > 0);
		EXPECT(ranges[i].offset < RW_BYTES &&
		       ranges[i].length <= RW_BYTES - ranges[i].offset);
		end = ranges[i].offset + ranges[i].length;
	}
	EXPECT(arg.after >= end);
}

static void of_diff(void)
{
	const unsigned int first = sizeof(struct vmsect_rsp_diff);
	int fd;

	NEED_EQ(vmsect_guest_open(RW_NAME, O_RDWR, &fd), 0);
	expect_diff_sane(fd);
	/* Always another, of none: a driver that believes it asks for ever. */
	lie(VMSECT_REQ_DIFF, offsetof(struct vmsect_rsp_diff, count), 8, UINT64_C(1) << 32);
	expect_diff_sane(fd);
	/* The same again and again. */
	lie(VMSECT_REQ_DIFF, offsetof(struct vmsect_rsp_diff, count), 8, UINT64_C(1) << 32 | 1);
	expect_diff_sane(fd);
	lie(VMSECT_REQ_DIFF, offsetof(struct vmsect_rsp_diff, count), 4, UINT32_MAX);
	expect_diff_sane(fd);
	lie(VMSECT_REQ_DIFF, offsetof(struct vmsect_rsp_diff, count), 4, 2);
	expect_diff_sane(fd);
	lie(VMSECT_REQ_DIFF, first, 8, RW_BYTES);
	expect_diff_sane(fd);
	lie(VMSECT_REQ_DIFF, first, 8, UINT64_MAX);
	expect_diff_sane(fd);
	lie(VMSECT_REQ_DIFF, first + 8, 8, 0);
	expect_diff_sane(fd);
	lie(VMSECT_REQ_DIFF, first + 8, 8, UINT64_MAX);
	expect_diff_sane(fd);
	close(fd);
}

/* Private bytes are added up from DIFF; QUERY must come to an end as well. */
static void of_private_bytes(void)
{
	struct vmsect_section info;
	int fd;

	NEED_EQ(vmsect_guest_open("cow@1:2+3", O_RDWR, &fd), 0);
	lie(VMSECT_REQ_DIFF, offsetof(struct vmsect_rsp_diff, count), 8, UINT64_C(1) << 32 | 1);
	(void)vmsect_guest_query(fd, &info);
	lie(VMSECT_REQ_DIFF, offsetof(struct vmsect_rsp_diff, count), 8, UINT64_C(1) << 32);
	(void)vmsect_guest_query(fd, &info);
	lie(VMSECT_REQ_DIFF, sizeof(struct vmsect_rsp_diff) + 8, 8, UINT64_MAX);
	if (!vmsect_guest_query(fd, &info))
		EXPECT(info.private_bytes <= info.length);
	lies_end();
	NEED_EQ(vmsect_guest_query(fd, &info), 0);
	EXPECT_EQ(info.private_bytes, PAGE);
	close(fd);
}

/* The size is the host's word; the view's length has to stay within its room. */
static void of_extend(void)
{
	static const uint64_t values[] = { 0, 1, UINT64_MAX, UINT64_C(1) << 62 };
	struct vmsect_section info;
	size_t i;
	int fd;

	NEED_EQ(vmsect_guest_open(RW_NAME, O_RDWR, &fd), 0);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct vmsect_extend arg = { .size_bytes = RW_BYTES + PAGE };

		lie(VMSECT_REQ_EXTEND, offsetof(struct vmsect_rsp_value, value), 8, values[i]);
		(void)call(fd, VMSECT_IOC_EXTEND, &arg);
		lies_end();
		NEED_EQ(vmsect_guest_query(fd, &info), 0);
		EXPECT_EQ(info.length, RW_BYTES);
	}
	close(fd);
}

/* A handle of which the device knows nothing any more. */
static void of_closed_handles(void)
{
	int section = section_open(), same;

	NEED_FD(section);
	lie(VMSECT_REQ_DUPLICATE, offsetof(struct vmsect_rsp_open, handle), 4, 4711);
	same = duplicate(section, VMSECT_GUEST_ACCESS_READ);
	lies_end();
	NEED_FD(same);
	EXPECT(view_open(same, 0, 0, VMSECT_GUEST_PROT_READONLY) < 0);
	EXPECT(duplicate(same, 0) < 0);
	close(same);
	close(section);
}

static const struct tap_case cases[] = {
	{ "an honest device", honest },
	{ "lies of QUERY_PAGES", of_query_pages },
	{ "lies of DIFF", of_diff },
	{ "lies of DIFF to those who add up", of_private_bytes },
	{ "lies of EXTEND", of_extend },
	{ "lies of OPEN", of_open },
	{ "lies of MAP", of_map },
	{ "MAP gives one place twice", of_map_twice },
	{ "lies of DUPLICATE", of_closed_handles },
};

static const struct tap_group group_replies = TAP_GROUP("replies", cases);

int main(void)
{
	const struct tap_group *const groups[] = { &group_replies, &group_lies_events };

	alarm(TIME_LIMIT_S);
	return tap_run_groups(groups, 2);
}
