/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of base/mapping share: lists of runs, and the kernel's
 * mappings under them.
 */
#ifndef BASE_MAPPING_INTERNAL_H
#define BASE_MAPPING_INTERNAL_H

#include "base/mapping.h"

struct run_list {
	struct mapping_run *runs; /* owned by whom it is given to */
	size_t count;
};

/*
 * A new list: the old one with `run` in the place of what it covers; an empty
 * run (length 0) only cuts out [run->offset, end).  Neighbours that are alike
 * become one.  0, -ENOMEM, or -E2BIG above `limit`.
 */
int runs_replace(const struct run_list *old, const struct mapping_run *run, uint64_t end,
		 size_t limit, struct run_list *ret_list);

/* The part of a run within [from, end); length 0 if there is none. */
struct mapping_run run_cut(const struct mapping_run *run, uint64_t from, uint64_t end);

static inline uint64_t run_end(const struct mapping_run *run)
{
	return run->offset + run->length;
}

/* Whole pages of the view, at least one. */
bool mapping_has_range(const struct mapping *mapping, uint64_t offset, uint64_t length);

/* PROT_ bits of pages of this mode. */
int mode_prot(const struct mapping_run *mode);

/*
 * Which mappings of the kernel differ in more than their protection.  READ is
 * a private mapping, which reads the same as a shared one: so a descriptor
 * that is open for writing does not count as a writer where nothing is
 * written (seals), userfaultfd takes a read-only one, and READ becomes COPY in
 * place.  On huge pages a private mapping would take pages out of the pool, so
 * READ is a kind of its own there.
 */
enum mapping_kind {
	KIND_NONE,
	KIND_READ, /* huge pages only */
	KIND_PRIVATE,
	KIND_SHARED,
};

enum mapping_kind mode_kind(const struct mapping *mapping, enum mapping_mode mode);

/* How a range is replaced. */
enum place_how {
	/*
	 * Mapped elsewhere, then moved here.  What can fail fails before the
	 * range is touched, and needs more room for mappings than PLACE_BACK.
	 */
	PLACE_MOVE,
	/* At once, and without a reservation of huge pages: for the way back. */
	PLACE_BACK,
};

/*
 * Maps the file under a range, with the mode of `run` (NONE: the reservation).
 * 0 or -errno; then the range may be without access, but never a gap.
 */
int range_place(const struct mapping *mapping, const struct mapping_run *run, enum place_how how);

/* Changes the protection of what is mapped in a range. */
int range_prot(const struct mapping *mapping, uint64_t offset, uint64_t end, int prot);

/* Opens userfaultfd for a RESERVE section: a descriptor, or -EOPNOTSUPP. */
int reserve_open(void);

/* Lets touching a page in the range that the memfd has not got raise SIGBUS. */
int reserve_register(int userfault_fd, void *start, uint64_t length);

/*
 * The first private range in [offset, end), by the kernel's page table; what is
 * lost must not be in it.  1, 0 or -errno.  `pagemap_fd` is mapping_pagemap()'s.
 */
int private_find(const struct mapping *mapping, int pagemap_fd, uint64_t offset, uint64_t end,
		 struct mapping_run *ret_range);

/* A descriptor of /proc/self/pagemap, or -errno. */
int pagemap_open(void);

/* The first lost range that ends behind the offset; NULL: none. */
const struct mapping_run *lost_from(const struct mapping *mapping, uint64_t offset);

#endif
