/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal beside the socket: when it is there, who may have it, what a
 * broker does with one that is damaged; and what it keeps of views and handles
 * beside their being there.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/journal_buffer.h"
#include "lib/broker_fixture.h"
#include "lib/wire_resume.h"

#define PAGE 4096u
#define ALL_ACCESS 0x77u /* all but EXECUTE */

static void journal_path(const struct broker_fixture *f, char *path, size_t room, const char *tail)
{
	(void)snprintf(path, room, "%s.journal%s", f->socket_path, tail);
}

static bool journal_exists(const struct broker_fixture *f, const char *tail)
{
	char path[160];

	journal_path(f, path, sizeof(path), tail);
	return access(path, F_OK) == 0;
}

static void expect_log(const struct broker_fixture *f, const char *text)
{
	char *log = broker_fixture_log(f);

	if (!strstr(log, text))
		fail_msg("'%s' is not in: %s", text, log);
	free(log);
}

/* Private to the broker's user, and gone with a broker that knows nothing. */
static void test_comes_and_goes(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	char path[160];
	struct stat st;

	journal_path(f, path, sizeof(path), "");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	wire_join(&client, f->socket_path, "a", VMSECT_PEER_PROCESS);
	wire_close(&client);
	broker_fixture_stop(f);
	assert_false(journal_exists(f, ""));
}

/* One that finds another broker running leaves that one's journal alone. */
static void test_second_broker(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	struct stat before, after;
	char path[160], program[PATH_MAX];
	pid_t pid;

	wire_join_noted(&client, f->socket_path, "a", &who);
	assert_int_equal(wire_create_shmem(&client, "s", VMSECT_ACCESS_QUERY), 0);
	journal_path(f, path, sizeof(path), "");
	assert_int_equal(stat(path, &before), 0);
	fixture_program("vmsectd", program, sizeof(program));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		(void)execl(program, program, "--socket", f->socket_path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(fixture_wait(pid), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, before.st_size);
	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	assert_int_equal(wire_query(&client, 1), 0);
	wire_close(&client);
}

static void append(const struct broker_fixture *f, const void *bytes, size_t size)
{
	char path[160];
	AUTO_FD int fd = -1;

	journal_path(f, path, sizeof(path), "");
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
}

static void test_torn_end(void **state)
{
	const struct journal_head head = { .magic = JOURNAL_MAGIC, .type = JOURNAL_VIEW };
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;

	wire_join_noted(&client, f->socket_path, "a", &who);
	assert_int_equal(wire_create_shmem(&client, "s", VMSECT_ACCESS_QUERY), 0);
	broker_fixture_kill(f);
	append(f, &head, sizeof(head));
	broker_fixture_start(f, NULL);
	expect_log(f, "the journal's last 16 bytes are not whole");
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	assert_int_equal(wire_query(&client, 1), 0);
	wire_close(&client);
}

/* Moved aside, and the broker begins anew. */
static void test_other_version(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	struct journal_head head = { 0 };
	struct journal_header header;
	AUTO_FD int fd = -1;
	char path[160];

	wire_join_noted(&client, f->socket_path, "a", &who);
	broker_fixture_kill(f);
	journal_path(f, path, sizeof(path), "");
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pread(fd, &header, sizeof(header), sizeof(head)), sizeof(header));
	header.version = 77;
	head.crc = journal_crc(&head, &header);
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pwrite(fd, &header, sizeof(header), sizeof(head)), sizeof(header));
	broker_fixture_start(f, NULL);
	expect_log(f, "written by a broker of another version");
	assert_true(journal_exists(f, ".unusable"));
	assert_true(journal_exists(f, ""));
	assert_int_equal(wire_resume(&client, f->socket_path, &who), -ESTALE);
	wire_close(&client);
}

static void test_no_journal(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	char path[160];

	broker_fixture_stop(f);
	journal_path(f, path, sizeof(path), "");
	assert_int_equal(mkdir(path, 0700), 0);
	broker_fixture_start(f, NULL);
	expect_log(f, "not a file of this user alone");
	assert_true(journal_exists(f, ".unusable"));
	wire_join(&client, f->socket_path, "a", VMSECT_PEER_PROCESS);
	wire_close(&client);
	journal_path(f, path, sizeof(path), ".unusable");
	assert_int_equal(rmdir(path), 0);
}

/* A broker that waits for clients is not idle; then it is. */
static void test_idle_exit(void **state)
{
	static const char *const args[] = { "--idle-exit", "1", "--resume-grace", "2", NULL };
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct pollfd end = { .events = POLLIN };
	AUTO_FD int pidfd = -1;

	wire_join(&client, f->socket_path, "a", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&client, "s", VMSECT_ACCESS_QUERY), 0);
	broker_fixture_kill(f);
	broker_fixture_start(f, args);
	pidfd = pidfd_open(f->pid, 0);
	assert_true(pidfd >= 0);
	end.fd = pidfd;
	assert_int_equal(poll(&end, 1, 1500), 0);
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(fixture_wait(f->pid), 0);
	f->pid = 0;
	expect_log(f, "has not come back");
	assert_false(journal_exists(f, ""));
	wire_close(&client);
}

/* A file is found where it was; another one at its place is not taken for it. */
static void expect_file_section(struct broker_fixture *f, int status)
{
	struct wire_client client;
	char byte = 0;

	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
	wire_join(&client, f->socket_path, "b", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_open(&client, "file", VMSECT_ACCESS_READ), status);
	if (!status) {
		assert_int_equal(pread(client.reply_fd, &byte, 1, 0), 1);
		assert_int_equal(byte, 'x');
		assert_int_equal(fcntl(client.reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		/* Said, since the broker may be killed before it sees the connection end. */
		assert_int_equal(wire_close_handle(&client, client.reply.handle.handle), 0);
	}
	wire_close(&client);
}

static void test_file_is_found(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	char path[128], other[128];
	int fds[2];

	(void)snprintf(path, sizeof(path), "%s/data", f->folder);
	(void)snprintf(other, sizeof(other), "%s/other", f->folder);
	fds[1] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fds[0] = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fds[1], "x", 1, 0), 1);
	wire_join(&client, f->socket_path, "a", VMSECT_PEER_PROCESS);
	assert_int_equal(
		wire_create(&client, &(struct wire_create){ .name = "file",
							    .backing = VMSECT_BACKING_FILE,
							    .protection = VMSECT_PROT_READWRITE,
							    .access = ALL_ACCESS,
							    .flags = VMSECT_CREATE_PERMANENT,
							    .mode = 0600,
							    .fds = fds,
							    .nfds = 2 }),
		0);
	assert_int_equal(wire_close_handle(&client, 1), 0);
	wire_close(&client);
	fd_close(fds[0]);
	fd_close(fds[1]);
	expect_file_section(f, 0);
	/* A link is not followed, even to the file itself. */
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	expect_file_section(f, -ENOENT);
	expect_log(f, "nobody has brought its memory back");
}

static const struct vmsect_wire_view *view_of(struct wire_client *client)
{
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(client->reply.list.count, 1);
	return wire_listed_view(client, 0);
}

/* Committed pages, room, changed protection, and how far it may be changed. */
static void test_state_of_a_view(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_identity who;
	struct vmsect_wire_view before;
	AUTO_FD int memory = -1;

	wire_join_noted(&client, f->socket_path, "a", &who);
	assert_int_equal(
		wire_create(&client, &(struct wire_create){ .name = "s",
							    .backing = VMSECT_BACKING_SHMEM,
							    .protection = VMSECT_PROT_READWRITE,
							    .size_bytes = 8 * PAGE,
							    .max_bytes = 16 * PAGE,
							    .flags = VMSECT_CREATE_RESERVE,
							    .access = ALL_ACCESS,
							    .mode = 0600 }),
		0);
	memory = steal_fd(&client.reply_fd);
	assert_int_equal(
		wire_map_with(&client,
			      &(struct vmsect_req_map){ .handle = 1,
							.protection = VMSECT_PROT_READWRITE,
							.room = 16 * PAGE,
							.commit = 2 * PAGE,
							.flags = VMSECT_VIEW_GROWABLE }),
		0);
	assert_int_equal(wire_protect(&client, 1, 0, 2 * PAGE, VMSECT_PROT_NOACCESS), 0);
	before = *view_of(&client);
	assert_int_equal(before.protection_now, 0); /* its pages differ */
	assert_int_equal(before.room, 16 * PAGE);
	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(&client, f->socket_path, &who), 0);
	assert_memory_equal(view_of(&client), &before, sizeof(before));
	assert_int_equal(wire_hand_back(&client, 1, memory), 0);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.committed_bytes, 2 * PAGE);
	assert_int_equal(client.reply.section.section.max_bytes, 16 * PAGE);
	assert_int_equal(client.reply.section.section.flags & VMSECT_SECTION_RESERVE,
			 VMSECT_SECTION_RESERVE);
	wire_close(&client);
}

/* The order to let go is given again, and the handle stays the one that was revoked. */
static void test_revoked(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client *clients = calloc(2, sizeof(*clients)), *owner = clients;
	struct wire_client *reader = clients + 1;
	struct wire_identity who_owner, who_reader;

	assert_non_null(clients);
	wire_join_noted(owner, f->socket_path, "owner", &who_owner);
	wire_join_noted(reader, f->socket_path, "reader", &who_reader);
	assert_int_equal(wire_create_shmem(owner, "s", ALL_ACCESS), 0);
	assert_int_equal(wire_pass(owner, 1, reader->peer, VMSECT_ACCESS_READ, 300), 0);
	assert_int_equal(
		wire_accept(reader, wire_expect_event(reader, VMSECT_WIRE_EVENT_OFFERED).value), 0);
	assert_int_equal(wire_map(reader, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	/* It expires while there is no broker, or just before. */
	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(reader, f->socket_path, &who_reader), 0);
	assert_int_equal(wire_expect_event(reader, VMSECT_WIRE_EVENT_REVOKE_VIEW).view, 1);
	assert_int_equal(view_of(reader)->flags, VMSECT_VIEW_REVOKED);
	assert_int_equal(wire_query(reader, 1), -EBADF);
	assert_int_equal(reader->reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(reader, f->socket_path, &who_reader), 0);
	assert_int_equal(wire_expect_event(reader, VMSECT_WIRE_EVENT_REVOKE_VIEW).view, 1);
	assert_int_equal(wire_expect_event(reader, VMSECT_WIRE_EVENT_REVOKE_HANDLE).value, 1);
	assert_int_equal(wire_query(reader, 1), -EBADF);
	assert_int_equal(reader->reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	assert_int_equal(wire_revoked(reader, 1), 0);
	assert_int_equal(wire_list(reader, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(reader->reply.list.count, 0);
	assert_int_equal(wire_close_handle(reader, 1), 0);
	wire_close(owner);
	wire_close(reader);
	free(clients);
}

/* Two clients that are away are told of what the other one did. */
static void test_news_wait(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client *clients = calloc(2, sizeof(*clients)), *a = clients, *b = clients + 1;
	struct wire_identity who_a, who_b;

	assert_non_null(clients);
	wire_join_noted(a, f->socket_path, "a", &who_a);
	wire_join_noted(b, f->socket_path, "b", &who_b);
	assert_int_equal(wire_create_shmem(a, "s", VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(wire_open(b, "s", VMSECT_ACCESS_QUERY), 0);
	broker_fixture_kill(f);
	broker_fixture_start(f, NULL);
	assert_int_equal(wire_resume(b, f->socket_path, &who_b), 0);
	assert_int_equal(wire_close_handle(b, 1), 0);
	wire_close(b);
	a->event_count = 0;
	assert_int_equal(wire_resume(a, f->socket_path, &who_a), 0);
	assert_int_equal(wire_expect_event(a, VMSECT_WIRE_EVENT_PEER_LEFT).peer, who_b.peer);
	wire_close(a);
	free(clients);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_comes_and_goes), TEST(test_second_broker),   TEST(test_torn_end),
		TEST(test_other_version),  TEST(test_no_journal),      TEST(test_idle_exit),
		TEST(test_file_is_found),  TEST(test_state_of_a_view), TEST(test_revoked),
		TEST(test_news_wait),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
