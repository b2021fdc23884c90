/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's mappings under a view.
 *
 * mmap(MAP_FIXED) takes away what is there before it can fail for want of
 * huge pages or memory, and a gap would be left in which another thread's
 * mapping could land.  So a range is mapped elsewhere first and then moved.
 * Moving is refused by the kernel a few mappings below its limit
 * (vm.max_map_count), where mapping in place still works: the way back from a
 * change that failed is open.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mapping_internal.h"
#include "base/sys.h"

#define SMALL_PAGE UINT64_C(4096)

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

int mode_prot(const struct mapping_run *mode)
{
	int prot = mode->execute ? PROT_EXEC : 0;

	switch (mode->mode) {
	case MAPPING_READ:
		return prot | PROT_READ;
	case MAPPING_WRITE:
	case MAPPING_COPY:
		return prot | PROT_READ | PROT_WRITE;
	default:
		return PROT_NONE;
	}
}

enum mapping_kind mode_kind(const struct mapping *mapping, enum mapping_mode mode)
{
	switch (mode) {
	case MAPPING_READ:
		return mapping->spec.page_bytes > SMALL_PAGE ? KIND_READ : KIND_PRIVATE;
	case MAPPING_WRITE:
		return KIND_SHARED;
	case MAPPING_COPY:
		return KIND_PRIVATE;
	default:
		return KIND_NONE;
	}
}

static bool fd_is_writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) == O_RDWR;
}

static int kind_flags(const struct mapping *mapping, enum mapping_kind kind)
{
	switch (kind) {
	case KIND_SHARED:
		return MAP_SHARED;
	case KIND_PRIVATE:
		return MAP_PRIVATE;
	case KIND_READ:
		/* userfaultfd refuses a shared mapping that could never be written. */
		if (mapping->spec.reserve && !fd_is_writable(mapping->spec.fd))
			return MAP_PRIVATE | MAP_NORESERVE;
		return MAP_SHARED;
	default:
		return MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	}
}

static unsigned char *address(const struct mapping *mapping, uint64_t offset)
{
	return mapping->spec.start + offset;
}

int range_prot(const struct mapping *mapping, uint64_t offset, uint64_t end, int prot)
{
	if (offset >= end)
		return 0;
	return sys_result(mprotect(address(mapping, offset), end - offset, prot));
}

/* A mapping of the run's pages: at `where` (flags has MAP_FIXED) or anywhere. */
static int run_map(const struct mapping *mapping, const struct mapping_run *run, void *where,
		   int flags, void **ret_start)
{
	enum mapping_kind kind = mode_kind(mapping, run->mode);
	int prot = mapping->spec.reserve ? PROT_NONE : mode_prot(run);
	void *start;

	flags |= kind_flags(mapping, kind);
	if (kind == KIND_NONE)
		start = mmap(where, run->length, PROT_NONE, flags, -1, 0);
	else
		start = mmap(where, run->length, prot, flags, mapping->spec.fd,
			     (off_t)(mapping->spec.fd_offset + run->offset));
	if (start == MAP_FAILED)
		return -errno;
	*ret_start = start;
	return 0;
}

/*
 * A private mapping takes a huge page of its own for one that the file has not
 * got yet, even to read it, and would never see what is written there later.
 * So the file gets all its pages first.  Those of a RESERVE section that are
 * not there raise SIGBUS, and are made by the commit.
 */
static int make_huge_pages(const struct mapping *mapping, const struct mapping_run *run)
{
	void *start;
	int r;

	if (mapping->spec.page_bytes == SMALL_PAGE || mapping->spec.reserve ||
	    mode_kind(mapping, run->mode) != KIND_PRIVATE)
		return 0;
	start = mmap(NULL, run->length, PROT_READ, MAP_SHARED, mapping->spec.fd,
		     (off_t)(mapping->spec.fd_offset + run->offset));
	if (start == MAP_FAILED)
		return -errno;
	r = sys_retry(madvise(start, run->length, MADV_POPULATE_READ));
	(void)munmap(start, run->length);
	/* EFAULT: the pool has not got them. */
	return r == -EFAULT ? -ENOMEM : r;
}

static int run_map_and_move(const struct mapping *mapping, const struct mapping_run *run)
{
	void *from = NULL, *moved;
	int r = make_huge_pages(mapping, run);

	if (!r)
		r = run_map(mapping, run, NULL, 0, &from);
	if (r < 0)
		return r;
	moved = mremap(from, run->length, run->length, MREMAP_MAYMOVE | MREMAP_FIXED,
		       address(mapping, run->offset));
	if (moved != MAP_FAILED)
		return 0;
	r = -errno;
	(void)munmap(from, run->length);
	return r;
}

/*
 * Pages of a RESERVE section are without access until userfaultfd watches
 * them: touched a moment earlier they would be allocated behind the broker.
 */
static int run_open(const struct mapping *mapping, const struct mapping_run *run)
{
	int r;

	if (!mapping->spec.reserve || run->mode == MAPPING_NONE)
		return 0;
	r = reserve_register(mapping->userfault_fd, address(mapping, run->offset), run->length);
	if (r < 0)
		return r;
	return range_prot(mapping, run->offset, run_end(run), mode_prot(run));
}

int range_place(const struct mapping *mapping, const struct mapping_run *run, enum place_how how)
{
	void *start;
	int r;

	if (how == PLACE_MOVE)
		r = run_map_and_move(mapping, run);
	else
		r = run_map(mapping, run, address(mapping, run->offset), MAP_FIXED | MAP_NORESERVE,
			    &start);
	return r < 0 ? r : run_open(mapping, run);
}

int reserve_open(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	AUTO_FD int fd = -1;

	fd = sys_result(
		(int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY));
	if (fd < 0)
		return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? fd : -EOPNOTSUPP;
	if (ioctl(fd, UFFDIO_API, &api) < 0)
		return -EOPNOTSUPP;
	return steal_fd(&fd);
}

int reserve_register(int userfault_fd, void *start, uint64_t length)
{
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)start, .len = length },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int r = sys_result(ioctl(userfault_fd, UFFDIO_REGISTER, &range));

	/* A kind of memory that it does not take. */
	return r == -EINVAL || r == -EPERM ? -EOPNOTSUPP : r;
}
