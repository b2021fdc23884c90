/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a broker starts and ends: alone, twice, on demand, by a manager, idle. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/broker_fixture.h"
#include "lib/leak.h"
#include "lib/wire_client.h"

static int setup(void **state)
{
	struct broker_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	broker_fixture_init(fixture);
	*state = fixture;
	return 0;
}

/* exec() takes strings that can be written to, which it does not do. */
static char *word(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		_exit(127);
	return copy;
}

static _Noreturn void exec_broker(const struct broker_fixture *f, const char *const *args)
{
	char program[PATH_MAX];
	char *argv[16];
	size_t i;
	int log;

	log = open(f->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)dup2(log, STDERR_FILENO);
	(void)dup2(log, STDOUT_FILENO);
	fixture_program("vmsectd", program, sizeof(program));
	argv[0] = program;
	for (i = 0; args[i]; i++)
		argv[i + 1] = word(args[i]);
	argv[i + 1] = NULL;
	(void)unsetenv("NOTIFY_SOCKET");
	(void)execv(program, argv);
	_exit(127);
}

/* Runs vmsectd with these arguments (ends with NULL), stderr to the log; its pid. */
static pid_t spawn(const struct broker_fixture *f, const char *const *args)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		exec_broker(f, args);
	return pid;
}

static int run(const struct broker_fixture *f, const char *const *args)
{
	int status = fixture_wait(spawn(f, args));

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_log(const struct broker_fixture *f, const char *text)
{
	char *log = broker_fixture_log(f);

	if (!strstr(log, text))
		fail_msg("'%s' is not in: %s", text, log);
	free(log);
}

/* Pid of the broker that serves the path, by the kernel's word. */
static pid_t pid_of_broker(const char *path)
{
	struct ucred credentials = { 0 };
	socklen_t size = sizeof(credentials);
	struct wire_client client;

	wire_connect(&client, path);
	assert_int_equal(getsockopt(client.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size), 0);
	wire_close(&client);
	return credentials.pid;
}

/* Waits for the end of a process that is no child. */
static void wait_gone(pid_t pid)
{
	AUTO_FD int pidfd = sys_result(pidfd_open(pid, 0));
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	if (pidfd == -ESRCH)
		return;
	assert_true(pidfd >= 0);
	assert_int_equal(sys_retry(poll(&end, 1, 10000)), 1);
}

static void end_daemon(const char *path)
{
	pid_t pid = pid_of_broker(path);

	assert_true(pid > 0 && pid != getpid());
	assert_int_equal(kill(pid, SIGTERM), 0);
	wait_gone(pid);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_usage(void **state)
{
	static const char *const wrong[][4] = {
		{ "--no-such-option" },
		{ "--socket" },
		{ "--socket", "" },
		{ "--idle-exit", "x" },
		{ "--idle-exit", "-1" },
		{ "--limit", "user.x=1" },
		{ "stray" },
	};
	static const char *const help[] = { "--help", NULL };
	static const char *const version[] = { "--version", NULL };
	struct broker_fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(run(f, wrong[i]), 2);
	assert_int_equal(run(f, help), 0);
	assert_int_equal(run(f, version), 0);
	expect_log(f, "Usage: vmsectd");
	expect_log(f, "vmsectd " VMSECT_VERSION);
}

/* The socket is made for its owner alone (root: for a group as well). */
static void test_modes_of_the_socket(void **state)
{
	struct broker_fixture *f = *state;
	char lock_path[128];
	struct stat st;

	broker_fixture_start(f, NULL);
	assert_int_equal(stat(f->socket_path, &st), 0);
	assert_int_equal(st.st_mode & 0707, 0600);
	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", f->socket_path);
	assert_int_equal(stat(lock_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	broker_fixture_stop(f);
	assert_int_equal(access(f->socket_path, F_OK), -1);
}

static void test_the_second_gives_way(void **state)
{
	struct broker_fixture *f = *state;
	const char *const foreground[] = { "--foreground", "--socket", f->socket_path, NULL };
	const char *const background[] = { "--socket", f->socket_path, NULL };
	struct wire_client client;

	broker_fixture_start(f, NULL);
	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	assert_int_equal(run(f, foreground), 1);
	expect_log(f, "another broker is running");
	assert_int_equal(run(f, background), 0); /* there is one: that is what was wanted */
	assert_int_equal(pid_of_broker(f->socket_path), f->pid);
	assert_int_equal(wire_create_shmem(&client, "s", VMSECT_ACCESS_READ), 0);
	wire_close(&client);
}

/* Many at once: all say success, one serves, and it answers at once. */
static void test_many_at_once(void **state)
{
	struct broker_fixture *f = *state;
	const char *const args[] = { "--socket", f->socket_path, NULL };
	struct wire_client client;
	pid_t pids[16];
	size_t i;
	int status;

	for (i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = spawn(f, args);
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		status = fixture_wait(pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		/* Whoever was told success may connect now. */
		wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
		wire_close(&client);
	}
	end_daemon(f->socket_path);
}

static void set_lock(int fd, short type, off_t byte)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
}

/*
 * A broker that finds another one starting waits until that one listens.  The
 * other one is played here: it has both locks and no socket yet.
 */
static void test_waits_for_one_that_starts(void **state)
{
	struct broker_fixture *f = *state;
	const char *const args[] = { "--socket", f->socket_path, NULL };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	AUTO_FD int lock = -1, pidfd = -1;
	struct pollfd end = { .events = POLLIN };
	char lock_path[128];
	pid_t pid;

	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", f->socket_path);
	lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	set_lock(lock, F_WRLCK, 0);
	set_lock(lock, F_WRLCK, 1);
	pid = spawn(f, args);
	pidfd = pidfd_open(pid, 0);
	assert_true(pidfd >= 0);
	end.fd = pidfd;
	assert_int_equal(poll(&end, 1, 300), 0);
	memcpy(address.sun_path, f->socket_path, strlen(f->socket_path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	set_lock(lock, F_UNLCK, 1);
	assert_int_equal(fixture_wait(pid), 0);
}

static void test_stale_socket(void **state)
{
	struct broker_fixture *f = *state;

	broker_fixture_start(f, NULL);
	broker_fixture_kill(f);
	assert_int_equal(access(f->socket_path, F_OK), 0);
	broker_fixture_start(f, NULL);
	assert_int_equal(pid_of_broker(f->socket_path), f->pid);
}

/* A live socket without our lock is another program's: hands off. */
static void test_foreign_socket_and_file(void **state)
{
	struct broker_fixture *f = *state;
	const char *const args[] = { "--socket", f->socket_path, NULL };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, f->socket_path, strlen(f->socket_path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(run(f, args), 1);
	expect_log(f, "served by another program");
	assert_int_equal(access(f->socket_path, F_OK), 0);
	assert_int_equal(unlink(f->socket_path), 0);
	fd_close(fd);
	fd = open(f->socket_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(run(f, args), 1);
	expect_log(f, "is no socket");
	assert_int_equal(access(f->socket_path, F_OK), 0);
	fd_close(fd);
}

static void test_unsafe_folder_and_long_path(void **state)
{
	struct broker_fixture *f = *state;
	const char *const args[] = { "--socket", f->socket_path, NULL };
	char longest[200], missing[128];
	const char *const too_long[] = { "--socket", longest, NULL };
	const char *const no_parent[] = { "--socket", missing, NULL };

	assert_int_equal(chmod(f->folder, 0777), 0);
	assert_int_equal(run(f, args), 1);
	assert_int_equal(chmod(f->folder, 0711), 0);
	(void)snprintf(longest, sizeof(longest), "%s/%0130d", f->folder, 0);
	assert_int_equal(run(f, too_long), 1);
	expect_log(f, "at most 107 bytes");
	(void)snprintf(missing, sizeof(missing), "%s/a/b/broker.sock", f->folder);
	assert_int_equal(run(f, no_parent), 1);
}

/* The folder itself is made, for this user alone or (root) to pass through. */
static void test_folder_is_made(void **state)
{
	struct broker_fixture *f = *state;
	char folder[96], path[128], lock_path[160];
	const char *const args[] = { "--socket", path, NULL };
	struct stat st;

	(void)snprintf(folder, sizeof(folder), "%s/made", f->folder);
	(void)snprintf(path, sizeof(path), "%s/broker.sock", folder);
	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	assert_int_equal(run(f, args), 0);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() ? 0700 : 0755);
	end_daemon(path);
	assert_int_equal(unlink(lock_path), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* A daemon keeps nothing of its starter: descriptors, folder, terminal. */
static void test_daemon_lets_go(void **state)
{
	struct broker_fixture *f = *state;
	const char *const args[] = { "--socket", f->socket_path, NULL };
	char link[64], target[PATH_MAX];
	int ends[2];
	ssize_t size;
	pid_t pid;

	assert_int_equal(pipe(ends), 0); /* without close-on-exec, on purpose */
	assert_int_equal(run(f, args), 0);
	fd_close(ends[1]);
	assert_int_equal(read(ends[0], target, 1), 0); /* no writer is left */
	fd_close(ends[0]);
	pid = pid_of_broker(f->socket_path);
	assert_int_equal(getsid(pid), pid);
	(void)snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
	size = readlink(link, target, sizeof(target) - 1);
	assert_true(size > 0);
	target[size] = '\0';
	assert_string_equal(target, "/");
	(void)snprintf(link, sizeof(link), "/proc/%d/fd/2", pid);
	size = readlink(link, target, sizeof(target) - 1);
	assert_true(size > 0);
	target[size] = '\0';
	assert_string_equal(target, "/dev/null");
	end_daemon(f->socket_path);
}

static void test_idle_exit(void **state)
{
	static const char *const args[] = { "--idle-exit", "1", NULL };
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct pollfd end = { .events = POLLIN };
	AUTO_FD int pidfd = -1;

	broker_fixture_start(f, args);
	pidfd = pidfd_open(f->pid, 0);
	assert_true(pidfd >= 0);
	end.fd = pidfd;
	/* A client holds it. */
	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	assert_int_equal(poll(&end, 1, 1500), 0);
	/* So does a permanent section, without any client. */
	assert_int_equal(
		wire_create(&client, &(struct wire_create){ .name = "s",
							    .backing = VMSECT_BACKING_SHMEM,
							    .protection = VMSECT_PROT_READWRITE,
							    .size_bytes = 4096,
							    .access = VMSECT_ACCESS_READ,
							    .flags = VMSECT_CREATE_PERMANENT,
							    .mode = 0600 }),
		0);
	wire_close(&client);
	assert_int_equal(poll(&end, 1, 1500), 0);
	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_remove(&client, "s"), 0);
	wire_close(&client);
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(fixture_wait(f->pid), 0);
	f->pid = 0;
	assert_int_equal(access(f->socket_path, F_OK), -1);
}

/* A socket that a service manager passed is served, and left where it is. */
static void test_socket_activation(void **state)
{
	struct broker_fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char program[PATH_MAX], pid_text[16];
	struct wire_client client;

	memcpy(address.sun_path, f->socket_path, strlen(f->socket_path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	fixture_program("vmsectd", program, sizeof(program));
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (!f->pid) {
		(void)dup2(fd, 3);
		if (fd == 3)
			(void)fcntl(3, F_SETFD, 0);
		(void)snprintf(pid_text, sizeof(pid_text), "%d", getpid());
		(void)setenv("LISTEN_PID", pid_text, 1);
		(void)setenv("LISTEN_FDS", "1", 1);
		(void)execl(program, program, "--foreground", (char *)NULL);
		_exit(127);
	}
	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	wire_close(&client);
	broker_fixture_stop(f);
	assert_int_equal(access(f->socket_path, F_OK), 0);
}

static void test_wrong_socket_activation(void **state)
{
	struct broker_fixture *f = *state;
	char program[PATH_MAX], pid_text[16];
	pid_t pid;
	int status;

	fixture_program("vmsectd", program, sizeof(program));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		(void)dup2(STDOUT_FILENO, 3); /* no socket */
		(void)snprintf(pid_text, sizeof(pid_text), "%d", getpid());
		(void)setenv("LISTEN_PID", pid_text, 1);
		(void)setenv("LISTEN_FDS", "1", 1);
		(void)execl(program, program, "--foreground", "--socket", f->socket_path,
			    (char *)NULL);
		_exit(127);
	}
	status = fixture_wait(pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_usage),
		TEST(test_modes_of_the_socket),
		TEST(test_the_second_gives_way),
		TEST(test_many_at_once),
		TEST(test_waits_for_one_that_starts),
		TEST(test_stale_socket),
		TEST(test_foreign_socket_and_file),
		TEST(test_unsafe_folder_and_long_path),
		TEST(test_folder_is_made),
		TEST(test_daemon_lets_go),
		TEST(test_idle_exit),
		TEST(test_socket_activation),
		TEST(test_wrong_socket_activation),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
