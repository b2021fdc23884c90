/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data files as backing: what a client may pass.
 * The descriptors are hostile until all checks have passed: they are asked for
 * their mode and kind first, by calls that no file system can delay, and file
 * systems that a user or another host serves are turned away, since any call on
 * them could stop the broker.
 */
#include "broker/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xFF534D42
#endif
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif
#ifndef CEPH_SUPER_MAGIC
#define CEPH_SUPER_MAGIC 0x00c36400
#endif

static const struct {
	uint32_t magic;
	const char *why;
} refused_file_systems[] = {
	{ NFS_SUPER_MAGIC, "NFS" },   { SMB_SUPER_MAGIC, "SMB" },
	{ CIFS_SUPER_MAGIC, "CIFS" }, { SMB2_SUPER_MAGIC, "SMB2" },
	{ AFS_SUPER_MAGIC, "AFS" },   { CODA_SUPER_MAGIC, "Coda" },
	{ CEPH_SUPER_MAGIC, "Ceph" }, { V9FS_MAGIC, "9p" },
	{ FUSE_SUPER_MAGIC, "FUSE" }, { HUGETLBFS_MAGIC, "hugetlbfs (use a hugetlb section)" },
};

static int refuse_file(struct refusal *refusal, int status, const char *what)
{
	return refuse(refusal, status, VMSECT_DETAIL_FILE, "%s", what);
}

/* The mode that a descriptor was opened with must be exactly the right one. */
static int check_mode(int fd, int wanted, struct refusal *refusal)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || flags & O_PATH)
		return refuse_file(refusal, -EINVAL, "a descriptor of the file is O_PATH");
	if ((flags & O_ACCMODE) == wanted)
		return 0;
	if (wanted == O_RDWR)
		return refuse_file(refusal, -EPERM,
				   "the second descriptor of the file is not read-write");
	if ((flags & O_ACCMODE) == O_WRONLY)
		return refuse_file(refusal, -EPERM, "the first descriptor of the file cannot read");
	return refuse_file(refusal, -EINVAL, "the first descriptor of the file is not read-only");
}

static int check_kind(int fd, struct statx *ret_stat, struct refusal *refusal)
{
	int r = sys_result(statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO,
				 ret_stat));

	if (r < 0)
		return refuse_file(refusal, -ENODEV, "the file cannot be looked at");
	if (!S_ISREG(ret_stat->stx_mode))
		return refuse_file(refusal, -ENODEV, "not a regular file");
	return 0;
}

static int check_file_system(int fd, struct refusal *refusal)
{
	struct statfs fs;
	size_t i;

	if (fstatfs(fd, &fs) < 0)
		return refuse_file(refusal, -ENODEV, "the file system cannot be looked at");
	for (i = 0; i < sizeof(refused_file_systems) / sizeof(refused_file_systems[0]); i++) {
		if ((uint32_t)fs.f_type == refused_file_systems[i].magic)
			return refuse(refusal, -ENODEV, VMSECT_DETAIL_FILE,
				      "files on %s cannot back a section",
				      refused_file_systems[i].why);
	}
	return 0;
}

static bool same_file(const struct statx *a, const struct statx *b)
{
	return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor &&
	       a->stx_ino == b->stx_ino;
}

static int check_fds(const struct fdmsg *message, bool writable, struct refusal *refusal)
{
	struct statx ro, rw;
	int r;

	if (message->nfds != (writable ? 2u : 1u))
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_FILE,
			      "%u descriptors came with the file, not %u", message->nfds,
			      writable ? 2u : 1u);
	r = check_mode(message->fds[0], O_RDONLY, refusal);
	if (!r)
		r = check_kind(message->fds[0], &ro, refusal);
	if (!r && writable)
		r = check_mode(message->fds[1], O_RDWR, refusal);
	if (!r && writable)
		r = check_kind(message->fds[1], &rw, refusal);
	if (!r && writable && !same_file(&ro, &rw))
		return refuse_file(refusal, -EINVAL, "the two descriptors are of two files");
	return r ? r : check_file_system(message->fds[0], refusal);
}

static int refuse_size(struct refusal *refusal, int status, uint64_t size_bytes)
{
	return refuse(refusal, status, VMSECT_DETAIL_SIZE,
		      "the file cannot have %" PRIu64 " bytes: %s", size_bytes, strerror(-status));
}

/* The section's size, and what has to be done for it. */
static int settle_size(const struct fdmsg *message, const struct backing_spec *spec,
		       struct backing_work *work, struct refusal *refusal)
{
	uint64_t wanted = spec->size_bytes, length;
	struct stat st;

	if (fstat(message->fds[0], &st) < 0)
		return refuse_file(refusal, -ENODEV, "the file has no length");
	length = (uint64_t)st.st_size;
	if (!wanted)
		wanted = length;
	if (!wanted)
		return refuse(refusal, -ENODATA, VMSECT_DETAIL_SIZE, "the file is empty");
	if (wanted > BACKING_BYTES_MAX)
		return refuse_size(refusal, -EFBIG, wanted);
	if (wanted > length && !spec->writable)
		return refuse(refusal, -EFBIG, VMSECT_DETAIL_SIZE,
			      "the file has %" PRIu64 " bytes and is not to be written", length);
	work->from = wanted > length ? length : wanted;
	work->to = wanted;
	return 0;
}

static bool in_groups(const struct subject *subject, gid_t gid)
{
	size_t i;

	for (i = 0; i < subject->group_count; i++) {
		if (subject->groups[i] == gid)
			return true;
	}
	return subject->gid == gid;
}

/* The kernel's rule: the class that fits decides; for root any bit will do. */
static bool may_execute(const struct subject *subject, const struct stat *st)
{
	if (subject->uid == 0)
		return st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH);
	if (subject->uid == st->st_uid)
		return st->st_mode & S_IXUSR;
	return st->st_mode & (in_groups(subject, st->st_gid) ? S_IXGRP : S_IXOTH);
}

static int check_execute(int fd, const struct subject *subject, struct refusal *refusal)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return refuse_file(refusal, -ENODEV, "the file cannot be looked at");
	if (!may_execute(subject, &st))
		return refuse(refusal, -EPERM, VMSECT_DETAIL_FILE,
			      "uid %u may not execute the file", subject->uid);
	if (fs.f_flags & ST_NOEXEC)
		return refuse_file(refusal, -EPERM,
				   "the file is on a file system without execution");
	return 0;
}

/* Someone who has locked a part for himself alone does not want it shared. */
static int check_lock(int fd, struct refusal *refusal)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return refuse_file(refusal, -EAGAIN, "a part of the file is locked by someone");
}

int backing_check_file(int fd, struct refusal *refusal)
{
	struct statx stat;
	int r = check_kind(fd, &stat, refusal);

	return r ? r : check_file_system(fd, refusal);
}

/* A description of our own; the client's where the host does not allow that. */
static int own_fd(int *fd, int mode)
{
	char path[sizeof("/proc/self/fd/") + 12];
	int own;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	own = sys_retry(open(path, mode | O_CLOEXEC | O_NONBLOCK));
	if (own < 0)
		return steal_fd(fd);
	*fd = fd_close(*fd);
	return own;
}

/* What people see of the path: printable, and the tail of one that is too long. */
static char *path_for_people(int fd)
{
	static const char ellipsis[] = "...";
	char link[sizeof("/proc/self/fd/") + 12];
	char path[PATH_MAX + 1];
	ssize_t length;
	char *c, *shown = path;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		length = 0;
	path[length] = '\0';
	for (c = path; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	if (length > (ssize_t)VMSECT_PATH_MAX) {
		shown = path + length - VMSECT_PATH_MAX;
		memcpy(shown, ellipsis, sizeof(ellipsis) - 1);
	}
	return strdup(shown);
}

static int check_file(const struct backing_spec *spec, const struct fdmsg *message,
		      struct refusal *refusal)
{
	int r = check_fds(message, spec->writable, refusal);

	if (!r && spec->executable)
		r = check_execute(message->fds[0], spec->subject, refusal);
	if (!r)
		r = check_lock(message->fds[0], refusal);
	return r;
}

int backing_init_file(struct backing *backing, const struct backing_spec *spec,
		      struct fdmsg *message, struct backing_work *ret_work, struct refusal *refusal)
{
	struct backing_work work = { .fd = -1, .kind = BACKING_FILE };
	AUTO_FREE char *path = NULL;
	int r;

	r = check_file(spec, message, refusal);
	if (!r)
		r = settle_size(message, spec, &work, refusal);
	if (r < 0)
		return r;
	path = path_for_people(message->fds[0]);
	if (!path)
		return refuse_memory(refusal);
	backing_clear(backing);
	backing->ro_fd = own_fd(&message->fds[0], O_RDONLY);
	if (spec->writable)
		backing->rw_fd = own_fd(&message->fds[1], O_RDWR);
	backing->size_bytes = work.to;
	backing->path = steal_ptr(&path);
	(void)backing_note_inode(backing); /* it was looked at before */
	work.fd = backing->rw_fd;
	*ret_work = work;
	return 0;
}
