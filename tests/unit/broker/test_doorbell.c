/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of doorbells: what each is told and in which order, who rings whom, who
 * comes and goes.
 */
#include "unit/broker/doorbell_bed.h"

#include <fcntl.h>
#include <sys/stat.h>

#define VECTORS 2u

static int setup(void **state)
{
	*state = bed_new(VECTORS, 600000);
	return 0;
}

static int teardown(void **state)
{
	bed_free(*state);
	return 0;
}

/* What a member knows of itself and of one other. */
struct member {
	int socket;
	uint32_t id;
	int own[VECTORS];
	int other[VECTORS];
};

static void member_close(struct bed *bed, struct member *member)
{
	ivshmem_close_fds(member->own, VECTORS);
	ivshmem_close_fds(member->other, VECTORS);
	bed_hang_up(bed, member->socket);
}

static void test_alone(void **state)
{
	struct bed *bed = *state;
	int memory = -1, own[VECTORS];
	int socket = bed_member(bed);
	struct stat st;

	assert_int_equal(ivshmem_greet(socket, true, &memory), 2);
	ivshmem_expect_fds(socket, 2, own, VECTORS);
	bed_expect_nothing(bed, socket);
	assert_int_equal(fstat(memory, &st), 0);
	assert_int_equal(st.st_size, BED_BYTES);
	assert_int_equal(st.st_ino, bed->section->backing.ino);
	assert_int_equal(fcntl(memory, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_false(ivshmem_is_rung(own[0]));
	/* A party with a handle and a view, as any other. */
	assert_int_equal(registry_find_party(&bed->registry, 2)->kind, VMSECT_PEER_IVSHMEM);
	assert_int_equal(bed->section->handle_count, 1);
	assert_int_equal(bed->section->view_count, 1);
	assert_int_equal(TAILQ_FIRST(&bed->section->views)->length, BED_BYTES);
	assert_int_equal(TAILQ_FIRST(&bed->section->views)->protection, PROTECTION_READWRITE);
	ivshmem_close_fds(own, VECTORS);
	fd_close(memory);
	bed_hang_up(bed, socket);
	assert_null(registry_find_party(&bed->registry, 2));
	assert_int_equal(bed->section->handle_count, 0);
	assert_int_equal(bed->section->view_count, 0);
	assert_int_equal(bed->stats.joined, 1);
	assert_int_equal(bed->stats.ended[DOORBELL_END_CLOSED], 1);
}

/* The picture of the specification: ID 3 joins peer 2, two vectors. */
static void pair_up(struct bed *bed, struct member *a, struct member *b)
{
	int memory = -1;

	*a = (struct member){ .socket = bed_member(bed) };
	a->id = ivshmem_greet(a->socket, true, &memory);
	fd_close(memory);
	ivshmem_expect_fds(a->socket, a->id, a->own, VECTORS);
	*b = (struct member){ .socket = bed_member(bed) };
	b->id = ivshmem_greet(b->socket, true, &memory);
	fd_close(memory);
	ivshmem_expect_fds(b->socket, a->id, b->other, VECTORS);
	ivshmem_expect_fds(b->socket, b->id, b->own, VECTORS);
	ivshmem_expect_fds(a->socket, b->id, a->other, VECTORS);
	bed_expect_nothing(bed, a->socket);
	bed_expect_nothing(bed, b->socket);
}

/* Byte for byte, as a client of a few lines sees it. */
static void test_bytes(void **state)
{
	static const unsigned char expected[] = {
		0,    0,    0,	  0,	0,    0,    0,	  0, /* version */
		3,    0,    0,	  0,	0,    0,    0,	  0, /* own ID */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* + section */
		2,    0,    0,	  0,	0,    0,    0,	  0,
		2,    0,    0,	  0,	0,    0,    0,	  0, /* + peer's vectors */
		3,    0,    0,	  0,	0,    0,    0,	  0,
		3,    0,    0,	  0,	0,    0,    0,	  0, /* + own vectors */
	};
	struct bed *bed = *state;
	unsigned char bytes[sizeof(expected) + 1];
	int first = bed_member(bed), second = bed_member(bed);
	ssize_t size, all = 0;

	/* A stream without room for descriptors ends each read where one came. */
	while ((size = recv(second, bytes + all, sizeof(bytes) - (size_t)all, MSG_DONTWAIT)) > 0)
		all += size;
	assert_int_equal(all, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
	(void)bed_drain(bed, first);
	bed_hang_up(bed, first);
	bed_hang_up(bed, second);
}

static void test_ring_each_other(void **state)
{
	struct bed *bed = *state;
	struct member a, b;

	pair_up(bed, &a, &b);
	ivshmem_ring(a.other[1]);
	ivshmem_ring(a.other[1]);
	assert_int_equal(ivshmem_take(b.own[1]), 2);
	assert_false(ivshmem_is_rung(b.own[0]));
	ivshmem_ring(b.other[0]);
	assert_int_equal(ivshmem_take(a.own[0]), 1);
	assert_false(ivshmem_is_rung(a.own[1]));
	assert_int_equal(bed->told_count, 0);
	member_close(bed, &a);
	member_close(bed, &b);
}

static void test_leave_and_come_back(void **state)
{
	struct bed *bed = *state;
	int memory = -1, socket;
	struct member a, b;
	uint32_t id;

	pair_up(bed, &a, &b);
	bed_hang_up(bed, b.socket);
	ivshmem_expect(a.socket, b.id);
	bed_expect_nothing(bed, a.socket);
	socket = bed_member(bed);
	id = ivshmem_greet(socket, true, &memory);
	assert_int_equal(id, b.id + 1);
	fd_close(memory);
	ivshmem_close_fds(a.other, VECTORS);
	ivshmem_expect_fds(a.socket, id, a.other, VECTORS);
	ivshmem_close_fds(b.other, VECTORS);
	ivshmem_expect_fds(socket, a.id, b.other, VECTORS);
	ivshmem_close_fds(b.own, VECTORS);
	ivshmem_expect_fds(socket, id, b.own, VECTORS);
	b.socket = socket;
	/* The new one is rung by what came with its number. */
	ivshmem_ring(a.other[0]);
	assert_int_equal(ivshmem_take(b.own[0]), 1);
	member_close(bed, &a);
	member_close(bed, &b);
}

static void notify(struct bed *bed, struct party *to, uint64_t value)
{
	const struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_NOTIFIED,
		.peer = bed->owner.id,
		.section = bed->section->id,
		.value = value,
		.length = 1,
	};

	bed->registry.tell(bed->registry.tell_arg, to, &event);
}

static void test_native_rings_member(void **state)
{
	struct bed *bed = *state;
	struct party *party;
	struct member a, b;

	pair_up(bed, &a, &b);
	party = registry_find_party(&bed->registry, b.id);
	notify(bed, party, 1);
	assert_int_equal(ivshmem_take(b.own[1]), 1);
	notify(bed, party, 0);
	assert_int_equal(ivshmem_take(b.own[0]), 1);
	/* What is no vector rings the first. */
	notify(bed, party, VECTORS);
	notify(bed, party, UINT64_MAX);
	assert_int_equal(ivshmem_take(b.own[0]), 2);
	assert_false(ivshmem_is_rung(b.own[1]));
	assert_false(ivshmem_is_rung(a.own[0]) || ivshmem_is_rung(a.own[1]));
	assert_int_equal(bed->stats.to_members, 4);
	assert_int_equal(bed->told_count, 0);
	member_close(bed, &a);
	member_close(bed, &b);
}

/* Whoever opens the section is a peer of the members, until its last handle goes. */
static void test_member_rings_native(void **state)
{
	struct bed *bed = *state;
	struct handle *handle;
	int first[VECTORS], second[VECTORS];
	struct member a, b;

	pair_up(bed, &a, &b);
	handle = bed_open(bed, &bed->owner, ACCESS_READ);
	bed_turn(bed);
	ivshmem_expect_fds(a.socket, bed->owner.id, first, VECTORS);
	ivshmem_expect_fds(b.socket, bed->owner.id, second, VECTORS);
	registry_close(&bed->registry, bed_open(bed, &bed->owner, ACCESS_READ));
	bed_on_unit(bed);
	bed_expect_nothing(bed, a.socket);
	ivshmem_ring(first[1]);
	ivshmem_ring(first[1]);
	bed_turn(bed);
	ivshmem_ring(second[0]);
	bed_turn(bed);
	assert_int_equal(bed->told_count, 2);
	assert_int_equal(bed->told[0].to, bed->owner.id);
	assert_int_equal(bed->told[0].event.peer, a.id);
	assert_int_equal(bed->told[0].event.section, bed->section->id);
	assert_int_equal(bed->told[0].event.value, 1);
	assert_int_equal(bed->told[0].event.length, 2);
	assert_int_equal(bed->told[1].event.peer, b.id);
	assert_int_equal(bed->told[1].event.value, 0);
	assert_int_equal(bed->told[1].event.length, 1);
	registry_close(&bed->registry, handle);
	bed_on_unit(bed);
	bed_turn(bed);
	ivshmem_expect(a.socket, bed->owner.id);
	ivshmem_expect(b.socket, bed->owner.id);
	ivshmem_ring(first[0]); /* nobody listens */
	bed_turn(bed);
	assert_int_equal(bed->told_count, 2);
	ivshmem_close_fds(first, VECTORS);
	ivshmem_close_fds(second, VECTORS);
	member_close(bed, &a);
	member_close(bed, &b);
}

/* What it rang last is heard of, however it ends. */
static void test_last_ring(void **state)
{
	struct bed *bed = *state;
	int memory = -1, bells[VECTORS], own[VECTORS];
	int socket;

	(void)bed_open(bed, &bed->owner, ACCESS_READ);
	socket = bed_member(bed);
	(void)ivshmem_greet(socket, true, &memory);
	fd_close(memory);
	ivshmem_expect_fds(socket, bed->owner.id, bells, VECTORS);
	ivshmem_expect_fds(socket, 2, own, VECTORS);
	/* It has no notification left: its bells rest when it goes. */
	token_bucket_charge(&registry_find_party(&bed->registry, 2)->notify_bucket,
			    token_bucket_now(), 1u << 30);
	ivshmem_ring(bells[1]);
	bed_turn(bed);
	assert_int_equal(bed->told_count, 0);
	ivshmem_ring(bells[1]);
	ivshmem_close_fds(bells, VECTORS);
	ivshmem_close_fds(own, VECTORS);
	bed_hang_up(bed, socket);
	assert_int_equal(bed->told_count, 1);
	assert_int_equal(bed->told[0].event.peer, 2);
	assert_int_equal(bed->told[0].event.value, 1);
	assert_int_equal(bed->told[0].event.length, 2);
}

/* What is over the rate is merged, and comes later. */
static void test_rate(void **state)
{
	struct bed *bed = *state;
	struct member a, b;
	int bells[VECTORS];
	uint64_t all = 0;
	unsigned int i;

	bed->registry.account.limits.notify_rate = 20;
	(void)bed_open(bed, &bed->owner, ACCESS_READ);
	a.socket = bed_member(bed);
	a.id = ivshmem_greet(a.socket, true, &b.socket);
	fd_close(b.socket);
	ivshmem_expect_fds(a.socket, bed->owner.id, bells, VECTORS);
	ivshmem_expect_fds(a.socket, a.id, a.own, VECTORS);
	for (i = 0; i < 40; i++) {
		ivshmem_ring(bells[0]);
		bed_turn(bed);
	}
	assert_true(bed->stats.limited > 0);
	assert_true(bed->told_count >= 20 && bed->told_count < 40);
	while (all < 40) {
		assert_true(event_base_loop(bed->base, EVLOOP_ONCE) >= 0);
		for (i = 0, all = 0; i < bed->told_count; i++)
			all += bed->told[i].event.length;
	}
	assert_int_equal(all, 40);
	/* One that rests goes like any other. */
	while (bed->told_count < BED_TOLD_MAX - 2 && bed->stats.limited < 1000) {
		ivshmem_ring(bells[0]);
		ivshmem_ring(bells[1]);
		bed_turn(bed);
		bed->told_count = 0;
	}
	ivshmem_close_fds(bells, VECTORS);
	ivshmem_close_fds(a.own, VECTORS);
	bed_hang_up(bed, a.socket);
}

static struct handle *owner_handle(struct bed *bed, uint32_t access)
{
	return bed_open(bed, &bed->owner, access);
}

static void test_inside(void **state)
{
	struct bed *bed = *state;
	struct handle *handle = owner_handle(bed, ACCESS_READ | ACCESS_NOTIFY);
	struct member a;
	int own[VECTORS], other[VECTORS], memory = -1, socket = -1;

	a.socket = bed_member(bed);
	a.id = ivshmem_greet(a.socket, true, &memory);
	fd_close(memory);
	ivshmem_expect_fds(a.socket, bed->owner.id, a.other, VECTORS);
	ivshmem_expect_fds(a.socket, a.id, a.own, VECTORS);
	assert_int_equal(doorbell_join(bed->doorbells, handle, VECTORS, &socket, &bed->refusal), 0);
	bed_turn(bed);
	assert_true(fcntl(socket, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(ivshmem_greet(socket, false, NULL), bed->owner.id);
	ivshmem_expect_fds(socket, a.id, other, VECTORS);
	ivshmem_expect_fds(socket, bed->owner.id, own, VECTORS);
	bed_expect_nothing(bed, socket);
	/* To the other it has left as a native peer, and comes as a member. */
	ivshmem_expect(a.socket, bed->owner.id);
	ivshmem_close_fds(a.other, VECTORS);
	ivshmem_expect_fds(a.socket, bed->owner.id, a.other, VECTORS);
	bed_expect_nothing(bed, a.socket);
	ivshmem_ring(a.other[1]);
	assert_int_equal(ivshmem_take(own[1]), 1);
	ivshmem_ring(other[0]);
	assert_int_equal(ivshmem_take(a.own[0]), 1);
	/* NOTIFY rings it, and is heard of only by another handle. */
	notify(bed, &bed->owner, 1);
	assert_int_equal(ivshmem_take(own[1]), 1);
	assert_int_equal(bed->told_count, 0);
	(void)owner_handle(bed, ACCESS_READ);
	notify(bed, &bed->owner, 1);
	assert_int_equal(ivshmem_take(own[1]), 1);
	assert_int_equal(bed->told_count, 1);
	/* Its stream ends, and it is a native peer again. */
	bed_hang_up(bed, socket);
	ivshmem_expect(a.socket, bed->owner.id);
	ivshmem_close_fds(a.other, VECTORS);
	ivshmem_expect_fds(a.socket, bed->owner.id, a.other, VECTORS);
	ivshmem_close_fds(own, VECTORS);
	ivshmem_close_fds(other, VECTORS);
	member_close(bed, &a);
}

static void test_inside_ends_with_its_handle(void **state)
{
	struct bed *bed = *state;
	struct handle *handle = owner_handle(bed, ACCESS_NOTIFY);
	int socket = -1;

	assert_int_equal(doorbell_join(bed->doorbells, handle, VECTORS, &socket, &bed->refusal), 0);
	bed_turn(bed);
	assert_int_equal(bed_drain(bed, socket), 2 + VECTORS);
	registry_close(&bed->registry, handle);
	bed_on_unit(bed);
	bed_expect_end(bed, socket);
	assert_int_equal(bed->stats.ended[DOORBELL_END_REVOKED], 1);
}

static void test_inside_again(void **state)
{
	struct bed *bed = *state;
	struct handle *handle = owner_handle(bed, ACCESS_NOTIFY);
	struct handle *second = owner_handle(bed, ACCESS_NOTIFY);
	int first = -1, again = -1, other = -1;

	assert_int_equal(doorbell_join(bed->doorbells, handle, VECTORS, &first, &bed->refusal), 0);
	bed_turn(bed);
	(void)bed_drain(bed, first);
	assert_int_equal(doorbell_join(bed->doorbells, second, VECTORS, &other, &bed->refusal),
			 -EBUSY);
	assert_int_equal(doorbell_join(bed->doorbells, handle, VECTORS, &again, &bed->refusal), 0);
	bed_expect_end(bed, first);
	assert_int_equal(bed_drain(bed, again), 2 + VECTORS);
	assert_int_equal(bed->stats.ended[DOORBELL_END_REPLACED], 1);
	assert_int_equal(other, -1);
	bed_hang_up(bed, again);
}

static void test_inside_refused(void **state)
{
	struct bed *bed = *state;
	struct handle *handle = owner_handle(bed, ACCESS_ALL & ~ACCESS_NOTIFY);
	int fd = -1;

	assert_int_equal(doorbell_join(bed->doorbells, handle, VECTORS, &fd, &bed->refusal),
			 -EPERM);
	handle = owner_handle(bed, ACCESS_NOTIFY);
	assert_int_equal(doorbell_join(bed->doorbells, handle, 0, &fd, &bed->refusal), -EINVAL);
	assert_int_equal(
		doorbell_join(bed->doorbells, handle, VMSECT_VECTORS_MAX + 1, &fd, &bed->refusal),
		-EINVAL);
	assert_int_equal(doorbell_join(bed->doorbells, handle, VECTORS + 1, &fd, &bed->refusal),
			 -EBUSY);
	assert_string_equal(bed->refusal.text,
			    "the section's doorbells have 2 vectors while they are in use, not 3");
	assert_int_equal(fd, -1);
	assert_int_equal(bed->stats.refused, 4);
	/* Once nobody needs them there can be others. */
	doorbells_release(bed->doorbells, bed->section->id);
	assert_int_equal(
		doorbell_join(bed->doorbells, handle, VMSECT_VECTORS_MAX, &fd, &bed->refusal), 0);
	assert_int_equal(bed_drain(bed, fd), 2 + VMSECT_VECTORS_MAX);
	bed_hang_up(bed, fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alone),
		TEST(test_bytes),
		TEST(test_ring_each_other),
		TEST(test_leave_and_come_back),
		TEST(test_native_rings_member),
		TEST(test_member_rings_native),
		TEST(test_last_ring),
		TEST(test_rate),
		TEST(test_inside),
		TEST(test_inside_ends_with_its_handle),
		TEST(test_inside_again),
		TEST(test_inside_refused),
	};

	(void)alarm(60);
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
