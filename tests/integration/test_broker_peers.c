/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers that come, go and die: events, and what they held is free at once. */
#include "lib/check.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define WITHIN_MS 1000

static void join(struct broker_fixture *f, struct wire_client *client, const char *name)
{
	wire_join(client, f->socket_path, name, VMSECT_PEER_PROCESS);
}

static void expect_event(struct wire_client *client, uint32_t type, uint32_t peer, uint64_t section)
{
	struct vmsect_msg_event event;

	assert_true(wire_next_event(client, &event, WITHIN_MS));
	assert_int_equal(event.type, type);
	assert_int_equal(event.peer, peer);
	assert_int_equal(event.section, section);
	assert_int_equal(event.hdr.cookie, 0);
	assert_int_equal(event.hdr.flags, 0);
}

/* A request is answered and no event came before the answer. */
static void expect_no_event(struct wire_client *client)
{
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	assert_int_equal(client->event_count, 0);
}

static void test_joined_and_left_once(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client a, b;

	join(f, &a, "a");
	join(f, &b, "b");
	assert_int_equal(wire_create_shmem(&a, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_open(&b, "s", VMSECT_ACCESS_READ), 0);
	expect_event(&a, VMSECT_WIRE_EVENT_PEER_JOINED, b.peer, 1);
	assert_int_equal(wire_open(&b, "s", VMSECT_ACCESS_READ), 0);
	expect_no_event(&a);
	assert_int_equal(wire_close_handle(&b, 1), 0);
	expect_no_event(&a);
	assert_int_equal(wire_close_handle(&b, 2), 0);
	expect_event(&a, VMSECT_WIRE_EVENT_PEER_LEFT, b.peer, 1);
	expect_no_event(&b); /* no word of itself */
	/* One without a handle is not told. */
	assert_int_equal(wire_close_handle(&a, 1), 0);
	assert_int_equal(wire_create_shmem(&b, "s", VMSECT_ACCESS_READ), 0);
	expect_no_event(&a);
	wire_close(&a);
	wire_close(&b);
}

/* A child that holds handles and views, and then dies as it is told. */
static _Noreturn void live_and_die(const struct broker_fixture *f, int ready)
{
	struct wire_client client;

	(void)signal(SIGSEGV, SIG_DFL); /* cmocka's handler would survive it */
	wire_join(&client, f->socket_path, "victim", VMSECT_PEER_VM);
	if (wire_open(&client, "s", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE) ||
	    wire_map(&client, 1, VMSECT_PROT_READWRITE, 0, 0) ||
	    wire_map(&client, 1, VMSECT_PROT_WRITECOPY, 4096, 0) ||
	    wire_create_shmem(&client, "own", VMSECT_ACCESS_READ))
		_exit(1);
	if (write(ready, "x", 1) != 1)
		_exit(1);
	for (;;)
		(void)pause();
}

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void expect_death_frees(struct broker_fixture *f, struct wire_client *a, int number)
{
	struct vmsect_msg_event event;
	int ends[2], status;
	uint32_t victim;
	char byte;
	pid_t pid;
	long died_ms;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		live_and_die(f, ends[1]);
	fd_close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	fd_close(ends[0]);
	assert_true(wire_next_event(a, &event, WITHIN_MS));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_PEER_JOINED);
	victim = event.peer;
	assert_int_equal(wire_list(a, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(a->reply.list.count, 2);

	died_ms = now_ms();
	assert_int_equal(kill(pid, number), 0);
	expect_event(a, VMSECT_WIRE_EVENT_PEER_LEFT, victim, 1);
	assert_int_equal(wire_list(a, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(a->reply.list.count, 0);
	assert_int_equal(wire_list(a, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	assert_int_equal(a->reply.list.count, 1);
	assert_int_equal(wire_query(a, 1), 0);
	assert_int_equal(a->reply.section.section.handles, 1);
	assert_int_equal(wire_open(a, "own", VMSECT_ACCESS_READ), -ENOENT);
	assert_true(now_ms() - died_ms < WITHIN_MS);
	status = fixture_wait(pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), number);
}

static void test_death_by_any_signal(void **state)
{
	static const int numbers[] = { SIGKILL, SIGTERM, SIGSEGV };
	struct broker_fixture *f = *state;
	struct wire_client a;
	size_t i, before;

	join(f, &a, "a");
	assert_int_equal(
		wire_create_shmem(&a, "s",
				  VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE),
		0);
	expect_no_event(&a); /* by now the broker has closed what it sent */
	before = broker_fixture_fds(f);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		expect_death_frees(f, &a, numbers[i]);
	assert_int_equal(broker_fixture_fds(f), before);
	wire_close(&a);
}

/* Events that come while a client waits for a reply do not get lost. */
static void test_events_between_replies(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client a, b;
	int i;

	join(f, &a, "a");
	join(f, &b, "b");
	assert_int_equal(wire_create_shmem(&a, "s", VMSECT_ACCESS_READ), 0);
	for (i = 1; i <= 10; i++) {
		assert_int_equal(wire_open(&b, "s", VMSECT_ACCESS_READ), 0);
		assert_int_equal(wire_close_handle(&b, (uint32_t)i), 0);
	}
	assert_int_equal(wire_list(&a, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	for (i = 0; i < 10; i++) {
		expect_event(&a, VMSECT_WIRE_EVENT_PEER_JOINED, b.peer, 1);
		expect_event(&a, VMSECT_WIRE_EVENT_PEER_LEFT, b.peer, 1);
	}
	expect_no_event(&a);
	wire_close(&a);
	wire_close(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_joined_and_left_once),
		TEST(test_death_by_any_signal),
		TEST(test_events_between_replies),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
