/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notifications through libvmsect: refused, to one, to all, with tickets, merged
 * while nobody fetches them, across deaths and a new broker; and brokers that
 * say strange things of them.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/client.h"

#define RIGHTS (VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_NOTIFY)
#define FLOOD 100000u

static struct vmsect_section *open_with(struct vmsect_client *client, uint32_t access)
{
	struct vmsect_section *section;

	assert_int_equal(vmsect_section_open(client, "x", access, &section), 0);
	return section;
}

static void expect_notified(struct vmsect_client *client, const struct vmsect_client *from,
			    uint64_t value, uint64_t count)
{
	struct vmsect_event event = box_wait_event_of(client, VMSECT_EVENT_NOTIFIED);

	assert_int_equal(event.peer_id, vmsect_client_peer_id(from));
	assert_int_equal(event.value, value);
	assert_int_equal(event.length, count);
}

static void refused(void **state)
{
	struct vmsect_client *a = box_connect(*state, "a");
	struct vmsect_client *b = box_connect(*state, "b");
	struct vmsect_section *mine = box_section(a, "x", 4096);
	struct vmsect_section *theirs = open_with(b, VMSECT_ACCESS_READ);
	uint64_t ticket = 77;

	assert_int_equal(vmsect_section_notify(theirs, 0, 1, NULL), -EPERM);
	assert_int_equal(vmsect_client_detail(b), VMSECT_DETAIL_ACCESS);
	assert_int_equal(vmsect_section_notify(mine, 999, 1, NULL), -ENXIO);
	assert_int_equal(vmsect_section_notify(mine, 999, 1, &ticket), 0);
	assert_int_not_equal(ticket, 77);
	assert_int_equal(box_wait_event_of(a, VMSECT_EVENT_DONE).status, -ENXIO);
	vmsect_section_close(theirs);
	assert_int_equal(vmsect_section_notify(mine, vmsect_client_peer_id(b), 1, NULL), -ENXIO);
	vmsect_section_close(mine);
	vmsect_client_free(b);
	vmsect_client_free(a);
}

static void too_fast(void **state)
{
	static const char *const args[] = { "--limit", "client.notify=1", NULL };
	struct box *box = *state;
	struct vmsect_section *section;
	struct vmsect_client *client;
	uint64_t ticket;
	int sent = 0, r;

	broker_fixture_stop(&box->broker);
	broker_fixture_start(&box->broker, args);
	client = box_connect(box, "a");
	section = box_section(client, "x", 4096);
	while ((r = vmsect_section_notify(section, 0, 1, NULL)) == 0)
		assert_true(++sent < 10);
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RATE);
	/* Not taken for a broker that is not ready, and asked again. */
	assert_int_equal(vmsect_section_notify(section, 0, 1, &ticket), 0);
	assert_int_equal(box_wait_event_of(client, VMSECT_EVENT_DONE).status, -EAGAIN);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void one_and_all(void **state)
{
	struct vmsect_client *a = box_connect(*state, "a");
	struct vmsect_client *b = box_connect(*state, "b");
	struct vmsect_client *c = box_connect(*state, "c");
	struct vmsect_section *of_a = box_section(a, "x", 4096);
	struct vmsect_section *of_b = open_with(b, RIGHTS);
	struct vmsect_section *of_c = open_with(c, VMSECT_ACCESS_QUERY);
	struct vmsect_event event;
	uint64_t ticket;

	assert_int_equal(vmsect_section_notify(of_a, vmsect_client_peer_id(b), UINT64_MAX, NULL),
			 0);
	expect_notified(b, a, UINT64_MAX, 1);
	assert_int_equal(vmsect_section_notify(of_b, 0, 2, &ticket), 0);
	expect_notified(a, b, 2, 1);
	event = box_wait_event_of(c, VMSECT_EVENT_NOTIFIED);
	assert_int_equal(event.value, 2); /* and nothing of the first */
	assert_int_equal(event.section_id, vmsect_section_info(of_c)->id);
	event = box_wait_event_of(b, VMSECT_EVENT_DONE);
	assert_int_equal(event.value, ticket);
	assert_int_equal(event.status, 0);
	vmsect_section_close(of_c);
	vmsect_section_close(of_b);
	vmsect_section_close(of_a);
	vmsect_client_free(c);
	vmsect_client_free(b);
	vmsect_client_free(a);
}

/* Nothing of it is lost, in the broker, in the socket or here. */
static void nobody_fetches(void **state)
{
	static const char *const args[] = { "--limit", "client.notify=1G", NULL };
	struct box *box = *state;
	struct vmsect_section *of_a, *of_b;
	struct vmsect_client *a, *b;
	struct vmsect_event event;
	uint64_t count = 0;
	uint32_t i;

	broker_fixture_stop(&box->broker);
	broker_fixture_start(&box->broker, args);
	a = box_connect(box, "a");
	b = box_connect(box, "b");
	of_a = box_section(a, "x", 4096);
	of_b = open_with(b, RIGHTS);
	for (i = 1; i <= FLOOD; i++)
		assert_int_equal(vmsect_section_notify(of_a, 0, i, NULL), 0);
	while (count < FLOOD) {
		event = box_wait_event(b);
		assert_int_equal(event.type, VMSECT_EVENT_NOTIFIED);
		count += event.length;
	}
	assert_int_equal(count, FLOOD);
	assert_int_equal(event.value, FLOOD);
	assert_int_equal(vmsect_client_next_event(b, &event), 0);
	vmsect_section_close(of_b);
	vmsect_section_close(of_a);
	vmsect_client_free(b);
	vmsect_client_free(a);
}

static void two_that_notify_each_other(void **state)
{
	struct vmsect_client *a = box_connect(*state, "a");
	struct vmsect_client *b = box_connect(*state, "b");
	struct vmsect_section *of_a = box_section(a, "x", 4096);
	struct vmsect_section *of_b = open_with(b, RIGHTS);
	struct vmsect_event event;
	uint32_t i;

	/* Events that come during a call join in the library. */
	for (i = 1; i <= 3000; i++) {
		assert_int_equal(vmsect_section_notify(of_a, 0, i, NULL), 0);
		assert_int_equal(vmsect_section_notify(of_b, 0, i, NULL), 0);
	}
	assert_int_equal(vmsect_section_notify(of_a, 0, i, NULL), 0);
	event = box_wait_event_of(a, VMSECT_EVENT_NOTIFIED);
	assert_int_equal(event.length, 3000);
	assert_int_equal(event.value, 3000);
	vmsect_section_close(of_b);
	vmsect_section_close(of_a);
	vmsect_client_free(b);
	vmsect_client_free(a);
}

static void deaths(void **state)
{
	struct vmsect_client *a = box_connect(*state, "a");
	struct vmsect_client *b = box_connect(*state, "b");
	struct vmsect_section *of_a = box_section(a, "x", 4096);
	struct vmsect_section *of_b = open_with(b, RIGHTS);
	uint32_t gone = vmsect_client_peer_id(b);
	struct vmsect_event event;

	assert_int_equal(vmsect_section_notify(of_b, 0, 5, NULL), 0);
	vmsect_section_close(of_b);
	vmsect_client_free(b);
	/* First what it said, then that it has gone. */
	event = box_wait_event_of(a, VMSECT_EVENT_NOTIFIED);
	assert_int_equal(event.peer_id, gone);
	assert_int_equal(box_wait_event(a).type, VMSECT_EVENT_PEER_LEFT);
	assert_int_equal(vmsect_section_notify(of_a, gone, 1, NULL), -ENXIO);
	vmsect_section_close(of_a);
	vmsect_client_free(a);
}

static void a_new_broker(void **state)
{
	struct box *box = *state;
	struct vmsect_client *a = box_connect(box, "a");
	struct vmsect_client *b = box_connect(box, "b");
	struct vmsect_section *of_a = box_section(a, "x", 4096);
	struct vmsect_section *of_b = open_with(b, RIGHTS);
	uint64_t ticket;

	broker_fixture_kill(&box->broker);
	/* With a ticket it waits for the next. */
	assert_int_equal(vmsect_section_notify(of_a, vmsect_client_peer_id(b), 8, &ticket), 0);
	broker_fixture_start(&box->broker, NULL);
	assert_int_equal(box_wait_event_of(a, VMSECT_EVENT_DONE).status, 0);
	assert_int_equal(box_wait_event_of(b, VMSECT_EVENT_RECONNECTED).status, 0);
	expect_notified(b, a, 8, 1);
	assert_int_equal(vmsect_section_notify(of_b, vmsect_client_peer_id(a), 9, NULL), 0);
	expect_notified(a, b, 9, 1);
	vmsect_section_close(of_b);
	vmsect_section_close(of_a);
	vmsect_client_free(b);
	vmsect_client_free(a);
}

static void no_broker(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = fake_connect(box, -1);
	struct vmsect_section *section = box_section(client, "x", 4096);

	broker_fixture_kill(&box->broker);
	assert_int_equal(vmsect_section_notify(section, 0, 1, NULL), -EPIPE);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void say(int socket, uint32_t type, uint32_t peer, uint64_t value, uint64_t length)
{
	const struct vmsect_msg_event event = {
		.hdr = { .size = sizeof(event), .op = VMSECT_OP_EVENT },
		.type = type,
		.peer = peer,
		.section = 1,
		.value = value,
		.length = length,
	};

	assert_int_equal(write(socket, &event, sizeof(event)), sizeof(event));
}

/* More senders than there is room for, others before them, and counts that would wrap. */
static int many_senders(int socket, const struct vmsect_msg_hdr *request)
{
	uint32_t peer;

	say(socket, VMSECT_WIRE_EVENT_LOST, 0, 5, 0);
	for (peer = 1; peer <= 3; peer++)
		say(socket, VMSECT_WIRE_EVENT_PEER_JOINED, peer, 0, 0);
	for (peer = 1; peer <= 255; peer++)
		say(socket, VMSECT_WIRE_EVENT_NOTIFIED, peer, 1, UINT64_MAX - 1);
	for (peer = 1; peer <= 255; peer++)
		say(socket, VMSECT_WIRE_EVENT_NOTIFIED, peer, 2, UINT64_MAX - 1);
	say(socket, VMSECT_WIRE_EVENT_PEER_LEFT, 255, 0, 0);
	say(socket, VMSECT_WIRE_EVENT_NOTIFIED, 255, 3, 1);
	return fake_done(socket, request);
}

static void room_is_kept_for_notifications(void **state)
{
	struct fake_broker fake = { .answer = many_senders };
	struct client_request request;
	struct vmsect_req_remove remove = { .name = "x" };
	struct vmsect_client *client;
	struct vmsect_event event;
	uint32_t peer;

	fake_broker_start(&fake, *state);
	client = fake_connect(*state, -1);
	request = (struct client_request){ VMSECT_OP_REMOVE, &remove.hdr, sizeof(remove), NULL, 0 };
	assert_int_equal(client_call_simple(client, &request), 0);
	/* 3 + 255, then LEFT, then one that joins nobody: all but notifications gave way. */
	assert_int_equal(vmsect_client_next_event(client, &event), 1);
	assert_int_equal(event.type, VMSECT_EVENT_LOST);
	assert_int_equal(event.value, 5 + 4);
	for (peer = 1; peer <= 255; peer++) {
		assert_int_equal(vmsect_client_next_event(client, &event), 1);
		assert_int_equal(event.type, VMSECT_EVENT_NOTIFIED);
		assert_int_equal(event.peer_id, peer);
		assert_int_equal(event.value, 2);
		assert_int_equal(event.length, UINT64_MAX);
	}
	assert_int_equal(vmsect_client_next_event(client, &event), 1);
	assert_int_equal(event.peer_id, 255);
	assert_int_equal(event.value, 3);
	assert_int_equal(event.length, 1);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
#define ALONE(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(refused),
		TEST(too_fast),
		TEST(one_and_all),
		TEST(nobody_fetches),
		TEST(two_that_notify_each_other),
		TEST(deaths),
		TEST(a_new_broker),
		TEST(no_broker),
		ALONE(room_is_kept_for_notifications),
	};

	return cmocka_run_group_tests_name("lib_notify", tests, NULL, NULL);
}
