/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NOTIFY: who may send to whom, what receivers hear of it, and what a flood, a
 * receiver that does not read, a death and a new broker do to it.
 */
#include "lib/check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/wire_resume.h"

#define WITHIN_MS 10000
#define RIGHTS (VMSECT_ACCESS_READ | VMSECT_ACCESS_NOTIFY)
#define FLOOD 100000u

/* Three that have section 1 open: a and b may notify, c may not. */
struct trio {
	struct wire_client a;
	struct wire_client b;
	struct wire_client c;
};

static void forget_events(struct wire_client *client)
{
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	client->event_count = 0;
}

static struct trio *trio_new(const struct broker_fixture *f)
{
	struct trio *trio = calloc(1, sizeof(*trio));

	assert_non_null(trio);
	wire_join(&trio->a, f->socket_path, "a", VMSECT_PEER_PROCESS);
	wire_join(&trio->b, f->socket_path, "b", VMSECT_PEER_VM);
	wire_join(&trio->c, f->socket_path, "c", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&trio->a, "s", RIGHTS), 0);
	assert_int_equal(wire_open(&trio->b, "s", RIGHTS), 0);
	assert_int_equal(wire_open(&trio->c, "s", VMSECT_ACCESS_QUERY), 0);
	forget_events(&trio->a);
	forget_events(&trio->b);
	forget_events(&trio->c);
	return trio;
}

static void trio_free(struct trio *trio)
{
	wire_close(&trio->a);
	wire_close(&trio->b);
	wire_close(&trio->c);
	free(trio);
}

static void expect_notified(struct wire_client *client, uint32_t from, uint64_t value,
			    uint64_t count)
{
	struct vmsect_msg_event event;

	assert_true(wire_next_event(client, &event, WITHIN_MS));
	assert_int_equal(event.type, VMSECT_WIRE_EVENT_NOTIFIED);
	assert_int_equal(event.section, 1);
	assert_int_equal(event.peer, from);
	assert_int_equal(event.value, value);
	assert_int_equal(event.length, count);
	assert_int_equal(event.offset, 0);
	assert_int_equal(event.view, 0);
}

static void expect_silence(struct wire_client *client)
{
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	assert_int_equal(client->event_count, 0);
}

static void test_refused(void **state)
{
	struct trio *trio = trio_new(*state);
	struct wire_client *a = &trio->a;

	assert_int_equal(wire_notify(a, 0, trio->b.peer, 1), -EBADF);
	assert_int_equal(a->reply.hdr.detail, VMSECT_DETAIL_HANDLE);
	assert_int_equal(wire_notify(a, 99, 0, 1), -EBADF);
	/* The right is looked at before the peer, which the handle does not entitle to know. */
	assert_int_equal(wire_notify(&trio->c, 1, 999, 1), -EPERM);
	assert_int_equal(trio->c.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(wire_notify(&trio->c, 1, 0, 1), -EPERM);
	assert_int_equal(wire_notify(a, 1, 999, 1), -ENXIO);
	/* One that is there and has not got the section. */
	assert_int_equal(wire_close_handle(&trio->c, 1), 0);
	assert_int_equal(wire_notify(a, 1, trio->c.peer, 1), -ENXIO);
	assert_non_null(strstr(wire_text(a), "has the section open"));
	forget_events(a);
	forget_events(&trio->b);
	expect_silence(a);
	expect_silence(&trio->c);
	trio_free(trio);
}

/* A view alone makes nobody a receiver: it is no peer of the section. */
static void test_a_view_is_no_handle(void **state)
{
	struct trio *trio = trio_new(*state);

	assert_int_equal(wire_map(&trio->b, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	assert_int_equal(wire_close_handle(&trio->b, 1), 0);
	forget_events(&trio->a);
	forget_events(&trio->c);
	assert_int_equal(wire_notify(&trio->a, 1, trio->b.peer, 1), -ENXIO);
	assert_int_equal(wire_notify(&trio->a, 1, 0, 2), 0);
	expect_silence(&trio->b);
	expect_notified(&trio->c, trio->a.peer, 2, 1);
	trio_free(trio);
}

static void test_one_all_and_oneself(void **state)
{
	struct trio *trio = trio_new(*state);

	assert_int_equal(wire_notify(&trio->a, 1, trio->b.peer, 0x1122334455667788), 0);
	expect_notified(&trio->b, trio->a.peer, 0x1122334455667788, 1);
	expect_silence(&trio->a);
	expect_silence(&trio->c);
	assert_int_equal(wire_notify(&trio->b, 1, 0, 5), 0);
	expect_notified(&trio->a, trio->b.peer, 5, 1);
	expect_notified(&trio->c, trio->b.peer, 5, 1);
	expect_silence(&trio->b);
	assert_int_equal(wire_notify(&trio->a, 1, trio->a.peer, 6), 0);
	expect_silence(&trio->b);
	assert_int_equal(trio->a.event_count, 1);
	expect_notified(&trio->a, trio->a.peer, 6, 1);
	/* To all others, of whom there are none. */
	wire_close(&trio->b);
	wire_close(&trio->c);
	assert_int_equal(wire_expect_event(&trio->a, VMSECT_WIRE_EVENT_PEER_LEFT).type,
			 VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_int_equal(wire_expect_event(&trio->a, VMSECT_WIRE_EVENT_PEER_LEFT).type,
			 VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_int_equal(wire_notify(&trio->a, 1, 0, 7), 0);
	expect_silence(&trio->a);
	trio_free(trio);
}

/* All that the receiver hears; the last value, and how many in all. */
static uint64_t add_up(struct wire_client *client, uint64_t wanted, uint64_t *ret_value)
{
	struct vmsect_msg_event event;
	uint64_t count = 0;

	while (count < wanted && wire_next_event(client, &event, WITHIN_MS)) {
		if (event.type != VMSECT_WIRE_EVENT_NOTIFIED)
			continue;
		assert_true(event.length > 0);
		count += event.length;
		*ret_value = event.value;
	}
	return count;
}

static void expect_counted(const struct broker_fixture *f, const char *text)
{
	char *log = broker_fixture_log(f);

	if (!strstr(log, text))
		fail_msg("'%s' is not in: %s", text, log);
	free(log);
}

/* The sender is never held up, and the receiver keeps its connection and loses none. */
static void test_a_receiver_that_does_not_read(void **state)
{
	static const char *const args[] = { "--verbose", "--limit", "client.notify=1G", NULL };
	struct broker_fixture *f = *state;
	uint64_t value = 0;
	struct trio *trio;
	uint32_t i;

	broker_fixture_stop(f);
	broker_fixture_start(f, args);
	trio = trio_new(f);
	for (i = 1; i <= FLOOD; i++)
		assert_int_equal(wire_notify(&trio->a, 1, trio->b.peer, i), 0);
	assert_int_equal(add_up(&trio->b, FLOOD, &value), FLOOD);
	assert_int_equal(value, FLOOD);
	expect_silence(&trio->b);
	/* Others have not noticed. */
	assert_int_equal(wire_notify(&trio->b, 1, trio->c.peer, 3), 0);
	expect_notified(&trio->c, trio->b.peer, 3, 1);
	trio_free(trio);
	broker_fixture_stop(f);
	expect_counted(f, "notifications: sent=100001 ");
	expect_counted(f, " too_fast=0 ");
	expect_counted(f, " lost=0");
	broker_fixture_start(f, NULL);
}

static void test_too_fast(void **state)
{
	static const char *const args[] = { "--verbose", "--limit", "client.notify=1", NULL };
	struct broker_fixture *f = *state;
	struct trio *trio;
	int sent = 1, r;

	broker_fixture_stop(f);
	broker_fixture_start(f, args);
	trio = trio_new(f);
	assert_int_equal(wire_notify(&trio->a, 1, trio->b.peer, 1), 0);
	while ((r = wire_notify(&trio->a, 1, trio->b.peer, 1)) == 0)
		assert_true(++sent < 10); /* a host so slow that a second passed */
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(trio->a.reply.hdr.detail, VMSECT_DETAIL_RATE);
	assert_non_null(strstr(wire_text(&trio->a), "client.notify"));
	/* The others have their own; one for two receivers uses up two. */
	assert_int_equal(wire_notify(&trio->b, 1, 0, 2), 0);
	assert_int_equal(wire_notify(&trio->b, 1, 0, 2), -EAGAIN);
	expect_notified(&trio->c, trio->b.peer, 2, 1);
	while ((r = wire_notify(&trio->a, 1, trio->b.peer, 3)) == -EAGAIN)
		continue;
	assert_int_equal(r, 0);
	trio_free(trio);
	broker_fixture_stop(f);
	expect_counted(f, " too_fast=");
	broker_fixture_start(f, NULL);
}

static void test_none_allowed(void **state)
{
	static const char *const args[] = { "--limit", "client.notify=0", NULL };
	struct broker_fixture *f = *state;
	struct trio *trio;

	broker_fixture_stop(f);
	broker_fixture_start(f, args);
	trio = trio_new(f);
	assert_int_equal(wire_notify(&trio->a, 1, 0, 1), -EAGAIN);
	expect_silence(&trio->b);
	trio_free(trio);
}

/* What was sent before a death arrives; what comes after it finds nobody. */
static void test_deaths(void **state)
{
	struct trio *trio = trio_new(*state);

	assert_int_equal(wire_notify(&trio->a, 1, trio->c.peer, 1), 0);
	assert_int_equal(wire_notify(&trio->a, 1, 0, 2), 0);
	wire_close(&trio->a);
	expect_notified(&trio->b, trio->a.peer, 2, 1);
	assert_int_equal(wire_expect_event(&trio->b, VMSECT_WIRE_EVENT_PEER_LEFT).peer,
			 trio->a.peer);
	assert_int_equal(wire_notify(&trio->b, 1, trio->a.peer, 3), -ENXIO);
	/* A receiver that dies with all of it unread. */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(wire_notify(&trio->b, 1, trio->c.peer, 4), 0);
	wire_close(&trio->c);
	assert_int_equal(wire_expect_event(&trio->b, VMSECT_WIRE_EVENT_PEER_LEFT).peer,
			 trio->c.peer);
	assert_int_equal(wire_notify(&trio->b, 1, trio->c.peer, 5), -ENXIO);
	trio_free(trio);
}

/* A handle that has ended neither sends nor receives. */
static void test_a_handle_that_ends(void **state)
{
	struct trio *trio = trio_new(*state);
	uint32_t handle;

	assert_int_equal(
		wire_create_shmem(&trio->a, "t", VMSECT_ACCESS_QUERY | VMSECT_ACCESS_NOTIFY), 0);
	assert_int_equal(wire_pass(&trio->a, 2, trio->b.peer, VMSECT_ACCESS_NOTIFY, 1000), 0);
	assert_int_equal(wire_accept(&trio->b, trio->a.reply.pass.offer), 0);
	handle = trio->b.reply.handle.handle;
	assert_int_equal(wire_notify(&trio->b, handle, trio->a.peer, 1), 0);
	assert_int_equal(wire_notify(&trio->a, 2, trio->b.peer, 1), 0);
	assert_int_equal(wire_expect_event(&trio->b, VMSECT_WIRE_EVENT_REVOKE_HANDLE).value,
			 handle);
	assert_int_equal(wire_notify(&trio->b, handle, trio->a.peer, 1), -EBADF);
	assert_int_equal(trio->b.reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	assert_int_equal(wire_notify(&trio->a, 2, trio->b.peer, 1), -ENXIO);
	trio_free(trio);
}

/* Who is not back yet hears, when it is, what it was notified of; each sender's as one. */
static void test_a_new_broker(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_identity who_a, who_b;
	struct wire_client a, b;
	int memory;

	wire_join_noted(&a, f->socket_path, "a", &who_a);
	assert_int_equal(wire_create_shmem(&a, "s", RIGHTS), 0);
	memory = steal_fd(&a.reply_fd);
	wire_join_noted(&b, f->socket_path, "b", &who_b);
	assert_int_equal(wire_open(&b, "s", RIGHTS), 0);
	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(&a, f->socket_path, &who_a), 0);
	/* It needs no memory: none was handed back yet. */
	assert_int_equal(wire_notify(&a, 1, b.peer, 1), 0);
	assert_int_equal(wire_notify(&a, 1, 0, 2), 0);
	/* Done twice, as one would that was cut off: one more is counted. */
	assert_int_equal(WIRE_AGAIN(&a, wire_notify(&a, 1, 0, 2)), 0);
	assert_int_equal(wire_resume(&b, f->socket_path, &who_b), 0);
	expect_notified(&b, a.peer, 2, 3);
	assert_int_equal(wire_notify(&b, 1, a.peer, 9), 0);
	expect_notified(&a, b.peer, 9, 1);
	expect_silence(&b);
	fd_close(memory);
	wire_close(&a);
	wire_close(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),
		TEST(test_a_view_is_no_handle),
		TEST(test_one_all_and_oneself),
		TEST(test_a_receiver_that_does_not_read),
		TEST(test_too_fast),
		TEST(test_none_allowed),
		TEST(test_deaths),
		TEST(test_a_handle_that_ends),
		TEST(test_a_new_broker),
	};

	(void)alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
