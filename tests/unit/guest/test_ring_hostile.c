/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peer is hostile: each field of the header with values that cannot be, words of
 * records that lie, and a thread that scribbles over everything while both sides
 * work.  Guard pages lie on both sides of the ring; a wrong access is a SIGSEGV, an
 * endless loop the time limit.
 */
#include "vmsect_ring.h"

#include "unit/guest/ring_bed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TIME_LIMIT_S 100
#define PAGE 4096u
#define BYTES PAGE
#define DATA 2048u
#define RECORD_MAX (DATA / 2 - 8)
#define TURNS 300000

/* A ring between two pages that nobody may touch. */
static void *guarded(void)
{
	unsigned char *map = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(vmsect_ring_format(map + PAGE, BYTES, 0), 0);
	return map + PAGE;
}

static void unguard(void *ring)
{
	(void)munmap((unsigned char *)ring - PAGE, 3 * PAGE);
}

static void attach(struct vmsect_ring *ring, enum vmsect_ring_side side, void *memory)
{
	assert_int_equal(vmsect_ring_attach(ring, side, memory, BYTES, NULL), 0);
}

struct bad_field {
	const char *name;
	size_t offset, bytes;
	uint64_t value;
	int result; /* of an attach */
};

#define FIELD(field, value, result)                                                                \
	{                                                                                          \
#field " = " #value, offsetof(struct vmsect_ring_header, field),                   \
			sizeof(((struct vmsect_ring_header *)0)->field), value, result             \
	}

static const struct bad_field constants[] = {
	FIELD(magic, 0, -ENOENT),
	FIELD(magic, UINT32_MAX, -EPROTO),
	FIELD(version, 0, -EPROTONOSUPPORT),
	FIELD(version, UINT32_MAX, -EPROTONOSUPPORT),
	FIELD(data_bytes, 0, -EPROTO),
	FIELD(data_bytes, 32, -EPROTO),
	FIELD(data_bytes, DATA - 1, -EPROTO),
	FIELD(data_bytes, DATA + 64, -EPROTO),
	FIELD(data_bytes, 2 * DATA, -EPROTO),
	FIELD(data_bytes, UINT64_C(1) << 63, -EPROTO),
	FIELD(data_bytes, UINT64_MAX, -EPROTO),
	FIELD(record_max, 0, -EPROTO),
	FIELD(record_max, RECORD_MAX + 1, -EPROTO),
	FIELD(record_max, UINT32_MAX, -EPROTO),
	FIELD(party[0].index, 4, -EPROTO),
	FIELD(party[0].index, DATA + 8, -EPROTO),
	FIELD(party[0].index, UINT64_MAX - 7, -EPROTO),
	FIELD(party[1].index, 8, -EPROTO),
	FIELD(party[1].index, UINT64_MAX, -EPROTO),
	FIELD(party[0].wake, 0, 0),
	FIELD(party[1].wake, UINT64_MAX / 2, 0),
	FIELD(party[0].generation, UINT32_MAX, 0),
	FIELD(party[1].generation, UINT32_MAX - 1, 0),
};

static void bad_headers_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(constants); i++) {
		unsigned char *memory = guarded();
		const struct bad_field *bad = &constants[i];

		memcpy(memory + bad->offset, &bad->value, bad->bytes);
		for (int side = 0; side < SIDES; side++) {
			struct vmsect_ring ring;

			if (vmsect_ring_attach(&ring, (enum vmsect_ring_side)side, memory, BYTES,
					       NULL) != bad->result)
				fail_msg("%s", bad->name);
		}
		unguard(memory);
	}
}

/* The constants are looked at once: later changes of them mean nothing. */
static void constants_are_not_read_again(void **state)
{
	struct vmsect_ring producer, consumer;
	struct vmsect_ring_header *shared = guarded();
	char text[8] = "";
	uint32_t bytes;

	(void)state;
	attach(&producer, VMSECT_RING_PRODUCER, shared);
	attach(&consumer, VMSECT_RING_CONSUMER, shared);
	shared->data_bytes = UINT64_MAX;
	shared->record_max = UINT32_MAX;
	shared->magic = 0;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(vmsect_ring_write(&producer, "works", 6, 0), 0);
		assert_int_equal(vmsect_ring_read(&consumer, text, sizeof(text), 0, &bytes), 0);
		assert_string_equal(text, "works");
	}
	unguard(shared);
}

/* Both began at 16.  Found at the next look, and then for ever. */
static void impossible_indices_end_it(void **state)
{
	static const uint64_t heads[] = { 1, 8, 20, DATA + 24, UINT64_MAX - 7 };
	static const uint64_t tails[] = { 1, 20, 0, 2 * DATA, UINT64_MAX - 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		struct vmsect_ring_header *shared = guarded();
		struct vmsect_ring producer, consumer;
		const void *seen = NULL;
		void *place = NULL;
		uint32_t bytes = POISON;

		shared->party[0].index = shared->party[1].index = 16;
		attach(&producer, VMSECT_RING_PRODUCER, shared);
		attach(&consumer, VMSECT_RING_CONSUMER, shared);
		__atomic_store_n(&shared->party[0].index, heads[i], __ATOMIC_RELAXED);
		for (int again = 0; again < 2; again++)
			assert_int_equal(vmsect_ring_peek(&consumer, &seen, &bytes), -EPROTO);
		assert_int_equal(vmsect_ring_wait(&consumer, 0, -1), -EPROTO);
		assert_int_equal(vmsect_ring_arm(&consumer, 0), -EPROTO);
		while (vmsect_ring_write(&producer, "x", 1, 0) == 0 && producer.error == 0)
			__atomic_store_n(&shared->party[1].index, tails[i], __ATOMIC_RELAXED);
		assert_int_equal(vmsect_ring_reserve(&producer, 1, &place), -EPROTO);
		assert_null(seen);
		assert_null(place);
		assert_int_equal(bytes, POISON);
		unguard(shared);
	}
}

struct bad_word {
	const char *name;
	struct vmsect_ring_word at_start, after_pad;
	uint64_t start, head;
};

#define RECORD VMSECT_RING_RECORD
#define PAD VMSECT_RING_PAD

static const struct bad_word words[] = {
	{ "no type", { 8, 0 }, { 0 }, 0, 16 },
	{ "unknown type", { 8, 3 }, { 0 }, 0, 16 },
	{ "more than announced", { 9, RECORD }, { 0 }, 0, 16 },
	{ "longer than allowed", { RECORD_MAX + 1, RECORD }, { 0 }, 0, DATA },
	{ "much longer", { UINT32_MAX, RECORD }, { 0 }, 0, DATA },
	{ "wraps in 32 bits", { UINT32_MAX - 6, RECORD }, { 0 }, 0, DATA },
	{ "past the end", { 64, RECORD }, { 0 }, DATA - 64, DATA + 64 },
	{ "pad alone", { 56, PAD }, { 8, RECORD }, DATA - 64, DATA },
	{ "pad too short", { 48, PAD }, { 8, RECORD }, DATA - 64, DATA + 64 },
	{ "pad too long", { 64, PAD }, { 8, RECORD }, DATA - 64, DATA + 64 },
	{ "pad not announced", { 56, PAD }, { 8, RECORD }, DATA - 64, DATA - 8 },
	{ "pad after pad", { 56, PAD }, { DATA - 8, PAD }, DATA - 64, DATA + 64 },
	{ "nonsense after pad", { 56, PAD }, { 8, 77 }, DATA - 64, DATA + 64 },
	{ "too long after pad", { 56, PAD }, { 57, RECORD }, DATA - 64, DATA + 64 },
};

static void lying_words_end_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct bad_word *bad = &words[i];
		struct vmsect_ring_header *shared = guarded();
		unsigned char *data = (unsigned char *)shared + VMSECT_RING_HEADER_BYTES;
		struct vmsect_ring consumer;
		const void *seen;
		uint32_t bytes;

		shared->party[1].index = bad->start;
		shared->party[0].index = bad->head;
		memcpy(data + bad->start % DATA, &bad->at_start, 8);
		memcpy(data, bad->start ? &bad->after_pad : &bad->at_start, 8);
		attach(&consumer, VMSECT_RING_CONSUMER, shared);
		if (vmsect_ring_peek(&consumer, &seen, &bytes) != -EPROTO ||
		    vmsect_ring_peek(&consumer, &seen, &bytes) != -EPROTO)
			fail_msg("%s", bad->name);
		unguard(shared);
	}
}

/* Somebody who writes whatever and wherever, as fast as it can. */
struct scribbler {
	unsigned char *memory;
	unsigned int seed;
	_Atomic bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *scribbler = arg;

	while (!atomic_load(&scribbler->stop)) {
		int roll = rand_r(&scribbler->seed);
		/* Mostly the header, and mostly values that are nearly right. */
		size_t at = (size_t)(roll & 3 ? 128 + (roll >> 2) % 256 : (roll >> 2) % (int)BYTES);
		uint64_t value = roll & 0x100 ? (uint64_t)(roll >> 9) % (2 * DATA) & ~UINT64_C(7)
					      : UINT64_MAX << (roll >> 9) % 64;

		__atomic_store_n((uint64_t *)(void *)(scribbler->memory + (at & ~(size_t)7)), value,
				 __ATOMIC_RELAXED);
	}
	return NULL;
}

/* What is handed out lies in the data; the bytes are touched from end to end. */
static void use(const struct vmsect_ring *ring, const void *record, uint32_t bytes)
{
	const unsigned char *at = record;
	volatile unsigned char sum = 0;

	assert_true(at >= ring->data && bytes <= ring->record_max);
	assert_true((uint64_t)(at - ring->data) + bytes <= DATA);
	for (uint32_t i = 0; i < bytes; i++)
		sum = (unsigned char)(sum + at[i]);
}

/* One turn of a side; a ring that is at its end is attached to again, if that goes. */
static void turn(struct vmsect_ring *ring, enum vmsect_ring_side side, void *memory, uint32_t bytes)
{
	const void *seen;
	void *place;
	int err;

	if (!ring->shared || ring->error) {
		if (vmsect_ring_attach(ring, side, memory, BYTES, NULL))
			ring->shared = NULL;
		return;
	}
	(void)vmsect_ring_wait(ring, 0, 0);
	if (side == VMSECT_RING_CONSUMER) {
		err = vmsect_ring_peek(ring, &seen, &bytes);
		if (!err) {
			use(ring, seen, bytes);
			assert_int_equal(vmsect_ring_release(ring), 0);
		}
	} else {
		err = vmsect_ring_reserve(ring, bytes, &place);
		if (!err) {
			use(ring, place, bytes);
			memset(place, (int)bytes, bytes);
			assert_int_equal(vmsect_ring_commit(ring, bytes), 0);
		}
	}
	if (err && err != -EAGAIN && err != -EPROTO && err != -ESTALE && err != -ECONNRESET)
		fail_msg("unexpected %d", err);
}

static void everything_changes_while_it_is_read(void **state)
{
	struct vmsect_ring producer = { 0 }, consumer = { 0 };
	unsigned char *memory = guarded();
	/* Through a mapping of its own, as a peer has. */
	struct scribbler scribbler = { .memory = mremap(memory, 0, BYTES, MREMAP_MAYMOVE),
				       .seed = bed_seed() };
	unsigned int seed = scribbler.seed + 1;
	pthread_t thread;

	(void)state;
	assert_true(scribbler.memory != MAP_FAILED);
	assert_int_equal(pthread_create(&thread, NULL, scribble, &scribbler), 0);
	for (int i = 0; i < TURNS; i++) {
		/* Now and then something that can be attached to. */
		if (i % 64 == 0)
			assert_int_equal(vmsect_ring_format(memory, BYTES, 0), 0);
		turn(&producer, VMSECT_RING_PRODUCER, memory,
		     (uint32_t)rand_r(&seed) % (RECORD_MAX + 1));
		turn(&consumer, VMSECT_RING_CONSUMER, memory, 0);
	}
	atomic_store(&scribbler.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)munmap(scribbler.memory, BYTES);
	unguard(memory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(constants_are_not_read_again),
		cmocka_unit_test(impossible_indices_end_it),
		cmocka_unit_test(lying_words_end_it),
		cmocka_unit_test(everything_changes_while_it_is_read),
	};

	(void)alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests_name("guest_ring_hostile", tests, NULL, NULL);
}
