/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has files mapped without the broker: found in /proc, as the kernel tells.
 *
 * A file is known by its device and inode.  Where the kernel tells another
 * device than stat() does (btrfs, overlayfs), the mapping's link in
 * /proc/PID/map_files decides, which root may follow, and else its path.
 *
 * A picture of a moment that was taken bit by bit: processes come and go.
 */
#ifndef CLI_OUTSIDE_H
#define CLI_OUTSIDE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A file to look for. */
struct outside_file {
	dev_t device; /* as stat() says */
	ino_t inode;
	const char *path; /* borrowed */
};

struct outside_mapping {
	size_t file; /* its index */
	pid_t pid;
	uint32_t uid;
	char name[64]; /* the process's own idea; any bytes */
	uint64_t start;
	uint64_t length;
	uint64_t offset;
	char access[5]; /* "rw-s" */
};

struct outside {
	struct outside_mapping *list; /* owned */
	size_t count;
	size_t hidden; /* processes that could not be looked at */
};

/*
 * Looks through all processes of a /proc.  `proc_fd` is borrowed.  0, or -errno;
 * then *ret_outside is as it was.
 */
int outside_scan(int proc_fd, const struct outside_file *files, size_t count,
		 struct outside *ret_outside);

void outside_deinit(struct outside *outside);

#endif
