/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See backing.h: blocks for files and memory.  No state; any thread. */
#include "broker/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/sys.h"

#define STAT_BLOCK_BYTES 512u /* of st_blocks, whatever the file system's are */

/* Never shorter: someone may have made the file longer in the meantime. */
static int set_length(int fd, uint64_t length)
{
	struct stat st;
	int r = sys_retry(fallocate(fd, 0, (off_t)length - 1, 1));

	if (r != -EOPNOTSUPP)
		return r;
	r = sys_result(fstat(fd, &st));
	if (r < 0 || (uint64_t)st.st_size >= length)
		return r;
	return sys_retry(ftruncate(fd, (off_t)length));
}

/*
 * fallocate() takes blocks until there are no more, and gives them back then: who asks
 * for too much would leave nothing, for a moment, to all who write to that file system.
 * Blocks that the file has already may be among those that are asked for.
 */
static int check_room(int fd, uint64_t bytes)
{
	struct statvfs fs;
	struct stat st;
	uint64_t free_blocks, room;
	int r = sys_result(fstatvfs(fd, &fs));

	if (r < 0)
		return r;
	r = sys_result(fstat(fd, &st));
	if (r < 0 || fs.f_blocks == 0) /* 0: it knows no limit */
		return r;
	/* Root may have the reserve as well. */
	free_blocks = geteuid() == 0 ? fs.f_bfree : fs.f_bavail;
	if (__builtin_mul_overflow(free_blocks, fs.f_frsize, &room) ||
	    __builtin_add_overflow(room, (uint64_t)st.st_blocks * STAT_BLOCK_BYTES, &room))
		return 0;
	return bytes > room ? -ENOSPC : 0;
}

/*
 * Blocks first, length second: a full disk leaves the length as it was.  Data
 * files on file systems without fallocate() get a hole, and then have no
 * promise of room; the page file would be none.
 */
int backing_work_run(const struct backing_work *work)
{
	uint64_t bytes;
	int r;

	if (work->from >= work->to)
		return 0;
	bytes = work->to - work->from;
	r = check_room(work->fd, bytes);
	if (!r)
		r = sys_retry(
			fallocate(work->fd, FALLOC_FL_KEEP_SIZE, (off_t)work->from, (off_t)bytes));
	if (r == -EOPNOTSUPP && work->kind == BACKING_FILE)
		r = 0;
	if (r < 0 || work->kind == BACKING_SHMEM || work->kind == BACKING_HUGETLB)
		return r;
	return set_length(work->fd, work->to);
}

/* Memory that is short is ENOMEM, whatever the file system of memfds calls it. */
int backing_refuse_work(const struct backing_work *work, int status, struct refusal *refusal)
{
	uint64_t bytes = work->to - work->from;

	switch (work->kind) {
	case BACKING_HUGETLB:
		return refuse(refusal, -ENOMEM, VMSECT_DETAIL_HUGEPAGES,
			      "no huge pages for %" PRIu64 " bytes", bytes);
	case BACKING_SHMEM:
		return refuse(refusal, status == -ENOSPC ? -ENOMEM : status, VMSECT_DETAIL_NONE,
			      "no memory for %" PRIu64 " bytes: %s", bytes, strerror(-status));
	default:
		return refuse(refusal, status, VMSECT_DETAIL_SIZE,
			      "the file cannot have %" PRIu64 " bytes: %s", work->to,
			      strerror(-status));
	}
}
