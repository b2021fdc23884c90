/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory behind a section: a memfd (page file) or a data file.
 *
 * A backing owns its descriptors.  A memfd has one, read-write; a file has a
 * read-only one and, if the section is READWRITE, a read-write one, both opened
 * by the client with the client's rights.  The zero value with backing_clear()
 * is the valid empty state.  One thread.
 *
 * A memfd has mode 0600 and belongs to the broker's uid, so that a client of
 * another uid cannot reopen a read-only descriptor for writing.  Its size is
 * sealed (F_SEAL_SHRINK, F_SEAL_GROW) and it takes no further seals
 * (F_SEAL_SEAL): a descriptor with write permission can write and nothing else.
 */
#ifndef BROKER_BACKING_H
#define BROKER_BACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fdmsg.h"
#include "broker/refusal.h"

/* Values of the wire; vmsect.h has the same for programs. */
enum backing_kind {
	BACKING_FILE = 1,
	BACKING_SHMEM = 2,
	BACKING_HUGETLB = 3,
	BACKING_DIRECTORY = 4,
};

#define BACKING_PAGE_SHIFT 12u
#define BACKING_HUGE_SHIFT 21u
#define BACKING_BYTES_MAX (UINT64_C(1) << 46) /* more is absurd */

struct backing {
	int ro_fd; /* owned, or -1 */
	int rw_fd; /* owned, or -1 */
	uint64_t size_bytes;
	char *path; /* file: as the host sees it, printable; owned */
};

/* What a section asks for. */
struct backing_spec {
	uint32_t kind;
	uint32_t page_shift; /* of the kind, not 0 */
	bool writable;
	uint64_t size_bytes; /* file: 0 is its length */
};

/* The empty state. */
void backing_clear(struct backing *backing);

/* Closes and frees; the backing is then empty. */
void backing_deinit(struct backing *backing);

/* Bytes of a page-file section of that size.  -EINVAL, -EFBIG (SIZE). */
int backing_round(uint32_t page_shift, uint64_t size_bytes, uint64_t *ret_bytes,
		  struct refusal *refusal);

/*
 * Makes a memfd of spec->size_bytes, which are whole pages.  -ENOMEM (huge
 * pages: HUGEPAGES), -EMFILE.
 */
int backing_init_memory(struct backing *backing, const struct backing_spec *spec,
			struct refusal *refusal);

/*
 * Takes the descriptors of a data file out of the message on success; extends
 * a file that a writable section wants larger.  -EINVAL, -ENODEV, -EPERM
 * (FILE), -ENODATA, -EFBIG, -ENOSPC (SIZE).
 */
int backing_init_file(struct backing *backing, const struct backing_spec *spec,
		      struct fdmsg *message, struct refusal *refusal);

/*
 * A new descriptor for a client, with an open file description of its own where
 * the host allows that.  -EMFILE and the like.
 */
int backing_open(const struct backing *backing, bool writable, int *ret_fd);

/* Bytes that the host has allocated; 0 if it does not say. */
uint64_t backing_allocated(const struct backing *backing);

#endif
