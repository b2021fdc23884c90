/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See flush.h. */
#include "broker/flush.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/sys.h"

const struct flush_calls flush_system = {
	.sync_file_range = sync_file_range,
	.fdatasync = fdatasync,
};

/* A file system that has no such call is asked by fdatasync() alone. */
static int write_range(const struct flush_calls *calls, int fd, uint64_t offset, uint64_t length,
		       bool wait)
{
	unsigned int flags = SYNC_FILE_RANGE_WRITE;
	int r;

	if (wait)
		flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
	r = sys_retry(calls->sync_file_range(fd, (off_t)offset, (off_t)length, flags));
	return r == -ENOSYS || r == -EINVAL || r == -ESPIPE ? 0 : r;
}

/*
 * fdatasync() is asked even if the range has failed: it is what takes the error
 * note off the description, and the section keeps it from then on.
 */
int flush_run(const struct flush_calls *calls, int fd, uint64_t offset, uint64_t length,
	      bool durable)
{
	int r = write_range(calls, fd, offset, length, durable), synced;

	if (!durable)
		return r;
	synced = sys_retry(calls->fdatasync(fd));
	return r < 0 ? r : synced;
}

bool flush_is_loss(int status)
{
	return status < 0 && status != -ENOMEM && status != -EBADF && status != -ECANCELED;
}
