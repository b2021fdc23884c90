/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See window_impl.h.  The host side of a view: its file, and the mapping of it
 * in the window's reservation.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "mem/window_impl.h"

#define BLOCK_BYTES 512 /* of st_blocks */

/*
 * A view is populated before its slot is added if it is this small: a first
 * touch is then several times cheaper for the guest.  More would keep the io
 * thread waiting for the disk.
 */
#define POPULATE_MAX WINDOW_UNIT_BYTES

int window_view_prot(const struct window_view *view)
{
	switch (view->mode) {
	case WINDOW_READONLY:
		return PROT_READ;
	case WINDOW_READWRITE:
	case WINDOW_WRITECOPY:
		return PROT_READ | PROT_WRITE;
	case WINDOW_NOACCESS:
		break;
	}
	return PROT_NONE;
}

static int file_take(struct window *window, int fd, const struct stat *status,
		     struct window_file **ret_file)
{
	struct window_file *file;

	LIST_FOREACH (file, &window->files, link) {
		if (file->device == status->st_dev && file->inode == status->st_ino) {
			file->views++;
			*ret_file = file;
			return 0;
		}
	}
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->fd = sys_result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
	if (file->fd < 0) {
		int result = file->fd;

		free(file);
		return result;
	}
	file->device = status->st_dev;
	file->inode = status->st_ino;
	file->views = 1;
	LIST_INSERT_HEAD(&window->files, file, link);
	*ret_file = file;
	return 0;
}

static void file_give(struct window_file *file)
{
	if (!file || --file->views > 0)
		return;
	LIST_REMOVE(file, link);
	file->fd = fd_close(file->fd);
	free(file);
}

/*
 * Speed only, so failures are none: a page that cannot be had is found when
 * the guest asks for it.  A sparse file is left alone, since populating would
 * allocate what nobody has written.
 */
static void view_populate(const struct window *window, const struct window_view *view,
			  const struct stat *status)
{
	uint64_t end = view->fd_offset + view->bytes;

	(void)madvise(window->hva + view->place, view->bytes, MADV_DONTDUMP);
	if (view->bytes > POPULATE_MAX || end > (uint64_t)status->st_size ||
	    status->st_blocks * BLOCK_BYTES < status->st_size)
		return;
	(void)madvise(window->hva + view->place, view->bytes, MADV_POPULATE_READ);
}

int window_view_map_file(struct window *window, struct window_view *view, int fd)
{
	int flags = view->mode == WINDOW_WRITECOPY ? MAP_PRIVATE : MAP_SHARED;
	struct stat status;
	void *mapped;
	int result;

	if (view->mode == WINDOW_NOACCESS)
		return 0;
	result = sys_result(fstat(fd, &status));
	if (result == 0)
		result = file_take(window, fd, &status, &view->file);
	if (result < 0)
		return result;
	mapped = mmap(window->hva + view->place, view->bytes, window_view_prot(view),
		      flags | MAP_FIXED, fd, (off_t)view->fd_offset);
	if (mapped == MAP_FAILED)
		return -errno;
	view_populate(window, view, &status);
	return 0;
}

bool window_view_unmap_file(const struct window *window, struct window_view *view)
{
	void *mapped = window->hva;

	if (view->mode != WINDOW_NOACCESS)
		mapped = mmap(window->hva + view->place, view->bytes, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	file_give(view->file);
	view->file = NULL;
	return mapped != MAP_FAILED;
}
