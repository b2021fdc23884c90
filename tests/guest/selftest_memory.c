// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sections as the kernel's other parts use memory: futexes, O_DIRECT, vmsplice,
 * process_vm_readv, AF_XDP, advice and core dumps.
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_xdp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAP_RW (PROT_READ | PROT_WRITE)
#define RAM_DISK "/dev/ram0"
#define TURNS 100

static long futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	const struct timespec limit = { .tv_sec = 20 };

	return syscall(SYS_futex, word, op, value, op == FUTEX_WAIT ? &limit : NULL, NULL, 0);
}

/* Waits until the word is as wanted; false after the time limit. */
static bool await(_Atomic uint32_t *word, uint32_t wanted)
{
	uint32_t now;

	while ((now = atomic_load(word)) != wanted)
		if (futex(word, FUTEX_WAIT, now) < 0 && errno != EAGAIN && errno != EINTR)
			return false;
	return true;
}

static void set(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store(word, value);
	futex(word, FUTEX_WAKE, 1);
}

struct pair {
	_Atomic uint32_t *ping, *pong;
};

static int child_answers(void *context)
{
	struct pair *pair = context;
	uint32_t i;

	for (i = 1; i <= TURNS; i++) {
		if (!await(pair->ping, i))
			return 1;
		set(pair->pong, i);
	}
	return 0;
}

/* Each process waits on a mapping of its own. */
static void expect_futex_works(int fd)
{
	uint8_t *mine = shared_map(fd, 0, PAGE, MAP_RW), *theirs = shared_map(fd, 0, PAGE, MAP_RW);
	struct pair child, parent;
	uint32_t i;
	pid_t pid;

	NEED_MAP(mine);
	NEED_MAP(theirs);
	parent = (struct pair){ (void *)mine, (void *)(mine + 64) };
	child = (struct pair){ (void *)theirs, (void *)(theirs + 64) };
	atomic_store(parent.ping, 0);
	atomic_store(parent.pong, 0);
	pid = child_start(child_answers, &child);
	for (i = 1; i <= TURNS; i++) {
		set(parent.ping, i);
		NEED_EQ(await(parent.pong, i), 1);
	}
	EXPECT_EQ(child_status(pid), 0);
	munmap(mine, PAGE);
	munmap(theirs, PAGE);
}

static void futex_of_section(void)
{
	int section = scratch_open(&(struct scratch){ 0 });

	NEED_FD(section);
	expect_futex_works(section);
	close(section);
}

static void futex_of_view(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;

	NEED_FD(section);
	view = view_open(section, PAGE, PAGE, VMSECT_GUEST_PROT_READWRITE);
	NEED_FD(view);
	expect_futex_works(view);
	close(view);
	close(section);
}

/* The disk's bytes come into the section without a buffer, and go back. */
static void direct_io(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), disk;
	uint8_t *map;

	NEED_FD(section);
	disk = open(RAM_DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	SKIP_UNLESS(disk >= 0, "no " RAM_DISK " to read from");
	map = shared_map(section, 0, SCRATCH_BYTES, MAP_RW);
	NEED_MAP(map);
	memset(map, 'd', 2 * PAGE);
	EXPECT_EQ(pwrite(disk, map, 2 * PAGE, 0), 2 * PAGE);
	EXPECT_EQ(pread(disk, map + 4 * PAGE, 2 * PAGE, 0), 2 * PAGE);
	EXPECT(!memcmp(map, map + 4 * PAGE, 2 * PAGE));
	EXPECT_EQ(pread(section, map + 6 * PAGE, 1, 5 * PAGE), 1);
	EXPECT_EQ(map[6 * PAGE], 'd');
	/* Past the end there is nothing to read into. */
	munmap(map, SCRATCH_BYTES);
	map = shared_map(section, 0, SCRATCH_BYTES + PAGE, MAP_RW);
	NEED_MAP(map);
	EXPECT(pread(disk, map + SCRATCH_BYTES, PAGE, 0) < 0 && errno == EFAULT);
	munmap(map, SCRATCH_BYTES + PAGE);
	close(disk);
	close(section);
}

/* A readonly view is no place to read into. */
static void direct_io_to_readonly(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view, disk;
	uint8_t *map;

	NEED_FD(section);
	disk = open(RAM_DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	SKIP_UNLESS(disk >= 0, "no " RAM_DISK " to read from");
	view = view_open(section, 0, 0, VMSECT_GUEST_PROT_READONLY);
	NEED_FD(view);
	map = shared_map(view, 0, PAGE, PROT_READ);
	NEED_MAP(map);
	EXPECT_EQ(pwrite(disk, map, PAGE, 0), PAGE);
	EXPECT(pread(disk, map, PAGE, 0) < 0 && errno == EFAULT);
	munmap(map, PAGE);
	map = mmap(NULL, PAGE, MAP_RW, MAP_PRIVATE, view, 0);
	EXPECT_EQ(pread(disk, map, PAGE, 0), PAGE);
	munmap(map, PAGE);
	close(view);
	close(disk);
	close(section);
}

static void spliced(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), pipes[2];
	struct iovec vec = { .iov_len = 2 * PAGE };
	uint8_t *map, *got = malloc(2 * PAGE);

	NEED_FD(section);
	map = shared_map(section, 0, 2 * PAGE, MAP_RW);
	NEED_MAP(map);
	memset(map, 's', 2 * PAGE);
	vec.iov_base = map;
	NEED_EQ(pipe(pipes), 0);
	EXPECT_EQ(vmsplice(pipes[1], &vec, 1, 0), 2 * PAGE);
	EXPECT_EQ(read(pipes[0], got, 2 * PAGE), 2 * PAGE);
	EXPECT(!memcmp(got, map, 2 * PAGE));
	close(pipes[0]);
	close(pipes[1]);
	munmap(map, 2 * PAGE);
	free(got);
	close(section);
}

/* Another process's mapping, read and written. */
static void by_another_process(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	uint8_t byte = 'p', *map, *ro;
	struct iovec local = { &byte, 1 }, remote = { .iov_len = 1 };

	NEED_FD(section);
	view = view_open(section, 0, 0, VMSECT_GUEST_PROT_READONLY);
	NEED_FD(view);
	map = shared_map(section, 0, PAGE, MAP_RW);
	ro = shared_map(view, 0, PAGE, PROT_READ);
	NEED_MAP(map);
	NEED_MAP(ro);
	remote.iov_base = map + 5;
	EXPECT_EQ(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), 1);
	EXPECT_EQ(map[5], 'p');
	remote.iov_base = ro + 5;
	byte = 0;
	EXPECT_EQ(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), 1);
	EXPECT_EQ(byte, 'p');
	EXPECT(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) < 0 && errno == EFAULT);
	munmap(map, PAGE);
	munmap(ro, PAGE);
	close(view);
	close(section);
}

/*
 * Memory that is pinned for as long as a socket lives; 0 or -errno.  Of those who pin
 * so, AF_XDP needs no device (and io_uring takes no file's memory before 6.7).
 */
static int socket_pin(void *addr)
{
	struct xdp_umem_reg area = { .addr = (uintptr_t)addr, .len = PAGE, .chunk_size = PAGE };
	int xdp = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), result;

	if (xdp < 0)
		return -ENOSYS;
	result = setsockopt(xdp, SOL_XDP, XDP_UMEM_REG, &area, sizeof(area)) < 0 ? -errno : 0;
	close(xdp);
	return result;
}

static int socket_pin_of(int fd)
{
	uint8_t *map = shared_map(fd, 0, PAGE, MAP_RW);
	int err = map ? socket_pin(map) : -EINVAL;

	if (map)
		munmap(map, PAGE);
	return err;
}

/* Later kernels refuse where stores are heard of. */
static bool may_be_pinned(int fd)
{
	int err = socket_pin_of(fd);

	return !err || err == -EFAULT;
}

static void long_term_pins(void)
{
	struct vmsect_view_request request = {
		.protection = VMSECT_GUEST_PROT_READWRITE,
		.flags = VMSECT_GUEST_VIEW_F_NO_CHANGE,
	};
	int section = scratch_open(&(struct scratch){ 0 }), view, node, fixed;

	NEED_FD(section);
	view = view_open(section, 0, 0, VMSECT_GUEST_PROT_READWRITE);
	NEED_FD(view);
	SKIP_UNLESS(socket_pin_of(view) != -ENOSYS, "the kernel has no AF_XDP");
	fixed = ioctl(section, VMSECT_IOC_VIEW, &request);
	EXPECT(fixed >= 0);
	EXPECT_EQ(socket_pin_of(fixed), 0);
	close(fixed);
	EXPECT(may_be_pinned(view));
	EXPECT(socket_pin_of(section) == -EOPNOTSUPP || may_be_pinned(section));
	if (subjects[VMSECT_MODE_RW].name[0] && !subject_open(VMSECT_MODE_RW, O_RDWR, &node)) {
		EXPECT(may_be_pinned(node));
		close(node);
	}
	close(view);
	close(section);
}

static void advice(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	uint8_t *map;

	NEED_FD(section);
	map = shared_map(section, 0, SCRATCH_BYTES, MAP_RW);
	NEED_MAP(map);
	map[0] = 'a';
	/* A kernel without huge pages does not know the advice. */
	if (!access("/sys/kernel/mm/transparent_hugepage", F_OK))
		EXPECT_EQ(madvise(map, SCRATCH_BYTES, MADV_HUGEPAGE), 0);
	EXPECT_EQ(madvise(map, SCRATCH_BYTES, MADV_SEQUENTIAL), 0);
	EXPECT_EQ(madvise(map, SCRATCH_BYTES, MADV_DONTNEED), 0);
	EXPECT_EQ(map[0], 'a');
	EXPECT(madvise(map, SCRATCH_BYTES, MADV_DODUMP) < 0 && errno == EINVAL);
	EXPECT(madvise(map, SCRATCH_BYTES, MADV_REMOVE) < 0);
	EXPECT_EQ(map[0], 'a');
	munmap(map, SCRATCH_BYTES);
	close(section);
}

/* Whether the mapping at addr has a flag, in smaps' two letters. */
static bool mapping_has_flag(const void *addr, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	char line[512];
	bool at = false, has = false;
	unsigned long start;
	char *end;

	while (smaps && fgets(line, sizeof(line), smaps)) {
		start = strtoul(line, &end, 16);
		if (end > line && *end == '-')
			at = start == (unsigned long)addr;
		else if (at && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, flag) != NULL;
	}
	if (smaps)
		fclose(smaps);
	return has;
}

static void left_out_of_dumps(void)
{
	int section = scratch_open(&(struct scratch){ 0 });
	uint8_t *map;

	NEED_FD(section);
	map = shared_map(section, 0, PAGE, MAP_RW);
	NEED_MAP(map);
	EXPECT(mapping_has_flag(map, " dd"));
	EXPECT(mapping_has_flag(map, " sh"));
	EXPECT(!mapping_has_flag(map, " io"));
	munmap(map, PAGE);
	close(section);
}

static const struct tap_case cases[] = {
	{ "futexes between processes: of a section", futex_of_section },
	{ "futexes between processes: of a view", futex_of_view },
	{ "O_DIRECT: into a section and out of it", direct_io },
	{ "O_DIRECT: into a readonly view is EFAULT", direct_io_to_readonly },
	{ "vmsplice", spliced },
	{ "process_vm_readv and writev", by_another_process },
	{ "long-term pins: of nodes and views", long_term_pins },
	{ "madvise", advice },
	{ "core dumps leave sections out", left_out_of_dumps },
};

const struct tap_group group_memory = TAP_GROUP("memory", cases);
