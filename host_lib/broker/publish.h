/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A patch goes into a section as a whole or not at all.
 *
 * The ranges and their bytes are first written to a journal file, which is
 * made durable and then gets its final name, ending in ".committed": from that
 * moment on the patch will be in the section.  Then it is written to the
 * section, that is made durable too, and the journal is removed.  A broker that
 * starts ends the work of those that died; a journal without its final name is
 * thrown away.  Whoever works on a journal holds a lock (flock) on it, so that
 * brokers which share a folder leave each other's alone.
 *
 * Works on descriptors and paths alone, any thread; waits for disks.
 */
#ifndef BROKER_PUBLISH_H
#define BROKER_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect_proto.h>

#define PUBLISH_RANGES_MAX 65536u
#define PUBLISH_BYTES_MAX (UINT64_C(1) << 30) /* of one patch */

/* What is published where.  All borrowed. */
struct publish {
	const char *dir; /* of the journal; made if it is missing */
	int target; /* the section's memory, read-write */
	int patch; /* a memfd as the protocol has it, checked by publish_check() */
	uint32_t count; /* ranges of the patch */
	bool is_file; /* a data file: durable, and found again by its path */
	bool is_mapped; /* huge pages: cannot be written by write() */
};

/* Where the ranges of a patch may lie. */
struct publish_bounds {
	uint64_t size_bytes; /* of the section */
	uint64_t page_bytes;
};

/*
 * Is this a patch?  Its ranges are copied to *ret_ranges, which the caller
 * frees.  -EINVAL with a sentence in *ret_why, -ENOMEM.
 */
int publish_check(int patch, uint32_t count, const struct publish_bounds *bounds,
		  struct vmsect_wire_range **ret_ranges, const char **ret_why);

/*
 * Does it.  0: all of the patch is in the section; -errno: nothing is, but with
 * *ret_committed: then the section's memory failed while it was written, and
 * the journal stays for the next broker.
 */
int publish_run(const struct publish *publish, bool *ret_committed);

/*
 * The memory of an inode: a read-write descriptor, which publish_recover()
 * closes; -EAGAIN: it is not here yet, keep the journal; -ENOENT: unknown.
 */
typedef int publish_find(void *arg, uint64_t dev, uint64_t ino);

/*
 * Ends what was committed in this folder, in its order, and removes the rest.
 * A data file that `find` does not know is opened by its noted path if that
 * still is the same inode, else its journal is kept; memory that it does not
 * know has gone for good.  Returns how many journals are kept, or -errno.
 */
int publish_recover(const char *dir, publish_find *find, void *arg);

#endif
