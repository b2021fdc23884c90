/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each limit, and clients that do not read. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

static int setup_with(void **state, const char *const *args)
{
	struct broker_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	broker_fixture_init(fixture);
	broker_fixture_start(fixture, args);
	*state = fixture;
	return 0;
}

static int setup(void **state)
{
	static const char *const args[] = {
		"--limit", "user.sections=3", "--limit", "user.handles=5",
		"--limit", "user.views=2",    "--limit", "all.bytes=1M",
		"--limit", "user.clients=4",  NULL,
	};

	return setup_with(state, args);
}

static void expect_limit(struct wire_client *client, int status, const char *name)
{
	assert_int_equal(status, -EDQUOT);
	assert_int_equal(client->reply.hdr.detail, VMSECT_DETAIL_LIMIT);
	if (!strstr(wire_text(client), name))
		fail_msg("'%s' does not name %s", wire_text(client), name);
}

static void test_objects(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&client, "a", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_create_shmem(&client, "b", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_create_shmem(&client, "c", VMSECT_ACCESS_READ), 0);
	expect_limit(&client, wire_create_shmem(&client, "d", VMSECT_ACCESS_READ), "user.sections");
	assert_int_equal(wire_open(&client, "d", VMSECT_ACCESS_READ), -ENOENT);
	assert_int_equal(wire_open(&client, "a", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_open(&client, "a", VMSECT_ACCESS_READ), 0);
	expect_limit(&client, wire_open(&client, "a", VMSECT_ACCESS_READ), "user.handles");
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	expect_limit(&client, wire_map(&client, 1, VMSECT_PROT_READONLY, 0, 0), "user.views");
	/* What was given back can be had again. */
	assert_int_equal(wire_close_handle(&client, 2), 0);
	assert_int_equal(wire_create_shmem(&client, "d", VMSECT_ACCESS_READ), 0);
	wire_close(&client);
}

static void test_bytes(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = {
		.name = "big",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = (1u << 20) + 1,
		.access = VMSECT_ACCESS_READ,
	};
	struct wire_client client;

	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	expect_limit(&client, wire_create(&client, &create), "all.bytes");
	create.size_bytes = 1u << 20;
	assert_int_equal(wire_create(&client, &create), 0);
	create.name = "more";
	create.size_bytes = 1;
	expect_limit(&client, wire_create(&client, &create), "all.bytes");
	assert_int_equal(wire_close_handle(&client, 1), 0);
	assert_int_equal(wire_create(&client, &create), 0);
	wire_close(&client);
}

/* One client too many is told so, to its HELLO, and has then to go. */
static void test_clients(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_hello hello = {
		.hdr = { .size = sizeof(hello), .op = VMSECT_OP_HELLO, .cookie = 77 },
		.version = VMSECT_PROTO_VERSION,
		.kind = VMSECT_PEER_PROCESS,
		.name = "late",
	};
	struct wire_client clients[4], late;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(clients); i++)
		wire_join(&clients[i], f->socket_path, "client", VMSECT_PEER_PROCESS);
	wire_connect(&late, f->socket_path);
	wire_send(&late, &hello, sizeof(hello), NULL, 0);
	expect_limit(&late, wire_receive(&late), "clients");
	assert_int_equal(late.reply.hdr.cookie, 77);
	assert_int_equal(wire_receive(&late), WIRE_CLOSED);
	wire_close(&late);
	wire_close(&clients[0]);
	/* The broker may learn of the end a moment later. */
	for (i = 0; i < 1000; i++) {
		wire_connect(&late, f->socket_path);
		wire_send(&late, &hello, sizeof(hello), NULL, 0);
		if (!wire_receive(&late))
			break;
		wire_close(&late);
	}
	assert_int_equal(late.reply.hdr.status, 0);
	wire_close(&late);
	for (i = 1; i < ARRAY_SIZE(clients); i++)
		wire_close(&clients[i]);
}

static int setup_queue(void **state)
{
	static const char *const args[] = { "--limit", "user.queue=64K", NULL };

	return setup_with(state, args);
}

/* Opens all sections of one client by another, so that the first gets that many events. */
static void open_all(struct wire_client *client, int count)
{
	char name[16];
	int i;

	for (i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(wire_open(client, name, VMSECT_ACCESS_QUERY), 0);
	}
}

#define MANY 2000

static void create_all(struct wire_client *client, int count)
{
	char name[16];
	int i;

	for (i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(wire_create_shmem(client, name, VMSECT_ACCESS_QUERY), 0);
	}
}

/* True once the peer is not listed any more. */
static bool is_gone(struct wire_client *client, uint32_t peer)
{
	uint32_t i;

	assert_int_equal(wire_list(client, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	for (i = 0; i < client->reply.list.count; i++) {
		if (wire_listed_peer(client, i)->id == peer)
			return false;
	}
	return true;
}

/*
 * Events pile up for one who does not read, until it is dropped; others go on.
 * Two clients share the openings, so that each is told of fewer ends than the
 * sleeper was of beginnings.
 */
static void test_one_who_does_not_read_is_dropped(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client sleeper, busy[2];
	char name[16];
	int i, r = 0;

	wire_join(&sleeper, f->socket_path, "sleeper", VMSECT_PEER_PROCESS);
	wire_join(&busy[0], f->socket_path, "busy", VMSECT_PEER_PROCESS);
	wire_join(&busy[1], f->socket_path, "busy", VMSECT_PEER_PROCESS);
	create_all(&sleeper, MANY);
	/* Its sections go with it: from then on they cannot be opened. */
	for (i = 0; i < MANY && r != -ENOENT; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		r = wire_open(&busy[i % 2], name, VMSECT_ACCESS_QUERY);
		assert_true(!r || r == -ENOENT);
	}
	assert_true(is_gone(&busy[0], sleeper.peer));
	assert_true(i > 100);
	assert_false(is_gone(&busy[0], busy[1].peer));
	wire_close(&busy[0]);
	wire_close(&busy[1]);
	wire_close(&sleeper);
}

/* Comings and goings that nobody has read yet cancel each other out. */
static void test_flapping_peer_does_not_fill_the_queue(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client sleeper, busy;
	uint32_t round;

	wire_join(&sleeper, f->socket_path, "sleeper", VMSECT_PEER_PROCESS);
	wire_join(&busy, f->socket_path, "busy", VMSECT_PEER_PROCESS);
	create_all(&sleeper, 1);
	for (round = 1; round <= 10000; round++) {
		assert_int_equal(wire_open(&busy, "s0", VMSECT_ACCESS_QUERY), 0);
		assert_int_equal(wire_close_handle(&busy, round), 0);
	}
	assert_false(is_gone(&busy, sleeper.peer));
	wire_close(&busy);
	wire_close(&sleeper);
}

/*
 * Requests without reading the replies: the broker stops reading them, keeps
 * nothing, and serves the others; all replies come once they are read.
 */
static void test_requests_without_reading(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_list list = {
		.hdr = { .size = sizeof(list), .op = VMSECT_OP_LIST_SECTIONS },
	};
	struct wire_client greedy, other;
	unsigned int sent = 0, i;

	wire_join(&greedy, f->socket_path, "greedy", VMSECT_PEER_PROCESS);
	wire_join(&other, f->socket_path, "other", VMSECT_PEER_PROCESS);
	create_all(&greedy, 52); /* each list is a large message */
	/* Ends when both directions are full, which a send that would wait shows. */
	for (i = 0; i < 1000; i++) {
		while (!fdmsg_send(greedy.fd, &list, sizeof(list), NULL, 0, FDMSG_DONTWAIT))
			sent++;
		assert_int_equal(wire_list(&other, VMSECT_OP_LIST_PEERS, 0, 0), 0);
		assert_int_equal(other.reply.list.count, 2);
	}
	assert_true(sent > 10 && sent < 5000);
	for (i = 0; i < sent; i++) {
		assert_int_equal(wire_receive(&greedy), 0);
		assert_int_equal(greedy.reply.list.count, 52);
	}
	open_all(&other, 52);
	wire_close(&greedy);
	wire_close(&other);
}

/* User and system time of a process so far: fields 14 and 15 of its stat. */
static unsigned long cpu_ticks(pid_t pid)
{
	char path[64], text[512];
	unsigned long ticks;
	char *at;
	FILE *file;
	int field;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	at = strrchr(text, ')'); /* the name may have blanks */
	assert_non_null(at);
	for (field = 2; field < 14; field++) {
		at = strchr(at + 1, ' ');
		assert_non_null(at);
	}
	ticks = strtoul(at, &at, 10);
	return ticks + strtoul(at, NULL, 10);
}

/* The number that its next descriptor would have. */
static rlim_t first_free_fd(pid_t pid)
{
	char path[64], target[8];
	rlim_t fd = 0;

	for (;; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%u", pid, (unsigned int)fd);
		if (readlink(path, target, sizeof(target)) < 0)
			return fd;
	}
}

/* Without descriptors the broker rests, does not spin, and comes back. */
static void test_no_descriptors_left(void **state)
{
	struct broker_fixture *f = *state;
	struct rlimit limit, tight;
	struct wire_client first, waiting;
	struct vmsect_req_hello hello = {
		.hdr = { .size = sizeof(hello), .op = VMSECT_OP_HELLO },
		.version = VMSECT_PROTO_VERSION,
		.kind = VMSECT_PEER_PROCESS,
		.name = "waiting",
	};
	struct vmsect_msg_event event;
	unsigned long before;

	wire_join(&first, f->socket_path, "first", VMSECT_PEER_PROCESS);
	assert_int_equal(prlimit(f->pid, RLIMIT_NOFILE, NULL, &limit), 0);
	tight = limit;
	tight.rlim_cur = first_free_fd(f->pid);
	assert_int_equal(prlimit(f->pid, RLIMIT_NOFILE, &tight, NULL), 0);
	wire_connect(&waiting, f->socket_path);
	wire_send(&waiting, &hello, sizeof(hello), NULL, 0);
	before = cpu_ticks(f->pid);
	assert_false(wire_next_event(&waiting, &event, 1000)); /* nothing comes */
	/* Ticks of 10 ms: it rested, it did not spin. */
	assert_true(cpu_ticks(f->pid) - before < 50);
	/* Requests that need one are refused and the connection goes on. */
	assert_int_equal(wire_create_shmem(&first, "s", VMSECT_ACCESS_READ), -EMFILE);
	assert_int_equal(wire_list(&first, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	assert_int_equal(first.reply.list.count, 0);
	assert_int_equal(prlimit(f->pid, RLIMIT_NOFILE, &limit, NULL), 0);
	assert_int_equal(wire_receive(&waiting), 0);
	wire_close(&first);
	wire_close(&waiting);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_objects, setup),
		TEST(test_bytes, setup),
		TEST(test_clients, setup),
		TEST(test_one_who_does_not_read_is_dropped, setup_queue),
		TEST(test_flapping_peer_does_not_fill_the_queue, setup_queue),
		TEST(test_requests_without_reading, setup_queue),
		TEST(test_no_descriptors_left, broker_setup),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
