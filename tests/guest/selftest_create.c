// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CREATE.  The groups `refusal' and `budget' want VMs of their own: one that may
 * make no sections, and one that may make 1 MiB of them (--allow-create=1M).
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define LIMIT_MS 20000

static const struct vmsect_create good = {
	.size_bytes = PAGE,
	.backing = VMSECT_BACKING_SHMEM,
	.protection = VMSECT_GUEST_PROT_READWRITE,
};

/* A new section, or -errno; `existed' is what was answered. */
static int create(const struct vmsect_create *want, uint32_t *ret_existed)
{
	struct vmsect_create arg = *want;
	int ctl = ctl_open(O_RDWR), fd;

	if (ctl < 0)
		return ctl;
	fd = call(ctl, VMSECT_IOC_CREATE, &arg);
	close(ctl);
	if (fd >= 0 && ret_existed)
		*ret_existed = arg.existed;
	return fd;
}

#define EXPECT_REFUSED(error, ...)                                                                 \
	do {                                                                                       \
		struct vmsect_create bad_ = good;                                                  \
		__VA_ARGS__;                                                                       \
		EXPECT_EQ(create(&bad_, NULL), error);                                             \
	} while (0)

static bool may_create(void)
{
	int fd = create(&good, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

#define SKIP_UNLESS_MAY_CREATE() SKIP_UNLESS(may_create(), "the VM may make no sections")

static void refused_values(void)
{
	SKIP_UNLESS_MAY_CREATE();
	EXPECT_REFUSED(-EINVAL, bad_.size_bytes = 0);
	EXPECT_REFUSED(-EINVAL, bad_.backing = 0);
	EXPECT_REFUSED(-EINVAL, bad_.backing = VMSECT_BACKING_FILE);
	EXPECT_REFUSED(-EINVAL, bad_.backing = 5);
	EXPECT_REFUSED(-EINVAL, bad_.protection = 0);
	EXPECT_REFUSED(-EINVAL, bad_.protection = 9);
	EXPECT_REFUSED(-EINVAL, bad_.access = 0x80);
	EXPECT_REFUSED(-EINVAL, bad_.mode = 01000);
	EXPECT_REFUSED(-EINVAL, bad_.page_shift = 21);
	EXPECT_REFUSED(-EINVAL, bad_.page_shift = 12; bad_.backing = VMSECT_BACKING_HUGETLB);
	EXPECT_REFUSED(-EINVAL, bad_.size_bytes = 2 * PAGE; bad_.max_bytes = PAGE);
}

static void refused_flags(void)
{
	SKIP_UNLESS_MAY_CREATE();
	EXPECT_REFUSED(-EINVAL, bad_.flags = 0x1);
	EXPECT_REFUSED(-EINVAL, bad_.flags = 0x20);
	EXPECT_REFUSED(-EINVAL, bad_.flags = 0x80);
	EXPECT_REFUSED(-EINVAL, bad_.flags = 1U << 31);
	EXPECT_REFUSED(-EINVAL,
		       bad_.flags = VMSECT_GUEST_CREATE_F_COMMIT | VMSECT_GUEST_CREATE_F_RESERVE);
	EXPECT_REFUSED(-EINVAL, bad_.flags = VMSECT_GUEST_CREATE_F_EXACT);
	EXPECT_REFUSED(-EINVAL,
		       bad_.flags = VMSECT_GUEST_CREATE_F_RESERVE | VMSECT_GUEST_CREATE_F_ALLOCATE);
	/* Nothing can be opened that has no name. */
	EXPECT_REFUSED(-EINVAL, bad_.flags = VMSECT_GUEST_CREATE_F_OPEN_IF);
}

static void refused_names(void)
{
	SKIP_UNLESS_MAY_CREATE();
	EXPECT_REFUSED(-EINVAL, strcpy(bad_.name, ".hidden"));
	EXPECT_REFUSED(-EINVAL, strcpy(bad_.name, "a/b"));
	EXPECT_REFUSED(-EINVAL, strcpy(bad_.name, "ctl"));
	EXPECT_REFUSED(-EINVAL, memset(bad_.name, 'x', sizeof(bad_.name)));
	EXPECT_REFUSED(-EINVAL, bad_.name[1] = 'x');
}

static void refused_sizes(void)
{
	SKIP_UNLESS_MAY_CREATE();
	EXPECT_REFUSED(-EFBIG, bad_.size_bytes = UINT64_MAX - PAGE);
	EXPECT_REFUSED(-EFBIG, bad_.size_bytes = UINT64_C(1) << 62);
	EXPECT_REFUSED(-EFBIG, bad_.max_bytes = UINT64_C(1) << 62);
}

static void refused_name_taken(void)
{
	struct vmsect_create named = good;
	uint32_t existed = 0xa5a5;
	int first, second;

	SKIP_UNLESS_MAY_CREATE();
	snprintf(named.name, sizeof(named.name), "create.%d", (int)getpid());
	first = create(&named, &existed);
	NEED_FD(first);
	EXPECT_EQ(existed, 0);
	EXPECT_EQ(create(&named, NULL), -EEXIST);
	named.flags = VMSECT_GUEST_CREATE_F_OPEN_IF;
	named.size_bytes = 2 * PAGE;
	second = create(&named, &existed);
	NEED_FD(second);
	EXPECT_EQ(existed, 1);
	EXPECT_EQ(lseek(second, 0, SEEK_END), PAGE);
	EXPECT_EQ(pwrite(first, "e", 1, 9), 1);
	close(first);
	EXPECT_EQ(pread(second, named.name, 1, 9), 1);
	EXPECT_EQ(named.name[0], 'e');
	close(second);
}

/* The host has no huge pages to give, or gives them. */
static void hugetlb(void)
{
	struct vmsect_create huge = good;
	struct vmsect_section info;
	int fd;

	SKIP_UNLESS_MAY_CREATE();
	huge.backing = VMSECT_BACKING_HUGETLB;
	fd = create(&huge, NULL);
	SKIP_UNLESS(fd != -ENOMEM, "the host has no huge pages");
	NEED_FD(fd);
	NEED_EQ(vmsect_guest_query(fd, &info), 0);
	EXPECT_EQ(info.size_bytes, 2 * MIB);
	EXPECT_EQ(info.page_shift, 21);
	EXPECT_EQ(info.backing, VMSECT_BACKING_HUGETLB);
	close(fd);
}

static void kinds_of_memory(void)
{
	struct vmsect_create odd = good;
	uint8_t zeros[PAGE], bytes[PAGE];
	struct vmsect_section info;
	int fd;

	SKIP_UNLESS_MAY_CREATE();
	odd.size_bytes = PAGE + 1;
	odd.flags = VMSECT_GUEST_CREATE_F_COMMIT | VMSECT_GUEST_CREATE_F_EXACT |
		    VMSECT_GUEST_CREATE_F_ALLOCATE;
	fd = create(&odd, NULL);
	NEED_FD(fd);
	NEED_EQ(vmsect_guest_query(fd, &info), 0);
	EXPECT_EQ(info.size_bytes, 2 * PAGE);
	memset(zeros, 0, sizeof(zeros));
	memset(bytes, POISON, sizeof(bytes));
	EXPECT_EQ(pread(fd, bytes, sizeof(bytes), PAGE), PAGE);
	EXPECT(!memcmp(bytes, zeros, sizeof(bytes)));
	close(fd);
}

/* WRITE of a section that nobody may write is a right without worth. */
static void readonly_section(void)
{
	struct vmsect_create ro = good;
	struct vmsect_section info;
	int fd;

	SKIP_UNLESS_MAY_CREATE();
	ro.protection = VMSECT_GUEST_PROT_READONLY;
	ro.access = VMSECT_GUEST_ACCESS_QUERY | VMSECT_GUEST_ACCESS_READ |
		    VMSECT_GUEST_ACCESS_WRITE;
	fd = create(&ro, NULL);
	NEED_FD(fd);
	NEED_EQ(vmsect_guest_query(fd, &info), 0);
	EXPECT_EQ(info.mode, VMSECT_MODE_RO);
	EXPECT_EQ(view_open(fd, 0, 0, VMSECT_GUEST_PROT_READWRITE), -EACCES);
	EXPECT_EQ(map_try(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0), -EACCES);
	EXPECT_EQ(map_try(fd, PROT_READ, MAP_SHARED, 0), 0);
	EXPECT(pwrite(fd, "x", 1, 0) < 0 && errno == EACCES);
	close(fd);
}

static const struct tap_case cases[] = {
	{ "CREATE: bad values are EINVAL", refused_values },
	{ "CREATE: flags that are none, or no two together, are EINVAL", refused_flags },
	{ "CREATE: what cannot be a name is EINVAL", refused_names },
	{ "CREATE: what cannot be a size is EFBIG", refused_sizes },
	{ "CREATE: a name that is taken is EEXIST; OPEN_IF opens it", refused_name_taken },
	{ "CREATE: huge pages", hugetlb },
	{ "CREATE: memory is zeros, in whole pages", kinds_of_memory },
	{ "CREATE: a section that nobody may write", readonly_section },
};

const struct tap_group group_create = TAP_GROUP("create", cases);

static void may_not(void)
{
	EXPECT_EQ(create(&good, NULL), -EPERM);
	/* Whatever else is wrong with it. */
	EXPECT_REFUSED(-EPERM, bad_.size_bytes = UINT64_C(1) << 62);
}

static const struct tap_case refusal_cases[] = {
	{ "CREATE: a VM that may not is EPERM", may_not },
};

const struct tap_group group_refusal = TAP_GROUP("refusal", refusal_cases);

/* What was closed counts until the host has heard of it. */
static int create_when_free(const struct vmsect_create *want)
{
	int64_t limit = now_ms() + LIMIT_MS;
	int fd;

	while ((fd = create(want, NULL)) == -EDQUOT && now_ms() < limit)
		poll(NULL, 0, 10);
	return fd;
}

static void over_budget(void)
{
	struct vmsect_create half = good;
	int first, second;

	EXPECT_REFUSED(-EDQUOT, bad_.size_bytes = MIB + 1);
	EXPECT_REFUSED(-EDQUOT, bad_.max_bytes = MIB + 1);
	half.size_bytes = MIB / 2;
	first = create(&half, NULL);
	NEED_FD(first);
	second = create(&half, NULL);
	NEED_FD(second);
	EXPECT_EQ(create(&good, NULL), -EDQUOT);
	close(first);
	first = create_when_free(&half);
	NEED_FD(first);
	close(first);
	close(second);
}

/* A view counts as a handle does. */
static void view_keeps_budget(void)
{
	struct vmsect_create all = good;
	int section, view;

	all.size_bytes = MIB;
	section = create_when_free(&all);
	NEED_FD(section);
	view = view_open(section, 0, PAGE, VMSECT_GUEST_PROT_READONLY);
	NEED_FD(view);
	close(section);
	EXPECT_EQ(create(&good, NULL), -EDQUOT);
	close(view);
	section = create_when_free(&all);
	NEED_FD(section);
	close(section);
}

static const struct tap_case budget_cases[] = {
	{ "CREATE: more than the VM may make is EDQUOT", over_budget },
	{ "CREATE: what has a view still counts", view_keeps_budget },
};

const struct tap_group group_budget = TAP_GROUP("budget", budget_cases);
