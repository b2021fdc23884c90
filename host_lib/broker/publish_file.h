/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal file of one patch: its form, and moving bytes.  For publish.c and
 * publish_recover.c alone; any thread.
 *
 * A header, the ranges, the path of the data file, and from `bytes_offset` on
 * the bytes of all ranges, one after another.  Read by the host that wrote it:
 * integers are in host byte order.
 */
#ifndef BROKER_PUBLISH_FILE_H
#define BROKER_PUBLISH_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect_proto.h>

#define PUBLISH_MAGIC UINT64_C(0x3153485542505356) /* "VSPUBHS1" */
#define PUBLISH_PREFIX "publish-"
#define PUBLISH_WORK ".work" /* not committed yet */
#define PUBLISH_COMMITTED ".committed"
#define PUBLISH_ALIGN 4096u

struct publish_head {
	uint64_t magic;
	uint64_t dev; /* of the section's memory */
	uint64_t ino;
	uint64_t bytes_offset;
	uint64_t bytes;
	uint32_t count;
	uint32_t path_bytes; /* with its NUL; 0: page file */
	uint32_t is_mapped;
	uint32_t reserved;
};

/* A journal in memory: what to write where. */
struct publish_journal {
	int fd; /* owned, locked, or -1 */
	struct publish_head head;
	struct vmsect_wire_range *ranges; /* owned */
	char path[PATH_MAX];
};

/* The zero of it; and what it owns is given up, the lock with it. */
void publish_journal_clear(struct publish_journal *journal);
void publish_journal_deinit(struct publish_journal *journal);

/* Copies bytes from one file to another.  -EIO: the source is shorter. */
int publish_copy(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t length);

/* All of it, or -errno. */
int publish_write(int fd, const void *bytes, size_t size, uint64_t offset);
int publish_read(int fd, void *bytes, size_t size, uint64_t offset);

/* Writes the journal's ranges to the section and, a data file, makes them durable. */
int publish_apply(const struct publish_journal *journal, int target);

/* Room for the ranges, so that writing them does not fail for want of it. */
int publish_make_room(const struct publish_journal *journal, int target);

#endif
