/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding a broker and starting one on demand.  Each case is a child process,
 * for the environment and the user are the process's.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NOBODY 65534

/* What the child is to do, and the result: 0, or an errno. */
typedef int child_function(struct box *box);

static int run_as(struct box *box, uid_t uid, child_function *function)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
			_exit(99);
		_exit(-function(box));
	}
	status = fixture_wait(pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

/* The process that listens at the socket of the runtime folder. */
static pid_t broker_pid(const struct box *box)
{
	AUTO_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		       box_path(box, "run/vmsect/broker.sock"));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -1;
	return peer.pid;
}

/* Two clients have the same broker: each sees the other. */
static bool see_each_other(struct vmsect_client *first, struct vmsect_client *second)
{
	struct vmsect_peer_info *list = NULL;
	size_t count = 0;
	bool seen = !vmsect_list_peers(first, &list, &count) && count == 2 &&
		    list[1].id == vmsect_client_peer_id(second);

	free(list);
	return seen;
}

/* Ends a broker that was started on demand, and waits until it is gone. */
static void end_broker(pid_t pid)
{
	AUTO_FD int pidfd = pidfd_open(pid, 0);
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0)
		return;
	(void)kill(pid, SIGTERM);
	(void)poll(&poll_fd, 1, 10000);
}

/* Where every user may run it: the tree may lie in somebody's own folder. */
static void copy_broker(const struct box *box)
{
	char program[PATH_MAX];
	struct stat status;
	int from, to;

	fixture_program("vmsectd", program, sizeof(program));
	from = open(program, O_RDONLY | O_CLOEXEC);
	assert_return_code(from, errno);
	to = open(box_path(box, "vmsectd"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_return_code(to, errno);
	assert_return_code(fstat(from, &status), errno);
	assert_int_equal(sendfile(to, from, NULL, (size_t)status.st_size), status.st_size);
	(void)close(from);
	assert_return_code(close(to), errno);
}

/* A folder in the box that the user owns, as a runtime folder is. */
static void make_runtime(const struct box *box, uid_t uid)
{
	copy_broker(box);
	assert_return_code(mkdir(box_path(box, "run"), 0700), errno);
	assert_return_code(chown(box_path(box, "run"), uid, uid), errno);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

/* With all that brokers have left there. */
static void remove_runtime(const struct box *box)
{
	(void)nftw(box_path(box, "run"), remove_one, 8, FTW_DEPTH | FTW_PHYS);
	(void)unlink(box_path(box, "vmsectd"));
}

static void use_runtime(const struct box *box)
{
	(void)setenv("VMSECT_BROKER", box_path(box, "vmsectd"), 1);
	(void)unsetenv("VMSECT_SOCKET");
	(void)setenv("XDG_RUNTIME_DIR", box_path(box, "run"), 1);
	(void)setenv("STATE_DIRECTORY", box_path(box, "run"), 1);
}

static int no_start(struct box *box)
{
	struct vmsect_connect_options options = { .size = sizeof(options), .no_start = 1 };
	struct vmsect_client *client = NULL;

	use_runtime(box);
	return vmsect_connect(&options, &client);
}

static void nothing_is_started_unasked(void **state)
{
	struct box *box = *state;

	make_runtime(box, NOBODY);
	assert_int_equal(run_as(box, NOBODY, no_start), -ENOENT);
	assert_int_equal(access(box_path(box, "run/vmsect"), F_OK), -1);
	remove_runtime(box);
}

static int named_in_environment(struct box *box)
{
	struct vmsect_client *client = NULL;

	(void)setenv("VMSECT_SOCKET", box->broker.socket_path, 1);
	return vmsect_connect(NULL, &client);
}

static void a_named_socket_starts_nothing(void **state)
{
	struct box *box = *state;

	assert_int_equal(run_as(box, 0, named_in_environment), -ENOENT);
	broker_fixture_start(&box->broker, NULL);
	assert_int_equal(run_as(box, 0, named_in_environment), 0);
	broker_fixture_kill(&box->broker); /* leaves the socket */
	assert_int_equal(run_as(box, 0, named_in_environment), -ECONNREFUSED);
}

/* Connects twice: the second finds the broker that the first has started. */
static int start_and_find(struct box *box)
{
	struct vmsect_client *first = NULL, *second = NULL;
	int r;

	use_runtime(box);
	r = vmsect_connect(NULL, &first);
	if (r < 0)
		return r;
	r = vmsect_connect(NULL, &second);
	if (!r && !see_each_other(first, second))
		r = -EXDEV;
	end_broker(broker_pid(box));
	vmsect_client_free(second);
	vmsect_client_free(first);
	return r;
}

/* The broker is killed: the client starts another and goes on, with what it had. */
static int start_again(struct box *box)
{
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 4096,
	};
	struct vmsect_section *section = NULL;
	struct vmsect_section_info info;
	struct vmsect_client *client = NULL;
	pid_t first;
	int r;

	use_runtime(box);
	r = vmsect_connect(NULL, &client);
	if (r < 0)
		return r;
	r = vmsect_section_create(client, &options, &section);
	first = broker_pid(box);
	if (r < 0 || first <= 0)
		return -ENXIO;
	(void)kill(first, SIGKILL);
	r = vmsect_section_query(section, &info);
	if (!r && (info.handles != 1 || broker_pid(box) == first))
		r = -EXDEV;
	vmsect_section_close(section);
	end_broker(broker_pid(box));
	vmsect_client_free(client);
	return r;
}

static void a_killed_broker_is_started_again(void **state)
{
	struct box *box = *state;

	make_runtime(box, NOBODY);
	assert_int_equal(run_as(box, NOBODY, start_again), 0);
	remove_runtime(box);
}

static void a_broker_is_started_on_demand(void **state)
{
	struct box *box = *state;
	struct stat status;

	make_runtime(box, NOBODY);
	assert_int_equal(run_as(box, NOBODY, start_and_find), 0);
	assert_return_code(stat(box_path(box, "run/vmsect"), &status), errno);
	assert_int_equal(status.st_mode & 0777, 0700);
	assert_int_equal(status.st_uid, NOBODY);
	remove_runtime(box);
}

static int start_ignoring_children(struct box *box)
{
	(void)signal(SIGCHLD, SIG_IGN);
	return start_and_find(box);
}

static void a_program_that_ignores_children_may_start(void **state)
{
	struct box *box = *state;

	make_runtime(box, NOBODY);
	assert_int_equal(run_as(box, NOBODY, start_ignoring_children), 0);
	remove_runtime(box);
}

/* Waits for the other one at the gate, connects, tells who answered, waits for the end. */
static int start_at_gate(struct box *box, int gate, int answer, int end)
{
	struct vmsect_client *client = NULL;
	char byte;
	pid_t pid;
	int r;

	use_runtime(box);
	(void)!read(gate, &byte, 1);
	r = vmsect_connect(NULL, &client);
	pid = r < 0 ? r : broker_pid(box);
	if (write(answer, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		return -EIO;
	(void)!read(end, &byte, 1);
	vmsect_client_free(client);
	return r;
}

static void many_may_start_at_once(void **state)
{
	enum { CLIENTS = 8 };
	struct box *box = *state;
	int gate[2], answer[2], end[2], i;
	pid_t children[CLIENTS], brokers[CLIENTS];

	make_runtime(box, NOBODY);
	assert_return_code(pipe2(gate, O_CLOEXEC), errno);
	assert_return_code(pipe2(answer, O_CLOEXEC), errno);
	assert_return_code(pipe2(end, O_CLOEXEC), errno);
	for (i = 0; i < CLIENTS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i])
			continue;
		close(gate[1]);
		close(end[1]);
		if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
			_exit(99);
		_exit(-start_at_gate(box, gate[0], answer[1], end[0]));
	}
	close(gate[0]);
	close(gate[1]); /* opens it */
	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(read(answer[0], &brokers[i], sizeof(pid_t)), sizeof(pid_t));
	for (i = 0; i < CLIENTS; i++) {
		assert_true(brokers[i] > 0);
		assert_int_equal(brokers[i], brokers[0]);
	}
	close(end[0]);
	close(end[1]);
	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(fixture_wait(children[i]), 0);
	end_broker(brokers[0]);
	close(answer[0]);
	close(answer[1]);
	remove_runtime(box);
}

/* In the runtime folder someone else has made the folder of the socket. */
static void a_strangers_folder_is_refused(void **state)
{
	struct box *box = *state;

	make_runtime(box, NOBODY);
	assert_return_code(mkdir(box_path(box, "run/vmsect"), 0755), errno);
	assert_int_equal(run_as(box, NOBODY, no_start), -EACCES);
	assert_return_code(chown(box_path(box, "run/vmsect"), NOBODY, NOBODY), errno);
	assert_int_equal(run_as(box, NOBODY, no_start), -ENOENT);
	assert_return_code(chmod(box_path(box, "run/vmsect"), 0777), errno);
	assert_int_equal(run_as(box, NOBODY, no_start), -EACCES);
	remove_runtime(box);
}

static int no_program(struct box *box)
{
	char error[200] = "";
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.error = error,
		.error_room = sizeof(error),
	};
	struct vmsect_client *client = NULL;
	int r;

	use_runtime(box);
	(void)setenv("VMSECT_BROKER", "/nonexistent/vmsectd", 1);
	r = vmsect_connect(&options, &client);
	return strstr(error, "no vmsectd to start") ? r : -EBADMSG;
}

static int failing_program(struct box *box)
{
	struct vmsect_client *client = NULL;

	use_runtime(box);
	(void)setenv("VMSECT_BROKER", "/bin/false", 1);
	return vmsect_connect(NULL, &client);
}

static void a_broker_that_cannot_start(void **state)
{
	struct box *box = *state;

	make_runtime(box, NOBODY);
	assert_int_equal(run_as(box, NOBODY, no_program), -ENOENT);
	assert_int_equal(run_as(box, NOBODY, failing_program), -ECONNREFUSED);
	remove_runtime(box);
}

static int bad_options(struct box *box)
{
	struct vmsect_connect_options options = { .size = sizeof(options), .no_start = 1 };
	struct vmsect_client *client = NULL;
	char path[200], error[20];

	(void)box;
	options.name = "a/b";
	if (vmsect_connect(&options, &client) != -EINVAL)
		return -1;
	options.name = NULL;
	options.socket_path = "";
	if (vmsect_connect(&options, &client) != -EINVAL)
		return -2;
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = 0;
	options.socket_path = path;
	if (vmsect_connect(&options, &client) != -ENAMETOOLONG)
		return -3;
	options.error = error;
	options.error_room = 10; /* as much as fits */
	if (vmsect_connect(&options, &client) != -ENAMETOOLONG || strcmp(error, "the path ") != 0)
		return -6;
	options.reconnect_ms = -2;
	if (vmsect_connect(&options, &client) != -EINVAL)
		return -7;
	options.reconnect_ms = 0;
	options.socket_path = "/nonexistent/x";
	options.size = 0;
	if (vmsect_connect(&options, &client) != -EINVAL)
		return -4;
	return client ? -5 : 0;
}

static void options_are_checked(void **state)
{
	assert_int_equal(run_as(*state, 0, bad_options), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup_without_broker, box_teardown)

int main(void)
{
	static const struct CMUnitTest anyone[] = {
		TEST(a_named_socket_starts_nothing),
		TEST(options_are_checked),
	};
	static const struct CMUnitTest root[] = {
		TEST(nothing_is_started_unasked),
		TEST(a_broker_is_started_on_demand),
		TEST(a_killed_broker_is_started_again),
		TEST(a_program_that_ignores_children_may_start),
		TEST(many_may_start_at_once),
		TEST(a_strangers_folder_is_refused),
		TEST(a_broker_that_cannot_start),
	};
	int failed = cmocka_run_group_tests_name("lib_start", anyone, NULL, NULL);

	if (geteuid() != 0) {
		print_message("only root can become another user: the rest is skipped\n");
		return failed;
	}
	return failed + cmocka_run_group_tests_name("lib_start_as_user", root, NULL, NULL);
}
