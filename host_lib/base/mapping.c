/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See mapping.h: a mapping's beginning, growth and end. */
#include "base/mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/mapping_internal.h"

static bool is_whole(const struct mapping_spec *spec, uint64_t bytes)
{
	return !(bytes & (spec->page_bytes - 1));
}

static bool spec_is_clean(const struct mapping_spec *spec)
{
	uint64_t end;

	if (!spec->page_bytes || spec->page_bytes & (spec->page_bytes - 1))
		return false;
	return spec->length && spec->length <= spec->room && is_whole(spec, spec->length) &&
	       is_whole(spec, spec->room) && is_whole(spec, spec->fd_offset) &&
	       is_whole(spec, (uintptr_t)spec->start) &&
	       !__builtin_add_overflow(spec->fd_offset, spec->room, &end) && end <= INT64_MAX &&
	       spec->mode <= MAPPING_COPY && (spec->mode == MAPPING_NONE || spec->fd >= 0);
}

bool mapping_has_range(const struct mapping *mapping, uint64_t offset, uint64_t length)
{
	const struct mapping_spec *spec = &mapping->spec;

	return length && is_whole(spec, offset) && is_whole(spec, length) &&
	       offset < spec->length && length <= spec->length - offset;
}

static bool reservation_restore(const struct mapping *mapping, uint64_t offset, uint64_t length)
{
	return mmap(mapping->spec.start + offset, length, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/* Maps [from, spec.length) with the spec's mode, and notes it.  All or nothing. */
static int mapping_append(struct mapping *mapping, uint64_t from)
{
	const struct mapping_spec *spec = &mapping->spec;
	struct mapping_run run = { .offset = from,
				   .length = spec->length - from,
				   .mode = spec->mode,
				   .execute = spec->execute && spec->mode != MAPPING_NONE,
				   .tag = spec->tag };
	struct run_list old = { mapping->runs, mapping->run_count };
	struct run_list list;
	int r;

	r = runs_replace(&old, &run, run_end(&run), MAPPING_RUNS_MAX, &list);
	if (r < 0)
		return r;
	if (run.mode != MAPPING_NONE)
		r = range_place(mapping, &run, PLACE_MOVE);
	if (r < 0) {
		(void)reservation_restore(mapping, run.offset, run.length);
		free(list.runs);
		return r;
	}
	free(mapping->runs);
	mapping->runs = list.runs;
	mapping->run_count = list.count;
	return 0;
}

int mapping_init(struct mapping *mapping, const struct mapping_spec *spec)
{
	struct mapping new = { .spec = *spec, .userfault_fd = -1 };
	int r;

	if (!spec_is_clean(spec))
		return -EINVAL;
	new.copied = spec->mode == MAPPING_COPY;
	if (spec->reserve && spec->fd >= 0) {
		r = new.userfault_fd = reserve_open();
		if (r < 0)
			return r;
	}
	r = mapping_append(&new, 0);
	if (r < 0) {
		fd_close(new.userfault_fd);
		return r;
	}
	*mapping = new;
	return 0;
}

bool mapping_deinit(struct mapping *mapping)
{
	bool restored = reservation_restore(mapping, 0, mapping->spec.room);

	fd_close(mapping->userfault_fd);
	free(mapping->runs);
	free(mapping->lost);
	*mapping = (struct mapping){ .userfault_fd = -1 };
	return restored;
}

int mapping_grow(struct mapping *mapping, uint64_t length)
{
	struct mapping_spec *spec = &mapping->spec;
	uint64_t before = spec->length;
	int r;

	if (length < before || length > spec->room || !is_whole(spec, length))
		return -EINVAL;
	if (length == before)
		return 0;
	spec->length = length;
	r = mapping_append(mapping, before);
	if (r < 0)
		spec->length = before;
	return r;
}

struct mapping_run mapping_run_at(const struct mapping *mapping, uint64_t offset)
{
	size_t i = 0;

	while (i + 1 < mapping->run_count && run_end(&mapping->runs[i]) <= offset)
		i++;
	return mapping->runs[i];
}
