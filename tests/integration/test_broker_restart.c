/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A broker is killed and another one takes over: who was there finds everything as it was. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/wire_resume.h"

#define PAGE 4096u
#define ALL_ACCESS 0x77u /* all but EXECUTE */
#define OTHER_UID 4711u

static const char *const short_grace[] = { "--resume-grace", "1", NULL };

static void restart(struct broker_fixture *f)
{
	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
}

static void expect_log(const struct broker_fixture *f, const char *text)
{
	char *log = broker_fixture_log(f);

	if (!strstr(log, text))
		fail_msg("'%s' is not in: %s", text, log);
	free(log);
}

/* A section of memory; *ret_fd is what its handle came with.  Its id. */
static uint64_t make_section(struct wire_client *client, const char *name, uint32_t access,
			     int *ret_fd)
{
	assert_int_equal(wire_create_shmem(client, name, access), 0);
	*ret_fd = steal_fd(&client->reply_fd);
	return client->reply.handle.section.id;
}

/* All that a client is shown, one list after another. */
struct snapshot {
	size_t size;
	unsigned char bytes[3 * VMSECT_MSG_MAX];
};

static void take_list(struct wire_client *client, uint16_t op, struct snapshot *snapshot)
{
	size_t head = sizeof(struct vmsect_rep_list);

	assert_int_equal(wire_list(client, op, 0, 0), 0);
	assert_int_equal(client->reply.list.more, 0);
	memcpy(snapshot->bytes + snapshot->size, client->reply.bytes + head,
	       client->reply_size - head);
	snapshot->size += client->reply_size - head;
}

static struct snapshot *snapshot_of(struct wire_client *client)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	assert_non_null(snapshot);
	take_list(client, VMSECT_OP_LIST_SECTIONS, snapshot);
	take_list(client, VMSECT_OP_LIST_VIEWS, snapshot);
	take_list(client, VMSECT_OP_LIST_PEERS, snapshot);
	return snapshot;
}

static void expect_snapshot(struct wire_client *client, struct snapshot *before)
{
	struct snapshot *now = snapshot_of(client);

	assert_int_equal(now->size, before->size);
	assert_memory_equal(now->bytes, before->bytes, before->size);
	free(now);
	free(before);
}

static int make_file(const struct broker_fixture *f, char *path, size_t room)
{
	int fd;

	(void)snprintf(path, room, "%s/data", f->folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 3 * PAGE), 0);
	return fd;
}

static void make_file_section(struct wire_client *client, const struct broker_fixture *f)
{
	char path[128];
	AUTO_FD int rw = make_file(f, path, sizeof(path));
	AUTO_FD int ro = open(path, O_RDONLY | O_CLOEXEC);
	const int fds[] = { ro, rw };

	assert_int_equal(
		wire_create(client, &(struct wire_create){ .name = "file",
							   .backing = VMSECT_BACKING_FILE,
							   .protection = VMSECT_PROT_READWRITE,
							   .access = ALL_ACCESS,
							   .mode = 0640,
							   .fds = fds,
							   .nfds = 2 }),
		0);
}

/* Handles, views and sections of every kind, of two clients. */
static void test_everything_is_as_before(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_identity who_a, who_b;
	struct wire_client *a = calloc(2, sizeof(*a)), *b = a + 1;
	AUTO_FD int memory = -1;
	struct snapshot *before;
	uint64_t section, view;
	uint32_t handle;
	size_t fds;

	wire_join_noted(a, f->socket_path, "a", &who_a);
	wire_join_noted(b, f->socket_path, "b", &who_b);
	section = make_section(a, "memory", ALL_ACCESS, &memory);
	handle = a->reply.handle.handle;
	assert_int_equal(wire_map(a, handle, VMSECT_PROT_READWRITE, 0, 0), 0);
	assert_int_equal(wire_map(a, handle, VMSECT_PROT_WRITECOPY, PAGE, PAGE), 0);
	make_file_section(a, f);
	assert_int_equal(wire_map(a, a->reply.handle.handle, VMSECT_PROT_READONLY, 0, 0), 0);
	assert_int_equal(wire_open(b, "memory", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_map(b, b->reply.handle.handle, VMSECT_PROT_READONLY, 0, 0), 0);
	view = b->reply.map.view;
	assert_int_equal(wire_close_handle(b, 1), 0); /* only the view is left of it */
	before = snapshot_of(a);
	fds = broker_fixture_fds(f);

	restart(f);
	assert_int_equal(wire_resume(a, f->socket_path, &who_a), 0);
	assert_int_equal(wire_wanted_count(a), 1);
	assert_int_equal(wire_wanted(a, 0), section);
	assert_int_equal(wire_hand_back(a, section, memory), 0);
	assert_int_equal(wire_resume(b, f->socket_path, &who_b), 0);
	assert_int_equal(wire_wanted_count(b), 0);
	expect_snapshot(a, before);
	assert_int_equal(broker_fixture_fds(f), fds);
	/* Numbers go on where they were. */
	assert_int_equal(wire_map(b, 1, VMSECT_PROT_READONLY, 0, 0), -EBADF);
	assert_int_equal(wire_open(b, "memory", VMSECT_ACCESS_READ), 0);
	assert_int_equal(b->reply.handle.handle, 2);
	assert_int_equal(wire_map(b, 2, VMSECT_PROT_READONLY, 0, 0), 0);
	assert_int_equal(b->reply.map.view, view + 1);
	wire_close(a);
	wire_close(b);
	free(a);
}

/* The same again and again: what is written anew is as good as what was added. */
static void test_many_times(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	struct snapshot *before;
	AUTO_FD int memory = -1;
	uint64_t section;
	int i;

	wire_join_noted(&client, f->socket_path, "a", &who);
	section = make_section(&client, "s", ALL_ACCESS, &memory);
	for (i = 0; i < 5; i++) {
		assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READWRITE, 0, 0), 0);
		before = snapshot_of(&client);
		restart(f);
		assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
		assert_int_equal(wire_hand_back(&client, section, memory), 0);
		expect_snapshot(&client, before);
	}
	wire_close(&client);
}

/* A read-only descriptor is enough, and the bytes are the same ones. */
static void test_memory_comes_back(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	AUTO_FD int memory = -1, read_only = -1;
	uint64_t section;
	char text[6] = "";

	wire_join_noted(&client, f->socket_path, "a", &who);
	section = make_section(&client, "s", ALL_ACCESS, &memory);
	assert_int_equal(pwrite(memory, "hello", 5, PAGE), 5);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), 0);
	read_only = steal_fd(&client.reply_fd);
	assert_int_equal(pwrite(read_only, "x", 1, 0), -1);
	restart(f);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	/* What needs the memory is asked for too early. */
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), -EAGAIN);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_RECOVERY);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(wire_hand_back(&client, section, read_only), 0);
	assert_int_equal(wire_hand_back(&client, section, read_only), 0); /* it has it by now */
	fd_close(steal_fd(&memory));
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE), 0);
	assert_int_equal(pread(client.reply_fd, text, 5, PAGE), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(pwrite(client.reply_fd, "x", 1, 0), 1);
	wire_close(&client);
}

static void test_wrong_memory(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	AUTO_FD int memory = -1, other = -1, path_only = -1, folder = -1;
	uint64_t section;
	char link[64];

	wire_join_noted(&client, f->socket_path, "a", &who);
	section = make_section(&client, "s", ALL_ACCESS, &memory);
	(void)make_section(&client, "other", ALL_ACCESS, &other);
	restart(f);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	assert_int_equal(wire_wanted_count(&client), 2);
	folder = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(wire_hand_back(&client, section, other), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_FILE);
	assert_int_equal(wire_hand_back(&client, section, folder), -EINVAL);
	assert_int_equal(wire_hand_back(&client, section, -1), -EINVAL);
	assert_int_equal(wire_hand_back(&client, section + 100, memory), -ENOENT);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), -EAGAIN);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", memory);
	path_only = open(link, O_PATH | O_CLOEXEC);
	assert_int_equal(wire_hand_back(&client, section, path_only), 0); /* the broker's own uid */
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), 0);
	wire_close(&client);
}

static void test_wrong_identity(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_identity who, wrong;
	struct wire_client client, other;

	wire_join_noted(&client, f->socket_path, "a", &who);
	assert_int_equal(wire_create_shmem(&client, "s", VMSECT_ACCESS_QUERY), 0);
	wire_connect(&other, f->socket_path);
	assert_int_equal(wire_say_resume(&other, &who), -EBUSY); /* it is connected */
	assert_int_equal(other.reply.hdr.detail, VMSECT_DETAIL_STATE);
	wire_close(&other);
	restart(f);
	wire_connect(&other, f->socket_path);
	wrong = who;
	wrong.token[VMSECT_TOKEN_BYTES - 1] ^= 1;
	assert_int_equal(wire_say_resume(&other, &wrong), -ESTALE);
	wrong = who;
	wrong.generation++;
	assert_int_equal(wire_say_resume(&other, &wrong), -ESTALE);
	wrong = who;
	wrong.peer++;
	assert_int_equal(wire_say_resume(&other, &wrong), -ESTALE);
	assert_int_equal(wire_say_resume(&other, &who), 0);
	assert_int_equal(wire_say_resume(&other, &who), -EINVAL);
	assert_int_equal(other.reply.hdr.detail, VMSECT_DETAIL_STATE);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), -EBUSY);
	wire_close(&client);
	/* A client that is gone cannot come back, and a stranger can begin anew. */
	wire_close(&other);
	wire_join(&other, f->socket_path, "b", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	wire_close(&other);
	wire_connect(&client, f->socket_path);
	assert_int_equal(wire_say_resume(&client, &who), -ESTALE);
	wire_close(&client);
}

/* Another user who knows the token gets nothing by it. */
static void test_other_uid(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_identity who;
	struct wire_client client;
	pid_t pid;

	if (geteuid())
		skip();
	wire_join_noted(&client, f->socket_path, "a", &who);
	restart(f);
	broker_fixture_open_to_all(f);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct wire_client thief;

		if (setresuid(OTHER_UID, OTHER_UID, OTHER_UID) < 0)
			_exit(1);
		wire_connect(&thief, f->socket_path);
		_exit(wire_say_resume(&thief, &who) == -ESTALE ? 0 : 2);
	}
	assert_int_equal(fixture_wait(pid), 0);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	wire_close(&client);
}

/* Joins, makes a section, says so, and waits for its end. */
static pid_t spawn_client(const struct broker_fixture *f, const char *section)
{
	int ends[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct wire_client child;

		wire_join(&child, f->socket_path, "child", VMSECT_PEER_PROCESS);
		if (wire_create_shmem(&child, section, ALL_ACCESS) || write(ends[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	fd_close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	fd_close(ends[0]);
	return pid;
}

/* Its process ended while there was no broker: it is not waited for. */
static void test_dead_client(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	struct vmsect_msg_event event;
	pid_t pid;

	pid = spawn_client(f, "s");
	wire_join_noted(&client, f->socket_path, "a", &who);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_QUERY), 0);
	broker_fixture_kill(f);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)fixture_wait(pid);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	event = wire_expect_event(&client, VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_int_equal(event.section, 1);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	assert_int_equal(client.reply.list.count, 1);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.handles, 1);
	wire_close(&client);
}

/* It ends while the broker waits for it. */
static void test_client_dies_in_the_grace(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	pid_t pid = spawn_client(f, "s");

	wire_join_noted(&client, f->socket_path, "a", &who);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_QUERY), 0);
	restart(f);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_PEERS, 0, 0), 0);
	assert_int_equal(client.reply.list.count, 2);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)fixture_wait(pid);
	(void)wire_expect_event(&client, VMSECT_WIRE_EVENT_PEER_LEFT);
	expect_log(f, "ended while there was no broker");
	wire_close(&client);
}

/* One that lives and does not come back ends when the time is over. */
static void test_absent_client_ends(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client, lost;
	struct wire_identity who;

	wire_join(&lost, f->socket_path, "lost", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&lost, "s", VMSECT_ACCESS_QUERY), 0);
	wire_join_noted(&client, f->socket_path, "a", &who);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_QUERY), 0);
	broker_fixture_kill(f);
	broker_fixture_start(f, short_grace);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	(void)wire_expect_event(&client, VMSECT_WIRE_EVENT_PEER_LEFT);
	expect_log(f, "has not come back");
	wire_close(&lost);
	wire_close(&client);
}

/* Memory that nobody has any more: names and handles go, the broker goes on. */
static void test_memory_is_lost(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct vmsect_msg_event event;
	struct wire_identity who;

	wire_join_noted(&client, f->socket_path, "a", &who);
	assert_int_equal(wire_create_shmem(&client, "s", ALL_ACCESS), 0);
	broker_fixture_kill(f);
	broker_fixture_start(f, short_grace);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	assert_int_equal(wire_wanted_count(&client), 1);
	event = wire_expect_event(&client, VMSECT_WIRE_EVENT_REVOKE_HANDLE);
	assert_int_equal(event.value, 1);
	assert_int_equal(wire_query(&client, 1), -EBADF);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), -ENOENT);
	assert_int_equal(wire_create_shmem(&client, "s", ALL_ACCESS), 0);
	expect_log(f, "nobody has brought its memory back");
	wire_close(&client);
}

/* A permanent one that nobody holds has no memory: its name is free at once. */
static void test_permanent_without_memory(void **state)
{
	struct broker_fixture *f = *state;
	const struct wire_create permanent = {
		.name = "s",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = PAGE,
		.access = VMSECT_ACCESS_READ,
		.flags = VMSECT_CREATE_PERMANENT,
		.mode = 0600,
	};
	struct wire_client client;

	wire_join(&client, f->socket_path, "a", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create(&client, &permanent), 0);
	assert_int_equal(wire_close_handle(&client, 1), 0);
	restart(f);
	wire_close(&client);
	wire_join(&client, f->socket_path, "b", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), -ENOENT);
	assert_int_equal(wire_create(&client, &permanent), 0);
	assert_int_equal(client.reply.handle.section.id, 2); /* 1 was used */
	wire_close(&client);
}

/* What was charged is charged. */
static void test_limits_are_kept(void **state)
{
	static const char *const args[] = { "--limit", "user.sections=2",
					    "--limit", "user.handles=3",
					    "--limit", "user.views=1",
					    NULL };
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	AUTO_FD int one = -1, two = -1;
	uint64_t first;

	broker_fixture_kill(f);
	broker_fixture_start(f, args);
	wire_join_noted(&client, f->socket_path, "a", &who);
	first = make_section(&client, "one", ALL_ACCESS, &one);
	(void)make_section(&client, "two", ALL_ACCESS, &two);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	broker_fixture_kill(f);
	broker_fixture_start(f, args);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	assert_int_equal(wire_hand_back(&client, first, one), 0);
	assert_int_equal(wire_create_shmem(&client, "three", ALL_ACCESS), -EDQUOT);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READONLY, 0, 0), -EDQUOT);
	assert_int_equal(wire_open(&client, "one", VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(wire_open(&client, "one", VMSECT_ACCESS_QUERY), -EDQUOT);
	assert_int_equal(wire_close_handle(&client, 2), 0);
	assert_int_equal(wire_create_shmem(&client, "three", ALL_ACCESS), 0);
	wire_close(&client);
}

/* A broker that is told to end is replaced like one that is killed. */
static void test_orderly_end(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	AUTO_FD int memory = -1;
	uint64_t section;

	wire_join_noted(&client, f->socket_path, "a", &who);
	section = make_section(&client, "s", ALL_ACCESS, &memory);
	broker_fixture_stop(f);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	assert_int_equal(wire_hand_back(&client, section, memory), 0);
	assert_int_equal(wire_query(&client, 1), 0);
	wire_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_everything_is_as_before),
		TEST(test_many_times),
		TEST(test_memory_comes_back),
		TEST(test_wrong_memory),
		TEST(test_wrong_identity),
		TEST(test_other_uid),
		TEST(test_dead_client),
		TEST(test_client_dies_in_the_grace),
		TEST(test_absent_client_ends),
		TEST(test_memory_is_lost),
		TEST(test_permanent_without_memory),
		TEST(test_limits_are_kept),
		TEST(test_orderly_end),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
