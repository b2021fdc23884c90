/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring, one step after the other in one thread: what is refused, records of
 * every size at every place, full and empty, the end of the indices, coming, going
 * and being replaced.
 */
#include "vmsect_ring.h"

#include "unit/guest/ring_bed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIME_LIMIT_S 60
#define DATA 1024u
#define BYTES (VMSECT_RING_HEADER_BYTES + DATA)
#define RECORD_MAX (DATA / 2 - 8)

struct pair {
	struct ring_bed *bed;
	struct vmsect_ring producer, consumer;
};

static int setup(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	assert_non_null(pair);
	pair->bed = ring_bed_new(BYTES, 0);
	ring_bed_attach(pair->bed, VMSECT_RING_PRODUCER, &pair->producer);
	ring_bed_attach(pair->bed, VMSECT_RING_CONSUMER, &pair->consumer);
	*state = pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	vmsect_ring_detach(&pair->producer);
	vmsect_ring_detach(&pair->consumer);
	ring_bed_free(pair->bed);
	free(pair);
	return 0;
}

static void refused_formats(void **state)
{
	struct pair *pair = *state;
	unsigned char *map = pair->bed->map[0];
	unsigned char before[BYTES];

	memcpy(before, map, BYTES);
	assert_int_equal(vmsect_ring_format(NULL, BYTES, 0), -EINVAL);
	assert_int_equal(vmsect_ring_format(map + 8, BYTES - 8, 0), -EINVAL);
	assert_int_equal(vmsect_ring_format(map, BYTES, RECORD_MAX + 1), -EINVAL);
	assert_int_equal(vmsect_ring_format(map, BYTES, UINT32_MAX), -EINVAL);
	assert_int_equal(vmsect_ring_format(map, VMSECT_RING_HEADER_BYTES + 63, 0), -ENOSPC);
	assert_int_equal(vmsect_ring_format(map, 0, 0), -ENOSPC);
	assert_memory_equal(before, map, BYTES);
	assert_int_equal(vmsect_ring_format(map, VMSECT_RING_HEADER_BYTES + 64, 24), 0);
}

static void refused_attaches(void **state)
{
	struct pair *pair = *state;
	struct vmsect_ring_header *shared = ring_bed_header(pair->bed);
	struct vmsect_ring ring, poison;

	memset(&ring, 0xA5, sizeof(ring));
	poison = ring;
	assert_int_equal(vmsect_ring_attach(&ring, 0, NULL, BYTES, NULL), -EINVAL);
	assert_int_equal(vmsect_ring_attach(&ring, 0, (char *)shared + 8, BYTES, NULL), -EINVAL);
	assert_int_equal(vmsect_ring_attach(&ring, 2, shared, BYTES, NULL), -EINVAL);
	assert_int_equal(vmsect_ring_attach(&ring, 0, shared, BYTES - 1, NULL), -EPROTO);
	assert_int_equal(vmsect_ring_attach(&ring, 0, shared, 64, NULL), -EPROTO);
	shared->version = 2;
	assert_int_equal(vmsect_ring_attach(&ring, 0, shared, BYTES, NULL), -EPROTONOSUPPORT);
	shared->magic = 0;
	assert_int_equal(vmsect_ring_attach(&ring, 0, shared, BYTES, NULL), -ENOENT);
	shared->magic = 1;
	assert_int_equal(vmsect_ring_attach(&ring, 0, shared, BYTES, NULL), -EPROTO);
	assert_memory_equal(&ring, &poison, sizeof(ring));
}

static void refused_calls(void **state)
{
	struct pair *pair = *state;
	const void *seen = &pair;
	void *place = &pair;
	uint32_t bytes = POISON;
	char buffer[8];

	assert_int_equal(vmsect_ring_reserve(&pair->consumer, 8, &place), -EINVAL);
	assert_int_equal(vmsect_ring_commit(&pair->consumer, 8), -EINVAL);
	assert_int_equal(vmsect_ring_peek(&pair->producer, &seen, &bytes), -EINVAL);
	assert_int_equal(vmsect_ring_release(&pair->producer), -EINVAL);
	assert_int_equal(vmsect_ring_release(&pair->consumer), -EINVAL);
	assert_int_equal(vmsect_ring_commit(&pair->producer, 0), -EINVAL);
	assert_int_equal(vmsect_ring_patience(&pair->producer, 0, 0), -EINVAL);
	assert_int_equal(vmsect_ring_reserve(&pair->producer, RECORD_MAX + 1, &place), -EMSGSIZE);
	assert_int_equal(vmsect_ring_wait(&pair->producer, RECORD_MAX + 1, 0), -EMSGSIZE);
	assert_int_equal(vmsect_ring_arm(&pair->producer, RECORD_MAX + 1), -EMSGSIZE);
	assert_int_equal(vmsect_ring_peek(&pair->consumer, &seen, &bytes), -EAGAIN);
	assert_int_equal(vmsect_ring_wait(&pair->consumer, 0, 0), -ETIMEDOUT);
	assert_int_equal(vmsect_ring_read(&pair->consumer, buffer, 8, 0, &bytes), -ETIMEDOUT);
	assert_ptr_equal(place, &pair);
	assert_ptr_equal(seen, &pair);
	assert_int_equal(bytes, POISON);
	assert_int_equal(vmsect_ring_reserve(&pair->producer, 16, &place), 0);
	assert_int_equal(vmsect_ring_commit(&pair->producer, 17), -EINVAL);
	assert_int_equal(vmsect_ring_commit(&pair->producer, 16), 0);
	assert_int_equal(vmsect_ring_commit(&pair->producer, 16), -EINVAL);
	assert_int_equal(vmsect_ring_read(&pair->consumer, buffer, 8, 0, &bytes), -EMSGSIZE);
	assert_int_equal(bytes, POISON);
}

/* Each size from nothing to the longest, at each place that a record can start. */
static void every_size_at_every_place(void **state)
{
	struct pair *pair = *state;
	unsigned char sent[RECORD_MAX], got[RECORD_MAX];

	for (uint32_t size = 0; size <= RECORD_MAX; size++) {
		for (uint32_t i = 0; i < DATA / 8; i++) {
			uint32_t bytes = POISON;

			memset(sent, (int)(size + i), sizeof(sent));
			assert_int_equal(vmsect_ring_write(&pair->producer, sent, size, 0), 0);
			assert_int_equal(
				vmsect_ring_read(&pair->consumer, got, sizeof(got), 0, &bytes), 0);
			assert_int_equal(bytes, size);
			assert_memory_equal(sent, got, size);
			/* An odd step, so that all places come. */
			assert_int_equal(vmsect_ring_write(&pair->producer, sent, 0, 0), 0);
			assert_int_equal(
				vmsect_ring_read(&pair->consumer, got, sizeof(got), 0, &bytes), 0);
			assert_int_equal(bytes, 0);
		}
	}
}

/* Until no more fits, then all back; with indices that pass 2^64 on the way. */
static void full_and_empty_across_the_end_of_indices(void **state)
{
	struct pair *pair = *state;
	struct vmsect_ring_header *shared = ring_bed_header(pair->bed);
	uint64_t sent = 0, got = 0;
	unsigned char record[64];
	uint32_t bytes;
	int err;

	vmsect_ring_detach(&pair->producer);
	vmsect_ring_detach(&pair->consumer);
	shared->party[0].index = shared->party[1].index = UINT64_MAX - 7 - 40 * DATA;
	shared->party[0].generation = shared->party[1].generation = 0;
	ring_bed_attach(pair->bed, VMSECT_RING_PRODUCER, &pair->producer);
	ring_bed_attach(pair->bed, VMSECT_RING_CONSUMER, &pair->consumer);
	for (int round = 0; round < 100; round++) {
		while (bytes = record_bytes(sent, sizeof(record)), record_fill(record, sent, bytes),
		       err = vmsect_ring_write(&pair->producer, record, bytes, 0), !err)
			sent++;
		assert_int_equal(err, -ETIMEDOUT);
		assert_true(sent - got >= DATA / (sizeof(record) + 8) - 1);
		while (err = vmsect_ring_read(&pair->consumer, record, sizeof(record), 0, &bytes),
		       !err) {
			assert_int_equal(bytes, record_bytes(got, sizeof(record)));
			assert_true(record_is(record, got, bytes));
			got++;
		}
		assert_int_equal(err, -ETIMEDOUT);
		assert_int_equal(sent, got);
	}
	assert_true(pair->producer.index < UINT64_MAX / 2);
}

static void records_in_place(void **state)
{
	struct pair *pair = *state;
	const void *seen, *again;
	uint32_t bytes;
	void *place;

	/* Forgotten, replaced, made shorter. */
	assert_int_equal(vmsect_ring_reserve(&pair->producer, 100, &place), 0);
	assert_int_equal(vmsect_ring_reserve(&pair->producer, 40, &place), 0);
	memcpy(place, "shorter", 8);
	assert_int_equal(vmsect_ring_peek(&pair->consumer, &seen, &bytes), -EAGAIN);
	assert_int_equal(vmsect_ring_commit(&pair->producer, 8), 0);
	assert_int_equal(vmsect_ring_peek(&pair->consumer, &seen, &bytes), 0);
	assert_int_equal(bytes, 8);
	assert_string_equal(seen, "shorter");
	assert_int_equal((uintptr_t)seen % 8, 0);
	assert_int_equal(vmsect_ring_peek(&pair->consumer, &again, &bytes), 0);
	assert_ptr_equal(seen, again);
	assert_int_equal(vmsect_ring_release(&pair->consumer), 0);
	assert_int_equal(vmsect_ring_peek(&pair->consumer, &seen, &bytes), -EAGAIN);
}

static void write_text(struct vmsect_ring *ring, const char *text)
{
	assert_int_equal(vmsect_ring_write(ring, text, (uint32_t)strlen(text) + 1, 0), 0);
}

static void read_text(struct vmsect_ring *ring, const char *text)
{
	char buffer[64];
	uint32_t bytes;

	assert_int_equal(vmsect_ring_read(ring, buffer, sizeof(buffer), 0, &bytes), 0);
	assert_string_equal(buffer, text);
}

/* The old producer is gone in the middle of a record. */
static void producer_is_replaced(void **state)
{
	struct pair *pair = *state;
	struct vmsect_ring dead = pair->producer;
	const void *seen;
	uint32_t bytes;
	void *place;

	write_text(&dead, "one");
	assert_int_equal(vmsect_ring_reserve(&dead, 30, &place), 0);
	memset(place, 0xFF, 30);
	ring_bed_attach(pair->bed, VMSECT_RING_PRODUCER, &pair->producer);
	assert_int_equal(vmsect_ring_reserve(&dead, 30, &place), -ESTALE);
	write_text(&pair->producer, "two");
	/* Told before anything of the newcomer is seen, once. */
	assert_int_equal(vmsect_ring_peek(&pair->consumer, &seen, &bytes), -ECONNRESET);
	assert_int_equal(pair->consumer.counters.restarts, 1);
	read_text(&pair->consumer, "one");
	read_text(&pair->consumer, "two");
	assert_int_equal(vmsect_ring_peek(&pair->consumer, &seen, &bytes), -EAGAIN);
}

static void consumer_is_replaced(void **state)
{
	struct pair *pair = *state;
	struct vmsect_ring dead = pair->consumer;
	const void *seen;
	uint32_t bytes;

	write_text(&pair->producer, "released");
	write_text(&pair->producer, "peeked at");
	read_text(&dead, "released");
	assert_int_equal(vmsect_ring_peek(&dead, &seen, &bytes), 0);
	ring_bed_attach(pair->bed, VMSECT_RING_CONSUMER, &pair->consumer);
	read_text(&pair->consumer, "peeked at");
	assert_int_equal(vmsect_ring_peek(&dead, &seen, &bytes), -ESTALE);
	assert_int_equal(vmsect_ring_peek(&pair->consumer, &seen, &bytes), -EAGAIN);
	assert_int_equal(vmsect_ring_arm(&pair->producer, RECORD_MAX), 0);
}

static void peers_come_and_go(void **state)
{
	struct pair *pair = *state;
	struct ring_bed *bed = ring_bed_new(BYTES, 0);
	struct vmsect_ring producer, consumer;
	const void *seen;
	uint32_t bytes;

	(void)pair;
	ring_bed_attach(bed, VMSECT_RING_CONSUMER, &consumer);
	assert_int_equal(vmsect_ring_peer(&consumer), VMSECT_RING_PEER_NONE);
	ring_bed_attach(bed, VMSECT_RING_PRODUCER, &producer);
	assert_int_equal(vmsect_ring_peer(&consumer), VMSECT_RING_PEER_ATTACHED);
	/* The first to come is no restart. */
	assert_int_equal(vmsect_ring_peek(&consumer, &seen, &bytes), -EAGAIN);
	write_text(&producer, "last");
	vmsect_ring_detach(&producer);
	assert_null(producer.shared);
	vmsect_ring_detach(&producer);
	vmsect_ring_detach(NULL);
	assert_int_equal(vmsect_ring_peer(&consumer), VMSECT_RING_PEER_LEFT);
	assert_int_equal(vmsect_ring_wait(&consumer, 0, 0), -ECONNRESET);
	read_text(&consumer, "last");
	assert_int_equal(vmsect_ring_wait(&consumer, 0, 0), -ETIMEDOUT);
	ring_bed_attach(bed, VMSECT_RING_PRODUCER, &producer);
	assert_int_equal(vmsect_ring_wait(&consumer, 0, 0), -ECONNRESET);
	assert_int_equal(vmsect_ring_peer(&consumer), VMSECT_RING_PEER_ATTACHED);
	vmsect_ring_detach(&consumer);
	vmsect_ring_detach(&producer);
	ring_bed_free(bed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(refused_formats),
		TEST(refused_attaches),
		TEST(refused_calls),
		TEST(every_size_at_every_place),
		TEST(full_and_empty_across_the_end_of_indices),
		TEST(records_in_place),
		TEST(producer_is_replaced),
		TEST(consumer_is_replaced),
		TEST(peers_come_and_go),
	};

	(void)alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests_name("guest_ring", tests, NULL, NULL);
}
