/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See backing.h: page-file memory, and what all kinds have in common. */
#include "broker/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "broker/export_place.h"

#define HUGE_POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define BLOCK_BYTES 512u /* of st_blocks */

void backing_clear(struct backing *backing)
{
	*backing = (struct backing){ .ro_fd = -1, .rw_fd = -1 };
}

void backing_deinit(struct backing *backing)
{
	fd_close(backing->ro_fd);
	fd_close(backing->rw_fd);
	free(backing->path);
	backing_clear(backing);
}

int backing_round(uint32_t page_shift, uint64_t size_bytes, uint64_t *ret_bytes,
		  struct refusal *refusal)
{
	uint64_t page = UINT64_C(1) << page_shift;

	if (!size_bytes)
		return refuse(refusal, -EINVAL, VMSECT_DETAIL_SIZE,
			      "a page-file section needs a size");
	if (size_bytes > BACKING_BYTES_MAX)
		return refuse(refusal, -EFBIG, VMSECT_DETAIL_SIZE,
			      "%" PRIu64 " bytes are more than a section can have", size_bytes);
	*ret_bytes = (size_bytes + page - 1) & ~(page - 1);
	return 0;
}

/* One number of the huge page pool; 0 if the host has none. */
static uint64_t pool_number(const char *path)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t size;

	if (fd < 0)
		return 0;
	size = sys_retry(read(fd, text, sizeof(text) - 1));
	if (size < 0)
		return 0;
	text[size] = '\0';
	return strtoull(text, NULL, 10);
}

static int refuse_huge_pages(uint64_t size_bytes, struct refusal *refusal)
{
	uint64_t wanted = size_bytes >> BACKING_HUGE_SHIFT;
	uint64_t total = pool_number(HUGE_POOL "nr_hugepages");
	uint64_t kept = pool_number(HUGE_POOL "resv_hugepages");
	uint64_t unused = pool_number(HUGE_POOL "free_hugepages");
	uint64_t usable = unused > kept ? unused - kept : 0;
	uint64_t missing = wanted > usable ? wanted - usable : 0;

	return refuse(refusal, -ENOMEM, VMSECT_DETAIL_HUGEPAGES,
		      "%" PRIu64 " huge pages of 2 MiB are missing: %" PRIu64 " wanted, %" PRIu64
		      " usable; sysctl vm.nr_hugepages=%" PRIu64 " would do",
		      missing, wanted, usable, total + missing);
}

/*
 * Reserves the huge pages now.  A shared mapping reserves for the file, and the
 * reservation outlives the mapping; unlike fallocate() it clears nothing, so
 * that a large section does not stop the broker.
 */
static int reserve_huge_pages(int fd, uint64_t size_bytes)
{
	void *mapping = mmap(NULL, size_bytes, PROT_READ, MAP_SHARED, fd, 0);

	if (mapping == MAP_FAILED)
		return -errno;
	return sys_result(munmap(mapping, size_bytes));
}

int backing_reserve_huge(int fd, uint64_t size_bytes, uint64_t had_bytes, struct refusal *refusal)
{
	return reserve_huge_pages(fd, size_bytes) < 0
		       ? refuse_huge_pages(size_bytes - had_bytes, refusal)
		       : 0;
}

static int memory_create(const struct backing_spec *spec, struct refusal *refusal)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd;

	if (spec->exportable)
		return export_place_new_file(spec, refusal);
	if (spec->kind == BACKING_HUGETLB)
		flags |= MFD_HUGETLB | MFD_HUGE_2MB;
	fd = sys_result(memfd_create("vmsect", flags));
	if (fd < 0 && spec->kind == BACKING_HUGETLB)
		return refuse_huge_pages(spec->size_bytes, refusal);
	return fd < 0 ? refuse(refusal, fd, VMSECT_DETAIL_NONE, "no memory file: %s", strerror(-fd))
		      : fd;
}

/* Whoever may write could else also truncate, grow at our cost, or seal for all. */
static int memory_seal(int fd, const struct backing_spec *spec)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | (spec->sealable ? 0 : F_SEAL_SEAL);

	return sys_result(fcntl(fd, F_ADD_SEALS, seals));
}

static int memory_fill(int fd, const struct backing_spec *spec)
{
	uint64_t bytes = spec->max_bytes > spec->size_bytes ? spec->max_bytes : spec->size_bytes;
	int r = sys_result(fchmod(fd, S_IRUSR | S_IWUSR));

	if (r >= 0)
		r = sys_result(ftruncate(fd, (off_t)bytes));
	if (r >= 0 && spec->kind == BACKING_HUGETLB && !spec->reserve)
		r = reserve_huge_pages(fd, spec->size_bytes);
	return r < 0 || spec->exportable ? r : memory_seal(fd, spec);
}

int backing_note_inode(struct backing *backing)
{
	struct stat st;
	int r = sys_result(fstat(backing->ro_fd >= 0 ? backing->ro_fd : backing->rw_fd, &st));

	if (r < 0)
		return r;
	backing->dev = st.st_dev;
	backing->ino = st.st_ino;
	return 0;
}

/* Makes the backing of a page-file section from its one descriptor. */
static int take_page_file(struct backing *backing, const struct backing_spec *spec, int *fd,
			  struct backing_work *ret_work)
{
	struct backing made;
	int r;

	backing_clear(&made);
	made.rw_fd = *fd;
	made.size_bytes = spec->size_bytes;
	r = backing_note_inode(&made);
	if (r < 0)
		return r;
	*fd = -1;
	*backing = made;
	*ret_work = (struct backing_work){ .fd = made.rw_fd, .kind = spec->kind };
	if (spec->allocate || spec->kind == BACKING_DIRECTORY)
		ret_work->to = spec->size_bytes;
	return 0;
}

int backing_init_memory(struct backing *backing, const struct backing_spec *spec,
			struct backing_work *ret_work, struct refusal *refusal)
{
	AUTO_FD int fd = memory_create(spec, refusal);
	int r;

	if (fd < 0)
		return fd;
	r = memory_fill(fd, spec);
	if (r < 0 && spec->kind == BACKING_HUGETLB)
		return refuse_huge_pages(spec->size_bytes, refusal);
	if (r >= 0)
		r = take_page_file(backing, spec, &fd, ret_work);
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE, "no memory file: %s", strerror(-r));
	return 0;
}

int backing_init_directory(struct backing *backing, const struct backing_spec *spec,
			   const char *dir, struct backing_work *ret_work, struct refusal *refusal)
{
	AUTO_FD int fd = -1;
	struct statfs fs;
	int r;

	if (!dir)
		return refuse(refusal, -EOPNOTSUPP, VMSECT_DETAIL_ATTR,
			      "this broker has no page-file directory");
	fd = sys_retry(open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
	r = fd < 0 ? fd : sys_result(fstatfs(fd, &fs));
	if (!r && spec->executable && fs.f_flags & ST_NOEXEC)
		return refuse(refusal, -EPERM, VMSECT_DETAIL_FILE,
			      "the page-file directory is on a file system without execution");
	if (!r)
		r = take_page_file(backing, spec, &fd, ret_work);
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_NONE, "no page file: %s", strerror(-r));
	return 0;
}

/*
 * Reopening gives the client a file description of its own, so that clients do
 * not share an offset and flags.  The descriptor of a data file may be one that
 * the broker cannot open by itself; then the client's is passed on.
 */
int backing_open(const struct backing *backing, bool writable, int *ret_fd)
{
	int own = writable || backing->ro_fd < 0 ? backing->rw_fd : backing->ro_fd;
	char path[sizeof("/proc/self/fd/") + 12];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", own);
	fd = sys_retry(open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK));
	/* A memfd's one descriptor is writable: never a stand-in for a read-only one. */
	if (fd < 0 && (writable || own == backing->ro_fd))
		fd = sys_result(fcntl(own, F_DUPFD_CLOEXEC, 0));
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

uint64_t backing_allocated(const struct backing *backing)
{
	struct stat st;

	if (fstat(backing->ro_fd >= 0 ? backing->ro_fd : backing->rw_fd, &st) < 0)
		return 0;
	return (uint64_t)st.st_blocks * BLOCK_BYTES;
}
