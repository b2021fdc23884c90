// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The library for guest programs: names to nodes, structures to ioctls.
 * errno is turned into a result at each system call and nowhere else.
 */
#include "vmsect_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define NODE_FOLDER "/dev/vmsect/"
#define MAP_HOW_ALL                                                                                \
	(VMSECT_GUEST_READ | VMSECT_GUEST_WRITE | VMSECT_GUEST_PRIVATE | VMSECT_GUEST_EXEC)

static int name_check(const char *name)
{
	size_t length = strnlen(name, VMSECT_GUEST_NAME_MAX + 1);

	if (!length || length > VMSECT_GUEST_NAME_MAX || name[0] == '.' || strchr(name, '/'))
		return -EINVAL;
	return 0;
}

int vmsect_guest_open(const char *name, int flags, int *ret_fd)
{
	char path[sizeof(NODE_FOLDER) + VMSECT_GUEST_NAME_MAX];
	int err = name_check(name);
	int fd;

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s%s", NODE_FOLDER, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int vmsect_guest_info(int ctl_fd, struct vmsect_info *ret_info)
{
	struct vmsect_info info = { 0 };

	if (ioctl(ctl_fd, VMSECT_IOC_INFO, &info) < 0)
		return -errno;
	*ret_info = info;
	return 0;
}

int vmsect_guest_list(int ctl_fd, uint32_t index, struct vmsect_section *ret_section)
{
	struct vmsect_list list = { .index = index };

	if (ioctl(ctl_fd, VMSECT_IOC_LIST, &list) < 0)
		return -errno;
	*ret_section = list.section;
	return 0;
}

static int map_prot(int how)
{
	return (how & VMSECT_GUEST_READ ? PROT_READ : 0) |
	       (how & VMSECT_GUEST_WRITE ? PROT_WRITE : 0) |
	       (how & VMSECT_GUEST_EXEC ? PROT_EXEC : 0);
}

/* The length of what lies behind offset. */
static int map_rest(int fd, uint64_t offset, size_t *ret_length)
{
	struct vmsect_section section = { 0 };
	int err = vmsect_guest_query(fd, &section);

	if (err)
		return err;
	if (offset >= section.length)
		return -ENXIO;
	if (section.length - offset > SIZE_MAX)
		return -EOVERFLOW;
	*ret_length = (size_t)(section.length - offset);
	return 0;
}

int vmsect_guest_map(int fd, int how, uint64_t offset, size_t length,
		     struct vmsect_guest_mapping *ret_map)
{
	int flags = how & VMSECT_GUEST_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
	void *addr;
	int err;

	if ((how & ~MAP_HOW_ALL) || !map_prot(how))
		return -EINVAL;
	if (offset > INT64_MAX || sizeof(off_t) < sizeof(int64_t))
		return -EOVERFLOW;
	err = length ? 0 : map_rest(fd, offset, &length);
	if (err)
		return err;
	addr = mmap(NULL, length, map_prot(how), flags, fd, (off_t)offset);
	if (addr == MAP_FAILED)
		return -errno;
	*ret_map = (struct vmsect_guest_mapping){ .addr = addr, .length = length };
	return 0;
}

void vmsect_guest_unmap(struct vmsect_guest_mapping *map)
{
	if (!map || !map->addr)
		return;
	munmap(map->addr, map->length);
	*map = (struct vmsect_guest_mapping){ 0 };
}
