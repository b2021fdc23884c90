/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view in this process: a range of addresses on a file, with a mode for each
 * run of pages, an overlay of private pages, and pages that are lost.
 *
 * The owner keeps a reservation (PROT_NONE) of `room` bytes at `start`; a
 * mapping puts things into it and never leaves a gap in which another thread's
 * mapping could land.  Beyond `length` the reservation stays.
 *
 * Private pages (copied on write) survive every change of mode.  WRITE and COPY
 * are different mappings of the kernel: a change between them maps the pages
 * that are not private anew, run by run, and only changes the protection of
 * those that are.  READ is mapped as COPY is, but for huge pages (see
 * mapping_internal.h).  Private pages are found in /proc/self/pagemap (present
 * or swapped, and not of a file).
 *
 * A RESERVE section's memory is there once it was committed (the broker then
 * allocates it in the memfd).  Such a mapping is registered with userfaultfd
 * (MISSING, UFFD_FEATURE_SIGBUS, user mode only): touching a page that the
 * memfd has not got raises SIGBUS instead of allocating it, and a commit is
 * seen by all views at once, without a message.
 *
 * Used by libvmsect (one thread) and by the VMM (under window.lock).  Offsets
 * and lengths are bytes of the view, multiples of page_bytes.
 */
#ifndef BASE_MAPPING_H
#define BASE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPPING_RUNS_MAX 256u /* of different modes in one view */

enum mapping_mode {
	MAPPING_NONE, /* the reservation itself */
	MAPPING_READ, /* shared */
	MAPPING_WRITE, /* shared */
	MAPPING_COPY, /* private pages on write */
};

struct mapping_run {
	uint64_t offset;
	uint64_t length;
	enum mapping_mode mode;
	bool execute;
	uint32_t tag; /* the owner's: runs with different ones stay apart */
};

struct mapping_spec {
	unsigned char *start; /* the reservation's */
	uint64_t room; /* at least length */
	uint64_t length;
	uint64_t page_bytes; /* 4 KiB, or the huge page */
	int fd; /* borrowed while the mapping lives; -1 if it never has a mode but NONE */
	uint64_t fd_offset;
	enum mapping_mode mode;
	bool execute;
	uint32_t tag; /* of the first run, and of what grows */
	bool reserve; /* of a RESERVE section */
};

struct mapping {
	struct mapping_spec spec; /* length grows */
	struct mapping_run *runs; /* ascending, without gaps, neighbours differ; owned */
	size_t run_count;
	struct mapping_run *lost; /* ascending ranges under zero pages; mode unused; owned */
	size_t lost_count;
	int userfault_fd; /* owned, or -1 */
	bool copied; /* a page has had the mode COPY: there may be private ones */
};

/* 0 or -errno: then the reservation is as before.  -EOPNOTSUPP: reserve without userfaultfd. */
int mapping_init(struct mapping *mapping, const struct mapping_spec *spec);

/* Back to the reservation; false if the kernel has no memory even for that. */
bool mapping_deinit(struct mapping *mapping);

/*
 * Sets the mode of a range; all or nothing.  -EINVAL the range, -E2BIG too many
 * runs, -ENOMEM.  Whether the mode is allowed is the caller's business.
 */
int mapping_protect(struct mapping *mapping, const struct mapping_run *run);

/* Maps the file's tail with the spec's mode: length grows, within the room. */
int mapping_grow(struct mapping *mapping, uint64_t length);

/* Drops private pages: the file shows through. */
int mapping_reset(struct mapping *mapping, uint64_t offset, uint64_t length);

/* Puts private zero pages, with the pages' modes, under a range that is lost. */
int mapping_bury(struct mapping *mapping, uint64_t offset, uint64_t length);

/*
 * Maps the file again in lost parts of a range as far as it has the bytes now
 * (its size; a hole of a RESERVE section is not there).  *ret_lost: pages of
 * the range that still are lost.
 */
int mapping_restore(struct mapping *mapping, uint64_t offset, uint64_t length, uint64_t *ret_lost);

/* The run of equal mode at the offset, which is in the view. */
struct mapping_run mapping_run_at(const struct mapping *mapping, uint64_t offset);

/*
 * The first private range at or after *offset (kernel's word, of this moment).
 * 1 and the range, 0 there is none, -errno.
 */
int mapping_next_private(const struct mapping *mapping, uint64_t offset, uint64_t *ret_offset,
			 uint64_t *ret_length);

/* Private pages of page_bytes, or -errno. */
int64_t mapping_private_pages(const struct mapping *mapping);

bool mapping_is_lost(const struct mapping *mapping, uint64_t offset);

/* Has the memfd of a RESERVE section the page?  Without reserve: always. */
bool mapping_is_committed(const struct mapping *mapping, uint64_t offset);

/* How many bytes from the offset on, of `length`, are as committed as its first page. */
uint64_t mapping_commit_run(const struct mapping *mapping, uint64_t offset, uint64_t length,
			    bool *ret_committed);

#endif
