/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ivshmem_client.h. */
#include "lib/ivshmem_client.h"

#include "lib/check.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

#define WAIT_MS 10000

/* One descriptor in one control message of just its size, or none. */
static int take_fd(struct msghdr *header)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(header);
	int fd;

	if (!cmsg)
		return -1;
	assert_int_equal(cmsg->cmsg_level, SOL_SOCKET);
	assert_int_equal(cmsg->cmsg_type, SCM_RIGHTS);
	assert_int_equal(cmsg->cmsg_len, CMSG_LEN(sizeof(fd)));
	assert_null(CMSG_NXTHDR(header, cmsg));
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	assert_true(fd >= 0);
	return fd;
}

enum ivshmem_outcome ivshmem_receive(int socket, struct ivshmem_message *ret_message)
{
	union {
		struct cmsghdr align;
		unsigned char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	uint64_t bytes = 0;
	struct iovec iov = { .iov_base = &bytes, .iov_len = sizeof(bytes) };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t size = sys_retry(recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));

	if (size == -EAGAIN)
		return IVSHMEM_NOTHING;
	if (!size || size == -ECONNRESET)
		return IVSHMEM_END;
	assert_int_equal(size, sizeof(bytes));
	assert_false(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
	ret_message->value = (int64_t)le64toh(bytes);
	ret_message->fd = take_fd(&header);
	return IVSHMEM_MESSAGE;
}

enum ivshmem_outcome ivshmem_wait(int socket, struct ivshmem_message *ret_message)
{
	struct pollfd readable = { .fd = socket, .events = POLLIN };

	if (sys_retry(poll(&readable, 1, WAIT_MS)) == 0)
		return IVSHMEM_NOTHING;
	return ivshmem_receive(socket, ret_message);
}

void ivshmem_expect(int socket, int64_t value)
{
	struct ivshmem_message message = { .fd = -1 };

	assert_int_equal(ivshmem_wait(socket, &message), IVSHMEM_MESSAGE);
	assert_int_equal(message.value, value);
	assert_int_equal(message.fd, -1);
}

int ivshmem_expect_fd(int socket, int64_t value)
{
	struct ivshmem_message message = { .fd = -1 };

	assert_int_equal(ivshmem_wait(socket, &message), IVSHMEM_MESSAGE);
	assert_int_equal(message.value, value);
	assert_true(message.fd >= 0);
	return message.fd;
}

void ivshmem_expect_fds(int socket, int64_t value, int *fds, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		fds[i] = ivshmem_expect_fd(socket, value);
}

uint32_t ivshmem_greet(int socket, bool has_memory, int *ret_memory)
{
	struct ivshmem_message message = { .fd = -1 };

	ivshmem_expect(socket, 0);
	assert_int_equal(ivshmem_wait(socket, &message), IVSHMEM_MESSAGE);
	assert_true(message.value > 0 && message.value <= UINT16_MAX);
	assert_int_equal(message.fd, -1);
	if (has_memory)
		*ret_memory = ivshmem_expect_fd(socket, IVSHMEM_MEMORY);
	return (uint32_t)message.value;
}

void ivshmem_close_fds(int *fds, unsigned int count)
{
	while (count)
		fd_close(fds[--count]);
}

void ivshmem_ring(int bell)
{
	const uint64_t one = 1;

	assert_int_equal(write(bell, &one, sizeof(one)), sizeof(one));
}

bool ivshmem_is_rung(int bell)
{
	struct pollfd readable = { .fd = bell, .events = POLLIN };

	return sys_retry(poll(&readable, 1, 0)) == 1;
}

uint64_t ivshmem_take(int bell)
{
	struct pollfd readable = { .fd = bell, .events = POLLIN };
	uint64_t count = 0;

	if (sys_retry(poll(&readable, 1, WAIT_MS)) == 1)
		assert_int_equal(read(bell, &count, sizeof(count)), sizeof(count));
	return count;
}

int ivshmem_connect(const char *path)
{
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	r = sys_result(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
	return r < 0 ? r : steal_fd(&fd);
}
