/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See huge_pages.h. */
#include "lib/check.h"

#include "lib/huge_pages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define SIZE "/proc/sys/vm/nr_hugepages"
#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/"

static long read_number(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t bytes;

	if (fd < 0)
		return -1;
	bytes = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (bytes <= 0)
		return -1;
	text[bytes] = '\0';
	return strtol(text, NULL, 10);
}

static void write_size(long pages)
{
	int fd = open(SIZE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)dprintf(fd, "%ld\n", pages);
	(void)close(fd);
}

long huge_pages_free(void)
{
	long unused = read_number(POOL "free_hugepages");
	long reserved = read_number(POOL "resv_hugepages");

	return unused < 0 || reserved < 0 ? -1 : unused - reserved;
}

static bool lock_pool(struct huge_pages *huge)
{
	if (huge->lock_fd >= 0)
		return true;
	huge->lock_fd = open(SIZE, O_RDONLY | O_CLOEXEC);
	if (huge->lock_fd < 0)
		return false;
	(void)flock(huge->lock_fd, LOCK_EX);
	huge->before = read_number(SIZE);
	return true;
}

bool huge_pages_take(struct huge_pages *huge, long pages)
{
	if (!lock_pool(huge)) {
		print_message("no huge pages of 2 MiB on this host\n");
		return false;
	}
	write_size(read_number(SIZE) + pages);
	if (huge_pages_free() >= pages)
		return true;
	print_message("cannot have %ld huge pages\n", pages);
	return false;
}

void huge_pages_give_back(struct huge_pages *huge)
{
	if (huge->lock_fd < 0)
		return;
	write_size(huge->before);
	(void)close(huge->lock_fd);
	huge->lock_fd = -1;
}
