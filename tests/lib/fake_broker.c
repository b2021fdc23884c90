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

static int proper_hello(int socket, const struct vmsect_msg_hdr *request)
{
	struct vmsect_rep_hello reply = {
		.hdr = fake_header(request, sizeof(reply)),
		.version = VMSECT_PROTO_VERSION,
		.peer = 1,
		.broker_generation = 1,
	};

	return fake_send(socket, &reply, sizeof(reply), 0, 0);
}

static void *serve(void *argument)
{
	const struct fake_broker *fake = argument;
	int socket = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
	union {
		struct vmsect_msg_hdr hdr;
		unsigned char bytes[4096];
	} request;
	int go_on = 1;

	while (go_on && recv(socket, &request, sizeof(request), 0) > 0) {
		if (request.hdr.op != VMSECT_OP_HELLO)
			go_on = fake->answer(socket, &request.hdr);
		else
			go_on = (fake->hello ? fake->hello : proper_hello)(socket, &request.hdr);
	}
	close(socket);
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
	assert_int_equal(pthread_join(fake->thread, NULL), 0);
	close(fake->listener);
}
