/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See backing.h: blocks for files and memory.  No state; any thread. */
#include "broker/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

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
 * Blocks first, length second: a full disk leaves the length as it was.  Data
 * files on file systems without fallocate() get a hole, and then have no
 * promise of room; the page file would be none.
 */
int backing_work_run(const struct backing_work *work)
{
	int r;

	if (work->from >= work->to)
		return 0;
	r = sys_retry(fallocate(work->fd, FALLOC_FL_KEEP_SIZE, (off_t)work->from,
				(off_t)(work->to - work->from)));
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
