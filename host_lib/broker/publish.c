/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See publish.h: a patch, from its check to its end. */
#include "broker/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/publish_file.h"

#define NAME_ROOM 64u
#define NAME_TRIES 8
#define PATCH_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

/* Where a patch's bytes begin. */
static uint64_t patch_bytes_offset(uint32_t count)
{
	uint64_t table = count * sizeof(struct vmsect_wire_range);

	return (table + PUBLISH_ALIGN - 1) & ~(uint64_t)(PUBLISH_ALIGN - 1);
}

/* One range against the section and the end of the range before. */
static const char *check_range(const struct vmsect_wire_range *range,
			       const struct publish_bounds *bounds, uint64_t last_end)
{
	uint64_t in_page = bounds->page_bytes - 1;

	if (!range->length)
		return "a range is empty";
	if (range->offset >= bounds->size_bytes ||
	    range->length > bounds->size_bytes - range->offset)
		return "a range is not within the section";
	if (range->offset < last_end)
		return "the ranges are not ascending and apart";
	if (range->offset & in_page ||
	    (range->length & in_page && range->offset + range->length != bounds->size_bytes))
		return "a range is not of whole pages";
	return NULL;
}

static const char *check_ranges(const struct vmsect_wire_range *ranges, uint32_t count,
				const struct publish_bounds *bounds, uint64_t file_bytes)
{
	uint64_t bytes = 0, last_end = 0;
	const char *why = NULL;
	uint32_t i;

	for (i = 0; !why && i < count; i++) {
		why = check_range(&ranges[i], bounds, last_end);
		last_end = ranges[i].offset + ranges[i].length;
		bytes += ranges[i].length; /* apart: no more than the section */
	}
	if (!why && bytes > PUBLISH_BYTES_MAX)
		why = "a patch has more bytes than one may have";
	if (!why && file_bytes < patch_bytes_offset(count) + bytes)
		why = "the patch is shorter than its ranges";
	return why;
}

int publish_check(int patch, uint32_t count, const struct publish_bounds *bounds,
		  struct vmsect_wire_range **ret_ranges, const char **ret_why)
{
	AUTO_FREE struct vmsect_wire_range *ranges = NULL;
	int seals = fcntl(patch, F_GET_SEALS);
	struct stat st;

	*ret_why = "the patch is no memfd that is sealed against writing, growing and shrinking";
	if (seals < 0 || (seals & PATCH_SEALS) != PATCH_SEALS || fstat(patch, &st) < 0)
		return -EINVAL;
	*ret_why = "a patch has 1 to 65536 ranges";
	if (!count || count > PUBLISH_RANGES_MAX)
		return -EINVAL;
	ranges = calloc(count, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	*ret_why = "the patch is shorter than its table of ranges";
	if (publish_read(patch, ranges, count * sizeof(*ranges), 0) < 0)
		return -EINVAL;
	*ret_why = check_ranges(ranges, count, bounds, (uint64_t)st.st_size);
	if (*ret_why)
		return -EINVAL;
	*ret_ranges = steal_ptr(&ranges);
	return 0;
}

/* The folder with all that leads to it. */
static int make_folder(const char *dir)
{
	char path[PATH_MAX];
	char *slash;
	int length = snprintf(path, sizeof(path), "%s/", dir);
	int r = 0;

	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	for (slash = strchr(path + 1, '/'); slash && !r; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = sys_result(mkdir(path, S_IRWXU));
		r = r == -EEXIST ? 0 : r;
		*slash = '/';
	}
	return r;
}

static int open_folder(const char *dir)
{
	int fd = sys_retry(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int r;

	if (fd != -ENOENT)
		return fd;
	r = make_folder(dir);
	return r < 0 ? r : sys_retry(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Names ascend with time: patches are finished in the order in which they came. */
static void new_name(char *name, const char *end)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(name, NAME_ROOM, PUBLISH_PREFIX "%016" PRIx64 "-%d%s",
		       (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, getpid(), end);
}

/* A new file that is locked.  A broker that starts may take it away before that. */
static int create_file(int folder, char *name)
{
	int fd = -EEXIST, tries = NAME_TRIES;
	struct stat st;

	while (tries--) {
		new_name(name, PUBLISH_WORK);
		fd = sys_retry(openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
				      S_IRUSR | S_IWUSR));
		if (fd == -EEXIST)
			continue;
		if (fd < 0)
			return fd;
		if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &st) && st.st_nlink)
			return fd;
		(void)fd_close(fd);
		fd = -EAGAIN;
	}
	return fd;
}

/* What the journal says of the section. */
static int fill_head(const struct publish *publish, struct publish_journal *journal)
{
	char link[sizeof("/proc/self/fd/") + 12];
	struct stat st;
	ssize_t length = 0;

	if (fstat(publish->target, &st) < 0)
		return -errno;
	if (publish->is_file) {
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", publish->target);
		length = readlink(link, journal->path, sizeof(journal->path) - 1);
		if (length < 0)
			return -errno;
		journal->path[length++] = '\0';
	}
	journal->head = (struct publish_head){
		.magic = PUBLISH_MAGIC,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.count = publish->count,
		.path_bytes = (uint32_t)length,
		.is_mapped = publish->is_mapped,
	};
	return 0;
}

static int write_journal(const struct publish *publish, struct publish_journal *journal)
{
	struct publish_head *head = &journal->head;
	size_t table = head->count * sizeof(*journal->ranges);
	uint64_t at = sizeof(*head) + table;
	uint32_t i;
	int r;

	for (i = 0; i < head->count; i++)
		head->bytes += journal->ranges[i].length;
	head->bytes_offset = (at + head->path_bytes + PUBLISH_ALIGN - 1) &
			     ~(uint64_t)(PUBLISH_ALIGN - 1);
	r = publish_write(journal->fd, head, sizeof(*head), 0);
	if (!r)
		r = publish_write(journal->fd, journal->ranges, table, sizeof(*head));
	if (!r)
		r = publish_write(journal->fd, journal->path, head->path_bytes, at);
	if (!r)
		r = publish_copy(publish->patch, patch_bytes_offset(head->count), journal->fd,
				 head->bytes_offset, head->bytes);
	if (!r && publish->is_file)
		r = sys_retry(fsync(journal->fd));
	return r;
}

static int read_ranges(const struct publish *publish, struct publish_journal *journal)
{
	journal->ranges = calloc(publish->count, sizeof(*journal->ranges));
	if (!journal->ranges)
		return -ENOMEM;
	return publish_read(publish->patch, journal->ranges,
			    publish->count * sizeof(*journal->ranges), 0);
}

/* From here on the patch will be in the section, whatever happens. */
static int commit(const struct publish *publish, int folder, const char *work,
		  const char *committed)
{
	int r = sys_result(renameat(folder, work, folder, committed));

	if (!r && publish->is_file)
		r = sys_retry(fsync(folder));
	if (r < 0) {
		(void)unlinkat(folder, work, 0);
		(void)unlinkat(folder, committed, 0);
	}
	return r;
}

static int prepare(const struct publish *publish, struct publish_journal *journal)
{
	int r = fill_head(publish, journal);

	if (!r)
		r = read_ranges(publish, journal);
	if (!r)
		r = publish_make_room(journal, publish->target);
	return r ? r : write_journal(publish, journal);
}

/* The journal must not come back once the section may change again. */
static int finish(const struct publish *publish, int folder, const char *name)
{
	int r = sys_result(unlinkat(folder, name, 0));

	return !r && publish->is_file ? sys_retry(fsync(folder)) : r;
}

static int run_in_folder(const struct publish *publish, struct publish_journal *journal, int folder,
			 bool *ret_committed)
{
	char work[NAME_ROOM], committed[NAME_ROOM];
	int r;

	journal->fd = create_file(folder, work);
	if (journal->fd < 0)
		return journal->fd;
	r = prepare(publish, journal);
	if (r < 0) {
		(void)unlinkat(folder, work, 0);
		return r;
	}
	new_name(committed, PUBLISH_COMMITTED);
	r = commit(publish, folder, work, committed);
	if (r < 0)
		return r;
	*ret_committed = true;
	r = publish_apply(journal, publish->target);
	return r ? r : finish(publish, folder, committed);
}

int publish_run(const struct publish *publish, bool *ret_committed)
{
	AUTO_FD int folder = open_folder(publish->dir);
	struct publish_journal journal;
	int r = folder;

	*ret_committed = false;
	publish_journal_clear(&journal);
	if (folder >= 0)
		r = run_in_folder(publish, &journal, folder, ret_committed);
	publish_journal_deinit(&journal);
	return r;
}
