// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory of an ivshmem device, by every way that there is to it.
 */
#include "guest/ivshmem_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

/* A different word at each place. */
static uint64_t word_at(uint64_t offset, uint64_t seed)
{
	return (offset ^ seed) * 0x9e3779b97f4a7c15ULL;
}

static void fill(uint8_t *bytes, uint64_t offset, size_t length, uint64_t seed)
{
	for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
		uint64_t word = word_at(offset + i, seed);

		memcpy(bytes + i, &word, sizeof(word));
	}
}

/* How many words are other ones. */
static uint64_t differences(const uint8_t *bytes, uint64_t offset, size_t length, uint64_t seed)
{
	uint64_t wrong = 0, word;

	for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
		memcpy(&word, bytes + i, sizeof(word));
		wrong += word != word_at(offset + i, seed);
	}
	return wrong;
}

static void stores_are_read(void)
{
	static uint8_t buffer[16 * PAGE];
	int fd = ivshmem_open(O_RDWR);
	uint64_t wrong = 0;
	uint8_t *map;

	NEED_EQ(fd >= 0, 1);
	map = shared_map(fd, 0, subject.bytes, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	fill(map, 0, subject.bytes, 1);
	for (size_t at = 0; at < subject.bytes; at += sizeof(buffer)) {
		NEED_EQ(pread(fd, buffer, sizeof(buffer), (off_t)at), (long long)sizeof(buffer));
		wrong += differences(buffer, at, sizeof(buffer), 1);
	}
	EXPECT_EQ(wrong, 0);
	munmap(map, subject.bytes);
	close(fd);
}

static void writes_are_loaded(void)
{
	static uint8_t buffer[16 * PAGE];
	int fd = ivshmem_open(O_RDWR);
	uint8_t *map;

	NEED_EQ(fd >= 0, 1);
	map = shared_map(fd, 0, subject.bytes, PROT_READ);
	NEED_MAP(map);
	for (size_t at = 0; at < subject.bytes; at += sizeof(buffer)) {
		fill(buffer, at, sizeof(buffer), 2);
		NEED_EQ(write(fd, buffer, sizeof(buffer)), (long long)sizeof(buffer));
	}
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), (long long)subject.bytes);
	EXPECT_EQ(differences(map, 0, subject.bytes, 2), 0);
	munmap(map, subject.bytes);
	close(fd);
}

static void spliced(void)
{
	uint8_t out[PAGE], in[PAGE];
	loff_t at = PAGE, back = 2 * PAGE;
	int fd = ivshmem_open(O_RDWR), ends[2];

	NEED_EQ(fd >= 0, 1);
	NEED_EQ(pipe2(ends, O_CLOEXEC), 0);
	NEED_EQ(pread(fd, out, sizeof(out), PAGE), PAGE);
	EXPECT_EQ(splice(fd, &at, ends[1], NULL, PAGE, 0), PAGE);
	EXPECT_EQ(splice(ends[0], NULL, fd, &back, PAGE, 0), PAGE);
	EXPECT_EQ(pread(fd, in, sizeof(in), 2 * PAGE), PAGE);
	EXPECT_EQ(memcmp(in, out, PAGE), 0);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

static void private_copies(void)
{
	int fd = ivshmem_open(O_RDWR);
	uint8_t *shared, *copy;
	uint8_t before;

	NEED_EQ(fd >= 0, 1);
	shared = shared_map(fd, 0, 2 * PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(shared);
	copy = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED_EQ(copy == MAP_FAILED, 0);
	before = shared[0];
	EXPECT_EQ(copy[0], before);
	copy[0] = (uint8_t)~before;
	EXPECT_EQ(shared[0], before);
	shared[PAGE] = (uint8_t)~shared[PAGE];
	EXPECT_EQ(copy[PAGE], shared[PAGE]);
	EXPECT_EQ(madvise(copy, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(copy[0], before);
	munmap(copy, 2 * PAGE);
	munmap(shared, 2 * PAGE);
	close(fd);
}

static void past_the_end(void)
{
	int fd = ivshmem_open(O_RDWR);
	uint8_t *map, value = POISON;

	NEED_EQ(fd >= 0, 1);
	map = shared_map(fd, subject.bytes - PAGE, 2 * PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	EXPECT_EQ(tap_load(map + PAGE - 1, &value), 0);
	EXPECT_EQ(tap_load(map + PAGE, &value), SIGBUS);
	EXPECT_EQ(tap_store(map + PAGE, 1), SIGBUS);
	munmap(map, 2 * PAGE);
	close(fd);
}

static int child_stores(void *context)
{
	((volatile uint8_t *)context)[1] = 0x77;
	return 0;
}

static void forked(void)
{
	int fd = ivshmem_open(O_RDWR);
	uint8_t *map;

	NEED_EQ(fd >= 0, 1);
	map = shared_map(fd, 0, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	map[1] = 0;
	EXPECT_EQ(in_child(child_stores, map), 0);
	EXPECT_EQ(map[1], 0x77);
	munmap(map, PAGE);
	close(fd);
}

/* process_vm_readv takes the pages as O_DIRECT does; it needs struct pages. */
static void pinned(void)
{
	uint8_t copy[256] = { 0 };
	struct iovec local = { .iov_base = copy, .iov_len = sizeof(copy) };
	struct iovec remote = { .iov_len = sizeof(copy) };
	struct vmsect_section info;
	int fd = ivshmem_open(O_RDWR);
	ssize_t got;

	NEED_EQ(fd >= 0, 1);
	NEED_EQ(vmsect_guest_query(fd, &info), 0);
	remote.iov_base = shared_map(fd, 0, PAGE, PROT_READ | PROT_WRITE);
	NEED_MAP(remote.iov_base);
	memset(remote.iov_base, 0x3c, PAGE);
	got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	if (info.has_pages) {
		EXPECT_EQ(got, sizeof(copy));
		EXPECT_EQ(memcmp(copy, remote.iov_base, sizeof(copy)), 0);
	} else {
		EXPECT(got < 0 && errno == EFAULT);
	}
	munmap(remote.iov_base, PAGE);
	close(fd);
}

static void huge(void)
{
	struct vmsect_section info;
	long long before = attribute_number(subject.name, "huge_faults");
	int fd = ivshmem_open(O_RDWR);
	uint8_t *map;

	NEED_EQ(fd >= 0, 1);
	NEED_EQ(vmsect_guest_query(fd, &info), 0);
	EXPECT_EQ(info.huge_shift, attribute_number(subject.name, "huge_shift"));
	map = shared_map(fd, 0, subject.bytes, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	EXPECT_EQ(tap_store(map + subject.bytes / 2, 1), 0);
	if (info.huge_shift == 21)
		EXPECT_EQ(attribute_number(subject.name, "huge_faults"), before + 1);
	else
		EXPECT_EQ(attribute_number(subject.name, "huge_faults"), before);
	munmap(map, subject.bytes);
	close(fd);
}

/* Last: what the bed finds in the host's file. */
static void pattern(void)
{
	int fd = ivshmem_open(O_RDWR);
	uint8_t *map;

	NEED_EQ(fd >= 0, 1);
	map = shared_map(fd, 0, subject.bytes, PROT_READ | PROT_WRITE);
	NEED_MAP(map);
	fill(map, 0, subject.bytes, 3);
	EXPECT_EQ(differences(map, 0, subject.bytes, 3), 0);
	munmap(map, subject.bytes);
	close(fd);
}

static const struct tap_case cases[] = {
	{ "stores are read", stores_are_read },
	{ "writes are loaded", writes_are_loaded },
	{ "splice, both ways", spliced },
	{ "private copies stay private", private_copies },
	{ "SIGBUS past the end", past_the_end },
	{ "parent and child share it", forked },
	{ "it can be pinned where it has struct pages", pinned },
	{ "2 MiB at a time where that can be", huge },
	{ "a pattern is left", pattern },
};

const struct tap_group group_ivshmem_memory = TAP_GROUP("memory", cases);
