// SPDX-License-Identifier: GPL-2.0-or-later
/* What mappings do: sharing, copies, fork, and the calls that reshape them. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHARED_RW (VMSECT_GUEST_READ | VMSECT_GUEST_WRITE)
#define PRIVATE_RW (SHARED_RW | VMSECT_GUEST_PRIVATE)

/* How a subject of this mode is opened for all that it allows. */
static int mode_flags(uint32_t mode)
{
	return mode == VMSECT_MODE_RO ? O_RDONLY : O_RDWR;
}

/* Maps the last pages of a subject and closes the fd; NULL on failure. */
static volatile uint8_t *tail_map(uint32_t mode, int how, size_t pages)
{
	struct vmsect_guest_mapping map = { 0 };
	int fd;

	if (subject_open(mode, mode_flags(mode), &fd))
		return NULL;
	vmsect_guest_map(fd, how, subjects[mode].length - pages * PAGE, pages * PAGE, &map);
	close(fd);
	return map.addr;
}

static void tail_unmap(volatile uint8_t *tail, size_t pages)
{
	munmap((void *)(uintptr_t)tail, pages * PAGE);
}

static void mapped_twice_equal(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++) {
		volatile uint8_t *a, *b;

		if (!subjects[mode].name[0])
			continue;
		a = tail_map(mode, VMSECT_GUEST_READ, 2);
		b = tail_map(mode, VMSECT_GUEST_READ | VMSECT_GUEST_PRIVATE, 2);
		EXPECT(a && b && a != b);
		if (!a || !b)
			return;
		EXPECT(!memcmp((const void *)(uintptr_t)a, (const void *)(uintptr_t)b, 2 * PAGE));
		tail_unmap(a, 2);
		tail_unmap(b, 2);
	}
}

/* A store through one shared mapping is there in the other; put back after. */
static void expect_shared(uint32_t mode)
{
	volatile uint8_t *a = tail_map(mode, SHARED_RW, 1), *b = tail_map(mode, SHARED_RW, 1);
	uint8_t before;

	EXPECT(a && b);
	if (!a || !b)
		return;
	before = a[7];
	a[7] = (uint8_t)~before;
	EXPECT_EQ(b[7], (uint8_t)~before);
	b[7] = before;
	EXPECT_EQ(a[7], before);
	tail_unmap(a, 1);
	tail_unmap(b, 1);
}

static void mapped_rw_shared(void)
{
	SKIP_UNLESS_HAVE(VMSECT_MODE_RW);
	expect_shared(VMSECT_MODE_RW);
}

static void mapped_cow_shared_in_vm(void)
{
	SKIP_UNLESS_HAVE(VMSECT_MODE_COW);
	expect_shared(VMSECT_MODE_COW);
}

static void expect_private(uint32_t mode)
{
	volatile uint8_t *copy = tail_map(mode, PRIVATE_RW, 2);
	volatile uint8_t *view = tail_map(mode, VMSECT_GUEST_READ, 2);
	uint8_t before;

	EXPECT(copy && view);
	if (!copy || !view)
		return;
	before = view[0];
	/* A write as the first touch, then one after a read. */
	copy[0] = (uint8_t)~before;
	EXPECT_EQ(copy[0], (uint8_t)~before);
	EXPECT_EQ(view[0], before);
	EXPECT(!memcmp((const void *)(uintptr_t)(copy + 1), (const void *)(uintptr_t)(view + 1),
		       2 * PAGE - 1));
	before = view[PAGE];
	copy[PAGE] = (uint8_t)~before;
	EXPECT_EQ(copy[PAGE], (uint8_t)~before);
	EXPECT_EQ(view[PAGE], before);
	tail_unmap(copy, 2);
	tail_unmap(view, 2);
}

static void mapped_private_of_ro(void)
{
	SKIP_UNLESS_HAVE(VMSECT_MODE_RO);
	expect_private(VMSECT_MODE_RO);
}

static void mapped_private_of_rw(void)
{
	SKIP_UNLESS_HAVE(VMSECT_MODE_RW);
	expect_private(VMSECT_MODE_RW);
}

static void mapped_private_of_cow(void)
{
	SKIP_UNLESS_HAVE(VMSECT_MODE_COW);
	expect_private(VMSECT_MODE_COW);
}

#define PARENT_MARK 0x11
#define CHILD_MARK 0x22

static int child_writes(void *context)
{
	volatile uint8_t *memory = context;

	if (memory[3] != PARENT_MARK)
		return 1;
	memory[3] = CHILD_MARK;
	memory[PAGE + 3] = CHILD_MARK;
	return memory[3] == CHILD_MARK && memory[PAGE + 3] == CHILD_MARK ? 0 : 2;
}

static void expect_fork_parts(uint32_t mode)
{
	volatile uint8_t *copy = tail_map(mode, PRIVATE_RW, 2);
	volatile uint8_t *view = tail_map(mode, VMSECT_GUEST_READ, 2);
	uint8_t first, second;

	EXPECT(copy && view);
	if (!copy || !view)
		return;
	first = view[3];
	second = view[PAGE + 3];
	copy[3] = PARENT_MARK;
	EXPECT_EQ(in_child(child_writes, (void *)(uintptr_t)copy), 0);
	EXPECT_EQ(copy[3], PARENT_MARK);
	EXPECT_EQ(copy[PAGE + 3], second);
	EXPECT_EQ(view[3], first);
	EXPECT_EQ(view[PAGE + 3], second);
	tail_unmap(copy, 2);
	tail_unmap(view, 2);
}

static void mapped_fork_private(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].name[0])
			expect_fork_parts(mode);
}

static void mapped_fork_shared(void)
{
	volatile uint8_t *memory;
	uint8_t first, second;

	SKIP_UNLESS_HAVE(VMSECT_MODE_RW);
	memory = tail_map(VMSECT_MODE_RW, SHARED_RW, 2);
	EXPECT(memory);
	if (!memory)
		return;
	first = memory[3];
	second = memory[PAGE + 3];
	memory[3] = PARENT_MARK;
	EXPECT_EQ(in_child(child_writes, (void *)(uintptr_t)memory), 0);
	EXPECT_EQ(memory[3], CHILD_MARK);
	EXPECT_EQ(memory[PAGE + 3], CHILD_MARK);
	memory[3] = first;
	memory[PAGE + 3] = second;
	tail_unmap(memory, 2);
}

static void expect_drop(uint32_t mode)
{
	volatile uint8_t *copy = tail_map(mode, PRIVATE_RW, 1);
	uint8_t before;

	EXPECT(copy);
	if (!copy)
		return;
	before = copy[9];
	copy[9] = (uint8_t)~before;
	EXPECT_EQ(madvise((void *)(uintptr_t)copy, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(copy[9], before);
	tail_unmap(copy, 1);
}

static void mapped_private_dropped(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].name[0])
			expect_drop(mode);
}

static void mapped_after_close(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++) {
		volatile uint8_t *memory;
		uint8_t value;

		if (!subjects[mode].name[0])
			continue;
		memory = tail_map(mode, VMSECT_GUEST_READ, 1);
		EXPECT(memory);
		if (!memory)
			return;
		EXPECT_EQ(tap_load(memory, &value), 0);
		tail_unmap(memory, 1);
		EXPECT_EQ(tap_load(memory, &value), SIGSEGV);
	}
}

static void expect_hole(uint32_t mode)
{
	volatile uint8_t *memory = tail_map(mode, VMSECT_GUEST_READ, 4);
	volatile uint8_t *whole = tail_map(mode, VMSECT_GUEST_READ, 4);
	uint8_t value;

	EXPECT(memory && whole);
	if (!memory || !whole)
		return;
	tail_unmap(memory + PAGE, 2);
	EXPECT_EQ(tap_load(memory + PAGE, &value), SIGSEGV);
	EXPECT_EQ(tap_load(memory + 3 * PAGE - 1, &value), SIGSEGV);
	EXPECT(!memcmp((const void *)(uintptr_t)memory, (const void *)(uintptr_t)whole, PAGE));
	EXPECT(!memcmp((const void *)(uintptr_t)(memory + 3 * PAGE),
		       (const void *)(uintptr_t)(whole + 3 * PAGE), PAGE));
	tail_unmap(memory, 4);
	tail_unmap(whole, 4);
}

static void mapped_partial_unmap(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].length >= 4 * PAGE)
			expect_hole(mode);
}

static void expect_moves(uint32_t mode)
{
	volatile uint8_t *memory = tail_map(mode, VMSECT_GUEST_READ, 2);
	volatile uint8_t *whole = tail_map(mode, VMSECT_GUEST_READ, 2);
	uint8_t *place = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *moved;
	uint8_t value;

	EXPECT(memory && whole && (void *)place != MAP_FAILED);
	if (!memory || !whole || (void *)place == MAP_FAILED)
		return;
	EXPECT_EQ(tap_load(memory, &value), 0);
	moved = mremap((void *)(uintptr_t)memory, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       place);
	EXPECT(moved == place);
	EXPECT(!memcmp(place, (const void *)(uintptr_t)whole, 2 * PAGE));
	EXPECT_EQ(tap_load(memory, &value), SIGSEGV);
	EXPECT(mremap(place, 2 * PAGE, PAGE, 0) == place);
	EXPECT_EQ(tap_load(place + PAGE, &value), SIGSEGV);
	EXPECT_EQ(tap_load(place, &value), 0);
	munmap(place, PAGE);
	tail_unmap(whole, 2);
}

static void mapped_mremap_move(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].name[0])
			expect_moves(mode);
}

static void mapped_mprotect(void)
{
	volatile uint8_t *memory;
	uint8_t before;

	SKIP_UNLESS_HAVE(VMSECT_MODE_RW);
	memory = tail_map(VMSECT_MODE_RW, SHARED_RW, 1);
	EXPECT(memory);
	if (!memory)
		return;
	before = memory[0];
	EXPECT_EQ(mprotect((void *)(uintptr_t)memory, PAGE, PROT_READ), 0);
	EXPECT_EQ(tap_store(memory, 1), SIGSEGV);
	EXPECT_EQ(mprotect((void *)(uintptr_t)memory, PAGE, PROT_READ | PROT_WRITE), 0);
	EXPECT_EQ(tap_store(memory, before), 0);
	EXPECT_EQ(memory[0], before);
	tail_unmap(memory, 1);
}

/* A page in a pipe, not its bytes: what vmsplice returns, or -errno. */
static ssize_t splice_page(volatile uint8_t *memory)
{
	struct iovec vec = { .iov_base = (void *)(uintptr_t)memory, .iov_len = PAGE };
	ssize_t got = -1;
	int ends[2];

	if (pipe(ends) < 0)
		return -errno;
	got = vmsplice(ends[1], &vec, 1, 0);
	if (got < 0)
		got = -errno;
	close(ends[0]);
	close(ends[1]);
	return got;
}

/* -EFAULT, or what get_user_pages says of a page that has no struct. */
static bool is_refused(ssize_t got)
{
	return got == -EFAULT || got == -EEXIST;
}

/* A futex that other processes may share is found by its page. */
static long wake(volatile uint8_t *memory)
{
	long woken = syscall(SYS_futex, memory, FUTEX_WAKE, 1, NULL, NULL, 0);

	return woken < 0 ? -errno : woken;
}

/* They take the pages as O_DIRECT does, for which there must be struct pages. */
static void expect_pinned(uint32_t mode)
{
	volatile uint8_t *memory = tail_map(mode, VMSECT_GUEST_READ, 1);
	uint8_t copy[256] = { 0 };
	struct iovec local = { .iov_base = copy, .iov_len = sizeof(copy) };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)memory, .iov_len = sizeof(copy) };
	ssize_t got;

	EXPECT(memory);
	if (!memory)
		return;
	got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	if (subjects[mode].has_pages) {
		EXPECT_EQ(got, sizeof(copy));
		EXPECT(!memcmp(copy, (const void *)(uintptr_t)memory, sizeof(copy)));
		EXPECT_EQ(splice_page(memory), PAGE);
		EXPECT_EQ(wake(memory), 0);
	} else {
		EXPECT(got < 0 && errno == EFAULT);
		EXPECT(is_refused(splice_page(memory)));
		EXPECT(is_refused(wake(memory)));
	}
	tail_unmap(memory, 1);
}

static void mapped_pinned(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++)
		if (subjects[mode].name[0])
			expect_pinned(mode);
}

static void mapped_mlock(void)
{
	uint32_t mode;

	for (mode = VMSECT_MODE_RO; mode <= VMSECT_MODE_COW; mode++) {
		volatile uint8_t *memory;

		if (!subjects[mode].name[0])
			continue;
		memory = tail_map(mode, VMSECT_GUEST_READ, 2);
		EXPECT(memory);
		if (!memory)
			return;
		EXPECT_EQ(mlock((const void *)(uintptr_t)memory, 2 * PAGE), 0);
		EXPECT_EQ(munlock((const void *)(uintptr_t)memory, 2 * PAGE), 0);
		tail_unmap(memory, 2);
	}
}

static const struct tap_case cases[] = {
	{ "two mappings show the same bytes", mapped_twice_equal },
	{ "rw: a store in one mapping is seen in another", mapped_rw_shared },
	{ "cow: a store is seen by the VM's other mappings", mapped_cow_shared_in_vm },
	{ "ro: MAP_PRIVATE copies on write", mapped_private_of_ro },
	{ "rw: MAP_PRIVATE copies on write", mapped_private_of_rw },
	{ "cow: MAP_PRIVATE copies on write", mapped_private_of_cow },
	{ "fork: private pages part", mapped_fork_private },
	{ "fork: shared pages do not", mapped_fork_shared },
	{ "MADV_DONTNEED drops private copies", mapped_private_dropped },
	{ "a mapping outlives its fd", mapped_after_close },
	{ "a hole in the middle of a mapping", mapped_partial_unmap },
	{ "mremap moves and shrinks", mapped_mremap_move },
	{ "mprotect of a writable section", mapped_mprotect },
	{ "the kernel reads a view through its pages", mapped_pinned },
	{ "mlock has no effect", mapped_mlock },
};

const struct tap_group group_mapped = TAP_GROUP("mapped", cases);
