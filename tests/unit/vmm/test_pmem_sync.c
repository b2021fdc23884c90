/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pmem_sync.c and the syncs of pmem_flush.c: which requests a sync serves, what
 * its failure means, and what happens to one that is on its way.
 */
#include "unit/vmm/pmem_bed.h"

#define TIME_LIMIT_S 60
#define FAILED UINT32_MAX

static int setup_bytes(void **state, uint64_t bytes)
{
	struct pmem_bed *bed = calloc(1, sizeof(*bed));
	struct pmem_info info;

	assert_non_null(bed);
	pmem_bed_init(bed, bytes, WINDOW_READWRITE);
	info = pmem_bed_info(bed, bytes, WINDOW_READWRITE);
	assert_int_equal(pmem_bed_new(bed, &info), 0);
	pmem_bed_driver(bed);
	*state = bed;
	return 0;
}

static int setup(void **state)
{
	return setup_bytes(state, FILE_BYTES);
}

/* The file ends within a page. */
static int setup_odd(void **state)
{
	return setup_bytes(state, FILE_BYTES - 100);
}

static int teardown(void **state)
{
	pmem_bed_deinit(*state);
	free(*state);
	return 0;
}

static void test_flush(void **state)
{
	struct pmem_bed *bed = *state;
	struct pmem_counters counters;

	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(pmem_bed_flush(bed), 0);
		assert_int_equal(gate.begun, i);
	}
	counters = pmem_bed_counters(bed);
	assert_int_equal(counters.requests, 3);
	assert_int_equal(counters.syncs, 3);
	assert_int_equal(counters.merged, 0);
	assert_int_equal(counters.refused, 0);
	assert_int_equal(counters.error, 0);
}

/* The device's description is not the one that it was given. */
static void test_own_description(void **state)
{
	struct pmem_bed *bed = *state;

	assert_int_equal(pmem_bed_flush(bed), 0);
	assert_int_equal(fcntl(bed->fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(gate.flags & O_ACCMODE, O_RDONLY);
}

/* Nothing is answered before its sync, and a sync serves only what came before it. */
static void test_merging(void **state)
{
	struct pmem_bed *bed = *state;
	struct pmem_counters counters;

	gate_set(0, 0);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(1);
	for (uint16_t i = 1; i <= 5; i++) {
		pmem_bed_request(bed, i, 0);
		pmem_bed_kick(bed);
	}
	assert_int_equal(pmem_bed_answers(bed), 0);
	assert_int_equal(pmem_bed_counters(bed).syncs, 1);
	gate_set(1, 0);
	pmem_bed_wait(bed, 1);
	gate_wait(2);
	pmem_bed_run(bed);
	assert_int_equal(pmem_bed_answers(bed), 0);
	assert_int_equal(get32(bed, reply_gpa(0)), 0);
	assert_int_equal(get32(bed, reply_gpa(1)), NO_REPLY);
	gate_set(2, 0);
	pmem_bed_wait(bed, 5);
	counters = pmem_bed_counters(bed);
	assert_int_equal(counters.syncs, 2);
	assert_int_equal(counters.merged, 4);
	for (uint16_t i = 0; i <= 5; i++)
		assert_int_equal(get32(bed, reply_gpa(i)), 0);
}

static void test_failure_stays(void **state)
{
	struct pmem_bed *bed = *state;
	struct pmem_counters counters;

	assert_int_equal(pmem_bed_flush(bed), 0);
	gate_set(ALL, EIO);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
	gate_set(ALL, 0);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
	pmem_bed_reset(bed);
	pmem_bed_driver(bed);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
	counters = pmem_bed_counters(bed);
	assert_int_equal(counters.error, -EIO);
	assert_int_equal(counters.syncs, 2);
	assert_int_equal(counters.refused, 3);
	assert_int_equal(counters.malformed, 0);
}

/* A failed sync fails those too that wait for the next. */
static void test_failure_of_a_full_disk(void **state)
{
	struct pmem_bed *bed = *state;

	gate_set(0, 0);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(1);
	pmem_bed_request(bed, 1, 0);
	pmem_bed_request(bed, 2, 0);
	pmem_bed_kick(bed);
	gate_set(ALL, ENOSPC);
	pmem_bed_wait(bed, 3);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(get32(bed, reply_gpa(i)), FAILED);
	assert_int_equal(pmem_bed_counters(bed).error, -ENOSPC);
	assert_int_equal(gate.begun, 1);
}

static void test_interrupted(void **state)
{
	struct pmem_bed *bed = *state;

	gate_set(ALL, EINTR);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(3);
	gate_set(ALL, 0);
	pmem_bed_wait(bed, 1);
	assert_int_equal(get32(bed, reply_gpa(0)), 0);
}

/* Even if what is left of the file could be written. */
static void test_truncated(void **state)
{
	struct pmem_bed *bed = *state;

	assert_int_equal(pmem_bed_flush(bed), 0);
	assert_int_equal(ftruncate(bed->fd, FILE_BYTES - 101), 0);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
	assert_int_equal(pmem_bed_counters(bed).error, -ENXIO);
}

static void test_revoked_in_flight(void **state)
{
	struct pmem_bed *bed = *state;

	gate_set(0, 0);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(1);
	pmem_revoked(bed->pmem);
	gate_set(ALL, 0);
	pmem_bed_wait(bed, 1);
	assert_int_equal(get32(bed, reply_gpa(0)), FAILED);
}

/* What a driver asked for is not answered to the next, which has its own sync. */
static void test_reset_in_flight(void **state)
{
	struct pmem_bed *bed = *state;

	gate_set(0, 0);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(1);
	pmem_bed_request(bed, 1, 0);
	pmem_bed_kick(bed);
	pmem_bed_reset(bed);
	pmem_bed_driver(bed);
	put32(bed, reply_gpa(0), NO_REPLY);
	pmem_bed_request(bed, 3, 0);
	pmem_bed_kick(bed);
	assert_int_equal(pmem_bed_answers(bed), 0);
	gate_set(ALL, 0);
	pmem_bed_wait(bed, 1);
	assert_int_equal(get32(bed, reply_gpa(3)), 0);
	assert_int_equal(get32(bed, reply_gpa(0)), NO_REPLY);
	assert_int_equal(gate.begun, 2);
}

/* The failure is the file's, whoever asked. */
static void test_reset_and_failure(void **state)
{
	struct pmem_bed *bed = *state;

	gate_set(0, 0);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(1);
	pmem_bed_reset(bed);
	gate_set(ALL, EIO);
	while (!pmem_bed_counters(bed).error)
		assert_true(event_base_loop(bed->events, EVLOOP_ONCE) >= 0);
	gate_set(ALL, 0);
	pmem_bed_driver(bed);
	assert_int_equal(pmem_bed_flush(bed), FAILED);
	assert_int_equal(gate.begun, 1);
}

static void test_broken_in_flight(void **state)
{
	struct pmem_bed *bed = *state;

	gate_set(0, 0);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(1);
	ring_publish(&bed->ring, PMEM_RING); /* no such descriptor */
	pmem_bed_kick(bed);
	assert_int_equal(pmem_bed_counters(bed).breaks, 1);
	gate_set(ALL, 0);
	pmem_bed_reset(bed);
	pmem_bed_driver(bed);
	assert_int_equal(pmem_bed_flush(bed), 0);
}

/* The device ends, and waits for what was begun. */
static void test_end_in_flight(void **state)
{
	struct pmem_bed *bed = *state;

	gate_set(0, 0);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(1);
	pmem_bed_request(bed, 1, 0);
	pmem_bed_kick(bed);
	gate_set(ALL, 0);
	bed->pmem = pmem_free(bed->pmem);
	assert_int_equal(gate.begun, 1);
}

/* A driver that offers one chain again and again has no more than a ring full of it pending. */
static void test_more_than_a_ring(void **state)
{
	struct pmem_bed *bed = *state;

	gate_set(0, 0);
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	gate_wait(1);
	for (uint32_t i = 1; i < PMEM_RING; i++)
		ring_publish(&bed->ring, 0);
	pmem_bed_kick(bed);
	for (uint32_t i = 0; i < 5; i++)
		ring_publish(&bed->ring, 0);
	pmem_bed_kick(bed);
	assert_int_equal(pmem_bed_counters(bed).requests, PMEM_RING);
	gate_set(ALL, 0);
	pmem_bed_wait(bed, PMEM_RING + 5);
	assert_int_equal(pmem_bed_counters(bed).requests, PMEM_RING + 5);
	assert_int_equal(pmem_bed_counters(bed).breaks, 0);
	assert_int_equal(pmem_bed_flush(bed), 0);
}

#define with(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(test_flush, setup),
		with(test_flush, setup_odd),
		with(test_own_description, setup),
		with(test_merging, setup),
		with(test_failure_stays, setup),
		with(test_failure_of_a_full_disk, setup),
		with(test_interrupted, setup),
		with(test_truncated, setup),
		with(test_truncated, setup_odd),
		with(test_revoked_in_flight, setup),
		with(test_reset_in_flight, setup),
		with(test_reset_and_failure, setup),
		with(test_broken_in_flight, setup),
		with(test_end_in_flight, setup),
		with(test_more_than_a_ring, setup),
	};

	(void)alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, gate_start_a_thread, NULL);
}
