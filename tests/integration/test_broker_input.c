/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bad input over a real connection: a clear answer, at most the sender's
 * connection, and not one descriptor more in the broker.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "base/sys.h"
#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define ROUNDS 1000

/* The connection goes on: a good request is answered. */
static void expect_alive(struct wire_client *client)
{
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
}

/* The answer, and then the end of the connection. */
static void expect_end(struct wire_client *client, int status, uint32_t detail)
{
	assert_int_equal(wire_receive(client), status);
	assert_int_equal(client->reply.hdr.detail, detail);
	assert_true(strlen(wire_text(client)) > 10);
	assert_int_equal(wire_receive(client), WIRE_CLOSED);
}

/* Descriptors of the broker once all connections but one have ended. */
static size_t settled_fds(struct broker_fixture *f)
{
	struct wire_client client;
	uint32_t count;
	size_t fds;

	wire_join(&client, f->socket_path, "settle", VMSECT_PEER_PROCESS);
	do {
		assert_int_equal(wire_list(&client, VMSECT_OP_LIST_PEERS, 0, 0), 0);
		count = client.reply.list.count;
	} while (count > 1);
	/* Strangers are no peers: one more connection is taken after they have gone. */
	fds = broker_fixture_fds(f);
	wire_close(&client);
	return fds;
}

/* Waits until the broker has as many descriptors as before. */
static void expect_fds(struct broker_fixture *f, size_t before)
{
	int round;

	for (round = 0; round < 1000; round++) {
		if (settled_fds(f) == before)
			return;
	}
	assert_int_equal(settled_fds(f), before);
}

static void test_version(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_hello hello = {
		.hdr = { .size = sizeof(hello), .op = VMSECT_OP_HELLO, .cookie = 5 },
		.version = 99,
		.kind = VMSECT_PEER_PROCESS,
		.name = "x",
	};
	struct wire_client client;

	wire_connect(&client, f->socket_path);
	wire_send(&client, &hello, sizeof(hello), NULL, 0);
	assert_int_equal(wire_receive(&client), -EPROTONOSUPPORT);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_VERSION);
	assert_int_equal(client.reply.hdr.cookie, 5);
	assert_non_null(strstr(wire_text(&client), "version 2"));
	assert_non_null(strstr(wire_text(&client), "version 99"));
	assert_int_equal(wire_receive(&client), WIRE_CLOSED);
	wire_close(&client);
}

/* The refusal arrives even if the client has sent more that no one will read. */
static void test_refusal_survives_pipelining(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_hello hello = {
		.hdr = { .size = sizeof(hello), .op = VMSECT_OP_HELLO },
		.version = 99,
		.name = "x",
	};
	struct wire_client client;
	int i, round;

	for (round = 0; round < 100; round++) {
		wire_connect(&client, f->socket_path);
		for (i = 0; i < 4; i++)
			(void)fdmsg_send(client.fd, &hello, sizeof(hello), NULL, 0, FDMSG_DONTWAIT);
		expect_end(&client, -EPROTONOSUPPORT, VMSECT_DETAIL_VERSION);
		wire_close(&client);
	}
}

static void test_hello_first_and_once(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_hello hello = {
		.version = VMSECT_PROTO_VERSION,
		.kind = VMSECT_PEER_PROCESS,
		.name = "x",
	};
	struct wire_client client;

	wire_connect(&client, f->socket_path);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_SECTIONS, 0, 0), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_STATE);
	assert_int_equal(wire_create_shmem(&client, "s", VMSECT_ACCESS_READ), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_STATE);
	assert_int_equal(wire_call(&client, VMSECT_OP_HELLO, &hello, sizeof(hello)), 0);
	assert_int_equal(wire_call(&client, VMSECT_OP_HELLO, &hello, sizeof(hello)), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_STATE);
	expect_alive(&client);
	wire_close(&client);
}

static void test_refused_requests_go_on(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_open open_request = { .access = VMSECT_ACCESS_READ, .name = "a/b" };
	unsigned char bytes[64] = { 0 };
	struct wire_client client;

	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_call(&client, 99, bytes, sizeof(bytes)), -EOPNOTSUPP);
	assert_int_equal(wire_call(&client, VMSECT_OP_EVENT, bytes, sizeof(bytes)), -EOPNOTSUPP);
	assert_int_equal(wire_call(&client, VMSECT_OP_OPEN, bytes, sizeof(bytes)), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_FORMAT);
	assert_int_equal(wire_call(&client, VMSECT_OP_OPEN, &open_request, sizeof(open_request)),
			 -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_NAME);
	open_request.reserved = 1;
	assert_int_equal(wire_call(&client, VMSECT_OP_OPEN, &open_request, sizeof(open_request)),
			 -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_FORMAT);
	expect_alive(&client);
	wire_close(&client);
}

static void test_messages_that_are_none(void **state)
{
	static const size_t sizes[] = { 1, 31, 33, 65536, 65537, 100000 };
	struct broker_fixture *f = *state;
	unsigned char *bytes = calloc(1, 100000);
	struct wire_client client;
	size_t i;

	assert_non_null(bytes);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
		wire_send(&client, bytes, sizes[i], NULL, 0);
		expect_end(&client, -EPROTO, VMSECT_DETAIL_FORMAT);
		wire_close(&client);
	}
	free(bytes);
}

/* More descriptors than a message may have, by a raw sendmsg(). */
static void send_many_fds(int socket_fd, unsigned int count)
{
	struct vmsect_req_create create = {
		.hdr = { .size = sizeof(create), .op = VMSECT_OP_CREATE, .fds = count },
	};
	union {
		struct cmsghdr align;
		unsigned char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = &create, .iov_len = sizeof(create) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	unsigned int i;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (i = 0; i < count; i++)
		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &socket_fd, sizeof(int));
	assert_true(sendmsg(socket_fd, &msg, MSG_NOSIGNAL) > 0);
}

static void test_descriptors_out_of_place(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_list list = {
		.hdr = { .size = sizeof(list), .op = VMSECT_OP_LIST_SECTIONS, .fds = 1 },
	};
	AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	size_t before = settled_fds(f);
	static const unsigned int counts[] = { 3, 4, 10, 253 };
	const int fds[2] = { null, null };
	struct wire_client client;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
		send_many_fds(client.fd, counts[i]);
		expect_end(&client, -EPROTO, VMSECT_DETAIL_FORMAT);
		wire_close(&client);
	}
	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	wire_send(&client, &list, sizeof(list), fds, 1); /* takes none */
	expect_end(&client, -EPROTO, VMSECT_DETAIL_FORMAT);
	wire_close(&client);
	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	wire_send(&client, &list, sizeof(list), fds, 2); /* says 1 */
	expect_end(&client, -EPROTO, VMSECT_DETAIL_FORMAT);
	wire_close(&client);
	expect_fds(f, before);
}

/* Wrong descriptors for CREATE are answered, closed, and the connection goes on. */
static void test_wrong_files_are_closed(void **state)
{
	struct broker_fixture *f = *state;
	AUTO_FD int folder = open("/tmp", O_RDONLY | O_CLOEXEC);
	AUTO_FD int path = open("/tmp", O_PATH | O_CLOEXEC);
	AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	size_t before = settled_fds(f);
	const int wrong[][2] = { { folder, folder }, { path, null }, { null, path } };
	struct wire_client client;
	int round;

	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	for (round = 0; round < ROUNDS; round++) {
		struct wire_create create = {
			.name = "file",
			.backing = round % 2 ? VMSECT_BACKING_FILE : VMSECT_BACKING_SHMEM,
			.protection = round % 3 ? VMSECT_PROT_READONLY : VMSECT_PROT_READWRITE,
			.size_bytes = 4096,
			.access = VMSECT_ACCESS_READ,
			.fds = wrong[round % 3],
			.nfds = 1 + (unsigned int)round / 3 % 2,
		};
		int r = wire_create(&client, &create);

		assert_true(r == -EINVAL || r == -ENODEV);
		assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_FILE);
	}
	expect_alive(&client);
	wire_close(&client);
	expect_fds(f, before);
}

/* One of many ways to be wrong; what comes back does not matter here. */
static void misbehave(struct wire_client *client, unsigned int *seed, int null)
{
	unsigned char bytes[512];
	const int fds[2] = { null, null };
	struct vmsect_msg_hdr hdr = { 0 };
	size_t i, size = 1 + (size_t)rand_r(seed) % sizeof(bytes);
	unsigned int nfds = (unsigned int)rand_r(seed) % 3;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)rand_r(seed);
	if (rand_r(seed) % 4) {
		hdr.size = (uint32_t)size;
		hdr.op = (uint16_t)(rand_r(seed) % 14);
		hdr.fds = rand_r(seed) % 4 ? nfds : 1;
		memcpy(bytes, &hdr, sizeof(hdr));
	}
	(void)fdmsg_send(client->fd, bytes, size, fds, nfds, FDMSG_DONTWAIT);
}

static void test_thousands_of_bad_messages(void **state)
{
	struct broker_fixture *f = *state;
	AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	unsigned int seed = (unsigned int)time(NULL);
	size_t before = settled_fds(f);
	struct wire_client client, witness;
	int round, i;

	print_message("seed %u\n", seed);
	wire_join(&witness, f->socket_path, "witness", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&witness, "kept", VMSECT_ACCESS_QUERY), 0);
	for (round = 0; round < ROUNDS; round++) {
		if (round % 2)
			wire_join(&client, f->socket_path, "bad", VMSECT_PEER_PROCESS);
		else
			wire_connect(&client, f->socket_path);
		for (i = 0; i < 5; i++)
			misbehave(&client, &seed, null);
		wire_close(&client);
	}
	assert_int_equal(wire_query(&witness, 1), 0);
	assert_string_equal(witness.reply.section.section.name, "kept");
	wire_close(&witness);
	expect_fds(f, before);
}

/* Connections that say nothing, or half of what they should, and go. */
static void test_storm_of_connections(void **state)
{
	struct broker_fixture *f = *state;
	size_t before = settled_fds(f);
	struct wire_client client;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		wire_connect(&client, f->socket_path);
		if (round % 3 == 0)
			(void)shutdown(client.fd, SHUT_WR);
		if (round % 3 == 1)
			(void)shutdown(client.fd, SHUT_RD);
		wire_close(&client);
	}
	expect_fds(f, before);
}

/* What was counted can be asked for. */
static void test_counters(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	unsigned char bytes[40] = { 0 };
	char *log = NULL;
	int round;

	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	(void)wire_call(&client, 99, bytes, sizeof(bytes));
	wire_send(&client, bytes, 5, NULL, 0);
	expect_end(&client, -EPROTO, VMSECT_DETAIL_FORMAT);
	wire_close(&client);
	assert_int_equal(kill(f->pid, SIGUSR1), 0);
	for (round = 0; round < 1000; round++) {
		wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
		wire_close(&client);
		free(log);
		log = broker_fixture_log(f);
		if (strstr(log, "ends:"))
			break;
	}
	assert_non_null(strstr(log, " refused=1 malformed=1 cut=0"));
	free(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_version),
		TEST(test_refusal_survives_pipelining),
		TEST(test_hello_first_and_once),
		TEST(test_refused_requests_go_on),
		TEST(test_messages_that_are_none),
		TEST(test_descriptors_out_of_place),
		TEST(test_wrong_files_are_closed),
		TEST(test_thousands_of_bad_messages),
		TEST(test_storm_of_connections),
		TEST(test_counters),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
