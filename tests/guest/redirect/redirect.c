// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libredirect.so, by LD_PRELOAD: files that a program would make for itself, and
 * whose path has REDIRECT_FROM in it, are REDIRECT_TO instead, which is there
 * already.  stress-ng's mmap workers map a file of their own making and take no
 * name; so they map a section.  All that they do with the descriptor, and what
 * it answers, is theirs and the driver's.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int open(const char *path, int flags, ...);
EXPORT int open64(const char *path, int flags, ...);

static int file_open(const char *path, int flags, mode_t mode)
{
	const char *from = getenv("REDIRECT_FROM"), *to = getenv("REDIRECT_TO");

	if (from && to && (flags & O_CREAT) && strstr(path, from)) {
		path = to;
		flags &= ~(O_CREAT | O_EXCL | O_TRUNC);
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* The mode is there if and only if a file may be made. */
#define OPEN_MODE(ret_mode)                                                                        \
	do {                                                                                       \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, flags);                                                             \
		if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))                                \
			*(ret_mode) = va_arg(args, mode_t);                                        \
		va_end(args);                                                                      \
	} while (0)

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	OPEN_MODE(&mode);
	return file_open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	OPEN_MODE(&mode);
	return file_open(path, flags | O_LARGEFILE, mode);
}
