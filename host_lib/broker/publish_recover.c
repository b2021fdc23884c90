/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See publish.h: what brokers that died have left. */
#include "broker/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "broker/publish_file.h"

#define BYTES_ABSURD (UINT64_C(1) << 46)

struct recovery {
	const char *dir;
	int folder; /* owned */
	publish_find *find;
	void *arg;
	int kept;
};

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length >= tail && !strcmp(name + length - tail, end);
}

static int is_journal(const struct dirent *entry)
{
	return !strncmp(entry->d_name, PUBLISH_PREFIX, strlen(PUBLISH_PREFIX)) &&
	       (ends_with(entry->d_name, PUBLISH_WORK) ||
		ends_with(entry->d_name, PUBLISH_COMMITTED));
}

/* One that nobody works on, locked; -EAGAIN: somebody does. */
static int open_journal(const struct recovery *recovery, const char *name)
{
	AUTO_FD int fd = sys_retry(
		openat(recovery->folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
	struct stat st;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -EAGAIN;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return -EPERM;
	if (!st.st_nlink)
		return -EAGAIN;
	return steal_fd(&fd);
}

static bool head_is_sound(const struct publish_head *head, uint64_t file_bytes)
{
	uint64_t before = sizeof(*head) + head->path_bytes +
			  (uint64_t)head->count * sizeof(struct vmsect_wire_range);

	return head->magic == PUBLISH_MAGIC && head->count && head->count <= PUBLISH_RANGES_MAX &&
	       head->path_bytes <= PATH_MAX && head->bytes_offset >= before &&
	       head->bytes_offset <= file_bytes && head->bytes <= file_bytes - head->bytes_offset;
}

static bool ranges_are_sound(const struct publish_journal *journal)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < journal->head.count; i++) {
		if (journal->ranges[i].offset > BYTES_ABSURD ||
		    journal->ranges[i].length > BYTES_ABSURD)
			return false;
		bytes += journal->ranges[i].length;
	}
	return bytes == journal->head.bytes &&
	       (!journal->head.path_bytes || !journal->path[journal->head.path_bytes - 1]);
}

static int read_journal(struct publish_journal *journal)
{
	struct publish_head *head = &journal->head;
	struct stat st;
	size_t table;
	int r;

	if (fstat(journal->fd, &st) < 0)
		return -errno;
	r = publish_read(journal->fd, head, sizeof(*head), 0);
	if (r < 0 || !head_is_sound(head, (uint64_t)st.st_size))
		return -EINVAL;
	table = head->count * sizeof(*journal->ranges);
	journal->ranges = malloc(table);
	if (!journal->ranges)
		return -ENOMEM;
	r = publish_read(journal->fd, journal->ranges, table, sizeof(*head));
	if (!r)
		r = publish_read(journal->fd, journal->path, head->path_bytes,
				 sizeof(*head) + table);
	return r < 0 || !ranges_are_sound(journal) ? -EINVAL : 0;
}

/*
 * The file at the noted path, if it is the one.  Looked at before it is opened:
 * by now anything can be there.
 */
static int open_target(const struct publish_journal *journal)
{
	AUTO_FD int fd = sys_retry(open(journal->path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
	char path[sizeof("/proc/self/fd/") + 12];
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_dev != journal->head.dev ||
	    st.st_ino != journal->head.ino)
		return -ESTALE;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return sys_retry(open(path, O_RDWR | O_CLOEXEC));
}

static int find_target(const struct recovery *recovery, const struct publish_journal *journal)
{
	int fd = recovery->find(recovery->arg, journal->head.dev, journal->head.ino);

	if (fd != -ENOENT || !journal->head.path_bytes)
		return fd;
	fd = open_target(journal);
	if (fd < 0)
		log_warning("%s cannot get what was published to it: %s", journal->path,
			    strerror(-fd));
	return fd < 0 ? -EAGAIN : fd;
}

static void remove_journal(const struct recovery *recovery, const char *name)
{
	if (unlinkat(recovery->folder, name, 0) < 0 || fsync(recovery->folder) < 0)
		log_warning("%s/%s cannot be removed: %s", recovery->dir, name, strerror(errno));
}

/* 0: done, or not to be done any more; -errno: kept. */
static int finish_journal(const struct recovery *recovery, struct publish_journal *journal,
			  const char *name)
{
	AUTO_FD int target = -1;
	int r = read_journal(journal);

	if (r == -EINVAL)
		log_warning("%s/%s makes no sense and is not used", recovery->dir, name);
	if (r < 0)
		return r;
	target = find_target(recovery, journal);
	if (target == -ENOENT) {
		remove_journal(recovery, name); /* its memory has gone for good */
		return 0;
	}
	r = target < 0 ? target : publish_apply(journal, target);
	if (!r)
		remove_journal(recovery, name);
	return r;
}

static void recover_one(struct recovery *recovery, const char *name)
{
	struct publish_journal journal;
	int r = 0;

	publish_journal_clear(&journal);
	journal.fd = open_journal(recovery, name);
	if (journal.fd >= 0 && ends_with(name, PUBLISH_COMMITTED))
		r = finish_journal(recovery, &journal, name);
	else if (journal.fd >= 0)
		remove_journal(recovery, name);
	publish_journal_deinit(&journal);
	if (r < 0)
		recovery->kept++;
}

int publish_recover(const char *dir, publish_find *find, void *arg)
{
	struct recovery recovery = { .dir = dir, .find = find, .arg = arg };
	struct dirent **entries = NULL;
	int count, i;

	recovery.folder = sys_retry(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (recovery.folder < 0)
		return recovery.folder == -ENOENT ? 0 : recovery.folder;
	count = sys_result(scandir(dir, &entries, is_journal, alphasort));
	for (i = 0; entries && i < count; i++) {
		recover_one(&recovery, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	fd_close(recovery.folder);
	return count < 0 ? count : recovery.kept;
}
