/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See restore_memory.h. */
#include "broker/restore_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/export.h"

static int refuse_file(struct refusal *refusal, int status, const struct section *section,
		       const char *what)
{
	return refuse(refusal, status, VMSECT_DETAIL_FILE,
		      "the descriptor is not the memory of section %" PRIu64 ": %s", section->id,
		      what);
}

static int check_inode(const struct section *section, int fd, struct refusal *refusal)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return refuse_file(refusal, -EINVAL, section, "it is no file");
	if (st.st_dev != section->backing.dev || st.st_ino != section->backing.ino)
		return refuse_file(refusal, -EINVAL, section, "another inode");
	/* A file may have been truncated, which its views live with; memory cannot. */
	if (section->backing_kind != BACKING_FILE &&
	    (uint64_t)st.st_size < section->backing.size_bytes)
		return refuse_file(refusal, -EINVAL, section, "it is too short");
	return 0;
}

/*
 * A descriptor of that mode of the same inode: one of our own if we may open
 * it, else the client's, if it has the mode.
 */
static int open_mode(int fd, int mode)
{
	char path[sizeof("/proc/self/fd/") + 12];
	int flags, own;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = sys_retry(open(path, mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
	if (own >= 0)
		return own;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || flags & (O_PATH | O_APPEND) || (flags & O_ACCMODE) != mode)
		return own;
	return sys_result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/* A data file needs both if it can be written; page file has one, read-write. */
static bool needs_ro(const struct section *section)
{
	return section->backing_kind == BACKING_FILE;
}

static bool needs_rw(const struct section *section)
{
	return section->backing_kind != BACKING_FILE || section->charged_fds == 2;
}

int restore_memory_adopt(struct section *section, int fd, struct refusal *refusal)
{
	struct backing *backing = &section->backing;
	int r = check_inode(section, fd, refusal);
	bool had_one = backing->ro_fd >= 0 || backing->rw_fd >= 0;
	int ro = backing->ro_fd, rw = backing->rw_fd;

	if (r < 0 || !section->missing)
		return r;
	if (needs_ro(section) && ro < 0)
		ro = open_mode(fd, O_RDONLY);
	if (needs_rw(section) && rw < 0)
		rw = open_mode(fd, O_RDWR);
	backing->ro_fd = ro < 0 ? -1 : ro;
	backing->rw_fd = rw < 0 ? -1 : rw;
	section->missing = (needs_ro(section) && ro < 0) || (needs_rw(section) && rw < 0);
	if (!had_one && backing->ro_fd < 0 && backing->rw_fd < 0)
		return refuse_file(refusal, -EPERM, section,
				   "the broker can neither open it anew nor use it as it is");
	return 0;
}

void restore_memory_find(struct section *section)
{
	struct refusal refusal;
	AUTO_FD int fd = -1;

	if (!section->missing)
		return;
	/* Only looked at before it is known to be the file: an open may do things. */
	if (section->backing.path)
		fd = sys_retry(open(section->backing.path, O_PATH | O_CLOEXEC | O_NOFOLLOW));
	else
		fd = export_open_memory(section);
	if (fd >= 0)
		(void)restore_memory_adopt(section, fd, &refusal);
}
