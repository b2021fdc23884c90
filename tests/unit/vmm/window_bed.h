/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A window without a VM over a file with known content.  A test reads and
 * writes views through the classifier, as a guest's emulated access would.
 */
#ifndef TESTS_UNIT_VMM_WINDOW_BED_H
#define TESTS_UNIT_VMM_WINDOW_BED_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/leak.h"
#include "mem/window.h"

#define MIB (UINT64_C(1) << 20)
#define UNIT WINDOW_UNIT_BYTES
#define PAGE UINT64_C(4096)
#define WINDOW_BYTES (UINT64_C(64) << 30)
#define BASE UINT64_C(0x1000000000)
#define FILE_BYTES (16 * MIB)

struct bed {
	struct window *window;
	int fd; /* read-write */
	int read_fd; /* read-only */
	struct leak_guard *guard;
};

/* The seed of a random test: VMSECT_SEED, or another one each time. */
static inline unsigned int seed_of_run(void)
{
	const char *text = getenv("VMSECT_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)getpid();

	print_message("VMSECT_SEED=%u\n", seed);
	return seed;
}

/* What the file has at this offset (of 8 bytes). */
static inline uint64_t pattern(uint64_t offset)
{
	return offset * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

static inline void fill(int fd, uint64_t bytes)
{
	uint64_t *words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_true(words != MAP_FAILED);
	for (uint64_t i = 0; i < bytes / 8; i++)
		words[i] = pattern(i * 8);
	assert_int_equal(munmap(words, bytes), 0);
}

static inline int window_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	char path[64];

	assert_non_null(bed);
	bed->guard = leak_guard_new();
	bed->fd = memfd_create("window", MFD_CLOEXEC);
	assert_true(bed->fd >= 0);
	assert_int_equal(ftruncate(bed->fd, FILE_BYTES), 0);
	fill(bed->fd, FILE_BYTES);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", bed->fd);
	bed->read_fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(bed->read_fd >= 0);
	assert_int_equal(window_new(NULL, WINDOW_BYTES, &bed->window), 0);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	*state = bed;
	return 0;
}

static inline int window_teardown(void **state)
{
	struct bed *bed = *state;

	assert_null(window_free(bed->window));
	(void)close(bed->fd);
	(void)close(bed->read_fd);
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

static inline int map(struct bed *bed, uint64_t place, uint64_t offset, uint64_t bytes,
		      enum window_mode mode)
{
	const struct window_map map = {
		.fd = mode == WINDOW_READWRITE ? bed->fd : bed->read_fd,
		.fd_offset = offset,
		.bytes = bytes,
		.page_bytes = PAGE,
		.place = place,
		.mode = mode,
	};

	return window_map(bed->window, &map, 7);
}

/* A view at the window's choice. */
static inline uint64_t view(struct bed *bed, uint64_t offset, uint64_t bytes, enum window_mode mode)
{
	uint64_t place = 0;

	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, offset, bytes, &place), 0);
	assert_int_equal(map(bed, place, offset, bytes, mode), 0);
	return place;
}

static inline enum window_fault guest_read(struct bed *bed, uint64_t place, uint64_t *ret_value)
{
	return window_fault(bed->window, BASE + place, false, ret_value, 8);
}

static inline enum window_fault guest_write(struct bed *bed, uint64_t place, uint64_t value)
{
	return window_fault(bed->window, BASE + place, true, &value, 8);
}

static inline uint64_t file_word(const struct bed *bed, uint64_t offset)
{
	uint64_t value = 0;

	assert_int_equal(pread(bed->fd, &value, 8, (off_t)offset), 8);
	return value;
}

static inline void check_word(struct bed *bed, uint64_t place, uint64_t expected)
{
	uint64_t value = 0;

	assert_int_equal(guest_read(bed, place, &value), WINDOW_FAULT_RACE);
	assert_int_equal(value, expected);
}

static inline struct window_counters counters(struct bed *bed)
{
	struct window_counters counted;

	window_counters(bed->window, &counted);
	return counted;
}

/* A view that has room to grow. */
static inline uint64_t roomy_view(struct bed *bed, uint64_t bytes, uint64_t room,
				  enum window_mode mode)
{
	struct window_map map = {
		.fd = bed->fd,
		.bytes = bytes,
		.room = room,
		.page_bytes = PAGE,
		.mode = mode,
	};

	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, room, &map.place), 0);
	assert_int_equal(window_map(bed->window, &map, 7), 0);
	return map.place;
}

static inline int protect(struct bed *bed, uint64_t place, uint64_t offset, uint64_t bytes,
			  enum window_mode mode)
{
	return window_protect(bed->window, place, &(struct window_range){ offset, bytes }, mode,
			      false);
}

static inline int reset(struct bed *bed, uint64_t place, uint64_t offset, uint64_t bytes)
{
	return window_reset(bed->window, place, &(struct window_range){ offset, bytes });
}

static inline int64_t restore(struct bed *bed, uint64_t place, uint64_t offset, uint64_t bytes)
{
	return window_restore(bed->window, place, &(struct window_range){ offset, bytes });
}

static inline void check_hole(struct bed *bed, uint64_t place)
{
	uint64_t value = 0;

	assert_int_equal(guest_read(bed, place, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(value, UINT64_MAX);
	assert_int_equal(guest_write(bed, place, 1), WINDOW_FAULT_HOLE);
}

/* The next loss, which must be this one. */
static inline void check_loss(struct bed *bed, uint64_t place, uint64_t offset, uint64_t bytes,
			      int error)
{
	struct window_loss loss = { 0 };
	bool missed = false;

	assert_int_equal(window_next_loss(bed->window, &loss, &missed), 1);
	assert_int_equal(loss.place, place);
	assert_int_equal(loss.id, 7);
	assert_int_equal(loss.range.offset, offset);
	assert_int_equal(loss.range.bytes, bytes);
	assert_int_equal(loss.error, error);
	assert_false(missed);
}

static inline void check_no_loss(struct bed *bed)
{
	struct window_loss loss;
	bool missed = false;

	assert_int_equal(window_next_loss(bed->window, &loss, &missed), 0);
	assert_false(missed);
}

#endif
