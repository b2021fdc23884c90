/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two threads, each with a mapping of its own: order and content, sleep and wake-up
 * in both directions, how often a bell is rung, and bells that are lost.
 */
#include "vmsect_ring.h"

#include "unit/guest/ring_bed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIME_LIMIT_S 100
#define FOREVER_MS 3600000
#define RECORD_MAX 200u

struct side {
	struct ring_bed *bed;
	enum vmsect_ring_side side;
	uint64_t count; /* records to come */
	uint32_t spin_max;
	int recheck_ms;
	/* Shared: the other thread waits for what this one has done. */
	_Atomic uint64_t done;
	_Atomic bool go; /* the slower side waits for that between records */
	struct vmsect_ring_counters counters;
};

/* The record `number`, or the wait for it. */
static int produce(struct vmsect_ring *ring, uint64_t number)
{
	uint32_t bytes = record_bytes(number, RECORD_MAX);
	void *place;
	int err;

	while (err = vmsect_ring_reserve(ring, bytes, &place), err == -EAGAIN) {
		err = vmsect_ring_wait(ring, bytes, -1);
		if (err)
			return err;
	}
	if (err)
		return err;
	record_fill(place, number, bytes);
	return vmsect_ring_commit(ring, bytes);
}

static int consume(struct vmsect_ring *ring, uint64_t number)
{
	unsigned char record[RECORD_MAX];
	uint32_t bytes;
	int err = vmsect_ring_read(ring, record, sizeof(record), -1, &bytes);

	if (err)
		return err;
	return bytes == record_bytes(number, RECORD_MAX) && record_is(record, number, bytes)
		       ? 0
		       : -EBADMSG;
}

static void *run(void *arg)
{
	struct side *me = arg;
	struct vmsect_ring ring;

	ring_bed_attach(me->bed, me->side, &ring);
	assert_int_equal(vmsect_ring_patience(&ring, me->spin_max, me->recheck_ms), 0);
	for (uint64_t i = 0; i < me->count; i++) {
		int err = me->side == VMSECT_RING_PRODUCER ? produce(&ring, i) : consume(&ring, i);

		if (err)
			return (void *)(intptr_t)err;
		atomic_store(&me->done, i + 1);
	}
	me->counters = ring.counters;
	return NULL;
}

static struct side side_of(struct ring_bed *bed, enum vmsect_ring_side side, uint64_t count)
{
	/* No second look: what is lost here is lost for an hour. */
	return (struct side){ .bed = bed, .side = side, .count = count, .recheck_ms = FOREVER_MS };
}

static void finish(pthread_t thread)
{
	void *result = (void *)(intptr_t)POISON;

	assert_int_equal(pthread_join(thread, &result), 0);
	assert_int_equal((intptr_t)result, 0);
}

/* Both in full flight, at several sizes of the ring and kinds of patience. */
static void order_and_content(void **state)
{
	static const size_t sizes[] = { 512, 1024, 4096, 65536 };
	static const uint32_t spins[] = { 0, 1, 100 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(spins); i++) {
		struct ring_bed *bed = ring_bed_new(
			VMSECT_RING_HEADER_BYTES + sizes[i / ARRAY_SIZE(spins)], RECORD_MAX);
		struct side producer = side_of(bed, VMSECT_RING_PRODUCER, 20000);
		struct side consumer = side_of(bed, VMSECT_RING_CONSUMER, 20000);
		pthread_t threads[2];

		producer.spin_max = consumer.spin_max = spins[i % ARRAY_SIZE(spins)];
		assert_int_equal(pthread_create(&threads[0], NULL, run, &producer), 0);
		assert_int_equal(pthread_create(&threads[1], NULL, run, &consumer), 0);
		finish(threads[0]);
		finish(threads[1]);
		ring_bed_free(bed);
	}
}

/* Waits for a state of the other thread; the time limit is the program's. */
static void until(_Atomic uint64_t *value, uint64_t least)
{
	while (atomic_load(value) < least)
		(void)sched_yield();
}

/* The peer has said where it wants to be woken, and so sleeps or is about to. */
static void until_armed(struct ring_bed *bed, enum vmsect_ring_side side, uint64_t disarmed)
{
	const struct vmsect_ring_party *party = &ring_bed_header(bed)->party[side];

	while (__atomic_load_n(&party->wake, __ATOMIC_SEQ_CST) == disarmed)
		(void)sched_yield();
}

/* Each record is committed to a consumer that sleeps: each is one bell. */
static void a_sleeping_consumer_is_woken(void **state)
{
	const uint64_t count = 500;
	struct ring_bed *bed = ring_bed_new(4096, RECORD_MAX);
	struct side consumer = side_of(bed, VMSECT_RING_CONSUMER, count);
	struct vmsect_ring ring;
	pthread_t thread;

	(void)state;
	ring_bed_attach(bed, VMSECT_RING_PRODUCER, &ring);
	assert_int_equal(pthread_create(&thread, NULL, run, &consumer), 0);
	for (uint64_t i = 0; i < count; i++) {
		until(&consumer.done, i);
		until_armed(bed, VMSECT_RING_CONSUMER, ring.index - 1);
		assert_int_equal(produce(&ring, i), 0);
	}
	finish(thread);
	assert_true(ring.counters.notified <= count);
	assert_true(ring.counters.notified > 0);
	vmsect_ring_detach(&ring);
	ring_bed_free(bed);
}

/* A full ring; the producer sleeps until half of it is free. */
static void a_sleeping_producer_is_woken(void **state)
{
	const uint64_t count = 20000;
	struct ring_bed *bed = ring_bed_new(VMSECT_RING_HEADER_BYTES + 16384, RECORD_MAX);
	struct side producer = side_of(bed, VMSECT_RING_PRODUCER, count);
	struct vmsect_ring ring;
	pthread_t thread;

	(void)state;
	ring_bed_attach(bed, VMSECT_RING_CONSUMER, &ring);
	assert_int_equal(vmsect_ring_patience(&ring, 0, FOREVER_MS), 0);
	assert_int_equal(pthread_create(&thread, NULL, run, &producer), 0);
	until_armed(bed, VMSECT_RING_PRODUCER, UINT64_MAX);
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(consume(&ring, i), 0);
	finish(thread);
	/* At least 50 records go with half of the ring. */
	print_message("# %llu records, %llu bells to the producer\n", (unsigned long long)count,
		      (unsigned long long)ring.counters.notified);
	assert_true(ring.counters.notified >= 1 && ring.counters.notified <= count / 20);
	vmsect_ring_detach(&ring);
	ring_bed_free(bed);
}

/* Nobody rings for a side that polls. */
static void a_polling_peer_hears_nothing(void **state)
{
	const uint64_t count = 50000;
	struct ring_bed *bed = ring_bed_new(VMSECT_RING_HEADER_BYTES + 4096, RECORD_MAX);
	struct side producer = side_of(bed, VMSECT_RING_PRODUCER, count);
	unsigned char record[RECORD_MAX];
	struct vmsect_ring ring;
	uint64_t got = 0;
	pthread_t thread;
	uint32_t bytes;

	(void)state;
	producer.spin_max = UINT32_MAX;
	ring_bed_attach(bed, VMSECT_RING_CONSUMER, &ring);
	assert_int_equal(pthread_create(&thread, NULL, run, &producer), 0);
	while (got < count) {
		const void *seen;
		int err = vmsect_ring_peek(&ring, &seen, &bytes);

		if (err == -EAGAIN) {
			(void)sched_yield();
			continue;
		}
		assert_int_equal(err, 0);
		memcpy(record, seen, bytes);
		assert_true(record_is(record, got, bytes));
		assert_int_equal(vmsect_ring_release(&ring), 0);
		got++;
	}
	finish(thread);
	assert_int_equal(producer.counters.notified, 0);
	assert_int_equal(ring.counters.notified, 0);
	assert_int_equal(producer.counters.suppressed, count);
	assert_int_equal(bed->bells[VMSECT_RING_PRODUCER].rung, 1); /* its coming */
	vmsect_ring_detach(&ring);
	ring_bed_free(bed);
}

/* A bell that nobody hears: the sleeper looks by itself. */
static void lost_bells_cost_time_only(void **state)
{
	const uint64_t count = 100;
	struct ring_bed *bed = ring_bed_new(4096, RECORD_MAX);
	struct side consumer = side_of(bed, VMSECT_RING_CONSUMER, count);
	struct vmsect_ring ring;
	pthread_t thread;

	(void)state;
	consumer.recheck_ms = 2;
	bed->bells[VMSECT_RING_PRODUCER].deaf = UINT64_MAX;
	ring_bed_attach(bed, VMSECT_RING_PRODUCER, &ring);
	assert_int_equal(pthread_create(&thread, NULL, run, &consumer), 0);
	for (uint64_t i = 0; i < count; i++) {
		until(&consumer.done, i);
		assert_int_equal(produce(&ring, i), 0);
	}
	finish(thread);
	assert_true(consumer.counters.slept > 0);
	vmsect_ring_detach(&ring);
	ring_bed_free(bed);
}

static void *wait_once(void *arg)
{
	return (void *)(intptr_t)vmsect_ring_wait(arg, 0, FOREVER_MS);
}

/* A sleeper hears that the other side was replaced, and that it leaves. */
static void sleepers_hear_of_restart_and_leave(void **state)
{
	struct ring_bed *bed = ring_bed_new(4096, RECORD_MAX);
	struct vmsect_ring dead, producer, consumer;
	pthread_t thread;
	void *result;

	(void)state;
	ring_bed_attach(bed, VMSECT_RING_PRODUCER, &dead);
	ring_bed_attach(bed, VMSECT_RING_CONSUMER, &consumer);
	assert_int_equal(vmsect_ring_patience(&consumer, 0, FOREVER_MS), 0);
	for (int leaves = 0; leaves < 2; leaves++) {
		assert_int_equal(pthread_create(&thread, NULL, wait_once, &consumer), 0);
		until_armed(bed, VMSECT_RING_CONSUMER, UINT64_MAX);
		if (leaves)
			vmsect_ring_detach(&producer);
		else
			ring_bed_attach(bed, VMSECT_RING_PRODUCER, &producer);
		assert_int_equal(pthread_join(thread, &result), 0);
		assert_int_equal((intptr_t)result, -ECONNRESET);
	}
	vmsect_ring_detach(&consumer);
	ring_bed_free(bed);
}

/* arm() for programs with a poll(2) of their own: it says whether to sleep. */
static void arm_says_whether_to_sleep(void **state)
{
	struct ring_bed *bed = ring_bed_new(4096, RECORD_MAX);
	struct vmsect_ring producer, consumer;

	(void)state;
	ring_bed_attach(bed, VMSECT_RING_PRODUCER, &producer);
	ring_bed_attach(bed, VMSECT_RING_CONSUMER, &consumer);
	assert_int_equal(vmsect_ring_arm(&consumer, 0), -EAGAIN);
	assert_int_equal(produce(&producer, 0), 0);
	assert_int_equal(producer.counters.notified, 1);
	assert_int_equal(produce(&producer, 1), 0);
	assert_int_equal(producer.counters.notified, 1);
	assert_int_equal(vmsect_ring_arm(&consumer, 0), 0);
	assert_int_equal(consume(&consumer, 0), 0);
	assert_int_equal(vmsect_ring_arm(&producer, RECORD_MAX), 0);
	vmsect_ring_detach(&producer);
	vmsect_ring_detach(&consumer);
	ring_bed_free(bed);
}

static void *nothing(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_t first;
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_content),
		cmocka_unit_test(a_sleeping_consumer_is_woken),
		cmocka_unit_test(a_sleeping_producer_is_woken),
		cmocka_unit_test(a_polling_peer_hears_nothing),
		cmocka_unit_test(lost_bells_cost_time_only),
		cmocka_unit_test(sleepers_hear_of_restart_and_leave),
		cmocka_unit_test(arm_says_whether_to_sleep),
	};

	(void)alarm(TIME_LIMIT_S);
	/* A thread sanitizer starts a thread of its own with the first. */
	if (pthread_create(&first, NULL, nothing, NULL) || pthread_join(first, NULL))
		return 1;
	return cmocka_run_group_tests_name("guest_ring_sleep", tests, NULL, NULL);
}
