// SPDX-License-Identifier: GPL-2.0-or-later
/* EXTEND, fallocate and growable views. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define READ VMSECT_GUEST_ACCESS_READ
#define WRITE VMSECT_GUEST_ACCESS_WRITE
#define QUERY VMSECT_GUEST_ACCESS_QUERY
#define RW VMSECT_GUEST_PROT_READWRITE

#define ROOM (4 * SCRATCH_BYTES)

/* EXTEND; what is in effect is put into *bytes. */
static int extend(int section, uint64_t *bytes)
{
	struct vmsect_extend arg = { .size_bytes = *bytes };
	int err = call(section, VMSECT_IOC_EXTEND, &arg);

	if (!err)
		*bytes = arg.size_bytes;
	return err;
}

static int extend_to(int section, uint64_t bytes)
{
	return extend(section, &bytes);
}

static void extend_refused(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = ROOM }), reads, writes, fixed;

	NEED_FD(section);
	reads = duplicate(section, READ | VMSECT_GUEST_ACCESS_EXTEND);
	writes = duplicate(section, READ | WRITE);
	fixed = scratch_open(&(struct scratch){ 0 });
	NEED_FD(reads);
	NEED_FD(writes);
	NEED_FD(fixed);
	EXPECT_EQ(extend_to(reads, ROOM), -EBADF);
	EXPECT_EQ(extend_to(writes, ROOM), -EPERM);
	EXPECT_EQ(extend_to(fixed, ROOM), -EOPNOTSUPP);
	EXPECT_EQ(extend_to(section, ROOM + 1), -EFBIG);
	EXPECT_EQ(extend_to(section, UINT64_MAX), -EFBIG);
	EXPECT_EQ(lseek(section, 0, SEEK_END), SCRATCH_BYTES);
	close(fixed);
	close(writes);
	close(reads);
	close(section);
}

static void extend_not_larger(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = ROOM });
	uint64_t bytes = 1;

	NEED_FD(section);
	NEED_EQ(extend(section, &bytes), 0);
	EXPECT_EQ(bytes, SCRATCH_BYTES);
	bytes = SCRATCH_BYTES;
	NEED_EQ(extend(section, &bytes), 0);
	EXPECT_EQ(bytes, SCRATCH_BYTES);
	close(section);
}

static void extend_works(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = ROOM }), same;
	struct vmsect_section before, after;
	uint64_t bytes = SCRATCH_BYTES + 1;

	NEED_FD(section);
	same = duplicate(section, QUERY | READ);
	NEED_FD(same);
	NEED_EQ(vmsect_guest_query(same, &before), 0);
	NEED_EQ(extend(section, &bytes), 0);
	EXPECT_EQ(bytes, SCRATCH_BYTES + PAGE);
	NEED_EQ(vmsect_guest_query(same, &after), 0);
	EXPECT_EQ(after.size_bytes, SCRATCH_BYTES + PAGE);
	EXPECT(after.generation > before.generation);
	EXPECT_EQ(lseek(section, 0, SEEK_END), SCRATCH_BYTES + PAGE);
	EXPECT_EQ(pwrite(section, "new", 3, SCRATCH_BYTES), 3);
	EXPECT_EQ(pread(same, &bytes, 3, SCRATCH_BYTES), 3);
	EXPECT(!memcmp(&bytes, "new", 3));
	close(same);
	close(section);
}

/* A mapping that reaches past the end gets the new pages, in place. */
static void default_view_grows(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = ROOM });
	struct vmsect_section info;
	uint8_t *map, value = POISON;

	NEED_FD(section);
	map = shared_map(section, 0, ROOM, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	EXPECT_EQ(tap_load(map + SCRATCH_BYTES, &value), SIGBUS);
	NEED_EQ(extend_to(section, 2 * SCRATCH_BYTES), 0);
	EXPECT_EQ(tap_load(map + SCRATCH_BYTES, &value), 0);
	EXPECT_EQ(value, 0);
	EXPECT_EQ(tap_store(map + 2 * SCRATCH_BYTES - 1, 1), 0);
	EXPECT_EQ(tap_load(map + 2 * SCRATCH_BYTES, &value), SIGBUS);
	NEED_EQ(vmsect_guest_query(section, &info), 0);
	EXPECT_EQ(info.length, 2 * SCRATCH_BYTES);
	munmap(map, ROOM);
	close(section);
}

static int growable(int section, uint64_t offset, uint64_t length, uint64_t room)
{
	struct vmsect_view_request arg = {
		.offset = offset,
		.length = length,
		.room = room,
		.protection = RW,
		.flags = VMSECT_GUEST_VIEW_F_GROWABLE,
	};

	return call(section, VMSECT_IOC_VIEW, &arg);
}

static uint64_t view_length(int view, uint64_t *ret_room)
{
	struct vmsect_view_info info = { 0 };

	EXPECT_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	if (ret_room)
		*ret_room = info.room;
	return info.length;
}

/* As far as its room, and no further; one that is not growable stays. */
static void growable_views(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = ROOM }), all, some, fixed;
	uint64_t room = 0;
	uint8_t value;

	NEED_FD(section);
	all = growable(section, 0, 0, 0);
	some = growable(section, PAGE, 0, SCRATCH_BYTES);
	fixed = view_open(section, 0, 0, RW);
	NEED_FD(all);
	NEED_FD(some);
	NEED_FD(fixed);
	EXPECT_EQ(view_length(all, &room), SCRATCH_BYTES);
	EXPECT_EQ(room, ROOM);
	EXPECT_EQ(view_length(some, &room), SCRATCH_BYTES - PAGE);
	EXPECT_EQ(room, SCRATCH_BYTES);
	NEED_EQ(extend_to(section, 3 * SCRATCH_BYTES), 0);
	EXPECT_EQ(view_length(all, NULL), 3 * SCRATCH_BYTES);
	EXPECT_EQ(view_length(some, NULL), SCRATCH_BYTES);
	EXPECT_EQ(view_length(fixed, NULL), SCRATCH_BYTES);
	EXPECT_EQ(pwrite(all, "g", 1, SCRATCH_BYTES), 1);
	EXPECT_EQ(pread(some, &value, 1, SCRATCH_BYTES - PAGE), 1);
	EXPECT_EQ(value, 'g');
	EXPECT_EQ(pread(fixed, &value, 1, SCRATCH_BYTES), 0);
	EXPECT_EQ(pread(some, &value, 1, SCRATCH_BYTES), 0);
	close(fixed);
	close(some);
	close(all);
	close(section);
}

/* Longer than the section: what is there now, and room for the rest. */
static void growable_past_the_end(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = ROOM }), view;

	NEED_FD(section);
	view = growable(section, 0, 2 * SCRATCH_BYTES, 0);
	NEED_FD(view);
	EXPECT_EQ(view_length(view, NULL), SCRATCH_BYTES);
	NEED_EQ(extend_to(section, 2 * SCRATCH_BYTES), 0);
	EXPECT_EQ(view_length(view, NULL), 2 * SCRATCH_BYTES);
	close(view);
	close(section);
}

/* Many steps, each of which more struct pages may be made for. */
static void growth_in_steps(void)
{
	enum { STEP = 512 * 1024, STEPS = 12 };
	int section = scratch_open(&(struct scratch){ .bytes = STEP, .max_bytes = STEP * STEPS });
	uint8_t *map;
	uint64_t i;

	NEED_FD(section);
	map = shared_map(section, 0, STEP * STEPS, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	for (i = 1; i <= STEPS; i++) {
		NEED_EQ(extend_to(section, i * STEP), 0);
		EXPECT_EQ(tap_store(map + i * STEP - 1, (uint8_t)i), 0);
	}
	for (i = 1; i <= STEPS; i++)
		EXPECT_EQ(map[i * STEP - 1], i);
	munmap(map, STEP * STEPS);
	close(section);
}

static int allocate(int fd, int mode, off_t offset, off_t length)
{
	return fallocate(fd, mode, offset, length) < 0 ? -errno : 0;
}

static void fallocate_refused(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = ROOM }), fixed, reads, node;

	NEED_FD(section);
	fixed = scratch_open(&(struct scratch){ 0 });
	reads = duplicate(section, READ);
	NEED_FD(fixed);
	NEED_FD(reads);
	EXPECT_EQ(allocate(section, FALLOC_FL_KEEP_SIZE, 0, ROOM), -EOPNOTSUPP);
	EXPECT_EQ(allocate(section, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
		  -EOPNOTSUPP);
	EXPECT_EQ(allocate(section, FALLOC_FL_ZERO_RANGE, 0, PAGE), -EOPNOTSUPP);
	EXPECT_EQ(allocate(section, 0, 0, ROOM + 1), -EFBIG);
	EXPECT_EQ(allocate(section, 0, -1, 1), -EINVAL);
	EXPECT_EQ(allocate(section, 0, 0, 0), -EINVAL);
	EXPECT_EQ(allocate(fixed, 0, 0, ROOM), -EOPNOTSUPP);
	EXPECT_EQ(allocate(reads, 0, 0, ROOM), -EBADF);
	EXPECT_EQ(lseek(section, 0, SEEK_END), SCRATCH_BYTES);
	if (subjects[VMSECT_MODE_RW].name[0] && !subject_open(VMSECT_MODE_RW, O_RDWR, &node)) {
		EXPECT_EQ(allocate(node, 0, 0, ROOM), -ENODEV);
		close(node);
	}
	close(reads);
	close(fixed);
	close(section);
}

static void fallocate_extends(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = ROOM });

	NEED_FD(section);
	EXPECT_EQ(allocate(section, 0, 0, SCRATCH_BYTES), 0);
	EXPECT_EQ(allocate(section, 0, PAGE, 1), 0);
	EXPECT_EQ(lseek(section, 0, SEEK_END), SCRATCH_BYTES);
	EXPECT_EQ(allocate(section, 0, SCRATCH_BYTES, PAGE), 0);
	EXPECT_EQ(lseek(section, 0, SEEK_END), SCRATCH_BYTES + PAGE);
	EXPECT_EQ(pwrite(section, "f", 1, SCRATCH_BYTES), 1);
	close(section);
}

static const struct tap_case cases[] = {
	{ "EXTEND: EBADF, EPERM, EOPNOTSUPP, EFBIG", extend_refused },
	{ "EXTEND: a size that is not larger changes nothing", extend_not_larger },
	{ "EXTEND: all handles see the new size", extend_works },
	{ "EXTEND: under a mapping past the end", default_view_grows },
	{ "EXTEND: in many steps", growth_in_steps },
	{ "growable views grow within their room", growable_views },
	{ "a growable view may reach past the section", growable_past_the_end },
	{ "fallocate: modes and sizes that are refused", fallocate_refused },
	{ "fallocate: extends", fallocate_extends },
};

const struct tap_group group_grow = TAP_GROUP("grow", cases);
