/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory behind a section: a memfd or a file of ours (page file), or a data
 * file.
 *
 * A backing owns its descriptors.  Page file has one, read-write; a data file
 * has a read-only one and, if the section can be written, a read-write one,
 * both opened by the client with the client's rights.  They are open file
 * descriptions of the broker's own where the host allows that: errors of
 * write-back are told once to each description, and a client must not take them
 * from us.  The zero value with backing_clear() is the valid empty state.  One
 * thread.
 *
 * A memfd has mode 0600 and belongs to the broker's uid, so that a client of
 * another uid cannot reopen a read-only descriptor for writing.  Its size is
 * sealed (F_SEAL_SHRINK, F_SEAL_GROW) and it takes no further seals
 * (F_SEAL_SEAL; only a sealable one does): a descriptor with write permission
 * can write and nothing else.  Exportable memory is a file of a tmpfs or of
 * hugetlbfs instead, which takes no seals: who can write it can also truncate it.
 */
#ifndef BROKER_BACKING_H
#define BROKER_BACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fdmsg.h"
#include "broker/policy.h"
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
	uint64_t dev; /* which inode it is */
	uint64_t ino;
	char *path; /* file: as the host sees it, printable; owned */
};

/* What a section asks for. */
struct backing_spec {
	uint32_t kind;
	uint32_t page_shift; /* of the kind, not 0 */
	bool writable;
	bool executable;
	bool reserve; /* memory: nothing is reserved */
	bool sealable; /* memory: takes further seals */
	bool exportable; /* memory: a file that can have a name, see export_place.h */
	const char *export_dir; /* of such files but huge ones; NULL: there is none; borrowed */
	bool allocate; /* memory: all of it now */
	uint64_t size_bytes; /* file: 0 is its length */
	uint64_t max_bytes; /* memory: of the memfd, if that is more */
	const struct subject *subject; /* file: who has to have an execute bit; borrowed */
};

/*
 * What is left to do until a backing is what was asked for, and what may wait
 * for a disk: blocks from `from` to `to`.  Pure data; backing_work_run() is for
 * any thread.
 */
struct backing_work {
	int fd; /* borrowed from the backing */
	uint64_t from;
	uint64_t to; /* as `from`: nothing to do */
	uint32_t kind;
};

/* The empty state. */
void backing_clear(struct backing *backing);

/* Closes and frees; the backing is then empty. */
void backing_deinit(struct backing *backing);

/* Bytes of a page-file section of that size.  -EINVAL, -EFBIG (SIZE). */
int backing_round(uint32_t page_shift, uint64_t size_bytes, uint64_t *ret_bytes,
		  struct refusal *refusal);

/*
 * Makes a memfd (EXPORTABLE: a file) of spec->size_bytes, which are whole pages.
 * -ENOMEM (huge pages: HUGEPAGES), -EMFILE, -EOPNOTSUPP (ATTR) no place for such a
 * file.
 */
int backing_init_memory(struct backing *backing, const struct backing_spec *spec,
			struct backing_work *ret_work, struct refusal *refusal);

/*
 * An unlinked file in `dir` (NULL: there is none), still without its bytes.
 * -EOPNOTSUPP (ATTR), -EPERM (FILE) no execution there; what the system says.
 */
int backing_init_directory(struct backing *backing, const struct backing_spec *spec,
			   const char *dir, struct backing_work *ret_work, struct refusal *refusal);

/*
 * Takes the descriptors of a data file out of the message on success.  A file
 * that a writable section wants larger is extended by the work.  -EINVAL,
 * -ENODEV, -EPERM, -EAGAIN (FILE), -ENODATA, -EFBIG (SIZE).
 */
int backing_init_file(struct backing *backing, const struct backing_spec *spec,
		      struct fdmsg *message, struct backing_work *ret_work,
		      struct refusal *refusal);

/* Is this the descriptor of a regular file of a host's own file system?  -ENODEV, -EINVAL (FILE).
 */
int backing_check_file(int fd, struct refusal *refusal);

/* Notes which inode the backing is of.  -errno. */
int backing_note_inode(struct backing *backing);

/*
 * Does the work; the file's length is set last, so that a full disk leaves it
 * as it was.  -ENOSPC, -ENOMEM, -EIO and the like.
 */
int backing_work_run(const struct backing_work *work);

/* The refusal for what backing_work_run() said. */
int backing_refuse_work(const struct backing_work *work, int status, struct refusal *refusal);

/* Huge pages for the first `size_bytes`, now.  -ENOMEM (HUGEPAGES). */
int backing_reserve_huge(int fd, uint64_t size_bytes, uint64_t had_bytes, struct refusal *refusal);

/*
 * A new descriptor for a client, with an open file description of its own where
 * the host allows that.  -EMFILE and the like.
 */
int backing_open(const struct backing *backing, bool writable, int *ret_fd);

/* Bytes that the host has allocated; 0 if it does not say. */
uint64_t backing_allocated(const struct backing *backing);

#endif
