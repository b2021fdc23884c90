// SPDX-License-Identifier: LGPL-2.1-or-later
/* Views: one ioctl each, on structs of our own; see vmsect_guest_section.c. */
#include "vmsect_guest.h"

#include <errno.h>
#include <sys/ioctl.h>

int vmsect_guest_view(int fd, const struct vmsect_view_request *request, int *ret_fd)
{
	struct vmsect_view_request copy = *request;
	int view_fd = ioctl(fd, VMSECT_IOC_VIEW, &copy);

	if (view_fd < 0)
		return -errno;
	*ret_fd = view_fd;
	return 0;
}

int vmsect_guest_query_view(int fd, struct vmsect_view_info *ret_info)
{
	struct vmsect_view_info info = { 0 };

	if (ioctl(fd, VMSECT_IOC_QUERY_VIEW, &info) < 0)
		return -errno;
	*ret_info = info;
	return 0;
}

int vmsect_guest_protect(int fd, uint64_t offset, uint64_t length, uint32_t protection,
			 uint32_t *ret_old)
{
	struct vmsect_protect request = { .offset = offset,
					  .length = length,
					  .protection = protection };

	if (ioctl(fd, VMSECT_IOC_PROTECT, &request) < 0)
		return -errno;
	if (ret_old)
		*ret_old = request.old;
	return 0;
}

int vmsect_guest_commit(int fd, uint64_t offset, uint64_t length, uint32_t protection)
{
	struct vmsect_protect request = { .offset = offset,
					  .length = length,
					  .protection = protection };

	return ioctl(fd, VMSECT_IOC_COMMIT, &request) < 0 ? -errno : 0;
}

int vmsect_guest_reset(int fd, uint64_t offset, uint64_t length)
{
	struct vmsect_range range = { .offset = offset, .length = length };

	return ioctl(fd, VMSECT_IOC_RESET, &range) < 0 ? -errno : 0;
}

int vmsect_guest_query_pages(int fd, uint64_t offset, struct vmsect_page_run *ret_run)
{
	struct vmsect_page_run run = { .offset = offset };

	if (ioctl(fd, VMSECT_IOC_QUERY_PAGES, &run) < 0)
		return -errno;
	*ret_run = run;
	return 0;
}

int vmsect_guest_diff(int fd, uint64_t *after, struct vmsect_range *ranges, uint32_t room,
		      uint32_t *ret_count)
{
	struct vmsect_diff request = { .after = *after,
				       .ranges = (uint64_t)(uintptr_t)ranges,
				       .count = room };

	if (ioctl(fd, VMSECT_IOC_DIFF, &request) < 0)
		return -errno;
	*after = request.after;
	*ret_count = request.count;
	return request.more != 0;
}

int vmsect_guest_publish(int fd, int section_fd)
{
	struct vmsect_publish request = { .section_fd = section_fd };

	return ioctl(fd, VMSECT_IOC_PUBLISH, &request) < 0 ? -errno : 0;
}

int vmsect_guest_flush(int fd, uint64_t offset, uint64_t length, uint32_t flags)
{
	struct vmsect_flush request = { .offset = offset, .length = length, .flags = flags };

	return ioctl(fd, VMSECT_IOC_FLUSH, &request) < 0 ? -errno : 0;
}
