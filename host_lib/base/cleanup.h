/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cleanup attributes: a local that owns something says so where it is
 * declared, and hands it over with steal_fd() or steal_ptr() on success.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define AUTO(function) __attribute__((cleanup(function)))
#define AUTO_FD AUTO(fd_cleanup)
#define AUTO_FREE AUTO(free_cleanup)

/* Closes fd if it is one, and returns -1.  errno is left alone. */
static inline int fd_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static inline void fd_cleanup(int *fd)
{
	*fd = fd_close(*fd);
}

static inline void free_cleanup(void *ptr)
{
	free(*(void **)ptr);
}

/* The caller takes what *fd owned. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline void *steal_ptr_(void *ptr)
{
	void *taken = *(void **)ptr;

	*(void **)ptr = NULL;
	return taken;
}

/* The caller takes what *ptr owned. */
#define steal_ptr(ptr) ((typeof(*(ptr)))steal_ptr_(ptr))

#endif
