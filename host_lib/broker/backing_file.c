/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data files as backing: what a client may pass, and how a file gets its size.
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

/*
 * Blocks first, length second: a full disk leaves the length as it was.  File
 * systems without fallocate() get a hole, and then have no promise of room.
 */
static int extend(int fd, uint64_t from, uint64_t to)
{
	int r = sys_retry(fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)));

	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	return sys_retry(ftruncate(fd, (off_t)to));
}

/* The section's size, after the file has been made to have it. */
static int settle_size(const struct fdmsg *message, const struct backing_spec *spec,
		       uint64_t *ret_bytes, struct refusal *refusal)
{
	uint64_t wanted = spec->size_bytes, length;
	struct stat st;
	int r;

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
	if (wanted > length) {
		r = extend(message->fds[1], length, wanted);
		if (r < 0)
			return refuse_size(refusal, r, wanted);
	}
	*ret_bytes = wanted;
	return 0;
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

int backing_init_file(struct backing *backing, const struct backing_spec *spec,
		      struct fdmsg *message, struct refusal *refusal)
{
	AUTO_FREE char *path = NULL;
	uint64_t size_bytes = 0;
	int r;

	r = check_fds(message, spec->writable, refusal);
	if (r < 0)
		return r;
	path = path_for_people(message->fds[0]);
	if (!path)
		return refuse_memory(refusal);
	r = settle_size(message, spec, &size_bytes, refusal);
	if (r < 0)
		return r;
	backing_clear(backing);
	backing->ro_fd = steal_fd(&message->fds[0]);
	if (spec->writable)
		backing->rw_fd = steal_fd(&message->fds[1]);
	backing->size_bytes = size_bytes;
	backing->path = steal_ptr(&path);
	return 0;
}
