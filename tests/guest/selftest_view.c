// SPDX-License-Identifier: GPL-2.0-or-later
/* VIEW and QUERY_VIEW: what is refused, what a view says, how long it lives. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define READ VMSECT_GUEST_ACCESS_READ
#define WRITE VMSECT_GUEST_ACCESS_WRITE
#define EXECUTE VMSECT_GUEST_ACCESS_EXECUTE

#define RO VMSECT_GUEST_PROT_READONLY
#define RW VMSECT_GUEST_PROT_READWRITE
#define XRW VMSECT_GUEST_PROT_EXECUTE_READWRITE

static int view_try(int section, const struct vmsect_view_request *want)
{
	struct vmsect_view_request arg = *want;
	int fd = call(section, VMSECT_IOC_VIEW, &arg);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

#define VIEW_TRY(section, ...) view_try(section, &(struct vmsect_view_request){ __VA_ARGS__ })

static void refused_values(void)
{
	int section = scratch_open(&(struct scratch){ 0 });

	NEED_FD(section);
	EXPECT_EQ(VIEW_TRY(section, .protection = 0), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = 9), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = UINT32_MAX), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .flags = 0x8), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .flags = 1U << 31), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .flags = VMSECT_GUEST_VIEW_F_REVOKED),
		  -EINVAL);
	/* Not made to grow. */
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .flags = VMSECT_GUEST_VIEW_F_GROWABLE),
		  -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO), 0);
	close(section);
}

static void refused_ranges(void)
{
	int section = scratch_open(&(struct scratch){ 0 });

	NEED_FD(section);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .offset = 1), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .offset = PAGE - 1), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .offset = SCRATCH_BYTES), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .length = SCRATCH_BYTES + 1), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .offset = PAGE, .length = SCRATCH_BYTES),
		  -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .offset = PAGE, .length = UINT64_MAX),
		  -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .offset = UINT64_MAX - PAGE + 1), -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .commit = PAGE + 1, .length = PAGE), -EINVAL);
	close(section);
}

static void refused_not_open_to_write(void)
{
	int section =
		scratch_open(&(struct scratch){ .protection = XRW, .access = READ | EXECUTE });

	NEED_FD(section);
	EXPECT_EQ(VIEW_TRY(section, .protection = RW), -EBADF);
	EXPECT_EQ(VIEW_TRY(section, .protection = XRW), -EBADF);
	EXPECT_EQ(VIEW_TRY(section, .protection = VMSECT_GUEST_PROT_WRITECOPY), 0);
	close(section);
}

static void refused_rights(void)
{
	int section = scratch_open(&(struct scratch){ .protection = XRW, .access = READ | WRITE });
	int writes;

	NEED_FD(section);
	EXPECT_EQ(VIEW_TRY(section, .protection = VMSECT_GUEST_PROT_EXECUTE), -EPERM);
	EXPECT_EQ(VIEW_TRY(section, .protection = VMSECT_GUEST_PROT_EXECUTE_READ), -EPERM);
	EXPECT_EQ(VIEW_TRY(section, .protection = XRW), -EPERM);
	EXPECT_EQ(VIEW_TRY(section, .protection = VMSECT_GUEST_PROT_EXECUTE_WRITECOPY), -EPERM);
	writes = duplicate(section, WRITE);
	NEED_FD(writes);
	EXPECT_EQ(VIEW_TRY(writes, .protection = RO), -EPERM);
	EXPECT_EQ(VIEW_TRY(writes, .protection = VMSECT_GUEST_PROT_NOACCESS), -EPERM);
	EXPECT_EQ(VIEW_TRY(writes, .protection = VMSECT_GUEST_PROT_WRITECOPY), -EPERM);
	EXPECT_EQ(VIEW_TRY(writes, .protection = RW), 0);
	close(writes);
	close(section);
}

static void refused_protection(void)
{
	int section = scratch_open(&(struct scratch){ .access = READ | WRITE | EXECUTE });

	NEED_FD(section);
	EXPECT_EQ(VIEW_TRY(section, .protection = VMSECT_GUEST_PROT_EXECUTE), -EACCES);
	EXPECT_EQ(VIEW_TRY(section, .protection = VMSECT_GUEST_PROT_EXECUTE_READ), -EACCES);
	EXPECT_EQ(VIEW_TRY(section, .protection = XRW), -EACCES);
	EXPECT_EQ(VIEW_TRY(section, .protection = VMSECT_GUEST_PROT_EXECUTE_WRITECOPY), -EACCES);
	close(section);
}

static void refused_room(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = 4 * SCRATCH_BYTES });
	struct vmsect_info info;
	int ctl = ctl_open(O_RDONLY);

	NEED_FD(section);
	NEED_EQ(vmsect_guest_info(ctl, &info), 0);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .flags = VMSECT_GUEST_VIEW_F_GROWABLE,
			   .room = 2 * info.window_bytes),
		  -ENOSPC);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .flags = VMSECT_GUEST_VIEW_F_GROWABLE,
			   .room = PAGE),
		  -EINVAL);
	EXPECT_EQ(VIEW_TRY(section, .protection = RO, .room = SCRATCH_BYTES), -EINVAL);
	close(ctl);
	close(section);
}

/* What was refused leaves no view, no descriptor and no room taken. */
static void refused_leaves_nothing(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), before, i;

	NEED_FD(section);
	before = descriptors_open();
	for (i = 0; i < 300; i++)
		EXPECT_EQ(VIEW_TRY(section, .protection = RO, .offset = SCRATCH_BYTES), -EINVAL);
	EXPECT_EQ(descriptors_open(), before);
	close(section);
}

static void query_whole(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	struct vmsect_view_info info;

	NEED_FD(section);
	view = view_open(section, 0, 0, RW);
	NEED_FD(view);
	memset(&info, POISON, sizeof(info));
	NEED_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(info.offset, 0);
	EXPECT_EQ(info.length, SCRATCH_BYTES);
	EXPECT_EQ(info.room, 0);
	EXPECT_EQ(info.denied_writes, 0);
	EXPECT_EQ(info.private_bytes, 0);
	EXPECT_EQ(info.protection, RW);
	EXPECT_EQ(info.protection_now, RW);
	EXPECT_EQ(info.flags, 0);
	EXPECT_EQ(info.cache, VMSECT_CACHE_WRITE_BACK);
	EXPECT_EQ(info.reserved[0] | info.reserved[1] | info.reserved[2], 0);
	close(view);
	close(section);
}

static void query_part(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	struct vmsect_view_request want = {
		.offset = 3 * PAGE,
		.length = PAGE + 1,
		.protection = VMSECT_GUEST_PROT_WRITECOPY,
		.flags = VMSECT_GUEST_VIEW_F_NO_CHANGE,
	};
	struct vmsect_view_info info;

	NEED_FD(section);
	view = call(section, VMSECT_IOC_VIEW, &want);
	NEED_FD(view);
	EXPECT_EQ(fcntl(view, F_GETFD), FD_CLOEXEC);
	NEED_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(info.offset, 3 * PAGE);
	EXPECT_EQ(info.length, 2 * PAGE);
	EXPECT_EQ(info.protection, VMSECT_GUEST_PROT_WRITECOPY);
	EXPECT_EQ(info.flags, VMSECT_GUEST_VIEW_F_NO_CHANGE);
	EXPECT_EQ(pwrite(view, "p", 1, 0), 1);
	NEED_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(info.private_bytes, PAGE);
	close(view);
	close(section);
}

/* A view is not its section's descriptor. */
static void outlives_section(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	struct vmsect_view_info info;
	uint8_t byte = 0;

	NEED_FD(section);
	view = view_open(section, PAGE, PAGE, RW);
	NEED_FD(view);
	EXPECT_EQ(pwrite(section, "v", 1, PAGE + 7), 1);
	close(section);
	EXPECT_EQ(pread(view, &byte, 1, 7), 1);
	EXPECT_EQ(byte, 'v');
	EXPECT_EQ(call(view, VMSECT_IOC_QUERY_VIEW, &info), 0);
	EXPECT_EQ(protect(view, 0, 0, RO), 0);
	close(view);
}

/* The last mapping gives the view back, and with it what is behind it. */
static void outlives_descriptor(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t *map;

	NEED_FD(section);
	view = view_open(section, 2 * PAGE, 2 * PAGE, RW);
	NEED_FD(view);
	map = shared_map(view, PAGE, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	close(view);
	map[1] = 'm';
	EXPECT_EQ(pread(section, map + 2, 1, 3 * PAGE + 1), 1);
	EXPECT_EQ(map[2], 'm');
	close(section);
	map[3] = 'n';
	EXPECT_EQ(map[1], 'm');
	EXPECT_EQ(map[3], 'n');
	munmap(map, PAGE);
}

static const struct tap_case cases[] = {
	{ "VIEW: protections and flags that are none are EINVAL", refused_values },
	{ "VIEW: ranges that are not of the section are EINVAL", refused_ranges },
	{ "VIEW: to write through a section open to read is EBADF", refused_not_open_to_write },
	{ "VIEW: without the handle's right EPERM", refused_rights },
	{ "VIEW: what the section's protection forbids is EACCES", refused_protection },
	{ "VIEW: more than the window is ENOSPC", refused_room },
	{ "VIEW: what is refused leaves nothing", refused_leaves_nothing },
	{ "QUERY_VIEW: of a whole section", query_whole },
	{ "QUERY_VIEW: of a part, with a private page", query_part },
	{ "a view outlives its section descriptor", outlives_section },
	{ "a mapping outlives both", outlives_descriptor },
};

const struct tap_group group_view = TAP_GROUP("view", cases);
