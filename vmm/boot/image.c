/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See image.h. */
#include "boot/image.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

static const char *kind_text(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

static int image_check(int fd, uint64_t max, uint64_t *ret_bytes, struct boot_error *error)
{
	struct stat status;
	int result = sys_result(fstat(fd, &status));

	if (result < 0)
		return boot_fail(error, result, "%s", strerror(-result));
	if (!S_ISREG(status.st_mode))
		return boot_fail(error, -EINVAL, "is %s, not a regular file",
				 kind_text(status.st_mode));
	if (status.st_size <= 0)
		return boot_fail(error, -EINVAL, "is empty");
	if ((uint64_t)status.st_size > max)
		return boot_fail(error, -EFBIG,
				 "has %" PRIu64 " bytes, more than the %" PRIu64 " that fit",
				 (uint64_t)status.st_size, max);
	*ret_bytes = (uint64_t)status.st_size;
	return 0;
}

int image_open(const char *path, uint64_t max, int *ret_fd, uint64_t *ret_bytes,
	       struct boot_error *error)
{
	/* O_NONBLOCK: the open of a FIFO must not wait for its writer. */
	AUTO_FD int fd = sys_retry(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
	int result;

	if (fd < 0)
		return boot_fail(error, fd, "%s", strerror(-fd));
	result = image_check(fd, max, ret_bytes, error);
	if (result < 0)
		return result;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int image_read(int fd, void *to, uint64_t bytes, struct boot_error *error)
{
	uint64_t done = 0;

	while (done < bytes) {
		ssize_t got = sys_retry(pread(fd, (uint8_t *)to + done, bytes - done, (off_t)done));

		if (got < 0)
			return boot_fail(error, (int)got, "%s", strerror((int)-got));
		if (got == 0)
			return boot_fail(error, -EIO, "has become shorter while it was read");
		done += (uint64_t)got;
	}
	return 0;
}
