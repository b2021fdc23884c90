/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See publish_file.h. */
#include "broker/publish_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

#define CHUNK_BYTES (256u << 10)

void publish_journal_clear(struct publish_journal *journal)
{
	*journal = (struct publish_journal){ .fd = -1 };
}

void publish_journal_deinit(struct publish_journal *journal)
{
	fd_close(journal->fd);
	free(journal->ranges);
	publish_journal_clear(journal);
}

int publish_write(int fd, const void *bytes, size_t size, uint64_t offset)
{
	const char *from = bytes;
	ssize_t written;

	while (size) {
		written = sys_retry(pwrite(fd, from, size, (off_t)offset));
		if (written < 0)
			return (int)written;
		if (!written)
			return -EIO;
		from += written;
		offset += (uint64_t)written;
		size -= (size_t)written;
	}
	return 0;
}

int publish_read(int fd, void *bytes, size_t size, uint64_t offset)
{
	char *to = bytes;
	ssize_t got;

	while (size) {
		got = sys_retry(pread(fd, to, size, (off_t)offset));
		if (got < 0)
			return (int)got;
		if (!got)
			return -EIO;
		to += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return 0;
}

int publish_copy(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t length)
{
	AUTO_FREE char *chunk = malloc(CHUNK_BYTES);
	size_t size;
	int r = chunk ? 0 : -ENOMEM;

	while (!r && length) {
		size = length < CHUNK_BYTES ? (size_t)length : CHUNK_BYTES;
		r = publish_read(from, chunk, size, from_offset);
		if (!r)
			r = publish_write(to, chunk, size, to_offset);
		from_offset += size;
		to_offset += size;
		length -= size;
	}
	return r;
}

/* Reads into a mapping: a page that cannot be had is an error, not a signal. */
static int copy_to_mapping(int from, uint64_t from_offset, int target,
			   const struct vmsect_wire_range *range)
{
	void *mapping = mmap(NULL, range->length, PROT_READ | PROT_WRITE, MAP_SHARED, target,
			     (off_t)range->offset);
	int r;

	if (mapping == MAP_FAILED)
		return -errno;
	r = publish_read(from, mapping, range->length, from_offset);
	(void)munmap(mapping, range->length);
	return r;
}

int publish_apply(const struct publish_journal *journal, int target)
{
	uint64_t from = journal->head.bytes_offset;
	const struct vmsect_wire_range *range;
	uint32_t i;
	int r = 0;

	for (i = 0; !r && i < journal->head.count; i++) {
		range = &journal->ranges[i];
		if (journal->head.is_mapped)
			r = copy_to_mapping(journal->fd, from, target, range);
		else
			r = publish_copy(journal->fd, from, target, range->offset, range->length);
		from += range->length;
	}
	if (!r && journal->head.path_bytes)
		r = sys_retry(fdatasync(target));
	return r;
}

int publish_make_room(const struct publish_journal *journal, int target)
{
	const struct vmsect_wire_range *range;
	uint32_t i;
	int r = 0;

	for (i = 0; !r && i < journal->head.count; i++) {
		range = &journal->ranges[i];
		r = sys_retry(fallocate(target, FALLOC_FL_KEEP_SIZE, (off_t)range->offset,
					(off_t)range->length));
	}
	return r == -EOPNOTSUPP && journal->head.path_bytes ? 0 : r;
}
