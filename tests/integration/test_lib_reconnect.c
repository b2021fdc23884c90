/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvmsect when its broker goes and another comes: what the program is told,
 * what is asked again, how often and how long it tries.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "lib/client.h"

/* The answer comes, and then the end. */
static int last_answer(int socket, const struct vmsect_msg_hdr *request)
{
	(void)fake_done(socket, request);
	return 0;
}

static void expect_event(struct vmsect_client *client, enum vmsect_event_type type, int status)
{
	struct vmsect_event event = box_wait_event(client);

	assert_int_equal(event.type, type);
	assert_int_equal(event.status, status);
}

static int readable(const struct vmsect_client *client, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = vmsect_client_fd(client), .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_call_survives_the_broker(void **state)
{
	struct fake_broker fake = { .answer = fake_hang_up_at_first };
	const struct vmsect_req_resume *resume = &fake.requests[2].resume;
	struct vmsect_client *client;
	struct vmsect_event event;

	fake_hang_ups = 1;
	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
	expect_event(client, VMSECT_EVENT_RECONNECTED, 0);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	assert_int_equal(vmsect_client_peer_id(client), 1);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
	assert_int_equal(fake.request_count, 4);
	assert_int_equal(fake.requests[0].hdr.op, VMSECT_OP_HELLO);
	assert_int_equal(fake.requests[0].hdr.cookie, 1);
	assert_int_equal(fake.requests[1].hdr.op, VMSECT_OP_REMOVE);
	assert_int_equal(resume->hdr.op, VMSECT_OP_RESUME);
	assert_int_equal(resume->hdr.size, sizeof(*resume));
	assert_int_equal(resume->version, VMSECT_PROTO_VERSION);
	assert_int_equal(resume->peer, 1);
	assert_int_equal(resume->broker_generation, 1);
	assert_memory_equal(resume->token, "fifteen letters", VMSECT_TOKEN_BYTES);
	assert_int_equal(fake.requests[3].hdr.op, VMSECT_OP_REMOVE);
	assert_int_equal(fake.requests[3].hdr.cookie, fake.requests[1].hdr.cookie);
}

/* The descriptor is one and the same, and wakes a poller for all that happens. */
static void the_descriptor_tells_all(void **state)
{
	struct fake_broker fake = { .answer = last_answer };
	struct vmsect_client *client;
	struct vmsect_event event;
	int fd;

	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	fd = vmsect_client_fd(client);
	assert_int_equal(readable(client, 0), 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	assert_int_equal(readable(client, -1), 1);
	assert_int_equal(vmsect_client_next_event(client, &event), 1);
	assert_int_equal(event.type, VMSECT_EVENT_DISCONNECTED);
	while (!vmsect_client_next_event(client, &event))
		assert_int_equal(readable(client, -1), 1);
	assert_int_equal(event.type, VMSECT_EVENT_RECONNECTED);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	assert_int_equal(readable(client, 0), 0);
	assert_int_equal(vmsect_client_fd(client), fd);
	/* Events that a call has met wait in memory: the descriptor says so. */
	fake_hang_ups = 1;
	fake.answer = fake_hang_up_at_first;
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	assert_int_equal(readable(client, 0), 1);
	expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
	assert_int_equal(readable(client, 0), 1);
	expect_event(client, VMSECT_EVENT_RECONNECTED, 0);
	assert_int_equal(readable(client, 0), 0);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

/* What makes an attempt fail does not make it the last, and does not make many. */
static void attempts_are_bounded(void **state)
{
	static const struct {
		fake_answer *resume;
		fake_answer *answer;
	} rows[] = {
		{ fake_hang_up, fake_hang_up }, /* hangs up on RESUME */
		{ fake_resume, fake_hang_up }, /* resumes, and hangs up on what follows */
		{ fake_silence, fake_hang_up }, /* hangs */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_broker fake = { .resume = rows[i].resume, .answer = rows[i].answer };
		int64_t start_ms = now_ms();
		struct vmsect_client *client;

		fake_broker_start(&fake, *state);
		client = fake_connect(*state, 1000);
		assert_int_equal(vmsect_section_remove(client, "x"), -EPIPE);
		assert_true(strlen(vmsect_client_error(client)) > 0);
		assert_true(now_ms() - start_ms >= 900);
		assert_true(fake.connections * 100 <= now_ms() - start_ms + 300);
		vmsect_client_free(client);
		fake_broker_stop(&fake);
	}
}

static int send_joined(int socket, uint32_t peer)
{
	struct vmsect_msg_event event = { .hdr = { .size = sizeof(event), .op = VMSECT_OP_EVENT },
					  .type = VMSECT_WIRE_EVENT_PEER_JOINED,
					  .peer = peer };

	return fake_send(socket, &event, sizeof(event), 0, 0);
}

static int resume_among_events(int socket, const struct vmsect_msg_hdr *request)
{
	return send_joined(socket, 11) && fake_resume(socket, request) && send_joined(socket, 12);
}

static void events_come_in_order(void **state)
{
	struct fake_broker fake = { .resume = resume_among_events, .answer = last_answer };
	struct vmsect_client *client;

	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
	assert_int_equal(box_wait_event(client).peer_id, 11);
	expect_event(client, VMSECT_EVENT_RECONNECTED, 0);
	assert_int_equal(box_wait_event(client).peer_id, 12);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

/* Without waiting: calls fail at once, and next_event() finds the new broker. */
static void a_client_that_does_not_wait(void **state)
{
	struct fake_broker fake = { .answer = fake_hang_up_at_first };
	struct vmsect_client *client;

	fake_hang_ups = 1;
	fake_broker_start(&fake, *state);
	client = fake_connect(*state, -1);
	assert_int_equal(vmsect_section_remove(client, "x"), -EPIPE);
	expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
	expect_event(client, VMSECT_EVENT_RECONNECTED, 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

static int hang_up_on_the_first_hello(int socket, const struct vmsect_msg_hdr *request)
{
	static atomic_int hellos;

	return atomic_fetch_add(&hellos, 1) ? fake_hello(socket, request) : 0;
}

/* As a broker does that was idle and is about to exit. */
static void the_first_connection_is_tried_twice(void **state)
{
	struct fake_broker fake = { .hello = hang_up_on_the_first_hello };
	struct vmsect_client *client;

	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
	assert_int_equal(fake.connections, 2);
}

static int late(int socket, const struct vmsect_msg_hdr *request)
{
	(void)poll(NULL, 0, CLIENT_TIMEOUT_MS + 500);
	return fake_done(socket, request);
}

/* A disk may take its time; nothing else may. */
static void only_disks_may_be_slow(void **state)
{
	struct fake_broker fake = { .answer = late };
	struct client_object handle = { .kind = OBJECT_HANDLE, .id = 1, .section_id = 7 };
	struct vmsect_req_flush flush = { .handle = 1 };
	struct client_request request = { VMSECT_OP_FLUSH, &flush.hdr, sizeof(flush), NULL, 0 };
	struct vmsect_client *client;

	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	handle.client = client;
	object_add(&handle);
	assert_int_equal(client_call_simple_on(&handle, &request), 0);
	object_remove(&handle);
	assert_int_equal(vmsect_section_remove(client, "x"), -ETIMEDOUT);
	expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_call_survives_the_broker),  TEST(the_descriptor_tells_all),
		TEST(attempts_are_bounded),	   TEST(events_come_in_order),
		TEST(a_client_that_does_not_wait), TEST(the_first_connection_is_tried_twice),
		TEST(only_disks_may_be_slow),
	};

	return cmocka_run_group_tests_name("lib_reconnect", tests, NULL, NULL);
}
