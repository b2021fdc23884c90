/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DOORBELL at a real broker, byte by byte: its answer, who is dropped, what that
 * costs others, rights that go, and that nothing stays.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/ivshmem_client.h"
#include "lib/wire_client.h"

#define RIGHTS (VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_NOTIFY)
#define VECTORS VMSECT_VECTORS_MAX
#define CROWD 30u

static int ask(struct wire_client *client, uint32_t handle, uint32_t vectors)
{
	struct vmsect_req_doorbell doorbell = { .handle = handle, .vectors = vectors };

	return wire_call(client, VMSECT_OP_DOORBELL, &doorbell, sizeof(doorbell));
}

/* The stream of handle 1. */
static int join(struct wire_client *client)
{
	assert_int_equal(ask(client, 1, VECTORS), 0);
	assert_int_equal(client->reply_size, sizeof(struct vmsect_msg_hdr));
	assert_true(client->reply_fd >= 0);
	return steal_fd(&client->reply_fd);
}

/* Two clients that have section 1 open. */
struct pair {
	struct wire_client a;
	struct wire_client b;
};

static struct pair *pair_new(const struct broker_fixture *f)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	assert_non_null(pair);
	wire_join(&pair->a, f->socket_path, "a", VMSECT_PEER_VM);
	wire_join(&pair->b, f->socket_path, "b", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&pair->a, "s", RIGHTS | VMSECT_ACCESS_GRANT), 0);
	assert_int_equal(wire_open(&pair->b, "s", RIGHTS), 0);
	return pair;
}

static void pair_free(struct pair *pair)
{
	wire_close(&pair->a);
	wire_close(&pair->b);
	free(pair);
}

/* Reads, and closes what comes, until there is word of that peer. */
static void read_until(int stream, uint32_t peer)
{
	struct ivshmem_message message = { .fd = -1 };

	while (message.value != peer) {
		assert_int_equal(ivshmem_wait(stream, &message), IVSHMEM_MESSAGE);
		fd_close(message.fd);
	}
}

static void read_to_the_end(int stream)
{
	struct ivshmem_message message = { .fd = -1 };
	enum ivshmem_outcome outcome;

	while ((outcome = ivshmem_wait(stream, &message)) == IVSHMEM_MESSAGE)
		fd_close(message.fd);
	assert_int_equal(outcome, IVSHMEM_END);
}

static void test_refused(void **state)
{
	struct pair *pair = pair_new(*state);

	assert_int_equal(ask(&pair->a, 9, 1), -EBADF);
	assert_int_equal(ask(&pair->a, 1, 0), -EINVAL);
	assert_int_equal(ask(&pair->a, 1, VECTORS + 1), -EINVAL);
	assert_int_equal(ask(&pair->a, 1, UINT32_MAX), -EINVAL);
	assert_int_equal(wire_open(&pair->b, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(ask(&pair->b, 2, 1), -EPERM);
	assert_int_equal(ask(&pair->a, 1, 2), 0);
	assert_int_equal(ask(&pair->b, 1, 3), -EBUSY);
	assert_string_equal(wire_text(&pair->b),
			    "the section's doorbells have 2 vectors while they are in use, not 3");
	assert_int_equal(pair->b.reply_fd, -1);
	pair_free(pair);
}

/* A vector for each of the other's bits, in both directions and to itself. */
static void test_every_vector(void **state)
{
	struct pair *pair = pair_new(*state);
	int a = join(&pair->a), b, own[VECTORS], other[VECTORS];
	unsigned int i;

	b = join(&pair->b);
	assert_int_equal(ivshmem_greet(b, false, NULL), pair->b.peer);
	ivshmem_expect_fds(b, pair->a.peer, other, VECTORS);
	ivshmem_expect_fds(b, pair->b.peer, own, VECTORS);
	for (i = 0; i < VECTORS; i++) {
		assert_int_equal(wire_notify(&pair->a, 1, pair->b.peer, i), 0);
		assert_int_equal(ivshmem_take(own[i]), 1);
	}
	assert_int_equal(pair->b.event_count, 0);
	ivshmem_close_fds(own, VECTORS);
	ivshmem_close_fds(other, VECTORS);
	fd_close(a);
	fd_close(b);
	pair_free(pair);
}

/* All others have gone. */
static void wait_for_two(struct wire_client *client)
{
	do
		assert_int_equal(wire_list(client, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	while (client->reply.list.count > 2);
}

/* Streams that nobody reads, of clients with 64 vectors each: they are owed 60,000 messages. */
static void test_deaf_crowd(void **state)
{
	const struct broker_fixture *f = *state;
	struct wire_client *crowd = calloc(CROWD, sizeof(*crowd));
	struct pair *pair = pair_new(f);
	int streams[CROWD], good;
	unsigned int i;
	size_t before;

	assert_non_null(crowd);
	good = join(&pair->a);
	read_until(good, pair->a.peer);
	before = broker_fixture_fds(f);
	for (i = 0; i < CROWD; i++) {
		wire_join(&crowd[i], f->socket_path, "deaf", VMSECT_PEER_VM);
		assert_int_equal(wire_open(&crowd[i], "s", RIGHTS), 0);
		streams[i] = join(&crowd[i]);
		read_until(good, crowd[i].peer); /* who reads is served */
	}
	assert_int_equal(wire_notify(&pair->b, 1, pair->a.peer, 0), 0);
	for (i = 0; i < CROWD; i++) {
		fd_close(streams[i]);
		wire_close(&crowd[i]);
	}
	free(crowd);
	wait_for_two(&pair->b);
	assert_int_equal(broker_fixture_fds(f), before);
	fd_close(good);
	pair_free(pair);
}

static void test_revoked(void **state)
{
	const struct wire_grant nothing = {
		.grantee = VMSECT_GRANTEE_VM,
		.id = geteuid(),
		.name = "victim",
		.flags = VMSECT_GRANT_REVOKE,
	};
	const struct broker_fixture *f = *state;
	struct wire_client *victim = calloc(1, sizeof(*victim));
	struct pair *pair = pair_new(f);
	int stream;

	assert_non_null(victim);
	wire_join(victim, f->socket_path, "victim", VMSECT_PEER_VM);
	assert_int_equal(wire_open(victim, "s", RIGHTS), 0);
	stream = join(victim);
	assert_int_equal(wire_grant(&pair->a, 1, &nothing), 0);
	read_to_the_end(stream);
	assert_int_equal(ask(victim, 1, VECTORS), -EBADF);
	fd_close(stream);
	wire_close(victim);
	free(victim);
	pair_free(pair);
}

/* It has made its own eventfd blocking and full, and is notified: the broker goes on. */
static void test_blocking_eventfd(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	struct pair *pair = pair_new(*state);
	int stream, own[VECTORS], native[VECTORS];

	stream = join(&pair->b);
	assert_int_equal(ivshmem_greet(stream, false, NULL), pair->b.peer);
	ivshmem_expect_fds(stream, pair->a.peer, native, VECTORS);
	ivshmem_expect_fds(stream, pair->b.peer, own, VECTORS);
	assert_int_equal(fcntl(own[0], F_SETFL, 0), 0);
	assert_int_equal(write(own[0], &full, sizeof(full)), sizeof(full));
	assert_int_equal(wire_notify(&pair->a, 1, pair->b.peer, 0), 0);
	assert_int_equal(wire_notify(&pair->a, 1, 0, 0), 0);
	assert_int_equal(wire_list(&pair->a, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	ivshmem_close_fds(own, VECTORS);
	ivshmem_close_fds(native, VECTORS);
	fd_close(stream);
	pair_free(pair);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_refused), TEST(test_every_vector),	 TEST(test_deaf_crowd),
		TEST(test_revoked), TEST(test_blocking_eventfd),
	};

	(void)alarm(100);
	return cmocka_run_group_tests_name("broker_doorbell", tests, NULL, NULL);
}
