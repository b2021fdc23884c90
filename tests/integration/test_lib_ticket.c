/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvmsect's requests that do not wait (tickets, releases), the orders that a
 * broker gives by events, and memory that a new broker does not have yet.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/client.h"

static struct client_object handle;

/* A client with a handle, id 1 of section 7, that has a descriptor. */
static struct vmsect_client *connect_with_handle(struct box *box, int reconnect_ms)
{
	struct vmsect_client *client = fake_connect(box, reconnect_ms);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	handle = (struct client_object){ .client = client,
					 .kind = OBJECT_HANDLE,
					 .id = 1,
					 .section_id = 7,
					 .file = section_file_new(fd, false) };
	assert_non_null(handle.file);
	object_add(&handle);
	return client;
}

static void disconnect(struct vmsect_client *client)
{
	object_remove(&handle);
	vmsect_client_free(client);
}

/* FLUSH of the handle, with a ticket. */
static int flush_async(uint64_t *ticket)
{
	struct vmsect_req_flush flush = { .handle = 1 };
	struct client_request request = { VMSECT_OP_FLUSH, &flush.hdr, sizeof(flush), NULL, 0 };

	return client_call_async(&handle, &request, ticket);
}

/* QUERY of the handle, whose answer matters as far as its status does. */
static int query(void)
{
	struct vmsect_req_handle ask = { .handle = 1 };
	struct client_request request = { VMSECT_OP_QUERY, &ask.hdr, sizeof(ask), NULL, 0 };

	return client_call_simple_on(&handle, &request);
}

static void expect_done(struct vmsect_client *client, uint64_t ticket, int status)
{
	struct vmsect_event event = box_wait_event(client);

	assert_int_equal(event.type, VMSECT_EVENT_DONE);
	assert_int_equal(event.value, ticket);
	assert_int_equal(event.status, status);
}

/* Keeps the first FLUSH, and answers it after the second, with an error. */
static int answer_in_reverse(int socket, const struct vmsect_msg_hdr *request)
{
	static struct vmsect_msg_hdr first;

	if (request->op != VMSECT_OP_FLUSH)
		return fake_done(socket, request);
	if (!first.cookie) {
		first = *request;
		return 1;
	}
	return fake_done(socket, request) && fake_error(socket, &first, -EIO);
}

static void tickets_are_answered_in_any_order(void **state)
{
	struct fake_broker fake = { .answer = answer_in_reverse };
	struct vmsect_client *client;
	uint64_t first, second;

	fake_broker_start(&fake, *state);
	client = connect_with_handle(*state, 0);
	assert_int_equal(flush_async(&first), 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0); /* overtakes it */
	assert_int_equal(flush_async(&second), 0);
	assert_true(first && second && first != second);
	expect_done(client, second, 0);
	expect_done(client, first, -EIO);
	disconnect(client);
	fake_broker_stop(&fake);
}

static int send_event(int socket, struct vmsect_msg_event event)
{
	event.hdr = (struct vmsect_msg_hdr){ .size = sizeof(event), .op = VMSECT_OP_EVENT };
	return fake_send(socket, &event, sizeof(event), 0, 0);
}

/* 300 events before each answer but FLUSH's. */
static int flood_then_done(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_event event = { .type = VMSECT_WIRE_EVENT_PEER_JOINED };
	int i;

	for (i = 0; request->op != VMSECT_OP_FLUSH && i < 300; i++) {
		if (!send_event(socket, event))
			return 0;
	}
	return fake_done(socket, request);
}

/* There is a limit, which counts what was not told; a flood of events loses no outcome. */
static void tickets_are_bounded_and_never_lost(void **state)
{
	struct fake_broker fake = { .answer = flood_then_done };
	uint64_t tickets[PENDING_TICKETS_MAX], more = 77;
	struct vmsect_client *client;
	struct vmsect_event event;
	unsigned int i, done = 0;

	fake_broker_start(&fake, *state);
	client = connect_with_handle(*state, 0);
	for (i = 0; i < PENDING_TICKETS_MAX; i++)
		assert_int_equal(flush_async(&tickets[i]), 0);
	assert_int_equal(flush_async(&more), -EDQUOT);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_LIMIT);
	assert_int_equal(more, 77);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	assert_int_equal(flush_async(&more), -EDQUOT); /* all are done, none is told */
	while (vmsect_client_next_event(client, &event)) {
		if (event.type != VMSECT_EVENT_DONE)
			continue;
		assert_int_equal(event.value, tickets[done]);
		done++;
	}
	assert_int_equal(done, PENDING_TICKETS_MAX);
	assert_int_equal(flush_async(&more), 0);
	expect_done(client, more, 0);
	disconnect(client);
	fake_broker_stop(&fake);
}

static int done_with_more(int socket, const struct vmsect_msg_hdr *request)
{
	struct {
		struct vmsect_msg_hdr hdr;
		uint64_t more;
	} reply = { .hdr = fake_header(request, sizeof(reply)) };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int done_with_descriptor(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_hdr hdr = fake_header(request, sizeof(hdr));

	hdr.fds = 1;
	return fake_send(socket, &hdr, sizeof(hdr), 1, O_RDONLY);
}

static int done_twice(int socket, const struct vmsect_msg_hdr *request)
{
	return fake_done(socket, request) && fake_done(socket, request);
}

static int done_for_another(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_hdr other = *request;

	other.op = VMSECT_OP_CLOSE;
	return fake_done(socket, &other);
}

static void lies_about_tickets_end_the_connection(void **state)
{
	static const struct {
		fake_answer *answer;
		int status; /* of DONE */
	} rows[] = {
		{ done_with_more, -EPROTO },
		{ done_with_descriptor, -EPROTO },
		{ done_for_another, -EPROTO },
		{ done_twice, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_broker fake = { .answer = rows[i].answer };
		struct vmsect_event event;
		struct vmsect_client *client;
		bool done = false, ended = false;
		uint64_t ticket;

		fake_broker_start(&fake, *state);
		client = connect_with_handle(*state, 0);
		assert_int_equal(flush_async(&ticket), 0);
		while (!done || !ended) {
			event = box_wait_event(client);
			done |= event.type == VMSECT_EVENT_DONE && event.value == ticket &&
				event.status == rows[i].status;
			ended |= event.type == VMSECT_EVENT_DISCONNECTED && event.status == -EPROTO;
		}
		assert_int_equal(flush_async(&ticket), -EPIPE);
		disconnect(client);
		fake_broker_stop(&fake);
	}
}

/* How often the memory is not there yet. */
static atomic_int early;

static int early_at_first(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_hdr hdr = fake_header(request, sizeof(hdr));

	if (atomic_fetch_sub(&early, 1) <= 0)
		return fake_done(socket, request);
	hdr.status = -EAGAIN;
	hdr.detail = VMSECT_DETAIL_RECOVERY;
	return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
}

static void memory_that_is_not_there_yet(void **state)
{
	struct fake_broker fake = { .answer = early_at_first };
	struct vmsect_client *client;
	uint64_t ticket, last = 0;
	unsigned int i;

	fake_broker_start(&fake, *state);
	client = connect_with_handle(*state, 300);
	early = 3;
	assert_int_equal(query(), 0);
	early = 3;
	assert_int_equal(flush_async(&ticket), 0);
	expect_done(client, ticket, 0);
	early = INT32_MAX;
	assert_int_equal(query(), -EAGAIN);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RECOVERY);
	assert_true(strlen(vmsect_client_error(client)) > 0);
	assert_int_equal(flush_async(&ticket), 0);
	expect_done(client, ticket, -EAGAIN);
	early = 0;
	assert_int_equal(query(), 0);
	disconnect(client);
	fake_broker_stop(&fake);
	for (i = 0; i < fake.request_count; i++) { /* what is asked again keeps its cookie */
		assert_true(fake.requests[i].hdr.cookie >= last);
		last = fake.requests[i].hdr.cookie;
	}
	assert_true(fake.request_count > 10);
}

/* A ticket and a release outlive the broker; a release does not wait for the next. */
static void what_does_not_wait_is_repeated(void **state)
{
	struct fake_broker fake = { .answer = fake_hang_up_at_first };
	struct vmsect_req_handle close = { .handle = 1 };
	struct client_request request = { VMSECT_OP_CLOSE, &close.hdr, sizeof(close), NULL, 0 };
	struct vmsect_client *client;
	struct vmsect_event event;
	uint64_t ticket;

	fake_hang_ups = 1;
	fake_broker_start(&fake, *state);
	client = connect_with_handle(*state, 0);
	assert_int_equal(flush_async(&ticket), 0);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_DISCONNECTED);
	client_release(&handle, &request);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_RECONNECTED);
	expect_done(client, ticket, 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	disconnect(client);
	fake_broker_stop(&fake);
	assert_int_equal(fake.request_count, 6); /* HELLO, FLUSH, RESUME, FLUSH, CLOSE, REMOVE */
	assert_int_equal(fake.requests[3].hdr.cookie, fake.requests[1].hdr.cookie);
	assert_int_equal(fake.requests[4].hdr.op, VMSECT_OP_CLOSE);
}

/* What the fake broker orders before it answers REMOVE. */
static struct vmsect_msg_event order;

static int order_then_done(int socket, const struct vmsect_msg_hdr *request)
{
	if (request->op == VMSECT_OP_REMOVE && !send_event(socket, order))
		return 0;
	return fake_done(socket, request);
}

static void a_handle_is_revoked(void **state)
{
	struct fake_broker fake = { .answer = order_then_done };
	struct vmsect_req_handle close = { .handle = 1 };
	struct client_request request = { VMSECT_OP_CLOSE, &close.hdr, sizeof(close), NULL, 0 };
	struct vmsect_client *client;
	struct vmsect_event event;

	order = (struct vmsect_msg_event){ .type = VMSECT_WIRE_EVENT_REVOKE_HANDLE,
					   .section = 7,
					   .value = 1 };
	fake_broker_start(&fake, *state);
	client = connect_with_handle(*state, 0);
	assert_int_equal(query(), 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	assert_null(handle.file);
	assert_int_equal(query(), -EBADF);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_REVOKED);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_HANDLE_REVOKED);
	assert_int_equal(event.value, 1);
	assert_int_equal(event.section_id, 7);
	/* Again, or of a handle that is not ours: nothing. */
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	client_release(&handle, &request); /* that, it still may */
	disconnect(client);
	fake_broker_stop(&fake);
	assert_int_equal(fake.requests[fake.request_count - 1].hdr.op, VMSECT_OP_CLOSE);
}

static unsigned int revokes;
static uint64_t resized;

static void view_is_revoked(struct client_object *object)
{
	assert_int_equal(object->id, 5);
	revokes++;
}

static void view_is_resized(struct client_object *object, uint64_t size_bytes)
{
	assert_int_equal(object->id, 5);
	resized = size_bytes;
}

static const struct client_object_ops view_ops = { .resized = view_is_resized,
						   .revoke = view_is_revoked };

static int call_on_view(struct client_object *view, enum vmsect_op op)
{
	struct vmsect_req_unmap unmap = { .view = view->id };
	struct client_request request = { op, &unmap.hdr, sizeof(unmap), NULL, 0 };

	return client_call_simple_on(view, &request);
}

static void a_view_grows_and_is_revoked(void **state)
{
	struct fake_broker fake = { .answer = order_then_done };
	struct client_object view = {
		.kind = OBJECT_VIEW, .id = 5, .section_id = 7, .ops = &view_ops
	};
	struct vmsect_req_unmap unmap = { .view = 5 };
	struct client_request request = { VMSECT_OP_UNMAP, &unmap.hdr, sizeof(unmap), NULL, 0 };
	struct vmsect_client *client;
	struct vmsect_event event;

	revokes = 0;
	fake_broker_start(&fake, *state);
	client = connect_with_handle(*state, 0);
	view.client = client;
	object_add(&view);
	order = (struct vmsect_msg_event){ .type = VMSECT_WIRE_EVENT_RESIZED,
					   .section = 7,
					   .value = 8192 };
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	assert_int_equal(resized, 8192);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_RESIZED);
	assert_int_equal(event.value, 8192);
	/* In the midst of a call about it: the call was carried out, but the view is gone. */
	order = (struct vmsect_msg_event){ .type = VMSECT_WIRE_EVENT_REVOKE_VIEW,
					   .section = 7,
					   .view = 5 };
	assert_int_equal(call_on_view(&view, VMSECT_OP_REMOVE), -ENXIO);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_REVOKED);
	assert_int_equal(revokes, 1);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_VIEW_REVOKED);
	assert_int_equal(event.view_id, 5);
	/* Again: it is gone already. */
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	assert_int_equal(revokes, 1);
	client_release(&view, &request); /* the broker knows */
	object_remove(&view);
	disconnect(client);
	fake_broker_stop(&fake);
	/* HELLO, REMOVE, REMOVE (about the view), REVOKED, REMOVE */
	assert_int_equal(fake.request_count, 5);
	assert_int_equal(fake.requests[3].hdr.op, VMSECT_OP_REVOKED);
	assert_int_equal(fake.requests[3].unmap.view, 5);
}

/* Only its owner can take a registered view away, and says so. */
static void a_registered_view_is_left_to_its_owner(void **state)
{
	struct fake_broker fake = { .answer = order_then_done };
	struct client_object view = { .kind = OBJECT_VIEW, .id = 5, .section_id = 7 };
	struct vmsect_client *client;
	struct vmsect_event event;

	order = (struct vmsect_msg_event){ .type = VMSECT_WIRE_EVENT_REVOKE_VIEW,
					   .section = 7,
					   .view = 5 };
	fake_broker_start(&fake, *state);
	client = connect_with_handle(*state, 0);
	view.client = client;
	object_add(&view);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_VIEW_REVOKED);
	assert_int_equal(call_on_view(&view, VMSECT_OP_REVOKED), 0);
	object_remove(&view);
	disconnect(client);
	fake_broker_stop(&fake);
	assert_int_equal(fake.request_count, 3); /* HELLO, REMOVE, REVOKED by its owner */
}

static void other_events_are_passed_on(void **state)
{
	static const struct {
		uint32_t wire;
		enum vmsect_event_type type;
	} rows[] = {
		{ VMSECT_WIRE_EVENT_COMMITTED, VMSECT_EVENT_COMMITTED },
		{ VMSECT_WIRE_EVENT_OFFERED, VMSECT_EVENT_OFFERED },
		{ VMSECT_WIRE_EVENT_IO_ERROR, VMSECT_EVENT_IO_ERROR },
		{ VMSECT_WIRE_EVENT_PEER_LEFT, VMSECT_EVENT_PEER_LEFT },
	};
	struct fake_broker fake = { .answer = order_then_done };
	struct vmsect_client *client;
	struct vmsect_event event;
	size_t i;

	fake_broker_start(&fake, *state);
	client = connect_with_handle(*state, 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		order = (struct vmsect_msg_event){ .type = rows[i].wire,
						   .peer = 1,
						   .section = 2,
						   .view = 3,
						   .value = 4,
						   .offset = 5,
						   .length = 6 };
		assert_int_equal(vmsect_section_remove(client, "x"), 0);
		event = box_wait_event(client);
		assert_int_equal(event.type, rows[i].type);
		assert_int_equal(event.peer_id, 1);
		assert_int_equal(event.section_id, 2);
		assert_int_equal(event.view_id, 3);
		assert_int_equal(event.value, 4);
		assert_int_equal(event.offset, 5);
		assert_int_equal(event.length, 6);
	}
	disconnect(client);
	fake_broker_stop(&fake);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(tickets_are_answered_in_any_order),
		TEST(tickets_are_bounded_and_never_lost),
		TEST(lies_about_tickets_end_the_connection),
		TEST(memory_that_is_not_there_yet),
		TEST(what_does_not_wait_is_repeated),
		TEST(a_handle_is_revoked),
		TEST(a_view_grows_and_is_revoked),
		TEST(a_registered_view_is_left_to_its_owner),
		TEST(other_events_are_passed_on),
	};

	return cmocka_run_group_tests_name("lib_ticket", tests, NULL, NULL);
}
