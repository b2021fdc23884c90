/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See journal.h. */
#include "broker/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "broker/journal_boot.h"
#include "broker/journal_marks.h"

#define FILE_BYTES_MAX (UINT64_C(1) << 31) /* more is not ours */
#define DEAD_BYTES_MIN (UINT64_C(1) << 20) /* less is not worth writing anew */

struct journal {
	char path[PATH_MAX];
	int fd; /* owned; locked */
	uint64_t size; /* of the file, whole units */
	uint64_t size_anew; /* when it was written anew */
	bool is_bad; /* what is in the file is not what it should be: anew */
	bool complained; /* of a write that failed */
	struct registry *registry; /* borrowed; NULL before journal_start() */
	struct journal_marks marks;
	struct journal_buffer buffer;
	char boot_id[JOURNAL_BOOT_ID_BYTES];
};

/* An open file description's lock: it goes with the broker, however that ends. */
static int lock_file(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int r = sys_retry(fcntl(fd, F_OFD_SETLK, &lock));

	return r == -EAGAIN || r == -EACCES ? -EBUSY : r;
}

/* Ours alone, and a file. */
static bool is_acceptable(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() && st->st_nlink == 1 &&
	       !(st->st_mode & (S_IRWXG | S_IRWXO));
}

/* The file still is what the path names: its broker may have written it anew meanwhile. */
static bool is_at(const char *path, const struct stat *st)
{
	struct stat now;

	return !lstat(path, &now) && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

static void move_aside(const char *path, const char *why)
{
	char aside[PATH_MAX + sizeof(".unusable")];

	(void)snprintf(aside, sizeof(aside), "%s.unusable", path);
	if (rename(path, aside) < 0 && errno != ENOENT)
		log_warning("%s: %s, and cannot be moved aside: %s", path, why, strerror(errno));
	else
		log_warning("%s: %s; it was moved to %s", path, why, aside);
}

/* One try: a locked descriptor, or -EAGAIN: the path has another file by now. */
static int open_once(const char *path)
{
	AUTO_FD int fd = -1;
	struct stat st;
	int r;

	fd = sys_retry(open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			    S_IRUSR | S_IWUSR));
	if (fd < 0 && fd != -ELOOP && fd != -EISDIR && fd != -ENXIO)
		return fd;
	if (fd < 0 || fstat(fd, &st) < 0 || !is_acceptable(&st)) {
		move_aside(path, "not a file of this user alone");
		return -EAGAIN;
	}
	r = lock_file(fd);
	if (r < 0)
		return r;
	return is_at(path, &st) ? steal_fd(&fd) : -EAGAIN;
}

static int open_file(const char *path)
{
	int fd = -EAGAIN, tries;

	for (tries = 0; fd == -EAGAIN && tries < 8; tries++)
		fd = open_once(path);
	if (fd == -EBUSY)
		log_error("%s: another broker has it", path);
	else if (fd < 0)
		log_error("%s: %s", path, strerror(-fd));
	return fd;
}

int journal_open(const char *path, struct journal **ret_journal)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int fd;

	if (!journal)
		return -ENOMEM;
	if (strlen(path) >= sizeof(journal->path)) {
		free(journal);
		return -ENAMETOOLONG;
	}
	memcpy(journal->path, path, strlen(path) + 1);
	journal_boot_id(journal->boot_id);
	fd = open_file(path);
	if (fd < 0) {
		free(journal);
		return fd;
	}
	journal->fd = fd;
	*ret_journal = journal;
	return 0;
}

struct journal *journal_close(struct journal *journal, bool keep)
{
	if (!journal)
		return NULL;
	if (!keep)
		(void)unlink(journal->path);
	fd_close(journal->fd);
	journal_marks_deinit(&journal->marks);
	journal_buffer_deinit(&journal->buffer);
	free(journal);
	return NULL;
}

static int read_all(int fd, unsigned char *bytes, size_t size)
{
	size_t done = 0;
	ssize_t r;

	while (done < size) {
		r = sys_retry(pread(fd, bytes + done, size - done, (off_t)done));
		if (r <= 0)
			return r < 0 ? (int)r : -EIO;
		done += (size_t)r;
	}
	return 0;
}

int journal_read(const struct journal *journal, void **ret_bytes, size_t *ret_size)
{
	AUTO_FREE unsigned char *bytes = NULL;
	struct stat st;
	int r;

	if (fstat(journal->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > FILE_BYTES_MAX)
		return -EFBIG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	r = read_all(journal->fd, bytes, (size_t)st.st_size);
	if (r < 0)
		return r;
	*ret_bytes = steal_ptr(&bytes);
	*ret_size = (size_t)st.st_size;
	return 0;
}

void journal_move_aside(struct journal *journal, const char *why)
{
	move_aside(journal->path, why);
}

/* One call; what was written in part is taken back. */
static int write_at(int fd, const struct journal_buffer *buffer, uint64_t offset)
{
	ssize_t r = sys_retry(pwrite(fd, buffer->bytes, buffer->size, (off_t)offset));

	if (r == (ssize_t)buffer->size)
		return 0;
	(void)sys_result(ftruncate(fd, (off_t)offset));
	return r < 0 ? (int)r : -ENOSPC;
}

/* A large registry is more than one pwrite() takes. */
static int write_whole(int fd, const struct journal_buffer *buffer)
{
	size_t done = 0;
	ssize_t r;

	while (done < buffer->size) {
		r = sys_retry(pwrite(fd, buffer->bytes + done, buffer->size - done, (off_t)done));
		if (r <= 0)
			return r < 0 ? (int)r : -ENOSPC;
		done += (size_t)r;
	}
	return 0;
}

/* The new file is complete and locked before it has the name. */
static int replace_file(struct journal *journal, const char *path)
{
	AUTO_FD int fd = -1;
	int r;

	(void)unlink(path);
	fd = sys_retry(
		open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
	r = fd < 0 ? fd : lock_file(fd);
	if (!r)
		r = write_whole(fd, &journal->buffer);
	if (!r)
		r = sys_result(rename(path, journal->path));
	if (r < 0) {
		(void)unlink(path);
		return r;
	}
	fd_close(journal->fd);
	journal->fd = steal_fd(&fd);
	return 0;
}

static int write_anew(struct journal *journal)
{
	char path[PATH_MAX + sizeof(".new")];
	int r;

	(void)snprintf(path, sizeof(path), "%s.new", journal->path);
	journal_buffer_clear(&journal->buffer);
	journal_put_all(&journal->buffer, journal->registry, journal->boot_id);
	r = journal->buffer.failed ? -ENOMEM : replace_file(journal, path);
	if (!r)
		journal->size = journal->size_anew = journal->buffer.size;
	return r;
}

static void complain(struct journal *journal, int error)
{
	journal->is_bad = error < 0;
	if (error < 0 && !journal->complained)
		log_error("%s: %s; if this broker is killed now, the next one does not know all",
			  journal->path, strerror(-error));
	if (!error && journal->complained)
		log_info("%s: written again", journal->path);
	journal->complained = error < 0;
}

/* What has come since is more than what was live then. */
static bool is_mostly_dead(const struct journal *journal)
{
	uint64_t since = journal->size - journal->size_anew;

	return since > journal->size_anew && since > DEAD_BYTES_MIN;
}

static int write_unit(struct journal *journal)
{
	size_t i;
	int r;

	journal_buffer_clear(&journal->buffer);
	journal_marks_settle(&journal->marks);
	for (i = 0; i < journal->marks.count; i++)
		journal_marks_put(&journal->buffer, journal->registry, &journal->marks.keys[i]);
	journal_put_commit(&journal->buffer);
	if (journal->buffer.failed)
		return -ENOMEM;
	r = write_at(journal->fd, &journal->buffer, journal->size);
	if (!r)
		journal->size += journal->buffer.size;
	return r;
}

void journal_end_unit(struct journal *journal)
{
	int r = 0;

	if (!journal || !journal->registry)
		return;
	if (!journal->marks.count && !journal->marks.lost && !journal->is_bad)
		return;
	if (journal->marks.lost || journal->is_bad)
		r = -EAGAIN;
	else
		r = write_unit(journal);
	if (r < 0 || is_mostly_dead(journal))
		r = write_anew(journal);
	complain(journal, r);
	journal->marks.count = 0;
	journal->marks.lost = false;
	journal_buffer_clear(&journal->buffer);
}

void journal_mark(struct journal *journal, enum registry_object kind, const void *object)
{
	journal_marks_add(&journal->marks, kind, object);
}

int journal_start(struct journal *journal, struct registry *registry)
{
	int r;

	journal->registry = registry;
	r = write_anew(journal);
	complain(journal, r);
	journal_buffer_clear(&journal->buffer);
	return r;
}
