/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export_place.h. */
#include "broker/export_place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

#define MOUNT_LINE_MAX 8192 /* bytes of a line of /proc/self/mounts */

/* What is looked for: a folder of that device, or one that takes a new file. */
struct search {
	uint64_t dev; /* 0: any that takes a file */
	int fd; /* the new file; owned */
	char *path; /* of the folder; NULL: nobody wants it */
	size_t room;
};

/* Nobody else may take a name away in it that is not his. */
static bool is_safe(const struct stat *st)
{
	bool is_open = st->st_mode & (S_IWGRP | S_IWOTH) && !(st->st_mode & S_ISVTX);

	return S_ISDIR(st->st_mode) && !is_open && (!st->st_uid || st->st_uid == geteuid());
}

/* 0: it is the one. */
static int try_folder(struct search *search, const char *path)
{
	struct stat st;
	int length;

	if (stat(path, &st) < 0)
		return -errno;
	if (!is_safe(&st))
		return -EPERM;
	if (!search->dev) {
		search->fd =
			sys_retry(open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
		return search->fd < 0 ? search->fd : 0;
	}
	if (st.st_dev != search->dev)
		return -ENOENT;
	length = snprintf(search->path, search->room, "%s", path);
	return length < 0 || (size_t)length >= search->room ? -ENAMETOOLONG : 0;
}

static int try_tmpfs(struct search *search, const char *dir)
{
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return -errno;
	return fs.f_type == TMPFS_MAGIC ? try_folder(search, dir) : -EMEDIUMTYPE;
}

static bool has_huge_pages(const struct mntent *mount)
{
	struct statfs fs;

	return !strcmp(mount->mnt_type, "hugetlbfs") && !statfs(mount->mnt_dir, &fs) &&
	       (uint64_t)fs.f_bsize == UINT64_C(1) << BACKING_HUGE_SHIFT;
}

/* Each mount of its kind, until one is right. */
static int try_hugetlbfs(struct search *search)
{
	char line[MOUNT_LINE_MAX];
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent mount;
	int r = -ENOENT;

	if (!mounts)
		return -errno;
	while (r < 0 && getmntent_r(mounts, &mount, line, sizeof(line))) {
		if (has_huge_pages(&mount))
			r = try_folder(search, mount.mnt_dir);
	}
	(void)endmntent(mounts);
	return r < 0 ? -ENOENT : 0;
}

static int refuse_place(const struct backing_spec *spec, int status, struct refusal *refusal)
{
	if (spec->kind == BACKING_HUGETLB)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "no hugetlbfs mount in which only this broker (uid %u) makes files: "
			      "mount -t hugetlbfs -o pagesize=2M,uid=%u,mode=0755 none FOLDER",
			      geteuid(), geteuid());
	if (status == -EMEDIUMTYPE)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "%s is not on a tmpfs: see 'vmsectd --export-dir'", spec->export_dir);
	if (status == -EPERM)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "%s is a folder in which others can move files (no sticky bit)",
			      spec->export_dir);
	return refuse(refusal, status, VMSECT_DETAIL_NONE, "no file in %s: %s", spec->export_dir,
		      strerror(-status));
}

/* Room is not kept, but a file that can never have its pages is refused now. */
static int check_room(int fd, const struct backing_spec *spec, struct refusal *refusal)
{
	struct statfs fs;
	uint64_t room;

	if (spec->kind == BACKING_HUGETLB || fstatfs(fd, &fs) < 0 || !fs.f_blocks)
		return 0; /* huge pages are reserved; a tmpfs without blocks has no bound */
	room = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	if (spec->size_bytes <= room)
		return 0;
	return refuse(refusal, -ENOMEM, VMSECT_DETAIL_SIZE,
		      "the tmpfs at %s has room for %" PRIu64 " bytes", spec->export_dir, room);
}

int export_place_new_file(const struct backing_spec *spec, struct refusal *refusal)
{
	struct search search = { .fd = -1 };
	AUTO_FD int fd = -1;
	int r;

	if (spec->kind != BACKING_HUGETLB && !spec->export_dir)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "this broker has no folder for exports");
	if (spec->kind == BACKING_HUGETLB)
		r = try_hugetlbfs(&search);
	else
		r = try_tmpfs(&search, spec->export_dir);
	fd = search.fd;
	if (r < 0)
		return refuse_place(spec, r, refusal);
	r = check_room(fd, spec, refusal);
	return r < 0 ? r : steal_fd(&fd);
}

int export_place_find(uint32_t kind, uint64_t dev, const char *dir, char *path, size_t room)
{
	struct search search = { .dev = dev, .fd = -1, .path = path, .room = room };

	if (!dev)
		return -ENOENT;
	if (kind == BACKING_HUGETLB)
		return try_hugetlbfs(&search);
	return dir ? try_tmpfs(&search, dir) : -ENOENT;
}
