/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pages whose backing has gone, the zero pages in their place, and the way
 * back; and which pages of a RESERVE section there are at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mapping_internal.h"
#include "base/sys.h"

const struct mapping_run *lost_from(const struct mapping *mapping, uint64_t offset)
{
	size_t low = 0, high = mapping->lost_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (run_end(&mapping->lost[middle]) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < mapping->lost_count ? &mapping->lost[low] : NULL;
}

bool mapping_is_lost(const struct mapping *mapping, uint64_t offset)
{
	const struct mapping_run *lost = lost_from(mapping, offset);

	return lost && lost->offset <= offset;
}

static void lost_take(struct mapping *mapping, const struct run_list *list)
{
	free(mapping->lost);
	mapping->lost = list->runs;
	mapping->lost_count = list->count;
}

/* Zero pages under pages of one mode, none of them lost yet; noted if it was done. */
static int bury_run(struct mapping *mapping, const struct mapping_run *run)
{
	struct run_list old = { mapping->lost, mapping->lost_count };
	struct mapping_run range = { .offset = run->offset, .length = run->length };
	struct run_list list;
	void *start;
	int r;

	r = runs_replace(&old, &range, run_end(&range), SIZE_MAX, &list);
	if (r < 0)
		return r;
	/* In place: it must be possible with as many mappings as the kernel allows. */
	start = mmap(mapping->spec.start + run->offset, run->length, mode_prot(run),
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	if (start == MAP_FAILED) {
		free(list.runs);
		return -errno;
	}
	lost_take(mapping, &list);
	return 0;
}

static int bury_range(struct mapping *mapping, uint64_t offset, uint64_t end)
{
	struct mapping_run part;
	size_t i;
	int r = 0;

	for (i = 0; i < mapping->run_count && !r; i++) {
		part = run_cut(&mapping->runs[i], offset, end);
		if (part.length)
			r = bury_run(mapping, &part);
	}
	return r;
}

int mapping_bury(struct mapping *mapping, uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;
	int r = 0;

	if (!mapping_has_range(mapping, offset, length))
		return -EINVAL;
	while (!r && offset < end) {
		const struct mapping_run *lost = lost_from(mapping, offset);
		uint64_t stop = lost && lost->offset < end ? lost->offset : end;
		uint64_t next = lost ? run_end(lost) : end;

		/* It changes the list: `lost` is not looked at after. */
		if (offset < stop)
			r = bury_range(mapping, offset, stop);
		offset = next;
	}
	return r;
}

/* A look at pages of a RESERVE section beside the view, whose pages may be without access. */
static unsigned char *probe_open(const struct mapping *mapping, uint64_t offset, uint64_t length)
{
	void *start = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, mapping->spec.fd,
			   (off_t)(mapping->spec.fd_offset + offset));
	int r;

	if (start == MAP_FAILED)
		return NULL;
	r = reserve_register(mapping->userfault_fd, start, length);
	if (!r)
		r = sys_result(mprotect(start, length, PROT_READ));
	if (!r)
		return start;
	(void)munmap(start, length);
	return NULL;
}

uint64_t mapping_commit_run(const struct mapping *mapping, uint64_t offset, uint64_t length,
			    bool *ret_committed)
{
	uint64_t page = mapping->spec.page_bytes;
	bool committed, first = !mapping->spec.reserve;
	unsigned char *start = NULL;
	uint64_t done = 0;

	*ret_committed = first;
	if (mapping->userfault_fd >= 0)
		start = probe_open(mapping, offset, length);
	if (!start)
		return length;
	while (done < length) {
		committed = !madvise(start + done, page, MADV_POPULATE_READ);
		if (!done)
			first = committed;
		else if (committed != first)
			break;
		done += page;
	}
	(void)munmap(start, length);
	*ret_committed = first;
	return done;
}

bool mapping_is_committed(const struct mapping *mapping, uint64_t offset)
{
	uint64_t page = mapping->spec.page_bytes;
	bool committed;

	(void)mapping_commit_run(mapping, offset & ~(page - 1), page, &committed);
	return committed;
}

/* Are the pages from the offset on in the file, and how many of [offset, end) are alike? */
static uint64_t backed_run(const struct mapping *mapping, uint64_t size_bytes, uint64_t offset,
			   uint64_t end, bool *ret_backed)
{
	uint64_t page = mapping->spec.page_bytes;
	uint64_t begin = mapping->spec.fd_offset;
	uint64_t reach = size_bytes > begin ? (size_bytes - begin + page - 1) & ~(page - 1) : 0;

	*ret_backed = offset < reach;
	if (!*ret_backed)
		return end - offset;
	if (end > reach)
		end = reach;
	return mapping_commit_run(mapping, offset, end - offset, ret_backed);
}

/* Maps the file in the place of lost pages, which all are backed. */
static int restore_range(struct mapping *mapping, const struct mapping_run *range)
{
	struct run_list old = { mapping->lost, mapping->lost_count };
	struct mapping_run hole = { .offset = range->offset };
	struct mapping_run part;
	struct run_list list;
	size_t i;
	int r;

	r = runs_replace(&old, &hole, run_end(range), SIZE_MAX, &list);
	if (r < 0)
		return r;
	for (i = 0; i < mapping->run_count && !r; i++) {
		part = run_cut(&mapping->runs[i], range->offset, run_end(range));
		if (part.length)
			r = range_place(mapping, &part, PLACE_MOVE);
	}
	if (r < 0) {
		free(list.runs);
		return r;
	}
	lost_take(mapping, &list);
	return 0;
}

/* Looks at the first lost part in [*offset, end), and goes behind it. */
static int restore_next(struct mapping *mapping, uint64_t size_bytes, uint64_t *offset,
			uint64_t end, uint64_t *lost_bytes)
{
	const struct mapping_run *lost = lost_from(mapping, *offset);
	struct mapping_run range = { .offset = end };
	bool backed = false;

	if (lost)
		range = run_cut(lost, *offset, end);
	*offset = end;
	if (!lost || !range.length)
		return 0;
	range.length = backed_run(mapping, size_bytes, range.offset, run_end(&range), &backed);
	*offset = run_end(&range);
	if (backed)
		return restore_range(mapping, &range);
	*lost_bytes += range.length;
	return 0;
}

int mapping_restore(struct mapping *mapping, uint64_t offset, uint64_t length, uint64_t *ret_lost)
{
	uint64_t end = offset + length;
	uint64_t lost_bytes = 0;
	struct stat status;
	int r;

	if (!mapping_has_range(mapping, offset, length))
		return -EINVAL;
	r = mapping->lost_count ? sys_result(fstat(mapping->spec.fd, &status)) : 0;
	while (!r && mapping->lost_count && offset < end)
		r = restore_next(mapping, (uint64_t)status.st_size, &offset, end, &lost_bytes);
	if (r < 0)
		return r;
	*ret_lost = lost_bytes / mapping->spec.page_bytes;
	return 0;
}
