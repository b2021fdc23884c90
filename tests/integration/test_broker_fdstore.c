/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service manager that keeps the memory of sections.  It is played here: a
 * datagram socket takes what the broker sends, and a later broker is started
 * with it.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "base/sys.h"
#include "lib/broker_fixture.h"
#include "lib/wire_resume.h"

#define PAGE 4096u
#define ALL_ACCESS 0x77u /* all but EXECUTE */
#define STORE_MAX 8
#define WAIT_MS 10000

struct kept {
	char name[64];
	int fd; /* owned */
};

struct manager {
	struct broker_fixture *f;
	int socket; /* owned */
	char path[100];
	struct kept store[STORE_MAX];
	size_t count;
};

static void listen_for_news(struct manager *manager)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(manager->path, sizeof(manager->path), "%s/manager", manager->f->folder);
	memcpy(address.sun_path, manager->path, strlen(manager->path));
	manager->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(manager->socket >= 0);
	assert_int_equal(bind(manager->socket, (const struct sockaddr *)&address, sizeof(address)),
			 0);
}

static int setup(void **state)
{
	struct manager *manager = calloc(1, sizeof(*manager));

	assert_non_null(manager);
	manager->f = calloc(1, sizeof(*manager->f));
	assert_non_null(manager->f);
	broker_fixture_init(manager->f);
	listen_for_news(manager);
	*state = manager;
	return 0;
}

static void forget(struct manager *manager, const char *name)
{
	size_t i, left = 0;

	for (i = 0; i < manager->count; i++) {
		if (name && strcmp(manager->store[i].name, name) != 0)
			manager->store[left++] = manager->store[i];
		else
			fd_close(manager->store[i].fd);
	}
	manager->count = left;
}

static int teardown(void **state)
{
	struct manager *manager = *state;

	forget(manager, NULL);
	fd_close(manager->socket);
	broker_fixture_deinit(manager->f);
	free(manager->f);
	free(manager);
	return 0;
}

static const char *name_in(const char *text)
{
	const char *name = strstr(text, "FDNAME=");
	static char copy[64];

	assert_non_null(name);
	name += strlen("FDNAME=");
	(void)snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(name, "\n"), name);
	return copy;
}

/* One message, as the manager takes it. */
static void take_message(struct manager *manager, char *text, size_t room)
{
	struct pollfd readable = { .fd = manager->socket, .events = POLLIN };
	struct fdmsg message;

	assert_int_equal(sys_retry(poll(&readable, 1, WAIT_MS)), 1);
	memset(text, 0, room);
	assert_int_equal(fdmsg_receive(manager->socket, text, room - 1, 0, &message), 0);
	if (!strncmp(text, "FDSTORE=1", strlen("FDSTORE=1"))) {
		struct kept *kept = &manager->store[manager->count++];

		assert_true(manager->count <= STORE_MAX);
		assert_int_equal(message.nfds, 1);
		(void)snprintf(kept->name, sizeof(kept->name), "%s", name_in(text));
		kept->fd = steal_fd(&message.fds[0]);
		return;
	}
	assert_int_equal(message.nfds, 0);
	if (!strncmp(text, "FDSTOREREMOVE=1", strlen("FDSTOREREMOVE=1")))
		forget(manager, name_in(text));
}

static void expect_message(struct manager *manager, const char *begin)
{
	char text[256];

	take_message(manager, text, sizeof(text));
	if (strncmp(text, begin, strlen(begin)) != 0)
		fail_msg("'%s' came, not '%s'", text, begin);
}

/* The child: descriptors from 3 on are those of the store. */
static _Noreturn void exec_broker(struct manager *manager)
{
	char program[PATH_MAX], names[STORE_MAX * 65] = "", text[16];
	int log = open(manager->f->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	size_t i;

	(void)dup2(log, STDERR_FILENO);
	fixture_program("vmsectd", program, sizeof(program));
	for (i = 0; i < manager->count; i++) {
		/* Out of the way first: numbers may overlap. */
		manager->store[i].fd = fcntl(manager->store[i].fd, F_DUPFD_CLOEXEC, 100);
		(void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			       i ? ":" : "", manager->store[i].name);
	}
	for (i = 0; i < manager->count; i++)
		(void)dup2(manager->store[i].fd, 3 + (int)i);
	(void)snprintf(text, sizeof(text), "%d", getpid());
	(void)setenv("LISTEN_PID", text, 1);
	(void)snprintf(text, sizeof(text), "%zu", manager->count);
	(void)setenv("LISTEN_FDS", text, 1);
	(void)setenv("LISTEN_FDNAMES", names, 1);
	(void)setenv("NOTIFY_SOCKET", manager->path, 1);
	(void)setenv("STATE_DIRECTORY", manager->f->folder, 1);
	(void)execl(program, program, "--foreground", "-v", "--keep-fds", "--socket",
		    manager->f->socket_path, (char *)NULL);
	_exit(127);
}

static void spawn(struct manager *manager)
{
	manager->f->pid = fork();
	assert_true(manager->f->pid >= 0);
	if (!manager->f->pid)
		exec_broker(manager);
}

static void start(struct manager *manager)
{
	spawn(manager);
	expect_message(manager, "READY=1");
}

static void make_file_section(struct manager *manager, struct wire_client *client)
{
	char path[128];
	AUTO_FD int ro = -1, rw = -1;
	int fds[2];

	(void)snprintf(path, sizeof(path), "%s/data", manager->f->folder);
	rw = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(rw >= 0);
	assert_int_equal(ftruncate(rw, PAGE), 0);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(unlink(path), 0); /* it cannot be found by its path */
	fds[0] = ro;
	fds[1] = rw;
	assert_int_equal(
		wire_create(client, &(struct wire_create){ .name = "file",
							   .backing = VMSECT_BACKING_FILE,
							   .protection = VMSECT_PROT_READWRITE,
							   .access = ALL_ACCESS,
							   .mode = 0600,
							   .fds = fds,
							   .nfds = 2 }),
		0);
}

/* Everything is there before a client is: even a section that nobody holds. */
static void test_memory_is_kept(void **state)
{
	struct manager *manager = *state;
	struct wire_client client;
	struct wire_identity who;
	size_t fds;

	start(manager);
	wire_join_noted(&client, manager->f->socket_path, "a", &who);
	assert_int_equal(
		wire_create(&client, &(struct wire_create){ .name = "s",
							    .backing = VMSECT_BACKING_SHMEM,
							    .protection = VMSECT_PROT_READWRITE,
							    .size_bytes = PAGE,
							    .flags = VMSECT_CREATE_PERMANENT,
							    .access = ALL_ACCESS,
							    .mode = 0600 }),
		0);
	expect_message(manager, "FDSTORE=1\nFDNAME=section-1-rw");
	assert_int_equal(pwrite(client.reply_fd, "hello", 5, 0), 5);
	make_file_section(manager, &client);
	expect_message(manager, "FDSTORE=1\nFDNAME=section-2-ro");
	expect_message(manager, "FDSTORE=1\nFDNAME=section-2-rw");
	assert_int_equal(wire_close_handle(&client, 1), 0);
	fds = broker_fixture_fds(manager->f);
	broker_fixture_kill(manager->f);

	start(manager);
	assert_int_equal(wire_resume(&client, manager->f->socket_path, &who), 0);
	assert_int_equal(wire_wanted_count(&client), 0);
	assert_int_equal(broker_fixture_fds(manager->f), fds);
	assert_int_equal(wire_open(&client, "file", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE), 0);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE), 0);
	{
		char text[6] = "";

		assert_int_equal(pread(client.reply_fd, text, 5, 0), 5);
		assert_string_equal(text, "hello");
	}
	/* It is not kept twice, and goes from the store when it ends. */
	assert_int_equal(wire_remove(&client, "s"), 0);
	assert_int_equal(wire_close_handle(&client, 4), 0);
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-1-ro");
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-1-rw");
	assert_int_equal(manager->count, 2);
	wire_close(&client);
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-2-ro");
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-2-rw");
	assert_int_equal(manager->count, 0);
}

/* What it passes is checked like what a client passes. */
static void test_wrong_store(void **state)
{
	struct manager *manager = *state;
	struct wire_client client;
	struct wire_identity who;
	AUTO_FD int memory = -1;

	start(manager);
	wire_join_noted(&client, manager->f->socket_path, "a", &who);
	assert_int_equal(wire_create_shmem(&client, "s", ALL_ACCESS), 0);
	memory = steal_fd(&client.reply_fd);
	expect_message(manager, "FDSTORE=1\nFDNAME=section-1-rw");
	broker_fixture_kill(manager->f);
	fd_close(manager->store[0].fd);
	manager->store[0].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	manager->store[1].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	(void)snprintf(manager->store[1].name, sizeof(manager->store[1].name), "section-9-ro");
	manager->count = 2;
	spawn(manager);
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-1-ro");
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-1-rw");
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-9-ro");
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-9-rw");
	expect_message(manager, "READY=1");
	assert_int_equal(wire_resume(&client, manager->f->socket_path, &who), 0);
	assert_int_equal(wire_wanted_count(&client), 1);
	assert_int_equal(wire_hand_back(&client, 1, memory), 0);
	expect_message(manager, "FDSTORE=1\nFDNAME=section-1-rw");
	wire_close(&client);
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-1-ro");
	expect_message(manager, "FDSTOREREMOVE=1\nFDNAME=section-1-rw");
}

/* Two that are no section's: which one is the socket? */
static void test_two_sockets(void **state)
{
	struct manager *manager = *state;
	int status;

	manager->store[0].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	manager->store[1].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	(void)snprintf(manager->store[0].name, sizeof(manager->store[0].name), "section-1-rx");
	(void)snprintf(manager->store[1].name, sizeof(manager->store[1].name), "socket");
	manager->count = 2;
	spawn(manager);
	status = fixture_wait(manager->f->pid);
	manager->f->pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memory_is_kept),
		TEST(test_wrong_store),
		TEST(test_two_sockets),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
