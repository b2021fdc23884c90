/* SPDX-License-Identifier: GPL-2.0-or-later */
/* queue.[ch]: rings of every kind of driver, honest, broken and hostile. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/leak.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"
#include "unit/vmm/driver_ring.h"
#include "virtio/queue.h"
#include "virtio/virtio.h"

#define TIME_LIMIT_S 60
#define RAM_BYTES UINT64_C(0x400000)
#define RING_GPA 0x10000
#define TABLE_GPA 0x20000
#define DATA_GPA 0x100000
#define SIZE 16

#define INDIRECT (UINT64_C(1) << VIRTIO_FEATURE_INDIRECT_DESC)
#define EVENT_IDX (UINT64_C(1) << VIRTIO_FEATURE_EVENT_IDX)

struct bed {
	struct guest_mem mem;
	struct driver_ring ring;
	struct queue queue;
	struct queue_chain chain;
	struct leak_guard *guard;
};

static void start(struct bed *bed, uint64_t features)
{
	ring_init(&bed->ring, &bed->mem, RING_GPA, SIZE);
	assert_int_equal(queue_init(&bed->queue, &bed->mem, &bed->ring.setup, features), 0);
}

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->guard = leak_guard_new();
	assert_int_equal(guest_mem_init(&bed->mem, NULL, RAM_BYTES), 0);
	start(bed, INDIRECT);
	*state = bed;
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	queue_deinit(&bed->queue);
	assert_null(bed->queue.mem);
	guest_mem_deinit(&bed->mem);
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

static void test_refused_setups(void **state)
{
	struct bed *bed = *state;
	const struct {
		const char *name;
		struct queue_setup setup;
	} cases[] = {
		{ "size 0", { 0x1000, 0x2000, 0x3000, 0 } },
		{ "not a power of two", { 0x1000, 0x2000, 0x3000, 12 } },
		{ "too long", { 0x1000, 0x4000, 0x6000, 512 } },
		{ "descriptors unaligned", { 0x1008, 0x2000, 0x3000, 16 } },
		{ "available unaligned", { 0x1000, 0x2001, 0x3000, 16 } },
		{ "used unaligned", { 0x1000, 0x2000, 0x3002, 16 } },
		{ "descriptors past RAM", { RAM_BYTES - 16 * 15, 0x2000, 0x3000, 16 } },
		{ "available past RAM", { 0x1000, RAM_BYTES - 36, 0x3000, 16 } },
		{ "used past RAM", { 0x1000, 0x2000, RAM_BYTES - 132, 16 } },
		{ "wraps", { UINT64_MAX - 15, 0x2000, 0x3000, 16 } },
		{ "in the window", { LAYOUT_PCI64_START, 0x2000, 0x3000, 16 } },
		{ "in the hole", { 0x1000, LAYOUT_PCI32_START, 0x3000, 16 } },
	};
	struct queue queue;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&queue, 0xA5, sizeof(queue));
		if (queue_init(&queue, &bed->mem, &cases[i].setup, 0) != -EINVAL)
			fail_msg("%s", cases[i].name);
		assert_false(queue_setup_is_good(&bed->mem, &cases[i].setup));
	}
}

static void test_setup_to_the_last_byte(void **state)
{
	struct bed *bed = *state;
	const struct queue_setup good = { RAM_BYTES - 16 * 16, RAM_BYTES - 16 * 16 - 38,
					  RAM_BYTES - 16 * 16 - 40 - 136, 16 };

	assert_true(queue_setup_is_good(&bed->mem, &good));
}

static void test_empty(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(queue_pop(&bed->queue, &bed->chain), 0);
	assert_false(queue_enable_kick(&bed->queue));
	assert_false(queue_wants_interrupt(&bed->queue));
}

/* Chains that break a rule, each alone in a fresh ring. */
struct bad_chain {
	const char *name;
	uint16_t head;
	struct driver_desc ring[4];
	struct driver_desc table[4];
};

#define TABLE(entries)                                                                             \
	{                                                                                          \
		TABLE_GPA, (entries)*16, RING_INDIRECT, 0                                          \
	}

static const struct bad_chain bad_chains[] = {
	{ "head past the ring", SIZE, { { DATA_GPA, 8, 0, 0 } }, { { 0 } } },
	{ "head far past", 0xFFFF, { { DATA_GPA, 8, 0, 0 } }, { { 0 } } },
	{ "next past the ring", 0, { { DATA_GPA, 8, RING_NEXT, SIZE } }, { { 0 } } },
	{ "loop to itself", 0, { { DATA_GPA, 8, RING_NEXT, 0 } }, { { 0 } } },
	{ "loop of two",
	  0,
	  { { DATA_GPA, 8, RING_NEXT, 1 }, { DATA_GPA, 8, RING_NEXT, 0 } },
	  { { 0 } } },
	{ "writable before readable",
	  0,
	  { { DATA_GPA, 8, RING_WRITE | RING_NEXT, 1 }, { DATA_GPA, 8, 0, 0 } },
	  { { 0 } } },
	{ "no bytes", 0, { { DATA_GPA, 0, 0, 0 } }, { { 0 } } },
	{ "past RAM", 0, { { RAM_BYTES, 1, 0, 0 } }, { { 0 } } },
	{ "across the end of RAM", 0, { { RAM_BYTES - 4, 8, 0, 0 } }, { { 0 } } },
	{ "wraps", 0, { { UINT64_MAX - 3, 8, 0, 0 } }, { { 0 } } },
	{ "wraps in 32 bits", 0, { { DATA_GPA, UINT32_MAX, 0, 0 } }, { { 0 } } },
	{ "in the window", 0, { { LAYOUT_PCI64_START, 8, RING_WRITE, 0 } }, { { 0 } } },
	{ "table of no bytes", 0, { { TABLE_GPA, 0, RING_INDIRECT, 0 } }, { { 0 } } },
	{ "table of odd bytes", 0, { { TABLE_GPA, 24, RING_INDIRECT, 0 } }, { { 0 } } },
	{ "table too long", 0, { TABLE(SIZE + 1) }, { { 0 } } },
	{ "table past RAM", 0, { { RAM_BYTES - 16, 32, RING_INDIRECT, 0 } }, { { 0 } } },
	{ "table unaligned", 0, { { TABLE_GPA + 4, 16, RING_INDIRECT, 0 } }, { { 0 } } },
	{ "table with next",
	  0,
	  { { TABLE_GPA, 16, RING_INDIRECT | RING_NEXT, 1 }, { DATA_GPA, 8, 0, 0 } },
	  { { DATA_GPA, 8, 0, 0 } } },
	{ "table in a table", 0, { TABLE(2) }, { { TABLE_GPA, 16, RING_INDIRECT, 0 } } },
	{ "next past the table", 0, { TABLE(1) }, { { DATA_GPA, 8, RING_NEXT, 1 } } },
	{ "loop in the table",
	  0,
	  { TABLE(2) },
	  { { DATA_GPA, 8, RING_NEXT, 1 }, { DATA_GPA, 8, RING_NEXT, 0 } } },
};

static void write_chain(struct bed *bed, const struct bad_chain *bad)
{
	for (uint16_t i = 0; i < 4; i++)
		ring_desc(&bed->ring, i, bad->ring[i]);
	assert_true(guest_mem_write(&bed->mem, TABLE_GPA, bad->table, sizeof(bad->table)));
	ring_publish(&bed->ring, bad->head);
}

static void test_refused_chains(void **state)
{
	struct bed *bed = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad_chains); i++) {
		uint8_t zero[0x3000] = { 0 };

		assert_true(guest_mem_write(&bed->mem, RING_GPA, zero, sizeof(zero)));
		start(bed, INDIRECT);
		write_chain(bed, &bad_chains[i]);
		if (queue_pop(&bed->queue, &bed->chain) != -EPROTO)
			fail_msg("%s", bad_chains[i].name);
	}
}

static void test_indirect_not_negotiated(void **state)
{
	struct bed *bed = *state;
	const struct bad_chain chain = { "", 0, { TABLE(1) }, { { DATA_GPA, 8, 0, 0 } } };

	write_chain(bed, &chain);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), 1);
	start(bed, 0);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), -EPROTO);
}

static void test_index_jumps(void **state)
{
	struct bed *bed = *state;

	ring_desc(&bed->ring, 0, (struct driver_desc){ DATA_GPA, 8, 0, 0 });
	ring_poke16(&bed->ring, bed->ring.setup.driver_gpa + 2, SIZE + 1);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), -EPROTO);
	ring_poke16(&bed->ring, bed->ring.setup.driver_gpa + 2, 0xFFFF);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), -EPROTO);
	ring_poke16(&bed->ring, bed->ring.setup.driver_gpa + 2, SIZE);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), 1);
	/* Behind what was taken already. */
	ring_poke16(&bed->ring, bed->ring.setup.driver_gpa + 2, 0);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), -EPROTO);
}

static void test_too_many_bytes(void **state)
{
	struct guest_mem mem;
	struct driver_ring ring;
	struct queue queue;
	struct queue_chain *chain = calloc(1, sizeof(*chain));

	(void)state;
	assert_non_null(chain);
	assert_int_equal(guest_mem_init(&mem, NULL, UINT64_C(64) << 20), 0);
	ring_init(&ring, &mem, RING_GPA, SIZE);
	assert_int_equal(queue_init(&queue, &mem, &ring.setup, 0), 0);
	ring_desc(&ring, 0, (struct driver_desc){ 0, QUEUE_CHAIN_BYTES_MAX, RING_NEXT, 1 });
	ring_desc(&ring, 1, (struct driver_desc){ 0, QUEUE_CHAIN_BYTES_MAX, RING_WRITE, 0 });
	ring_publish(&ring, 0);
	assert_int_equal(queue_pop(&queue, chain), 1);
	ring_desc(&ring, 1, (struct driver_desc){ 0, 1, 0, 0 });
	ring_publish(&ring, 0);
	assert_int_equal(queue_pop(&queue, chain), -EPROTO);
	guest_mem_deinit(&mem);
	free(chain);
}

static void test_longest_chain(void **state)
{
	struct bed *bed = *state;

	for (uint16_t i = 0; i < SIZE; i++)
		ring_desc(&bed->ring, i,
			  (struct driver_desc){ DATA_GPA + 16u * i, 16,
						i < SIZE - 1 ? RING_NEXT : RING_WRITE,
						(uint16_t)(i + 1) });
	ring_publish(&bed->ring, 0);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), 1);
	assert_int_equal(bed->chain.readable, SIZE - 1);
	assert_int_equal(bed->chain.writable, 1);
	assert_int_equal(bed->chain.readable_bytes, 16 * (SIZE - 1));
}

static void test_copies(void **state)
{
	struct bed *bed = *state;
	const struct bad_chain chain = { "",
					 3,
					 { { 0 }, { 0 }, { 0 }, TABLE(4) },
					 { { DATA_GPA, 3, RING_NEXT, 2 },
					   { DATA_GPA + 0x200, 4, RING_WRITE, 0 },
					   { DATA_GPA + 0x100, 5, RING_NEXT, 3 },
					   { DATA_GPA + 0x300, 2, RING_WRITE | RING_NEXT, 1 } } };
	char copy[9], back[4];

	assert_true(guest_mem_write(&bed->mem, DATA_GPA, "abc", 3));
	assert_true(guest_mem_write(&bed->mem, DATA_GPA + 0x100, "defgh", 5));
	write_chain(bed, &chain);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), 1);
	assert_int_equal(bed->chain.head, 3);
	assert_false(queue_chain_read(&bed->queue, &bed->chain, copy, 9));
	assert_true(queue_chain_read(&bed->queue, &bed->chain, copy, 8));
	assert_memory_equal(copy, "abcdefgh", 8);
	memset(copy, 0, sizeof(copy));
	assert_true(queue_chain_read(&bed->queue, &bed->chain, copy, 4));
	assert_memory_equal(copy, "abcd\0", 5);
	assert_true(queue_chain_read(&bed->queue, &bed->chain, copy, 0));

	assert_false(queue_chain_write(&bed->queue, &bed->chain, "123456", 7));
	assert_true(queue_chain_write(&bed->queue, &bed->chain, "123456", 6));
	assert_true(guest_mem_read(&bed->mem, DATA_GPA + 0x300, back, 2));
	assert_memory_equal(back, "12", 2);
	assert_true(guest_mem_read(&bed->mem, DATA_GPA + 0x200, back, 4));
	assert_memory_equal(back, "3456", 4);
}

/* More turns than the 16-bit indices have numbers. */
static void test_indices_wrap(void **state)
{
	struct bed *bed = *state;
	uint32_t head = 0, bytes = 0;

	for (uint32_t turn = 0; turn < 70000; turn++) {
		uint16_t slot = turn % SIZE;

		ring_desc(&bed->ring, slot, (struct driver_desc){ DATA_GPA, 8, RING_WRITE, 0 });
		ring_publish(&bed->ring, slot);
		assert_int_equal(queue_pop(&bed->queue, &bed->chain), 1);
		assert_int_equal(queue_pop(&bed->queue, &bed->chain), 0);
		bed->chain.head = slot;
		queue_push(&bed->queue, &bed->chain, turn & 7);
		assert_true(queue_wants_interrupt(&bed->queue));
		assert_true(ring_take(&bed->ring, &head, &bytes));
		assert_int_equal(head, slot);
		assert_int_equal(bytes, turn & 7);
		assert_false(ring_take(&bed->ring, &head, &bytes));
	}
}

static void push_one(struct bed *bed)
{
	ring_desc(&bed->ring, 0, (struct driver_desc){ DATA_GPA, 8, RING_WRITE, 0 });
	ring_publish(&bed->ring, 0);
	assert_int_equal(queue_pop(&bed->queue, &bed->chain), 1);
	queue_push(&bed->queue, &bed->chain, 0);
}

static void test_interrupt_flag(void **state)
{
	struct bed *bed = *state;

	ring_poke16(&bed->ring, bed->ring.setup.driver_gpa, 1);
	push_one(bed);
	assert_false(queue_wants_interrupt(&bed->queue));
	ring_poke16(&bed->ring, bed->ring.setup.driver_gpa, 0);
	assert_false(queue_wants_interrupt(&bed->queue)); /* nothing new */
	push_one(bed);
	assert_true(queue_wants_interrupt(&bed->queue));
}

static void test_event_index(void **state)
{
	struct bed *bed = *state;
	uint64_t used_event = bed->ring.setup.driver_gpa + 4 + 2 * SIZE;
	uint64_t avail_event = bed->ring.setup.device_gpa + 4 + 8 * SIZE;

	start(bed, EVENT_IDX);
	ring_poke16(&bed->ring, used_event, 2); /* when the third is used */
	push_one(bed);
	assert_false(queue_wants_interrupt(&bed->queue));
	push_one(bed);
	assert_false(queue_wants_interrupt(&bed->queue));
	push_one(bed);
	assert_true(queue_wants_interrupt(&bed->queue));
	push_one(bed);
	assert_false(queue_wants_interrupt(&bed->queue));

	assert_false(queue_enable_kick(&bed->queue));
	assert_int_equal(ring_peek16(&bed->ring, avail_event), 4);
	ring_publish(&bed->ring, 0);
	assert_true(queue_enable_kick(&bed->queue));
}

/* Random descriptors: never a segment that is not RAM, never more than the queue has. */
static void test_random_rings(void **state)
{
	struct bed *bed = *state;
	unsigned int seed = (unsigned int)getpid();
	uint32_t good = 0, broken = 0;

	print_message("seed %u\n", seed);
	for (int turn = 0; turn < 50000; turn++) {
		for (uint16_t i = 0; i < SIZE; i++) {
			struct driver_desc desc = {
				.gpa = (uint64_t)rand_r(&seed) % (RAM_BYTES + 0x8000),
				.bytes = (uint32_t)rand_r(&seed) % 0x2000,
				.flags = (uint16_t)(rand_r(&seed) % 16 ? rand_r(&seed) % 2
								       : rand_r(&seed) % 8),
				.next = (uint16_t)(rand_r(&seed) % (SIZE + 1)),
			};

			ring_desc(&bed->ring, i, desc);
		}
		start(bed, INDIRECT);
		bed->ring.avail = 0;
		ring_publish(&bed->ring, (uint16_t)(rand_r(&seed) % (SIZE + 1)));
		if (queue_pop(&bed->queue, &bed->chain) != 1) {
			broken++;
			continue;
		}
		good++;
		assert_in_range(bed->chain.readable + bed->chain.writable, 1, SIZE);
		for (int i = 0; i < bed->chain.readable + bed->chain.writable; i++)
			assert_true(guest_mem_has(&bed->mem, bed->chain.segments[i].gpa,
						  bed->chain.segments[i].bytes));
	}
	assert_true(good > 1000 && broken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_setups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_setup_to_the_last_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indirect_not_negotiated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_index_jumps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indices_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupt_flag, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_rings, setup, teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
