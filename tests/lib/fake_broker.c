/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fake_broker.h.  Not base/fdmsg: it would not send what is wrong. */
#include "lib/fake_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 8

struct vmsect_msg_hdr fake_header(const struct vmsect_msg_hdr *request, size_t size)
{
	return (struct vmsect_msg_hdr){
		.size = (uint32_t)size,
		.op = request->op,
		.flags = VMSECT_MSG_REPLY,
		.cookie = request->cookie,
	};
}

struct vmsect_rep_handle fake_handle(const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_handle reply = {
		.hdr = fake_header(request, sizeof(reply)),
		.handle = 1,
		.access = VMSECT_ACCESS_READ,
		.section = {
			.id = 1,
			.generation = 1,
			.size_bytes = 4096,
			.backing = VMSECT_BACKING_SHMEM,
			.protection = VMSECT_PROT_READWRITE,
			.page_shift = 12,
			.mode = 0600,
			.name = "x",
		},
	};

	reply.hdr.fds = 1;
	return reply;
}

int fake_send(int socket, const void *data, size_t size, unsigned int nfds, int mode)
{
	union {
		struct cmsghdr align;
		unsigned char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { 0 };
	union {
		const void *in;
		void *out;
	} bytes = { .in = data };
	struct iovec iov = { bytes.out, size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[FDS_MAX];
	unsigned int i;
	ssize_t sent;

	if (nfds) {
		struct cmsghdr *cmsg = &control.align;

		for (i = 0; i < nfds; i++)
			fds[i] = open("/dev/null", mode | O_CLOEXEC);
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	for (i = 0; i < nfds; i++)
		close(fds[i]);
	return sent == (ssize_t)size;
}

int fake_hello(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_hello reply = {
		.hdr = fake_header(request, sizeof(reply)),
		.version = VMSECT_PROTO_VERSION,
		.peer = 1,
		.broker_generation = 1,
		.token = "fifteen letters",
	};

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

int fake_resume(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_resume reply = {
		.hdr = fake_header(request, sizeof(reply)),
		.version = VMSECT_PROTO_VERSION,
	};

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

int fake_done(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_msg_hdr hdr = fake_header(request, sizeof(hdr));

	return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
}

int fake_error(int socket, const struct vmsect_msg_hdr *request, int status)
{
	struct vmsect_msg_hdr hdr = fake_header(request, sizeof(hdr));

	hdr.status = status;
	return fake_send(socket, &hdr, sizeof(hdr), 0, 0);
}

int fake_hang_up(int socket, const struct vmsect_msg_hdr *request)
{
	(void)socket;
	(void)request;
	return 0;
}

int fake_silence(int socket, const struct vmsect_msg_hdr *request)
{
	(void)socket;
	(void)request;
	return 1;
}

atomic_int fake_hang_ups;

int fake_hang_up_at_first(int socket, const struct vmsect_msg_hdr *request)
{
	return atomic_fetch_sub(&fake_hang_ups, 1) > 0 ? 0 : fake_done(socket, request);
}

static fake_answer *answer_for(const struct fake_broker *fake, unsigned int op)
{
	switch (op) {
	case VMSECT_OP_HELLO:
		return fake->hello ? fake->hello : fake_hello;
	case VMSECT_OP_RESUME:
		return fake->resume ? fake->resume : fake_resume;
	default:
		return fake->answer ? fake->answer : fake_done;
	}
}

/* One request with its descriptors, which are counted and closed; 0 at the end. */
static size_t receive(struct fake_broker *fake, int socket, union fake_request *request)
{
	union {
		struct cmsghdr align;
		unsigned char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { request, sizeof(*request) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg;
	ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	size_t i;

	if (size <= 0)
		return 0;
	cmsg = CMSG_FIRSTHDR(&message);
	for (i = 0; cmsg && i < (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
		if (request->hdr.op == VMSECT_OP_HAND_BACK)
			fake->handed_back_mode = fcntl(fd, F_GETFL) & O_ACCMODE;
		close(fd);
	}
	return (size_t)size;
}

/* Keeps what was asked, for the test to look at once the thread has ended. */
static void note(struct fake_broker *fake, const union fake_request *request)
{
	if (fake->request_count < FAKE_REQUESTS_MAX)
		fake->requests[fake->request_count++] = *request;
}

static void *serve(void *argument)
{
	struct fake_broker *fake = argument;
	int socket;

	while ((socket = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		union fake_request request = { 0 };
		int go_on = 1;

		atomic_fetch_add(&fake->connections, 1);
		while (go_on && receive(fake, socket, &request)) {
			note(fake, &request);
			go_on = answer_for(fake, request.hdr.op)(socket, &request.hdr);
			memset(&request, 0, sizeof(request));
		}
		close(socket);
	}
	return NULL;
}

void fake_broker_start(struct fake_broker *fake, const struct box *box)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, box->broker.socket_path, strlen(box->broker.socket_path));
	(void)unlink(address.sun_path);
	fake->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(fake->listener >= 0);
	assert_return_code(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)),
			   errno);
	assert_return_code(listen(fake->listener, 1), errno);
	assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
}

void fake_broker_stop(struct fake_broker *fake)
{
	assert_return_code(shutdown(fake->listener, SHUT_RDWR), errno);
	assert_int_equal(pthread_join(fake->thread, NULL), 0);
	close(fake->listener);
}

struct vmsect_client *fake_connect(const struct box *box, int reconnect_ms)
{
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = box->broker.socket_path,
		.name = "test",
		.no_start = 1,
		.reconnect_ms = reconnect_ms,
	};
	struct vmsect_client *client = NULL;

	assert_int_equal(vmsect_connect(&options, &client), 0);
	assert_non_null(client);
	return client;
}
