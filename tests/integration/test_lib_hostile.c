/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvmsect against a broker that breaks the protocol.  Each lie is one row:
 * the call fails with a sentence, the connection is over, no descriptor is
 * left, nothing was written to what the call would return.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ VMSECT_ACCESS_READ

/* The rows: what is sent in answer to OPEN with READ access. */

static int send_handle(int socket, const struct vmsect_rep_handle *reply)
{
	return fake_send(socket, reply, sizeof(*reply), 1, O_RDONLY);
}

#define HANDLE_LIE(name, change)                                                                   \
	static int name(int socket, const struct vmsect_msg_hdr *request)                          \
	{                                                                                          \
		struct vmsect_rep_handle reply = fake_handle(request);                             \
                                                                                                   \
		change;                                                                            \
		return send_handle(socket, &reply);                                                \
	}

HANDLE_LIE(wrong_cookie, reply.hdr.cookie++)
HANDLE_LIE(wrong_op, reply.hdr.op = VMSECT_OP_CLOSE)
HANDLE_LIE(unknown_op, reply.hdr.op = 999)
HANDLE_LIE(no_reply_flag, reply.hdr.flags = 0)
HANDLE_LIE(dirty_reserved, reply.hdr.reserved = 1)
HANDLE_LIE(size_too_small, reply.hdr.size--)
HANDLE_LIE(size_too_large, reply.hdr.size = UINT32_MAX)
HANDLE_LIE(positive_status, reply.hdr.status = 5)
HANDLE_LIE(absurd_status, reply.hdr.status = INT32_MIN)
HANDLE_LIE(error_with_descriptor, reply.hdr.status = -ENOENT)
HANDLE_LIE(no_descriptor_said, reply.hdr.fds = 0)
HANDLE_LIE(handle_zero, reply.handle = 0)
HANDLE_LIE(existed_two, reply.existed = 2)
HANDLE_LIE(max_negative, reply.section.max_bytes = UINT64_MAX)
HANDLE_LIE(io_error_absurd, reply.section.io_error = UINT32_MAX)
HANDLE_LIE(section_zero, reply.section.id = 0)
HANDLE_LIE(name_unterminated, memset(reply.section.name, 'a', sizeof(reply.section.name)))
HANDLE_LIE(name_dirty_end, reply.section.name[100] = 'z')
HANDLE_LIE(name_with_slash, reply.section.name[0] = '/')
HANDLE_LIE(path_unterminated, memset(reply.section.path, 'a', sizeof(reply.section.path)))
HANDLE_LIE(backing_unknown, reply.section.backing = 99)
HANDLE_LIE(protection_unknown, reply.section.protection = 0)
HANDLE_LIE(page_of_2_to_99, reply.section.page_shift = 99)
HANDLE_LIE(size_negative, reply.section.size_bytes = UINT64_MAX)
HANDLE_LIE(mode_absurd, reply.section.mode = 07777)

static int short_message(int socket, const struct vmsect_msg_hdr *request)
{
	return fake_send(socket, request, 4, 1, O_RDONLY);
}

static int header_only(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_hdr hdr = fake_header(request, sizeof(hdr));

	return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
}

static int one_byte_more(int socket, const struct vmsect_msg_hdr *request)
{
	struct {
		struct vmsect_rep_handle reply;
		char more[8];
	} message = { .reply = fake_handle(request) };

	message.reply.hdr.size = sizeof(message);
	return fake_send(socket, &message, sizeof(message), 1, O_RDONLY);
}

static int oversize(int socket, const struct vmsect_msg_hdr *request)
{
	unsigned char *bytes = calloc(1, VMSECT_MSG_MAX + 1);
	struct vmsect_msg_hdr hdr = fake_header(request, VMSECT_MSG_MAX + 1);
	int r;

	memcpy(bytes, &hdr, sizeof(hdr));
	r = fake_send(socket, bytes, VMSECT_MSG_MAX + 1, 1, O_RDONLY);
	free(bytes);
	return r;
}

static int descriptor_missing(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle reply = fake_handle(request);

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int descriptor_not_given(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle reply = fake_handle(request);

	reply.hdr.fds = 0;
	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int two_descriptors(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle reply = fake_handle(request);

	reply.hdr.fds = 2;
	return fake_send(socket, &reply, sizeof(reply), 2, O_RDONLY);
}

static int five_descriptors(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle reply = fake_handle(request);

	reply.hdr.fds = 5;
	return fake_send(socket, &reply, sizeof(reply), 5, O_RDONLY);
}

static int writable_descriptor(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle reply = fake_handle(request);

	return fake_send(socket, &reply, sizeof(reply), 1, O_RDWR);
}

static int error_text_too_long(int socket, const struct vmsect_msg_hdr *request)
{
	struct {
		struct vmsect_msg_hdr hdr;
		char text[VMSECT_ERROR_TEXT_MAX + 1];
	} reply = { .hdr = fake_header(request, sizeof(reply)) };

	reply.hdr.status = -ENOENT;
	memset(reply.text, 'a', sizeof(reply.text));
	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int bad_event(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_hdr hdr = { .size = sizeof(hdr), .op = VMSECT_OP_EVENT };

	(void)request;
	return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
}

static int event_with_cookie(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_event event = { .hdr = { .size = sizeof(event), .op = VMSECT_OP_EVENT } };

	event.hdr.cookie = request->cookie;
	return fake_send(socket, &event, sizeof(event), 0, 0);
}

static int event_with_descriptors(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_event event = { .hdr = { .size = sizeof(event), .op = VMSECT_OP_EVENT } };

	(void)request;
	return fake_send(socket, &event, sizeof(event), 2, O_RDONLY);
}

static const struct {
	const char *name;
	fake_answer *answer;
} lies[] = {
	{ "wrong_cookie", wrong_cookie },
	{ "wrong_op", wrong_op },
	{ "unknown_op", unknown_op },
	{ "no_reply_flag", no_reply_flag },
	{ "dirty_reserved", dirty_reserved },
	{ "size_too_small", size_too_small },
	{ "size_too_large", size_too_large },
	{ "positive_status", positive_status },
	{ "absurd_status", absurd_status },
	{ "error_with_descriptor", error_with_descriptor },
	{ "no_descriptor_said", no_descriptor_said },
	{ "handle_zero", handle_zero },
	{ "existed_two", existed_two },
	{ "max_negative", max_negative },
	{ "io_error_absurd", io_error_absurd },
	{ "section_zero", section_zero },
	{ "name_unterminated", name_unterminated },
	{ "name_dirty_end", name_dirty_end },
	{ "name_with_slash", name_with_slash },
	{ "path_unterminated", path_unterminated },
	{ "backing_unknown", backing_unknown },
	{ "protection_unknown", protection_unknown },
	{ "page_of_2_to_99", page_of_2_to_99 },
	{ "size_negative", size_negative },
	{ "mode_absurd", mode_absurd },
	{ "short_message", short_message },
	{ "header_only", header_only },
	{ "one_byte_more", one_byte_more },
	{ "oversize", oversize },
	{ "descriptor_missing", descriptor_missing },
	{ "descriptor_not_given", descriptor_not_given },
	{ "two_descriptors", two_descriptors },
	{ "five_descriptors", five_descriptors },
	{ "writable_descriptor", writable_descriptor },
	{ "error_text_too_long", error_text_too_long },
	{ "bad_event", bad_event },
	{ "event_with_cookie", event_with_cookie },
	{ "event_with_descriptors", event_with_descriptors },
};

/* The descriptor does not keep a loop busy. */
static void assert_quiet(struct vmsect_client *client)
{
	struct pollfd poll_fd = { .fd = vmsect_client_fd(client), .events = POLLIN };

	assert_int_equal(poll(&poll_fd, 1, 0), 0);
}

/* A client that finds the connection over for good, told once. */
static void assert_over(struct vmsect_client *client)
{
	struct vmsect_event event;

	assert_true(strlen(vmsect_client_error(client)) > 0);
	assert_int_equal(vmsect_section_remove(client, "x"), -EPIPE);
	assert_int_equal(vmsect_client_next_event(client, &event), 1);
	assert_int_equal(event.type, VMSECT_EVENT_DISCONNECTED);
	assert_int_equal(event.status, -EPROTO);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	assert_quiet(client);
}

static void lies_end_the_connection(void **state)
{
	struct box *box = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		struct fake_broker fake = { .answer = lies[i].answer };
		struct vmsect_section *section = (void *)box;
		struct vmsect_client *client;
		int r;

		fake_broker_start(&fake, box);
		client = box_connect(box, "test");
		r = vmsect_section_open(client, "x", READ, &section);
		if (r != -EPROTO || section != (void *)box)
			fail_msg("%s: %d (%s)", lies[i].name, r, vmsect_client_error(client));
		assert_over(client);
		vmsect_client_free(client);
		fake_broker_stop(&fake);
	}
}

/* Event messages that come by themselves, without a call. */
static fake_answer *uncalled;

static int truth_then_event(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle reply = fake_handle(request);

	if (request->op != VMSECT_OP_OPEN)
		return header_only(socket, request);
	return send_handle(socket, &reply) && uncalled(socket, request);
}

static void uncalled_lies_end_the_connection(void **state)
{
	static fake_answer *const answers[] = { bad_event, event_with_descriptors, header_only,
						short_message, oversize };
	struct box *box = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		struct fake_broker fake = { .answer = truth_then_event };
		struct vmsect_section *section;
		struct vmsect_client *client;
		struct vmsect_event event;

		uncalled = answers[i];
		fake_broker_start(&fake, box);
		client = box_connect(box, "test");
		assert_int_equal(vmsect_section_open(client, "x", READ, &section), 0);
		event = box_wait_event(client);
		assert_int_equal(event.type, VMSECT_EVENT_DISCONNECTED);
		assert_int_equal(event.status, -EPROTO);
		assert_int_equal(vmsect_client_next_event(client, &event), 0);
		assert_quiet(client);
		vmsect_section_close(section);
		vmsect_client_free(client);
		fake_broker_stop(&fake);
	}
}

static int unknown_event_then_truth(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_event event = { .hdr = { .size = sizeof(event), .op = VMSECT_OP_EVENT } };
	struct vmsect_rep_handle reply = fake_handle(request);

	if (request->op != VMSECT_OP_OPEN)
		return header_only(socket, request);
	event.type = 12345;
	return fake_send(socket, &event, sizeof(event), 0, 0) && send_handle(socket, &reply);
}

static void unknown_events_are_passed_over(void **state)
{
	struct fake_broker fake = { .answer = unknown_event_then_truth };
	struct vmsect_section *section;
	struct vmsect_client *client;
	struct vmsect_event event;

	fake_broker_start(&fake, *state);
	client = box_connect(*state, "test");
	assert_int_equal(vmsect_section_open(client, "x", READ, &section), 0);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	vmsect_section_close(section);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

static int error_with_escapes(int socket, const struct vmsect_msg_hdr *request)
{
	struct {
		struct vmsect_msg_hdr hdr;
		char text[8];
	} reply = { .hdr = fake_header(request, sizeof(reply)), .text = "a\x1b[2J\nb" };

	reply.hdr.status = -ENOENT;
	reply.hdr.detail = VMSECT_DETAIL_NAME;
	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static void error_texts_are_made_harmless(void **state)
{
	struct fake_broker fake = { .answer = error_with_escapes };
	struct vmsect_client *client;

	fake_broker_start(&fake, *state);
	client = box_connect(*state, "test");
	assert_int_equal(vmsect_section_remove(client, "x"), -ENOENT);
	assert_string_equal(vmsect_client_error(client), "a?[2J?b?"); /* the NUL, too */
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_NAME);
	/* An error is no lie: the connection goes on. */
	assert_int_equal(vmsect_section_remove(client, "x"), -ENOENT);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
}

static int hello_of_version_9(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_hello reply = { .hdr = fake_header(request, sizeof(reply)),
					  .version = 9,
					  .peer = 1 };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int hello_of_nobody(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_hello reply = { .hdr = fake_header(request, sizeof(reply)),
					  .version = VMSECT_PROTO_VERSION };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static int hello_refused(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_hdr hdr = fake_header(request, sizeof(hdr));

	hdr.status = -EDQUOT;
	return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
}

static void hello_may_fail(void **state)
{
	static const struct {
		fake_answer *hello;
		int result;
	} rows[] = {
		{ hello_of_version_9, -EPROTONOSUPPORT },
		{ hello_of_nobody, -EPROTO },
		{ hello_refused, -EDQUOT },
		{ fake_hang_up, -EPIPE },
		{ short_message, -EPROTO },
	};
	struct box *box = *state;
	char error[200];
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = box->broker.socket_path,
		.no_start = 1,
		.error = error,
		.error_room = sizeof(error),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_broker fake = { .hello = rows[i].hello };
		struct vmsect_client *client = (void *)box;

		error[0] = 0;
		fake_broker_start(&fake, box);
		assert_int_equal(vmsect_connect(&options, &client), rows[i].result);
		assert_ptr_equal(client, box);
		assert_true(strlen(error) > 0);
		fake_broker_stop(&fake);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(lies_end_the_connection),
		TEST(uncalled_lies_end_the_connection),
		TEST(unknown_events_are_passed_over),
		TEST(error_texts_are_made_harmless),
		TEST(hello_may_fail),
	};

	return cmocka_run_group_tests_name("lib_hostile", tests, NULL, NULL);
}
