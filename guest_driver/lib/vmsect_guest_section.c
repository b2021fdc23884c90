// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles of sections and their events: one ioctl each, on structs of our own, so
 * that what is given is never written and what is returned is whole.
 */
#include "vmsect_guest.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Into a field that is zero behind the name, as the driver wants it. */
static int name_put(char field[VMSECT_GUEST_NAME_MAX + 1], const char *name)
{
	size_t length = strnlen(name, VMSECT_GUEST_NAME_MAX + 1);

	if (length > VMSECT_GUEST_NAME_MAX)
		return -EINVAL;
	memset(field, 0, VMSECT_GUEST_NAME_MAX + 1);
	memcpy(field, name, length);
	return 0;
}

/* A command that returns a new descriptor. */
static int ioctl_fd(int fd, unsigned long command, void *argument, int *ret_fd)
{
	int new_fd = ioctl(fd, command, argument);

	if (new_fd < 0)
		return -errno;
	*ret_fd = new_fd;
	return 0;
}

int vmsect_guest_open_access(int ctl_fd, const char *name, uint32_t access, int *ret_fd)
{
	struct vmsect_open request = { .access = access };
	int err = name_put(request.name, name);

	return err ? err : ioctl_fd(ctl_fd, VMSECT_IOC_OPEN, &request, ret_fd);
}

int vmsect_guest_create(int ctl_fd, const char *name, const struct vmsect_create *options,
			uint32_t *ret_existed, int *ret_fd)
{
	struct vmsect_create request = *options;
	int err = name_put(request.name, name ? name : "");

	if (err)
		return err;
	request.existed = 0;
	request.reserved = 0;
	err = ioctl_fd(ctl_fd, VMSECT_IOC_CREATE, &request, ret_fd);
	if (!err && ret_existed)
		*ret_existed = request.existed;
	return err;
}

int vmsect_guest_duplicate(int fd, uint32_t access, int *ret_fd)
{
	struct vmsect_duplicate request = { .access = access };

	return ioctl_fd(fd, VMSECT_IOC_DUPLICATE, &request, ret_fd);
}

int vmsect_guest_query(int fd, struct vmsect_section *ret_section)
{
	struct vmsect_section section = { 0 };

	if (ioctl(fd, VMSECT_IOC_QUERY, &section) < 0)
		return -errno;
	*ret_section = section;
	return 0;
}

int vmsect_guest_extend(int fd, uint64_t size_bytes, uint64_t *ret_bytes)
{
	struct vmsect_extend request = { .size_bytes = size_bytes };

	if (ioctl(fd, VMSECT_IOC_EXTEND, &request) < 0)
		return -errno;
	if (ret_bytes)
		*ret_bytes = request.size_bytes;
	return 0;
}

int vmsect_guest_notify(int fd, uint32_t peer, uint64_t value)
{
	struct vmsect_notify request = { .value = value, .peer = peer };

	return ioctl(fd, VMSECT_IOC_NOTIFY, &request) < 0 ? -errno : 0;
}

int vmsect_guest_events(int fd, uint32_t mask, int *ret_fd)
{
	struct vmsect_events_request request = { .mask = mask };

	return ioctl_fd(fd, VMSECT_IOC_EVENTS, &request, ret_fd);
}

int vmsect_guest_wait(int events_fd, int timeout_ms)
{
	struct pollfd wanted = { .fd = events_fd, .events = POLLIN };
	int ready = poll(&wanted, 1, timeout_ms);

	if (ready < 0)
		return -errno;
	if (!ready)
		return -ETIMEDOUT;
	return wanted.revents & POLLNVAL ? -EBADF : 0;
}

int vmsect_guest_read_event(int events_fd, struct vmsect_event *ret_event)
{
	struct vmsect_event event;
	ssize_t bytes = read(events_fd, &event, sizeof(event));

	if (bytes < 0)
		return -errno;
	if (!bytes)
		return -ENODEV;
	if ((size_t)bytes != sizeof(event))
		return -EIO;
	*ret_event = event;
	return 0;
}
