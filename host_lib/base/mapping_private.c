/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private pages: found in the kernel's page table of this process, and dropped.
 *
 * An entry of /proc/self/pagemap tells of one small page whether it is there
 * or in swap, and whether it is the file's.  Nothing else is asked, so no
 * privilege is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mapping_internal.h"
#include "base/sys.h"

#define ENTRY_PAGE UINT64_C(4096) /* that an entry is about */
#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)
#define ENTRY_OF_FILE (UINT64_C(1) << 61)
#define ENTRIES_MAX 512u /* in one read */
#define ENTRIES_FIRST 8u /* near pages are asked for most */

/* Entries of pages from `offset` on. */
struct pagemap {
	int fd; /* borrowed */
	uint64_t offset;
	uint64_t count;
	uint64_t entries[ENTRIES_MAX];
};

int pagemap_open(void)
{
	return sys_retry(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
}

static bool entry_is_private(uint64_t entry)
{
	return entry & (ENTRY_PRESENT | ENTRY_SWAPPED) && !(entry & ENTRY_OF_FILE);
}

/* Reads entries for pages from `offset` on; a huge page has one, its first. */
static int pagemap_read(struct pagemap *pagemap, const struct mapping *mapping, uint64_t offset,
			uint64_t end)
{
	uint64_t page = mapping->spec.page_bytes;
	uint64_t most = pagemap->count ? pagemap->count * 4 : ENTRIES_FIRST;
	uint64_t where = ((uintptr_t)mapping->spec.start + offset) / ENTRY_PAGE;
	ssize_t size;

	if (most > ENTRIES_MAX)
		most = ENTRIES_MAX;
	if (most > (end - offset) / page)
		most = (end - offset) / page;
	if (page > ENTRY_PAGE)
		most = 1;
	size = sys_retry(pread(pagemap->fd, pagemap->entries, most * sizeof(uint64_t),
			       (off_t)(where * sizeof(uint64_t))));
	if (size < (ssize_t)sizeof(uint64_t))
		return size < 0 ? (int)size : -EIO;
	pagemap->offset = offset;
	pagemap->count = (uint64_t)size / sizeof(uint64_t);
	return 0;
}

/* 1: the page at the offset is private, 0, or -errno. */
static int pagemap_page(struct pagemap *pagemap, const struct mapping *mapping, uint64_t offset,
			uint64_t end)
{
	uint64_t page = mapping->spec.page_bytes;
	int r;

	if (!pagemap->count || offset >= pagemap->offset + pagemap->count * page) {
		r = pagemap_read(pagemap, mapping, offset, end);
		if (r < 0)
			return r;
	}
	return entry_is_private(pagemap->entries[(offset - pagemap->offset) / page]);
}

/* Goes on from *offset while pages are private (or are not); 0 or -errno. */
static int pagemap_skip(struct pagemap *pagemap, const struct mapping *mapping, int is_private,
			uint64_t *offset, uint64_t end)
{
	int r = is_private;

	while (*offset < end) {
		r = pagemap_page(pagemap, mapping, *offset, end);
		if (r != is_private)
			break;
		*offset += mapping->spec.page_bytes;
	}
	return r < 0 ? r : 0;
}

int private_find(const struct mapping *mapping, int pagemap_fd, uint64_t offset, uint64_t end,
		 struct mapping_run *ret_range)
{
	struct pagemap pagemap = { .fd = pagemap_fd };
	uint64_t start = offset;
	int r;

	r = pagemap_skip(&pagemap, mapping, 0, &start, end);
	if (r < 0)
		return r;
	if (start >= end)
		return 0;
	offset = start;
	r = pagemap_skip(&pagemap, mapping, 1, &offset, end);
	if (r < 0)
		return r;
	*ret_range = (struct mapping_run){ .offset = start, .length = offset - start };
	return 1;
}

/* As private_find(), stepping over what is lost. */
static int find_next(const struct mapping *mapping, int pagemap_fd, uint64_t offset, uint64_t end,
		     struct mapping_run *ret_range)
{
	int r = 0;

	while (!r && offset < end) {
		const struct mapping_run *lost = lost_from(mapping, offset);
		uint64_t stop = lost && lost->offset < end ? lost->offset : end;

		if (offset < stop)
			r = private_find(mapping, pagemap_fd, offset, stop, ret_range);
		offset = lost ? run_end(lost) : end;
	}
	return r;
}

int mapping_next_private(const struct mapping *mapping, uint64_t offset, uint64_t *ret_offset,
			 uint64_t *ret_length)
{
	AUTO_FD int pagemap_fd = -1;
	struct mapping_run range;
	int r;

	if (!mapping->copied || offset >= mapping->spec.length)
		return 0;
	pagemap_fd = pagemap_open();
	if (pagemap_fd < 0)
		return pagemap_fd;
	r = find_next(mapping, pagemap_fd, offset & ~(mapping->spec.page_bytes - 1),
		      mapping->spec.length, &range);
	if (r > 0) {
		*ret_offset = range.offset;
		*ret_length = range.length;
	}
	return r;
}

int64_t mapping_private_pages(const struct mapping *mapping)
{
	AUTO_FD int pagemap_fd = -1;
	struct mapping_run range;
	uint64_t offset = 0;
	int64_t pages = 0;
	int r;

	if (!mapping->copied)
		return 0;
	pagemap_fd = pagemap_open();
	if (pagemap_fd < 0)
		return pagemap_fd;
	while ((r = find_next(mapping, pagemap_fd, offset, mapping->spec.length, &range)) > 0) {
		pages += (int64_t)(range.length / mapping->spec.page_bytes);
		offset = run_end(&range);
	}
	return r < 0 ? r : pages;
}

/*
 * Drops the private pages in a range that has nothing else.  Where the mode
 * shares, the file is mapped in their place: their own mapping would copy.
 */
static int drop_range(const struct mapping *mapping, const struct mapping_run *range)
{
	struct mapping_run part;
	size_t i;
	int r = 0;

	for (i = 0; i < mapping->run_count && !r; i++) {
		part = run_cut(&mapping->runs[i], range->offset, run_end(range));
		if (!part.length)
			continue;
		if (mode_kind(mapping, part.mode) == KIND_PRIVATE || part.mode == MAPPING_NONE)
			r = sys_result(madvise(mapping->spec.start + part.offset, part.length,
					       MADV_DONTNEED_LOCKED));
		else
			r = range_place(mapping, &part, PLACE_MOVE);
	}
	return r;
}

int mapping_reset(struct mapping *mapping, uint64_t offset, uint64_t length)
{
	AUTO_FD int pagemap_fd = -1;
	struct mapping_run range;
	uint64_t end = offset + length;
	int r;

	if (!mapping_has_range(mapping, offset, length))
		return -EINVAL;
	if (!mapping->copied)
		return 0;
	pagemap_fd = pagemap_open();
	if (pagemap_fd < 0)
		return pagemap_fd;
	while ((r = find_next(mapping, pagemap_fd, offset, end, &range)) > 0) {
		r = drop_range(mapping, &range);
		if (r < 0)
			return r;
		offset = run_end(&range);
	}
	return r;
}
