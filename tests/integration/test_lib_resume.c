/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvmsect and the broker that has come after the first: what it is handed
 * back, what it refuses, what it lies, and one that nobody has waited for.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

static int knows_nobody(int socket, const struct vmsect_msg_hdr *request)
{
	return fake_error(socket, request, -ESTALE);
}

/* The second client of a broker: another number. */
static int hello_of_another(int socket, const struct vmsect_msg_hdr *request)
{
	static unsigned int peer;
	struct vmsect_rep_hello reply = {
		.hdr = fake_header(request, sizeof(reply)),
		.version = VMSECT_PROTO_VERSION,
	};

	reply.peer = ++peer;
	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

/* Never answers FLUSH. */
static int silent_on_flush(int socket, const struct vmsect_msg_hdr *request)
{
	return request->op == VMSECT_OP_FLUSH ? 1 : fake_hang_up_at_first(socket, request);
}

static void a_broker_that_knows_nothing(void **state)
{
	struct fake_broker fake = { .hello = hello_of_another,
				    .resume = knows_nobody,
				    .answer = silent_on_flush };
	struct client_object handle = { .kind = OBJECT_HANDLE, .id = 1, .section_id = 7 };
	struct vmsect_req_flush flush = { .handle = 1 };
	struct client_request request = { VMSECT_OP_FLUSH, &flush.hdr, sizeof(flush), NULL, 0 };
	struct vmsect_client *client;
	uint64_t ticket;

	fake_hang_ups = 1;
	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	handle.client = client;
	object_add(&handle);
	assert_int_equal(client_call_async(&handle, &request, &ticket), 0);
	assert_int_equal(vmsect_section_remove(client, "x"), -ESTALE);
	assert_true(strlen(vmsect_client_error(client)) > 0);
	expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
	expect_event(client, VMSECT_EVENT_DONE, -ESTALE);
	expect_event(client, VMSECT_EVENT_RECONNECTED, -ESTALE);
	assert_int_equal(vmsect_client_peer_id(client), 2);
	/* The old handle is dead, without a word to the broker; the client is not. */
	assert_int_equal(client_call_simple_on(&handle, &request), -ESTALE);
	client_release(&handle, &request);
	assert_int_equal(vmsect_section_remove(client, "y"), 0);
	object_remove(&handle);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
	assert_int_equal(fake.requests[fake.request_count - 1].hdr.op, VMSECT_OP_REMOVE);
	assert_int_equal(fake.requests[fake.request_count - 2].hdr.op, VMSECT_OP_HELLO);
}

/* An older broker, which does not know RESUME. */
static int resume_is_unknown(int socket, const struct vmsect_msg_hdr *request)
{
	return fake_error(socket, request, -EINVAL);
}

static int hello_then_other_version(int socket, const struct vmsect_msg_hdr *request)
{
	if (request->cookie == 1)
		return fake_hello(socket, request);
	(void)fake_error(socket, request, -EPROTONOSUPPORT);
	return 0;
}

static int resume_of_version_9(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_resume reply = { .hdr = fake_header(request, sizeof(reply)),
					   .version = 9 };

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static void another_version_is_refused(void **state)
{
	static fake_answer *const resumes[] = { resume_is_unknown, resume_of_version_9 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(resumes); i++) {
		struct fake_broker fake = { .hello = hello_then_other_version,
					    .resume = resumes[i],
					    .answer = fake_hang_up };
		int64_t start_ms = now_ms();
		struct vmsect_client *client;

		fake_broker_start(&fake, *state);
		client = fake_connect(*state, 0);
		assert_int_equal(vmsect_section_remove(client, "x"), -EPROTONOSUPPORT);
		assert_true(strlen(vmsect_client_error(client)) > 0);
		assert_true(now_ms() - start_ms < 4000); /* no waiting for a better one */
		expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
		vmsect_client_free(client);
		fake_broker_stop(&fake);
	}
}

/* A section of which a new broker wants the memory back: 7; 99 is not ours. */
static int wants_7_and_99(int socket, const struct vmsect_msg_hdr *request)
{
	struct {
		struct vmsect_rep_resume reply;
		uint64_t sections[2];
	} message = {
		.reply = { .hdr = fake_header(request, sizeof(message)),
			   .version = VMSECT_PROTO_VERSION,
			   .count = 2 },
		.sections = { 99, 7 },
	};

	return fake_send(socket, &message, sizeof(message), 0, 0);
}

/* An object with a file of section 7. */
static void hold_7(struct vmsect_client *client, struct client_object *object, int mode)
{
	int fd = open("/dev/null", mode | O_CLOEXEC);

	assert_true(fd >= 0);
	*object = (struct client_object){ .client = client, .section_id = 7, .id = 1 };
	object->file = section_file_new(fd, mode == O_RDWR);
	assert_non_null(object->file);
	object_add(object);
}

static void memory_is_handed_back(void **state)
{
	struct fake_broker fake = { .resume = wants_7_and_99, .answer = fake_hang_up_at_first };
	struct client_object objects[3];
	struct vmsect_client *client;
	const union fake_request *last;

	fake_hang_ups = 1;
	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	hold_7(client, &objects[0], O_RDONLY);
	hold_7(client, &objects[1], O_RDWR); /* the best of the three */
	hold_7(client, &objects[2], O_RDONLY);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	object_remove(&objects[0]);
	object_remove(&objects[1]);
	object_remove(&objects[2]);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
	last = &fake.requests[fake.request_count - 1];
	assert_int_equal(fake.request_count, 5); /* HELLO, REMOVE, RESUME, HAND_BACK, REMOVE */
	assert_int_equal(last[0].hdr.op, VMSECT_OP_REMOVE);
	assert_int_equal(last[-1].hdr.op, VMSECT_OP_HAND_BACK);
	assert_int_equal(last[-1].hdr.fds, 1);
	assert_int_equal(last[-1].hand_back.section, 7);
	assert_int_equal(fake.handed_back_mode, O_RDWR);
}

/* Nothing is kept of a hand-back: the next broker asks anew. */
static void a_hand_back_is_not_repeated(void **state)
{
	struct fake_broker fake = { .resume = wants_7_and_99, .answer = fake_hang_up_at_first };
	struct client_object object;
	struct vmsect_client *client;
	unsigned int i, hand_backs = 0;

	fake_hang_ups = 3; /* the call, then two hand-backs */
	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	hold_7(client, &object, O_RDONLY);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	object_remove(&object);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
	for (i = 0; i < fake.request_count; i++)
		hand_backs += fake.requests[i].hdr.op == VMSECT_OP_HAND_BACK;
	assert_int_equal(hand_backs, 3);
}

/* Answers to RESUME that are no protocol. */
#define RESUME_LIE(name, change)                                                                   \
	static int name(int socket, const struct vmsect_msg_hdr *request)                          \
	{                                                                                          \
		struct vmsect_rep_resume reply = { .hdr = fake_header(request, sizeof(reply)),     \
						   .version = VMSECT_PROTO_VERSION };              \
                                                                                                   \
		change;                                                                            \
		return fake_send(socket, &reply, sizeof(reply), reply.hdr.fds, O_RDONLY);          \
	}

RESUME_LIE(count_too_large, reply.count = 1)
RESUME_LIE(count_huge, reply.count = UINT32_MAX)
RESUME_LIE(wrong_cookie, reply.hdr.cookie++)
RESUME_LIE(wrong_op, reply.hdr.op = VMSECT_OP_HELLO)
RESUME_LIE(no_reply_flag, reply.hdr.flags = 0)
RESUME_LIE(a_descriptor, reply.hdr.fds = 1)
RESUME_LIE(positive_status, reply.hdr.status = 1)
RESUME_LIE(size_too_large, reply.hdr.size++)

static int bad_event(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_hdr hdr = { .size = sizeof(hdr), .op = VMSECT_OP_EVENT };

	(void)request;
	return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
}

static void lies_at_resume_end_it_for_good(void **state)
{
	static fake_answer *const lies[] = {
		fake_done,     count_too_large, count_huge,	 wrong_cookie,	 wrong_op,
		no_reply_flag, a_descriptor,	positive_status, size_too_large, bad_event,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		struct fake_broker fake = { .resume = lies[i], .answer = fake_hang_up };
		struct vmsect_client *client;
		struct vmsect_event event;
		int r;

		fake_broker_start(&fake, *state);
		client = fake_connect(*state, 0);
		r = vmsect_section_remove(client, "x");
		if (r != -EPROTO)
			fail_msg("lie %zu: %d", i, r);
		assert_true(strlen(vmsect_client_error(client)) > 0);
		assert_int_equal(vmsect_section_remove(client, "x"), -EPIPE);
		expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
		expect_event(client, VMSECT_EVENT_DISCONNECTED, -EPROTO);
		assert_int_equal(vmsect_client_next_event(client, &event), 0);
		assert_int_equal(readable(client, 0), 0);
		vmsect_client_free(client);
		fake_broker_stop(&fake);
		assert_int_equal(fake.connections, 2);
	}
}

static int limits_then_resume(int socket, const struct vmsect_msg_hdr *request)
{
	static atomic_int refusals = 2;

	if (atomic_fetch_sub(&refusals, 1) > 0)
		return fake_error(socket, request, -EDQUOT);
	return fake_resume(socket, request);
}

static void a_refused_resume_is_tried_again(void **state)
{
	struct fake_broker fake = { .resume = limits_then_resume, .answer = fake_hang_up_at_first };
	struct vmsect_client *client;

	fake_hang_ups = 1;
	fake_broker_start(&fake, *state);
	client = fake_connect(*state, 0);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	vmsect_client_free(client);
	fake_broker_stop(&fake);
	assert_int_equal(fake.connections, 4);
}

/* In a child, as another user: listens until it is killed, or ends because a client spoke. */
static _Noreturn void listen_as_stranger(int listener, int answer)
{
	ssize_t heard = 0;
	char byte = 0;

	if (setgid(65534) < 0 || setuid(65534) < 0 || listen(listener, 1) < 0 ||
	    write(answer, &byte, 1) != 1)
		_exit(1);
	while (heard == 0) {
		int fd = accept(listener, NULL, NULL);

		heard = recv(fd, &byte, sizeof(byte), 0);
		close(fd);
	}
	_exit(2);
}

static int bind_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path);
	assert_true(fd >= 0);
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	return fd;
}

/* Somebody else has taken the socket's place: hears neither token nor request. */
static void a_strangers_broker_hears_nothing(void **state)
{
	struct fake_broker fake = { .answer = last_answer };
	struct box *box = *state;
	struct vmsect_client *client;
	int listener, ready[2];
	char byte;
	pid_t child;

	fake_broker_start(&fake, box);
	client = fake_connect(box, 500);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	fake_broker_stop(&fake);
	listener = bind_at(box->broker.socket_path);
	assert_return_code(pipe(ready), errno);
	child = fork();
	if (!child)
		listen_as_stranger(listener, ready[1]);
	close(listener);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(vmsect_section_remove(client, "x"), -EPIPE);
	assert_non_null(strstr(vmsect_client_error(client), "another user"));
	assert_return_code(kill(child, SIGKILL), errno);
	assert_true(WIFSIGNALED(fixture_wait(child)));
	close(ready[0]);
	close(ready[1]);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_broker_that_knows_nothing),    TEST(another_version_is_refused),
		TEST(memory_is_handed_back),	      TEST(a_hand_back_is_not_repeated),
		TEST(lies_at_resume_end_it_for_good), TEST(a_refused_resume_is_tried_again),
	};
	static const struct CMUnitTest root[] = {
		TEST(a_strangers_broker_hears_nothing),
	};
	int failed = cmocka_run_group_tests_name("lib_resume", tests, NULL, NULL);

	if (geteuid() != 0) {
		print_message("only root can become another user: the rest is skipped\n");
		return failed;
	}
	return failed + cmocka_run_group_tests_name("lib_resume_as_root", root, NULL, NULL);
}
