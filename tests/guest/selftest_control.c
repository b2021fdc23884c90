// SPDX-License-Identifier: GPL-2.0-or-later
/* OPEN and DUPLICATE: handles of sections, their rights, and what QUERY says. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define QUERY VMSECT_GUEST_ACCESS_QUERY
#define READ VMSECT_GUEST_ACCESS_READ
#define WRITE VMSECT_GUEST_ACCESS_WRITE
#define EXTEND VMSECT_GUEST_ACCESS_EXTEND
#define LIMIT_MS 20000

/* OPEN: a section descriptor, or -errno. */
static int section_open(const char *name, uint32_t access)
{
	struct vmsect_open arg = { .access = access };
	int ctl = ctl_open(O_RDWR), fd;

	if (ctl < 0)
		return ctl;
	snprintf(arg.name, sizeof(arg.name), "%s", name);
	fd = call(ctl, VMSECT_IOC_OPEN, &arg);
	close(ctl);
	return fd;
}

/* Of a section that a case names; the VM's own, so no two guests meet. */
static const char *own_name(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "selftest.%d", (int)getpid());
	return name;
}

/*
 * The name goes with the last handle, which the host hears of a moment after close.
 * To look is to hold it: more seldom each time, so that one moment ends before the
 * next look begins, however long a grace period is here.
 */
static bool own_name_goes(void)
{
	int64_t limit = now_ms() + LIMIT_MS;
	int fd, wait_ms = 5;

	while ((fd = section_open(own_name(), READ)) >= 0 && now_ms() < limit) {
		close(fd);
		poll(NULL, 0, wait_ms);
		wait_ms *= 2;
	}
	return fd == -ENOENT;
}

/* Once the name is known to exist only the access can be what is refused. */
static void open_refused_access(void)
{
	int section = scratch_open(&(struct scratch){ .name = own_name() });

	NEED_FD(section);
	EXPECT_EQ(section_open(own_name(), 0), -EINVAL);
	EXPECT_EQ(section_open(own_name(), 0x80), -EINVAL);
	EXPECT_EQ(section_open(own_name(), READ | 1U << 31), -EINVAL);
	close(section);
	EXPECT(own_name_goes());
}

static void open_refused_readonly_ctl(void)
{
	struct vmsect_create create = { .size_bytes = PAGE,
					.backing = VMSECT_BACKING_SHMEM,
					.protection = VMSECT_GUEST_PROT_READWRITE };
	struct vmsect_open arg = { .access = READ, .name = "any" };
	int ctl = ctl_open(O_RDONLY);

	NEED_FD(ctl);
	EXPECT_EQ(call(ctl, VMSECT_IOC_OPEN, &arg), -EBADF);
	EXPECT_EQ(call(ctl, VMSECT_IOC_CREATE, &create), -EBADF);
	close(ctl);
}

static void open_refused_names(void)
{
	struct vmsect_open unended = { .access = READ };
	int ctl = ctl_open(O_RDWR);

	NEED_FD(ctl);
	EXPECT_EQ(section_open("", READ), -EINVAL);
	EXPECT_EQ(section_open(".hidden", READ), -EINVAL);
	EXPECT_EQ(section_open("-dash", READ), -EINVAL);
	EXPECT_EQ(section_open("a/b", READ), -EINVAL);
	EXPECT_EQ(section_open("sp ace", READ), -EINVAL);
	EXPECT_EQ(section_open("ctl", READ), -EINVAL);
	memset(unended.name, 'x', sizeof(unended.name));
	EXPECT_EQ(call(ctl, VMSECT_IOC_OPEN, &unended), -EINVAL);
	close(ctl);
}

static void open_refused_unknown(void)
{
	EXPECT_EQ(section_open("no-such-section", READ), -ENOENT);
}

/* The story makes this section and grants the VM nothing of it. */
static void open_refused_denied(void)
{
	int err = section_open("denied", READ);

	SKIP_UNLESS(err != -ENOENT, "no section `denied'");
	EXPECT_EQ(err, -EACCES);
	EXPECT_EQ(section_open("denied", READ | WRITE), -EACCES);
}

/* What a handle may decides how its descriptor is open. */
static void expect_open_mode(uint32_t access, bool reads, bool writes)
{
	uint8_t byte = 1;
	int fd = section_open(own_name(), access);

	NEED_FD(fd);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(pread(fd, &byte, 1, 0) < 0 ? -errno : 1, reads ? 1 : -EBADF);
	EXPECT_EQ(pwrite(fd, &byte, 1, 0) < 0 ? -errno : 1, writes ? 1 : -EBADF);
	close(fd);
}

static void open_modes(void)
{
	int section = scratch_open(&(struct scratch){ .name = own_name() });

	NEED_FD(section);
	expect_open_mode(QUERY, false, false);
	expect_open_mode(READ, true, false);
	expect_open_mode(QUERY | READ, true, false);
	expect_open_mode(WRITE, false, true);
	expect_open_mode(READ | WRITE, true, true);
	expect_open_mode(QUERY | EXTEND, false, false);
	close(section);
	EXPECT(own_name_goes());
}

static void open_same_section(void)
{
	int section = scratch_open(&(struct scratch){ .name = own_name() }), fd;
	struct vmsect_section made, opened;
	uint8_t byte = 0;

	NEED_FD(section);
	fd = section_open(own_name(), QUERY | READ);
	NEED_FD(fd);
	NEED_EQ(vmsect_guest_query(section, &made), 0);
	NEED_EQ(vmsect_guest_query(fd, &opened), 0);
	EXPECT_EQ(opened.section_id, made.section_id);
	EXPECT_EQ(opened.access, QUERY | READ);
	EXPECT_EQ(opened.mode, VMSECT_MODE_RO);
	EXPECT_EQ(made.mode, VMSECT_MODE_RW);
	EXPECT(!strcmp(opened.name, own_name()));
	EXPECT_EQ(pwrite(section, "s", 1, PAGE), 1);
	EXPECT_EQ(pread(fd, &byte, 1, PAGE), 1);
	EXPECT_EQ(byte, 's');
	/* The first handle is not the section. */
	close(section);
	EXPECT_EQ(pread(fd, &byte, 1, PAGE), 1);
	EXPECT_EQ(vmsect_guest_query(fd, &opened), 0);
	close(fd);
	EXPECT(own_name_goes());
}

static void query_refused(void)
{
	int section = scratch_open(&(struct scratch){ .access = READ | WRITE });
	struct vmsect_section info;

	NEED_FD(section);
	memset(&info, POISON, sizeof(info));
	EXPECT_EQ(call(section, VMSECT_IOC_QUERY, &info), -EPERM);
	EXPECT_EQ(info.reserved[0], 0xa5a5a5a5a5a5a5a5ULL);
	close(section);
}

static void query_describes(void)
{
	int section = scratch_open(&(struct scratch){ .max_bytes = 4 * SCRATCH_BYTES });
	struct vmsect_section info;

	NEED_FD(section);
	memset(&info, POISON, sizeof(info));
	NEED_EQ(call(section, VMSECT_IOC_QUERY, &info), 0);
	EXPECT_EQ(info.size_bytes, SCRATCH_BYTES);
	EXPECT_EQ(info.max_bytes, 4 * SCRATCH_BYTES);
	EXPECT_EQ(info.committed_bytes, SCRATCH_BYTES);
	EXPECT_EQ(info.offset, 0);
	EXPECT_EQ(info.private_bytes, 0);
	EXPECT_EQ(info.mode, VMSECT_MODE_RW);
	EXPECT_EQ(info.backing, VMSECT_BACKING_SHMEM);
	EXPECT_EQ(info.page_shift, 12);
	EXPECT_EQ(info.protection, VMSECT_GUEST_PROT_READWRITE);
	EXPECT(info.access & READ && info.access & WRITE && info.access & EXTEND);
	EXPECT_EQ(info.section_flags, 0);
	EXPECT_EQ(info.io_error, 0);
	EXPECT_EQ(info.reserved[0] | info.reserved[1], 0);
	EXPECT_EQ(info.name[0], '\0');
	close(section);
}

/* The default view is made when it is first needed. */
static void query_before_and_after_map(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	struct vmsect_section info;
	uint8_t byte;

	NEED_FD(section);
	NEED_EQ(vmsect_guest_query(section, &info), 0);
	EXPECT_EQ(info.length, 0);
	EXPECT_EQ(info.cache, VMSECT_CACHE_UNKNOWN);
	EXPECT_EQ(pread(section, &byte, 1, 0), 1);
	NEED_EQ(vmsect_guest_query(section, &info), 0);
	EXPECT_EQ(info.length, SCRATCH_BYTES);
	EXPECT_EQ(info.cache, VMSECT_CACHE_WRITE_BACK);
	close(section);
}

static void duplicate_refused(void)
{
	int section = scratch_open(&(struct scratch){ .access = QUERY | READ });
	int none;

	NEED_FD(section);
	EXPECT_EQ(duplicate(section, 0x80), -EINVAL);
	EXPECT_EQ(duplicate(section, QUERY | 1U << 31), -EINVAL);
	EXPECT_EQ(duplicate(section, READ | WRITE), -EPERM);
	EXPECT_EQ(duplicate(section, EXTEND), -EPERM);
	none = duplicate(section, 0);
	NEED_FD(none);
	EXPECT_EQ(duplicate(none, QUERY), -EPERM);
	close(none);
	close(section);
}

/* A handle without rights is legal, and may nothing. */
static void duplicate_without_rights(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	struct vmsect_section info;
	uint8_t byte;
	int none;

	NEED_FD(section);
	none = duplicate(section, 0);
	NEED_FD(none);
	EXPECT_EQ(call(none, VMSECT_IOC_QUERY, &info), -EPERM);
	EXPECT_EQ(view_open(none, 0, 0, VMSECT_GUEST_PROT_READONLY), -EPERM);
	EXPECT_EQ(view_open(none, 0, 0, VMSECT_GUEST_PROT_NOACCESS), -EPERM);
	EXPECT(pread(none, &byte, 1, 0) < 0 && errno == EBADF);
	EXPECT(map_try(none, PROT_READ, MAP_SHARED, 0) < 0);
	close(none);
	close(section);
}

static void duplicate_outlives(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), same, less;
	struct vmsect_section info;
	uint8_t byte = 0;

	NEED_FD(section);
	same = duplicate(section, QUERY | READ | WRITE);
	NEED_FD(same);
	less = duplicate(same, READ);
	NEED_FD(less);
	EXPECT_EQ(fcntl(less, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(pwrite(section, "d", 1, 5), 1);
	close(section);
	EXPECT_EQ(vmsect_guest_query(same, &info), 0);
	EXPECT_EQ(info.access, QUERY | READ | WRITE);
	close(same);
	EXPECT_EQ(pread(less, &byte, 1, 5), 1);
	EXPECT_EQ(byte, 'd');
	EXPECT(pwrite(less, &byte, 1, 5) < 0 && errno == EBADF);
	close(less);
}

static const struct tap_case cases[] = {
	{ "OPEN, CREATE: ctl that is open to read is EBADF", open_refused_readonly_ctl },
	{ "OPEN: no access and unknown rights are EINVAL", open_refused_access },
	{ "OPEN: what cannot be a name is EINVAL", open_refused_names },
	{ "OPEN: an unknown name is ENOENT", open_refused_unknown },
	{ "OPEN: what the owner does not grant is EACCES", open_refused_denied },
	{ "OPEN: rights decide how the descriptor is open", open_modes },
	{ "OPEN: another handle of the same section", open_same_section },
	{ "QUERY: without the query right EPERM", query_refused },
	{ "QUERY: describes a new section", query_describes },
	{ "QUERY: the default view comes with the first use", query_before_and_after_map },
	{ "DUPLICATE: unknown rights are EINVAL, more rights EPERM", duplicate_refused },
	{ "DUPLICATE: a handle without rights may nothing", duplicate_without_rights },
	{ "DUPLICATE: less rights, and a life of its own", duplicate_outlives },
};

const struct tap_group group_control = TAP_GROUP("control", cases);
