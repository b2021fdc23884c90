/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See window_impl.h.  The files of views, each open once for reading and once for writing. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "mem/window_impl.h"

static struct window_file *file_find(const struct window *window, const struct window_file *key)
{
	struct window_file *file;

	LIST_FOREACH (file, &window->files, link)
		if (file->device == key->device && file->inode == key->inode &&
		    file->is_writable == key->is_writable)
			return file;
	return NULL;
}

static int file_new(struct window *window, int fd, const struct window_file *key,
		    struct window_file **ret_file)
{
	struct window_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	*file = *key;
	file->fd = sys_result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
	if (file->fd < 0) {
		int result = file->fd;

		free(file);
		return result;
	}
	LIST_INSERT_HEAD(&window->files, file, link);
	*ret_file = file;
	return 0;
}

int window_file_take(struct window *window, int fd, struct window_file **ret_file)
{
	struct window_file key = { .fd = -1 }, *file;
	struct stat status;
	int flags = sys_result(fcntl(fd, F_GETFL)), result = 0;

	if (flags < 0)
		return flags;
	if (fstat(fd, &status) < 0)
		return -errno;
	key.device = status.st_dev;
	key.inode = status.st_ino;
	key.is_writable = (flags & O_ACCMODE) == O_RDWR;
	file = file_find(window, &key);
	if (!file)
		result = file_new(window, fd, &key, &file);
	if (result < 0)
		return result;
	file->views++;
	*ret_file = file;
	return 0;
}

void window_file_give(struct window_file *file)
{
	if (!file || --file->views > 0)
		return;
	LIST_REMOVE(file, link);
	file->fd = fd_close(file->fd);
	free(file);
}
