// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-ivshmem-test: the driver on an ivshmem device, case by case.
 *
 *     vmsect-ivshmem-test NODE BYTES VECTORS PEER
 *
 * NODE is below /dev/vmsect; the rest is what the device was made with.  It leaves
 * the device bound, and a pattern in all of its memory.  Needs root.
 */
#include "guest/ivshmem_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIME_LIMIT_S 240
#define NODE_PREFIX "ivshmem-"

struct ivshmem_subject subject;

int ivshmem_open(int flags)
{
	int fd, err = vmsect_guest_open(subject.name, flags, &fd);

	return err ? err : fd;
}

int ivshmem_events(int section, uint32_t mask)
{
	int fd, err = vmsect_guest_events(section, mask, &fd);

	return err ? err : fd;
}

int ivshmem_ring(int section, uint32_t peer, uint64_t vector)
{
	return vmsect_guest_notify(section, peer, vector);
}

static void queried(void)
{
	const uint32_t rights = VMSECT_GUEST_ACCESS_QUERY | VMSECT_GUEST_ACCESS_READ |
				VMSECT_GUEST_ACCESS_WRITE;
	struct vmsect_section info;
	int fd = ivshmem_open(O_RDONLY);

	NEED_EQ(fd >= 0, 1);
	NEED_EQ(vmsect_guest_query(fd, &info), 0);
	close(fd);
	EXPECT_EQ(strcmp(info.name, subject.name), 0);
	EXPECT_EQ(info.size_bytes, subject.bytes);
	EXPECT_EQ(info.max_bytes, subject.bytes);
	EXPECT_EQ(info.length, subject.bytes);
	EXPECT_EQ(info.offset, 0);
	EXPECT_EQ(info.section_flags, VMSECT_GUEST_SECTION_F_IVSHMEM);
	EXPECT_EQ(info.mode, VMSECT_MODE_RW);
	EXPECT_EQ(info.protection, VMSECT_GUEST_PROT_READWRITE);
	EXPECT_EQ(info.access, subject.vectors ? rights | VMSECT_GUEST_ACCESS_NOTIFY : rights);
	EXPECT_EQ(info.backing, VMSECT_BACKING_UNKNOWN);
	EXPECT_EQ(info.peer_id, subject.peer);
	EXPECT_EQ(info.vectors, subject.vectors);
	EXPECT_EQ(info.section_id | info.private_bytes | info.denied_writes | info.io_error, 0);
	EXPECT(info.cache == VMSECT_CACHE_WRITE_BACK || info.cache == VMSECT_CACHE_OTHER);
}

static void view_queried(void)
{
	struct vmsect_view_info info;
	int fd = ivshmem_open(O_RDONLY);

	NEED_EQ(fd >= 0, 1);
	NEED_EQ(vmsect_guest_query_view(fd, &info), 0);
	close(fd);
	EXPECT_EQ(info.offset, 0);
	EXPECT_EQ(info.length, subject.bytes);
	EXPECT_EQ(info.protection, VMSECT_GUEST_PROT_READWRITE);
	EXPECT_EQ(info.protection_now, VMSECT_GUEST_PROT_READWRITE);
	EXPECT_EQ(info.flags, VMSECT_GUEST_VIEW_F_NO_CHANGE);
}

static void attributes(void)
{
	EXPECT_EQ(attribute_number(subject.name, "size"), (long long)subject.bytes);
	EXPECT_EQ(attribute_number(subject.name, "peer_id"), subject.peer);
	EXPECT_EQ(attribute_number(subject.name, "vectors"), subject.vectors);
	EXPECT_EQ(attribute_number(subject.name, "views"), 1);
	EXPECT_EQ(attribute_number(subject.name, "revoked"), 0);
}

static void node(void)
{
	struct stat status;
	int fd = ivshmem_open(O_RDWR);

	NEED_EQ(fd >= 0, 1);
	NEED_EQ(fstat(fd, &status), 0);
	EXPECT(S_ISCHR(status.st_mode));
	EXPECT_EQ(lseek(fd, 0, SEEK_END), (long long)subject.bytes);
	close(fd);
}

static const struct tap_case cases[] = {
	{ "QUERY tells what can be known", queried },
	{ "QUERY_VIEW tells of all of the memory", view_queried },
	{ "so does sysfs", attributes },
	{ "the node is a device that ends with the memory", node },
};

const struct tap_group group_ivshmem_described = TAP_GROUP("described", cases);

static int subject_set(char **argv)
{
	subject.name = argv[1];
	if (strncmp(subject.name, NODE_PREFIX, strlen(NODE_PREFIX)) != 0)
		return -1;
	subject.address = subject.name + strlen(NODE_PREFIX);
	subject.bytes = strtoul(argv[2], NULL, 0);
	subject.vectors = (uint32_t)strtoul(argv[3], NULL, 0);
	subject.peer = (uint32_t)strtoul(argv[4], NULL, 0);
	return 0;
}

/* What is refused comes first. */
int main(int argc, char **argv)
{
	static const struct tap_group *const groups[] = {
		&group_ivshmem_refused, &group_ivshmem_described, &group_ivshmem_bell,
		&group_ivshmem_gone,	&group_ivshmem_memory,
	};

	if (argc != 5 || subject_set(argv)) {
		(void)fputs("usage: vmsect-ivshmem-test NODE BYTES VECTORS PEER\n", stderr);
		return 2;
	}
	alarm(TIME_LIMIT_S);
	return tap_run_groups(groups, sizeof(groups) / sizeof(groups[0]));
}
