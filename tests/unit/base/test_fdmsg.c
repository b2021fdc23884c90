/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One datagram with descriptors: what is refused leaves none open.
 */
#include "base/fdmsg.h"

#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/leak.h"

/* A pair of sockets, closed at the end of the test. */
struct pair {
	int ends[2];
};

static void pair_deinit(struct pair *pair)
{
	fd_close(pair->ends[0]);
	fd_close(pair->ends[1]);
}

#define AUTO_PAIR AUTO(pair_deinit) struct pair

static struct pair pair_new(void)
{
	struct pair pair;

	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.ends), errno);
	return pair;
}

/* Sends bytes with `count` copies of stdin, more than fdmsg_send() would. */
static void send_raw(int socket, size_t size, unsigned int count)
{
	static unsigned char bytes[256];
	union {
		struct cmsghdr align;
		unsigned char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { bytes, size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	int fds[16] = { 0 };

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.align), fds, count * sizeof(int));
	assert_int_equal(sendmsg(socket, &message, 0), size);
}

static void assert_outcome(int socket, int expected)
{
	struct fdmsg msg, poisoned;
	char buffer[64];

	memset(&msg, 0xa5, sizeof(msg));
	poisoned = msg;
	assert_int_equal(fdmsg_receive(socket, buffer, sizeof(buffer), FDMSG_DONTWAIT, &msg),
			 expected);
	assert_memory_equal(&msg, &poisoned, sizeof(msg));
}

static void send_refuses(void **state)
{
	AUTO_PAIR pair = pair_new();
	int fds[3] = { 0, 0, 0 };

	(void)state;
	assert_int_equal(fdmsg_send(pair.ends[0], "x", 0, NULL, 0, 0), -EINVAL);
	assert_int_equal(fdmsg_send(pair.ends[0], "x", 1, fds, 3, 0), -EINVAL);
	assert_int_equal(fdmsg_send(-1, "x", 1, NULL, 0, 0), -EBADF);
	fds[0] = -1;
	assert_int_equal(fdmsg_send(pair.ends[0], "x", 1, fds, 1, 0), -EBADF);
	assert_outcome(pair.ends[1], -EAGAIN);
}

/* A peer that has gone is an error, not a signal. */
static void peer_gone(void **state)
{
	AUTO_PAIR pair = pair_new();

	(void)state;
	pair.ends[1] = fd_close(pair.ends[1]);
	assert_int_equal(fdmsg_send(pair.ends[0], "x", 1, NULL, 0, 0), -EPIPE);
	assert_outcome(pair.ends[0], FDMSG_E_CLOSED);
}

static void full_socket(void **state)
{
	AUTO_PAIR pair = pair_new();
	int r;

	(void)state;
	do
		r = fdmsg_send(pair.ends[0], "x", 1, NULL, 0, FDMSG_DONTWAIT);
	while (!r);
	assert_int_equal(r, -EAGAIN);
}

static void too_many_descriptors(void **state)
{
	static const unsigned int counts[] = { 3, 4, 16 };
	AUTO_PAIR pair = pair_new();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		send_raw(pair.ends[0], 8, counts[i]);
		assert_outcome(pair.ends[1], FDMSG_E_CUT);
	}
}

static void too_many_bytes(void **state)
{
	AUTO_PAIR pair = pair_new();

	(void)state;
	send_raw(pair.ends[0], 65, 2);
	assert_outcome(pair.ends[1], FDMSG_E_CUT);
}

static void no_number_left(void **state)
{
	AUTO_PAIR pair = pair_new();
	struct rlimit limit, none;

	(void)state;
	send_raw(pair.ends[0], 8, 2);
	assert_return_code(getrlimit(RLIMIT_NOFILE, &limit), errno);
	none = limit;
	none.rlim_cur = 0;
	assert_return_code(setrlimit(RLIMIT_NOFILE, &none), errno);
	assert_outcome(pair.ends[1], FDMSG_E_CUT);
	assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), errno);
}

static void what_is_sent_comes(void **state)
{
	AUTO_PAIR pair = pair_new();
	int fds[2] = { 0, 1 };
	char buffer[64] = "";
	struct fdmsg msg;

	(void)state;
	assert_int_equal(fdmsg_send(pair.ends[0], "hello", 5, fds, 2, 0), 0);
	assert_int_equal(fdmsg_receive(pair.ends[1], buffer, sizeof(buffer), 0, &msg), 0);
	assert_int_equal(msg.size, 5);
	assert_int_equal(msg.nfds, 2);
	assert_memory_equal(buffer, "hello", 5);
	assert_true(fcntl(msg.fds[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(msg.fds[1], F_GETFD) & FD_CLOEXEC);
	fdmsg_close_fds(&msg);
	assert_int_equal(msg.nfds, 0);
	assert_int_equal(msg.fds[0], -1);
	assert_int_equal(fdmsg_send(pair.ends[0], "x", 1, NULL, 0, 0), 0);
	assert_int_equal(fdmsg_receive(pair.ends[1], buffer, sizeof(buffer), 0, &msg), 0);
	assert_int_equal(msg.nfds, 0);
}

/* An empty datagram cannot be told from the end; its descriptors are closed. */
static void empty_datagram(void **state)
{
	AUTO_PAIR pair = pair_new();

	(void)state;
	send_raw(pair.ends[0], 0, 2);
	assert_outcome(pair.ends[1], FDMSG_E_CLOSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, leak_setup, leak_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(send_refuses),	    TEST(peer_gone),	  TEST(full_socket),
		TEST(too_many_descriptors), TEST(too_many_bytes), TEST(no_number_left),
		TEST(what_is_sent_comes),   TEST(empty_datagram),
	};

	(void)alarm(60);
	return cmocka_run_group_tests_name("base_fdmsg", tests, NULL, NULL);
}
