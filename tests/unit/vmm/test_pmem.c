/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pmem.c, pmem_pad.c and the requests of pmem_flush.c: what the device says of
 * itself, what it refuses, what it answers without a sync, and padding.
 */
#include "unit/vmm/pmem_bed.h"

#include "dev/pmem_impl.h"

#define TIME_LIMIT_S 60
#define FAILED UINT32_MAX

static int setup_mode(void **state, uint64_t bytes, enum window_mode mode)
{
	struct pmem_bed *bed = calloc(1, sizeof(*bed));
	struct pmem_info info;

	assert_non_null(bed);
	pmem_bed_init(bed, bytes, mode);
	info = pmem_bed_info(bed, bytes, mode);
	assert_int_equal(pmem_bed_new(bed, &info), 0);
	pmem_bed_driver(bed);
	*state = bed;
	return 0;
}

static int setup_rw(void **state)
{
	return setup_mode(state, FILE_BYTES, WINDOW_READWRITE);
}

static int setup_ro(void **state)
{
	return setup_mode(state, FILE_BYTES, WINDOW_READONLY);
}

static int setup_cow(void **state)
{
	return setup_mode(state, FILE_BYTES, WINDOW_WRITECOPY);
}

static int teardown(void **state)
{
	pmem_bed_deinit(*state);
	free(*state);
	return 0;
}

static void test_sizes(void **state)
{
	(void)state;
	assert_true(pmem_bytes(1) == 2 * MIB);
	assert_true(pmem_bytes(2 * MIB) == 2 * MIB);
	assert_true(pmem_bytes(2 * MIB + 1) == 4 * MIB);
	assert_true(pmem_bytes(UINT64_MAX - 5) == 0);
}

static void check_refused(struct pmem_bed *bed, const struct pmem_info *info, int error)
{
	struct pmem *poison = (struct pmem *)bed;
	const struct virtio_pci_env env = { .mem = &bed->bed.mem, .pci = bed->bed.pci };

	assert_int_equal(pmem_new(&env, info, &poison), error);
	assert_ptr_equal(poison, bed);
}

static void test_what_new_refuses(void **state)
{
	struct pmem_bed bed;
	struct pmem_info good, bad;

	(void)state;
	pmem_bed_init(&bed, FILE_BYTES, WINDOW_READWRITE);
	good = pmem_bed_info(&bed, FILE_BYTES, WINDOW_READWRITE);
	bad = good, bad.gpa += 4096;
	check_refused(&bed, &bad, -EINVAL);
	bad = good, bad.gpa = -PMEM_ALIGN;
	check_refused(&bed, &bad, -EINVAL);
	bad = good, bad.bytes = 0;
	check_refused(&bed, &bad, -EINVAL);
	bad = good, bad.bytes = 4 * MIB + 1; /* than the window */
	check_refused(&bed, &bad, -EINVAL);
	bad = good, bad.mode = WINDOW_NOACCESS;
	check_refused(&bed, &bad, -EINVAL);
	bad = good, bad.fd = 1000000;
	check_refused(&bed, &bad, -ENOENT);
	assert_int_equal(pmem_bed_new(&bed, &good), 0);
	assert_null(pmem_free(NULL));
	pmem_bed_deinit(&bed);
}

/* The section could not be written back before this VM came. */
static void test_failed_before(void **state)
{
	struct pmem_bed bed;
	struct pmem_info info;

	(void)state;
	pmem_bed_init(&bed, FILE_BYTES, WINDOW_READWRITE);
	info = pmem_bed_info(&bed, FILE_BYTES, WINDOW_READWRITE);
	info.io_error = -ENOSPC;
	assert_int_equal(pmem_bed_new(&bed, &info), 0);
	pmem_bed_driver(&bed);
	assert_int_equal(pmem_bed_flush(&bed), FAILED);
	assert_int_equal(pmem_bed_counters(&bed).error, -ENOSPC);
	assert_int_equal(gate.begun, 0);
	pmem_bed_deinit(&bed);
}

static void test_identity(void **state)
{
	struct pmem_bed *bed = *state;

	assert_int_equal(cfg(&bed->bed, 0, 4), 0x105B1AF4);
	assert_true(get(&bed->bed, DEVICE, 8) == PMEM_GPA);
	assert_true(get(&bed->bed, DEVICE + 8, 8) == 4 * MIB);
	/* Feature bit 0 would put the memory into a BAR. */
	put(&bed->bed, COMMON, 4, 0);
	assert_int_equal(get(&bed->bed, COMMON + 4, 4) & 1, 0);
	assert_int_equal(cfg(&bed->bed, 0x18, 4), 0);
}

/* The window is at its address as long as the device is there. */
static void test_place(void **state)
{
	struct pmem_bed *bed = *state;
	uint64_t value = 0;

	assert_true(window_has(bed->window, PMEM_GPA));
	assert_true(window_has(bed->window, PMEM_GPA + 4 * MIB - 1));
	assert_false(window_has(bed->window, PMEM_GPA + 4 * MIB));
	assert_int_equal(pwrite(bed->fd, "section!", 8, 4096), 8);
	assert_int_equal(window_fault(bed->window, PMEM_GPA + 4096, false, &value, 8),
			 WINDOW_FAULT_RACE);
	assert_memory_equal(&value, "section!", 8);
	bed->pmem = pmem_free(bed->pmem);
	assert_false(window_has(bed->window, PMEM_GPA));
}

static void test_padding(void **state)
{
	struct pmem_pad pad = { .bytes = 0 };
	const uint64_t *words;

	(void)state;
	assert_int_equal(pmem_pad_init(&pad, NULL, PMEM_GPA, 0), 0);
	assert_null(pad.hva);
	pmem_pad_deinit(&pad, NULL);
	assert_int_equal(pmem_pad_init(&pad, NULL, PMEM_GPA, MIB), 0);
	assert_true(pad.bytes == MIB);
	words = pad.hva;
	for (size_t i = 0; i < MIB / sizeof(*words); i++)
		assert_true(words[i] == 0);
	memset(pad.hva, 1, MIB);
	pmem_pad_deinit(&pad, NULL);
	assert_null(pad.hva);
	pmem_pad_deinit(&pad, NULL);
	assert_int_equal(pmem_pad_init(&pad, NULL, PMEM_GPA, UINT64_C(1) << 60), -ENOMEM);
	assert_true(pad.bytes == 0);
}

/* A chain of one descriptor for each entry; its head is 0. */
static void publish_parts(struct pmem_bed *bed, const struct driver_desc *parts, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		struct driver_desc part = parts[i];

		if (i + 1 < count) {
			part.flags |= RING_NEXT;
			part.next = (uint16_t)(i + 1);
		}
		ring_desc(&bed->ring, i, part);
	}
	ring_publish(&bed->ring, 0);
	pmem_bed_kick(bed);
}

static uint32_t take_one(struct pmem_bed *bed)
{
	uint32_t head = POISON, bytes = POISON;

	while (!ring_take(&bed->ring, &head, &bytes))
		assert_true(event_base_loop(bed->events, EVLOOP_ONCE) >= 0);
	assert_int_equal(head, 0);
	return bytes;
}

static void check_malformed(struct pmem_bed *bed, uint64_t number)
{
	struct pmem_counters counters = pmem_bed_counters(bed);

	assert_int_equal(counters.malformed, number);
	assert_int_equal(counters.refused, number);
	assert_int_equal(counters.requests, number);
	assert_int_equal(counters.syncs, 0);
	assert_int_equal(counters.breaks, 0);
}

static void test_unknown_type(void **state)
{
	struct pmem_bed *bed = *state;
	static const uint32_t types[] = { 1, 0x100, 0x1000000, UINT32_MAX };

	for (uint32_t i = 0; i < ARRAY_SIZE(types); i++) {
		pmem_bed_request(bed, 0, types[i]);
		pmem_bed_kick(bed);
		assert_int_equal(pmem_bed_answers(bed), 1);
		assert_int_equal(get32(bed, reply_gpa(0)), FAILED);
		check_malformed(bed, i + 1);
	}
	assert_int_equal(pmem_bed_flush(bed), 0);
}

static void test_too_short(void **state)
{
	struct pmem_bed *bed = *state;
	const struct driver_desc no_reply[] = { { REQUEST_GPA, 4, 0, 0 } };
	const struct driver_desc short_reply[] = { { REQUEST_GPA, 4, 0, 0 },
						   { REPLY_GPA, 3, RING_WRITE, 0 } };
	const struct driver_desc no_request[] = { { REPLY_GPA, 4, RING_WRITE, 0 } };
	const struct driver_desc short_request[] = { { REQUEST_GPA, 3, 0, 0 },
						     { REPLY_GPA, 4, RING_WRITE, 0 } };

	put32(bed, REQUEST_GPA, 0);
	put32(bed, REPLY_GPA, NO_REPLY);
	publish_parts(bed, no_reply, 1);
	assert_int_equal(take_one(bed), 0);
	publish_parts(bed, short_reply, 2);
	assert_int_equal(take_one(bed), 0);
	assert_int_equal(get32(bed, REPLY_GPA), NO_REPLY);
	publish_parts(bed, no_request, 1);
	assert_int_equal(take_one(bed), 4);
	assert_int_equal(get32(bed, REPLY_GPA), FAILED);
	put32(bed, REPLY_GPA, NO_REPLY);
	publish_parts(bed, short_request, 2);
	assert_int_equal(take_one(bed), 4);
	assert_int_equal(get32(bed, REPLY_GPA), FAILED);
	check_malformed(bed, 4);
	assert_int_equal(pmem_bed_flush(bed), 0);
}

/* However a driver cuts a request and its reply, and if it has room for more. */
static void test_scattered(void **state)
{
	struct pmem_bed *bed = *state;
	const struct driver_desc bytes[] = {
		{ REQUEST_GPA, 1, 0, 0 },
		{ REQUEST_GPA + 1, 2, 0, 0 },
		{ REQUEST_GPA + 3, 9, 0, 0 },
		{ REPLY_GPA + 8, 1, RING_WRITE, 0 },
		{ REPLY_GPA + 9, 1, RING_WRITE, 0 },
		{ REPLY_GPA + 10, 6, RING_WRITE, 0 },
	};

	put32(bed, REQUEST_GPA, 0);
	put32(bed, REPLY_GPA + 8, NO_REPLY);
	put32(bed, REPLY_GPA + 12, NO_REPLY);
	publish_parts(bed, bytes, ARRAY_SIZE(bytes));
	assert_int_equal(take_one(bed), 4);
	assert_int_equal(get32(bed, REPLY_GPA + 8), 0);
	assert_int_equal(get32(bed, REPLY_GPA + 12), NO_REPLY);
	assert_int_equal(pmem_bed_counters(bed).syncs, 1);
}

static void test_broken_ring(void **state)
{
	struct pmem_bed *bed = *state;
	const struct driver_desc outside[] = { { RAM_BYTES, 4, 0, 0 } };

	publish_parts(bed, outside, 1);
	assert_true(get(&bed->bed, STATUS, 1) & VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(pmem_bed_counters(bed).breaks, 1);
	pmem_bed_reset(bed);
	pmem_bed_driver(bed);
	assert_int_equal(pmem_bed_flush(bed), 0);
}

/* Private pages, and what cannot be written: nothing to sync, no thread for it. */
static void test_nothing_to_sync(void **state)
{
	struct pmem_bed *bed = *state;

	pmem_bed_request(bed, 0, 0);
	pmem_bed_request(bed, 1, 0);
	pmem_bed_kick(bed);
	assert_int_equal(pmem_bed_answers(bed), 2);
	assert_int_equal(get32(bed, reply_gpa(0)) | get32(bed, reply_gpa(1)), 0);
	assert_int_equal(pmem_bed_counters(bed).syncs, 0);
	assert_int_equal(gate.begun, 0);
	assert_null(bed->pmem->sync);
}

/* The padding is not in the section: its view ends where it ended. */
static void test_writecopy_keeps_the_file(void **state)
{
	struct pmem_bed *bed = *state;
	uint64_t value = UINT64_C(0x1111111111111111), there = 1;

	assert_int_equal(window_fault(bed->window, PMEM_GPA, true, &value, 8), WINDOW_FAULT_RACE);
	assert_int_equal(pmem_bed_flush(bed), 0);
	assert_int_equal(pread(bed->fd, &there, 8, 0), 8);
	assert_true(there == 0);
}

static void test_revoked(void **state)
{
	struct pmem_bed *bed = *state;

	assert_int_equal(pmem_bed_flush(bed), 0);
	assert_int_equal(window_revoke(bed->window, 0), 0);
	pmem_revoked(bed->pmem);
	pmem_revoked(bed->pmem);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
	assert_int_equal(pmem_bed_counters(bed).error, -ENXIO);
	pmem_bed_reset(bed);
	pmem_bed_driver(bed);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
}

static void test_lost_pages(void **state)
{
	struct pmem_bed *bed = *state;

	assert_int_equal(pmem_bed_flush(bed), 0);
	assert_int_equal(ftruncate(bed->fd, MIB), 0);
	assert_true(window_sweep_sizes(bed->window) > 0);
	assert_int_equal(ftruncate(bed->fd, FILE_BYTES), 0);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
	assert_int_equal(pmem_bed_counters(bed).error, -EIO);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
}

#define with(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_what_new_refuses),
		cmocka_unit_test(test_failed_before),
		cmocka_unit_test_setup_teardown(test_padding, leak_setup, leak_teardown),
		with(test_identity, setup_rw),
		with(test_place, setup_rw),
		with(test_unknown_type, setup_rw),
		with(test_too_short, setup_rw),
		with(test_scattered, setup_rw),
		with(test_broken_ring, setup_rw),
		with(test_nothing_to_sync, setup_ro),
		with(test_nothing_to_sync, setup_cow),
		with(test_writecopy_keeps_the_file, setup_cow),
		with(test_revoked, setup_rw),
		with(test_revoked, setup_ro),
		with(test_lost_pages, setup_rw),
		with(test_lost_pages, setup_ro),
	};

	(void)alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, gate_start_a_thread, NULL);
}
