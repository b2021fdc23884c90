/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FLUSH by the wire: who may, which ranges, and that it ends. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_disk.h"

#define PAGE 4096u
#define SIZE (4 * PAGE + 10)

static const struct wire_create file = {
	.name = "s",
	.protection = VMSECT_PROT_READWRITE,
	.access = VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
	.mode = 0600,
};

static void expect(struct wire_client *client, int r, int status, uint32_t detail)
{
	assert_int_equal(r, status);
	assert_int_equal(client->reply.hdr.detail, detail);
}

/* A client with handle 1 of a section of a file. */
static void start(struct broker_fixture *f, struct wire_client *client)
{
	char path[100];
	int fd;

	wire_join(client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	(void)close(fd);
	assert_int_equal(wire_create_file(client, &file, path), 0);
}

static void test_ranges(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	const struct vmsect_wire_range good[] = {
		{ 0, 0 }, { 0, SIZE }, { PAGE, 1 }, { SIZE - 1, 1 }, { SIZE, 0 },
	};
	const struct vmsect_wire_range bad[] = {
		{ 0, SIZE + 1 },
		{ SIZE + 1, 0 },
		{ PAGE, UINT64_MAX },
		{ UINT64_MAX, 2 },
	};
	unsigned int i;

	start(f, &client);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(pwrite(client.reply_fd, "x", 1, i), 1);
		assert_int_equal(wire_flush(&client, 1, 0, &good[i], 0), 0);
		assert_int_equal(wire_flush(&client, 1, 0, &good[i], VMSECT_FLUSH_DURABLE), 0);
		assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_WRITE), 0);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(&client, wire_flush(&client, 1, 0, &bad[i], 0), -EINVAL,
		       VMSECT_DETAIL_RANGE);
	wire_close(&client);
}

static void test_views(void **state)
{
	struct broker_fixture *f = *state;
	const struct vmsect_wire_range beyond = { PAGE, PAGE + 1 };
	struct wire_client client, other;
	uint64_t view;

	start(f, &client);
	wire_join(&other, f->socket_path, "other", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READONLY, PAGE, 2 * PAGE), 0);
	view = client.reply.map.view;
	assert_int_equal(wire_close_handle(&client, 1), 0);
	assert_int_equal(wire_flush(&client, 0, view, NULL, VMSECT_FLUSH_DURABLE), 0);
	expect(&client, wire_flush(&client, 0, view, &beyond, 0), -EINVAL, VMSECT_DETAIL_RANGE);
	assert_int_equal(wire_flush(&other, 0, view, NULL, 0), -ENXIO);
	wire_close(&client);
	wire_close(&other);
}

static void test_refusals(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	start(f, &client);
	expect(&client, wire_flush(&client, 9, 0, NULL, 0), -EBADF, VMSECT_DETAIL_HANDLE);
	expect(&client, wire_flush(&client, 0, 0, NULL, 0), -EBADF, VMSECT_DETAIL_HANDLE);
	expect(&client, wire_flush(&client, 1, 1, NULL, 0), -EINVAL, VMSECT_DETAIL_FORMAT);
	expect(&client, wire_flush(&client, 1, 0, NULL, 2), -EINVAL, VMSECT_DETAIL_FORMAT);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_QUERY), 0);
	expect(&client, wire_flush(&client, client.reply.handle.handle, 0, NULL, 0), -EPERM,
	       VMSECT_DETAIL_ACCESS);
	wire_close(&client);
}

static void test_page_file(void **state)
{
	struct broker_fixture *f = *state;
	const struct vmsect_wire_range beyond = { 0, (64u << 10) + 1 };
	struct wire_client client;

	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&client, "m", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_flush(&client, 1, 0, NULL, VMSECT_FLUSH_DURABLE), 0);
	expect(&client, wire_flush(&client, 1, 0, &beyond, 0), -EINVAL, VMSECT_DETAIL_RANGE);
	wire_close(&client);
}

/* More than a user may have waiting: some are refused, all are answered. */
static void test_many(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_flush request = {
		.hdr = { .size = sizeof(request), .op = VMSECT_OP_FLUSH },
		.handle = 1,
		.flags = VMSECT_FLUSH_DURABLE,
	};
	struct wire_client client;
	unsigned int i, sent = 600, done = 0;
	uint64_t cookies = 0, expected = 0;
	int r;

	start(f, &client);
	for (i = 0; i < sent; i++) {
		request.hdr.cookie = ++client.cookie;
		expected += client.cookie;
		wire_send(&client, &request, sizeof(request), NULL, 0);
		if (i % 100 < 50)
			continue; /* replies are taken in batches: the socket is not endless */
		r = wire_receive(&client);
		assert_true(r == 0 || r == -EDQUOT);
		cookies += client.reply.hdr.cookie;
		done += !r;
	}
	for (i = 0; i < sent / 2; i++) {
		r = wire_receive(&client);
		assert_true(r == 0 || r == -EDQUOT);
		cookies += client.reply.hdr.cookie;
		done += !r;
	}
	assert_int_equal(cookies, expected);
	assert_true(done >= 256);
	wire_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ranges),    TEST(test_views), TEST(test_refusals),
		TEST(test_page_file), TEST(test_many),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
