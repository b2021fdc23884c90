/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See patch.h. */
#include "lib/patch.h"

#include "lib/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGN 4096u
#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static uint64_t table_bytes(uint32_t count)
{
	return (count * sizeof(struct vmsect_wire_range) + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
}

/* The table and room for the bytes, not sealed yet. */
static int start(const struct vmsect_wire_range *ranges, uint32_t count, uint64_t bytes)
{
	int fd = memfd_create("patch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t size = count * sizeof(*ranges);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(table_bytes(count) + bytes)), 0);
	assert_int_equal(pwrite(fd, ranges, size, 0), size);
	return fd;
}

int patch_new(const struct vmsect_wire_range *ranges, uint32_t count, char byte)
{
	uint64_t total = 0;
	uint32_t i;
	char *bytes;
	int fd;

	for (i = 0; i < count; i++)
		total += ranges[i].length;
	fd = start(ranges, count, total);
	bytes = malloc(total + 1); /* a patch of nothing is one, too */
	assert_non_null(bytes);
	memset(bytes, byte, total);
	assert_int_equal(pwrite(fd, bytes, total, (off_t)table_bytes(count)), total);
	free(bytes);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, SEALS), 0);
	return fd;
}

int patch_new_odd(const struct vmsect_wire_range *ranges, uint32_t count, uint64_t bytes, int seals)
{
	int fd = start(ranges, count, bytes);

	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}
