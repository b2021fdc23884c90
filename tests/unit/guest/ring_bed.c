/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ring_bed.h. */
#include "unit/guest/ring_bed.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/leak.h"

/* In front of a record's bytes. */
struct record_head {
	uint64_t number;
	uint64_t hash; /* XXH3 of what follows, seeded by number */
};

static int bell_notify(void *ctx)
{
	struct bed_bell *bell = ctx;
	const uint64_t one = 1;

	bell->rung++;
	if (bell->deaf) {
		bell->deaf--;
		return 0;
	}
	return write(bell->rings, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

static int bell_wait(void *ctx, int timeout_ms)
{
	const struct bed_bell *bell = ctx;
	struct pollfd wanted = { .fd = bell->hears, .events = POLLIN };
	uint64_t count;

	if (poll(&wanted, 1, timeout_ms) < 0)
		return -errno;
	if (read(bell->hears, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	return 0;
}

const struct vmsect_ring_bell_ops bed_bell_ops = { .notify = bell_notify, .wait = bell_wait };

static void bed_map(struct ring_bed *bed, size_t bytes)
{
	bed->bytes = bytes;
	bed->memory_fd = memfd_create("ring", MFD_CLOEXEC);
	assert_true(bed->memory_fd >= 0);
	assert_int_equal(ftruncate(bed->memory_fd, (off_t)bytes), 0);
	for (int i = 0; i < SIDES; i++) {
		bed->map[i] =
			mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bed->memory_fd, 0);
		assert_true(bed->map[i] != MAP_FAILED);
	}
}

struct ring_bed *ring_bed_new(size_t bytes, uint32_t record_max)
{
	struct ring_bed *bed = calloc(1, sizeof(*bed));
	struct leak_guard *guard = leak_guard_new();

	assert_non_null(bed);
	bed->guard = guard;
	bed_map(bed, bytes);
	for (int i = 0; i < SIDES; i++)
		bed->bells[i].hears = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (int i = 0; i < SIDES; i++)
		bed->bells[i].rings = bed->bells[!i].hears;
	assert_int_equal(vmsect_ring_format(bed->map[0], bytes, record_max), 0);
	return bed;
}

void ring_bed_free(struct ring_bed *bed)
{
	if (!bed)
		return;
	for (int i = 0; i < SIDES; i++) {
		(void)close(bed->bells[i].hears);
		(void)munmap(bed->map[i], bed->bytes);
	}
	(void)close(bed->memory_fd);
	leak_guard_check(bed->guard);
	free(bed);
}

void ring_bed_attach(struct ring_bed *bed, enum vmsect_ring_side side, struct vmsect_ring *ring)
{
	const struct vmsect_ring_bell bell = { &bed_bell_ops, &bed->bells[side] };

	assert_int_equal(vmsect_ring_attach(ring, side, bed->map[side], bed->bytes, &bell), 0);
}

struct vmsect_ring_header *ring_bed_header(struct ring_bed *bed)
{
	return bed->map[0];
}

unsigned int bed_seed(void)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0)
				 : (unsigned int)time(NULL) ^ (unsigned int)getpid() << 16;

	print_message("# VMSECT_SEED=%u\n", seed);
	return seed;
}

uint32_t record_bytes(uint64_t number, uint32_t record_max)
{
	uint32_t least = sizeof(struct record_head);

	return least + (uint32_t)(XXH3_64bits(&number, sizeof(number)) % (record_max - least + 1));
}

void record_fill(void *record, uint64_t number, uint32_t bytes)
{
	struct record_head head = { .number = number };
	unsigned char *rest = (unsigned char *)record + sizeof(head);

	for (uint32_t i = 0; i < bytes - sizeof(head); i++)
		rest[i] = (unsigned char)(number * 31 + i);
	head.hash = XXH3_64bits_withSeed(rest, bytes - sizeof(head), number);
	memcpy(record, &head, sizeof(head));
}

bool record_is(const void *record, uint64_t number, uint32_t bytes)
{
	const unsigned char *rest = (const unsigned char *)record + sizeof(struct record_head);
	struct record_head head;

	if (bytes < sizeof(head))
		return false;
	memcpy(&head, record, sizeof(head));
	return head.number == number &&
	       head.hash == XXH3_64bits_withSeed(rest, bytes - sizeof(head), number);
}

uint64_t record_number(const void *record)
{
	struct record_head head;

	memcpy(&head, record, sizeof(head));
	return head.number;
}
