// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The operations of vmsect-stress.  Each takes one of the thread's own pages,
 * does something to a mapping that has it, and looks if the page is what it
 * should be.  Addresses that an operation has given up may be another thread's
 * a moment later, so nothing touches them.
 */
#include "guest/stress.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmsect_ioctl.h"

enum stress_result stress_op_run(const struct stress_op *op, struct stress_thread *thread)
{
	enum stress_result result;
	struct stress_place place;
	struct stress_map map;

	if (!stress_own_place(thread, &place))
		return STRESS_GONE;
	result = stress_map_around(thread, &place, &map);
	if (result != STRESS_DONE)
		return result;
	result = op->step(thread, &place, &map);
	stress_map_end(&map);
	return result;
}

/* The place in the mapping that stays. */
static void *at_base(const struct stress_place *place)
{
	return (void *)(uintptr_t)(place->section->base + (size_t)place->page * PAGE_WORDS);
}

static enum stress_result store(struct stress_thread *thread, const struct stress_place *place,
				struct stress_map *map)
{
	enum stress_result result = stress_write(thread, place, stress_map_at(map, place->page));

	return result ? result : stress_verify(thread, place, at_base(place));
}

/* Unmaps all but the page itself, in two pieces, and drops its page table entry. */
static enum stress_result unmap(struct stress_thread *thread, const struct stress_place *place,
				struct stress_map *map)
{
	uint8_t *page = stress_map_at(map, place->page);
	uint32_t before = place->page - map->first;
	enum stress_result result = stress_write(thread, place, page);

	if (result)
		return result;
	munmap(map->addr, (size_t)before * PAGE);
	munmap(page + PAGE, (size_t)(map->pages - before - 1) * PAGE);
	madvise(page, PAGE, MADV_DONTNEED);
	result = stress_verify(thread, place, page);
	*map = (struct stress_map){ map->section, place->page, 1, page };
	return result ? result : stress_verify(thread, place, at_base(place));
}

static enum stress_result protect(struct stress_thread *thread, const struct stress_place *place,
				  struct stress_map *map)
{
	void *page = stress_map_at(map, place->page);
	uint64_t words[PAGE_WORDS] = { 0 };
	enum stress_result result = stress_write(thread, place, page);
	int signal;

	if (result)
		return result;
	mprotect(map->addr, (size_t)map->pages * PAGE, PROT_READ);
	signal = stress_page_store(page, words);
	if (signal != SIGSEGV)
		return stress_fail(place->section, "a store to read-only pages: signal %d", signal);
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	result = stress_verify(thread, place, page);
	return result ? result : stress_write(thread, place, page);
}

static enum stress_result move(struct stress_thread *thread, const struct stress_place *place,
			       struct stress_map *map)
{
	size_t length = (size_t)map->pages * PAGE;
	enum stress_result result = stress_write(thread, place, stress_map_at(map, place->page));
	/* The new place is reserved, so that nobody else's mapping is hit. */
	void *to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (result || to == MAP_FAILED)
		return result;
	if (mremap(map->addr, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED) {
		munmap(to, length);
		return stress_fail(place->section, "mremap fails with %d", errno);
	}
	map->addr = to;
	return stress_verify(thread, place, stress_map_at(map, place->page));
}

/* The exit status of a child carries a result. */
static enum stress_result child_end(const struct stress_section *section, pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return stress_fail(section, "a child ends with status %x", (unsigned int)status);
	return (enum stress_result)WEXITSTATUS(status);
}

/* The child finds the page, writes it, and the parent finds that. */
static enum stress_result forked(struct stress_thread *thread, const struct stress_place *place,
				 struct stress_map *map)
{
	void *page = stress_map_at(map, place->page);
	enum stress_result result = stress_write(thread, place, page);
	pid_t child;

	if (result)
		return result;
	child = fork();
	if (child < 0)
		return stress_fail(place->section, "fork fails with %d", errno);
	if (!child) {
		result = stress_verify(thread, place, at_base(place));
		_exit((int)(result ? result : stress_write(thread, place, page)));
	}
	result = child_end(place->section, child);
	thread->sequence[place->section->number][place->page]++;
	return result ? result : stress_verify(thread, place, at_base(place));
}

/* A private copy parts from the section, and is given up again. */
static enum stress_result private(struct stress_thread *thread, const struct stress_place *place,
				  struct stress_map *map) {
	const struct stress_stamp other = { .section = ~(uint64_t)0,
					    .page = place->page,
					    .sequence = 1 };
	uint64_t words[PAGE_WORDS];
	enum stress_result result;
	int signal;
	void *copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, place->section->fd,
			  (off_t)place->page *PAGE);

	if (copy == MAP_FAILED) return stress_lost(place->section, "a private mmap", errno);
	stress_page_make(&other, words);
	signal = stress_page_store(copy, words);
	result = signal ? stress_lost(place->section, "a store to a copy", signal)
			: stress_verify(thread, place, stress_map_at(map, place->page));
	if (!result && !stress_page_load(copy, words) && !stress_page_is(&other, words))
		result = stress_fail(place->section, "a private copy of page %u is not its own",
				     place->page);
	madvise(copy, PAGE, MADV_DONTNEED);
	if (!result) result = stress_verify(thread, place, copy);
	munmap(copy, PAGE);
	return result;
}

/*
 * A page by three writes: within one the kernel may copy in any order, and who
 * checks at the same time relies on the ends.
 */
static bool page_pwrite(int fd, const uint64_t *words, off_t at)
{
	const size_t word = sizeof(*words), body = PAGE - 2 * word;

	return pwrite(fd, words, word, at) == (ssize_t)word &&
	       pwrite(fd, words + 1, body, at + (off_t)word) == (ssize_t)body &&
	       pwrite(fd, words + PAGE_WORDS - 1, word, at + PAGE - (off_t)word) == (ssize_t)word;
}

/* write(2) and read(2); EINVAL says that the driver has them not. */
static enum stress_result transfer(struct stress_thread *thread, const struct stress_place *place,
				   struct stress_map *map)
{
	off_t at = (off_t)place->page * PAGE;
	uint64_t *sequence = &thread->sequence[place->section->number][place->page];
	struct stress_stamp stamp = { place->section->id, place->page, *sequence + 1 };
	uint64_t words[PAGE_WORDS];
	enum stress_result result;

	stress_page_make(&stamp, words);
	if (!page_pwrite(place->section->fd, words, at))
		return errno == EINVAL ? STRESS_UNSUPPORTED
				       : stress_lost(place->section, "pwrite", errno);
	++*sequence;
	result = stress_verify(thread, place, stress_map_at(map, place->page));
	if (result)
		return result;
	if (pread(place->section->fd, words, PAGE, at) != PAGE)
		return stress_lost(place->section, "pread", errno);
	if (stress_page_is(&stamp, words) || stress_section_has_gone(place->section))
		return STRESS_DONE;
	return stress_fail(place->section, "pread gives another page %u", place->page);
}

static enum stress_result view_use(struct stress_thread *thread, const struct stress_place *place,
				   int view)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, view, 0);
	enum stress_result result;

	/* The mapping alone keeps the view, or the mapping's end is before the view's. */
	if (page == MAP_FAILED) {
		int err = errno;

		close(view);
		return stress_lost(place->section, "mmap of a view", err);
	}
	if (chance_below(&thread->chance, 2)) {
		close(view);
		view = -1;
	}
	result = stress_write(thread, place, page);
	munmap(page, PAGE);
	if (view >= 0)
		close(view);
	return result ? result : stress_verify(thread, place, at_base(place));
}

/* A view of one page, made and given back. */
static enum stress_result view(struct stress_thread *thread, const struct stress_place *place,
			       struct stress_map *map)
{
	struct vmsect_view_request request = {
		.offset = (uint64_t)place->page * PAGE,
		.length = PAGE,
		.protection = VMSECT_GUEST_PROT_READWRITE,
	};
	int fd = ioctl(map->section->fd, VMSECT_IOC_VIEW, &request);

	if (fd >= 0)
		return view_use(thread, place, fd);
	return errno == ENOTTY ? STRESS_UNSUPPORTED : stress_lost(place->section, "VIEW", errno);
}

const struct stress_op stress_ops[] = {
	{ "store through one mapping, seen in another", store },
	{ "unmap around a page", unmap },
	{ "mprotect", protect },
	{ "mremap", move },
	{ "fork", forked },
	{ "private copies", private },
	{ "read and write", transfer },
	{ "views made and closed", view },
};
const size_t stress_op_count = sizeof(stress_ops) / sizeof(stress_ops[0]);
