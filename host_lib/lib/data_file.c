/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See data_file.h. */
#include "lib/data_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/client.h"

static int check_regular(int r, const struct stat *status)
{
	if (r < 0)
		return r;
	return S_ISREG(status->st_mode) ? 0 : -ENODEV;
}

static int open_regular(const char *path, int mode)
{
	AUTO_FD int fd = -1;
	struct stat status;
	int r;

	r = check_regular(sys_result(stat(path, &status)), &status);
	if (r < 0)
		return r;
	fd = sys_retry(open(path, mode | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
	if (fd < 0)
		return fd;
	r = check_regular(sys_result(fstat(fd, &status)), &status);
	return r < 0 ? r : steal_fd(&fd);
}

int data_file_open(struct vmsect_client *client, const char *path, int mode)
{
	int fd = path ? open_regular(path, mode) : -EINVAL;

	if (fd >= 0)
		return fd;
	return client_fail(client, fd, VMSECT_DETAIL_FILE, "cannot use the file '%s': %s",
			   path ? path : "",
			   fd == -ENODEV ? "it is not a regular file" : error_words(fd));
}
