/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a range of a data file back.  Any thread; waits for disks.  The calls
 * of the system are in a table, so that tests can make them fail.
 */
#ifndef BROKER_FLUSH_H
#define BROKER_FLUSH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct flush_calls {
	int (*sync_file_range)(int fd, off_t offset, off_t length, unsigned int flags);
	int (*fdatasync)(int fd);
};

/* The system's own. */
extern const struct flush_calls flush_system;

/*
 * Starts the writing of the range or, durable, waits until data and metadata
 * are on the disk.  0 or -errno.
 */
int flush_run(const struct flush_calls *calls, int fd, uint64_t offset, uint64_t length,
	      bool durable);

/* Does this outcome of a flush say that data may be lost? */
bool flush_is_loss(int status);

#endif
