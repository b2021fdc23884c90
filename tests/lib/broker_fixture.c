/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See broker_fixture.h. */
#include "lib/broker_fixture.h"

#include "lib/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/leak.h"

#define WAIT_MS 10000
#define LOG_BYTES (1u << 20)

void fixture_program(const char *name, char *path, size_t room)
{
	const char *folder = getenv("VMSECT_BIN_DIR");
	char self[PATH_MAX] = "";
	ssize_t length;
	char *slash;

	if (folder) {
		(void)snprintf(path, room, "%s/%s", folder, name);
	} else {
		length = readlink("/proc/self/exe", self, sizeof(self) - 1);
		assert_true(length > 0);
		slash = strrchr(self, '/');
		assert_non_null(slash);
		*slash = '\0';
		(void)snprintf(path, room, "%s/../bin/%s", self, name);
	}
	if (access(path, X_OK) < 0)
		fail_msg("%s is not there", path);
}

void broker_fixture_init(struct broker_fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->guard = leak_guard_new();
	(void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/vmsect-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	assert_int_equal(chmod(fixture->folder, 0711), 0);
	(void)snprintf(fixture->socket_path, sizeof(fixture->socket_path), "%s/broker.sock",
		       fixture->folder);
	(void)snprintf(fixture->log_path, sizeof(fixture->log_path), "%s/log", fixture->folder);
}

/* A datagram socket at PATH for READY=1. */
static int notify_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static _Noreturn void run_broker(const struct broker_fixture *fixture, const char *notify_path,
				 const char *const *args)
{
	char program[PATH_MAX], socket_path[sizeof(fixture->socket_path)];
	char *argv[BROKER_ARGS_MAX + 6];
	size_t i, count = 0;
	int log;

	fixture_program("vmsectd", program, sizeof(program));
	memcpy(socket_path, fixture->socket_path, sizeof(socket_path));
	argv[count++] = program;
	argv[count++] = strdup("--foreground");
	argv[count++] = strdup("-v");
	argv[count++] = strdup("--socket");
	argv[count++] = socket_path;
	for (i = 0; args && args[i] && i < BROKER_ARGS_MAX; i++)
		argv[count++] = strdup(args[i]);
	argv[count] = NULL;
	log = open(fixture->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)dup2(log, STDERR_FILENO);
	(void)setenv("NOTIFY_SOCKET", notify_path, 1);
	(void)setenv("STATE_DIRECTORY", fixture->folder, 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves no broker */
	(void)execv(program, argv);
	_exit(127);
}

static void wait_ready(pid_t pid, int notify)
{
	AUTO_FD int pidfd = pidfd_open(pid, 0);
	struct pollfd fds[2] = {
		{ .fd = notify, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};
	char text[64] = "";

	assert_true(pidfd >= 0);
	assert_true(sys_retry(poll(fds, 2, WAIT_MS)) > 0);
	if (!fds[0].revents)
		fail_msg("the broker has ended");
	assert_true(recv(notify, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "READY=1");
}

void broker_fixture_start(struct broker_fixture *fixture, const char *const *args)
{
	char notify_path[sizeof(fixture->folder) + 16];
	AUTO_FD int notify = -1;

	(void)snprintf(notify_path, sizeof(notify_path), "%s/notify", fixture->folder);
	notify = notify_socket(notify_path);
	fixture->pid = fork();
	assert_true(fixture->pid >= 0);
	if (!fixture->pid)
		run_broker(fixture, notify_path, args);
	wait_ready(fixture->pid, notify);
}

void broker_fixture_open_to_all(struct broker_fixture *fixture)
{
	assert_int_equal(chmod(fixture->socket_path, 0666), 0);
}

int fixture_wait(pid_t pid)
{
	AUTO_FD int pidfd = pidfd_open(pid, 0);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	int status = -1;

	assert_true(pidfd >= 0);
	if (sys_retry(poll(&end, 1, WAIT_MS)) != 1) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		fail_msg("process %d did not end", pid);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

void broker_fixture_stop(struct broker_fixture *fixture)
{
	int status;

	assert_int_equal(kill(fixture->pid, SIGTERM), 0);
	status = fixture_wait(fixture->pid);
	fixture->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		char *log = broker_fixture_log(fixture);

		print_error("%s\n", log);
		free(log);
		fail_msg("the broker ended with status 0x%x", (unsigned int)status);
	}
}

void broker_fixture_kill(struct broker_fixture *fixture)
{
	assert_int_equal(kill(fixture->pid, SIGKILL), 0);
	(void)fixture_wait(fixture->pid);
	fixture->pid = 0;
}

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *item;

	assert_non_null(dir);
	while ((item = readdir(dir)))
		(void)unlinkat(dirfd(dir), item->d_name, 0);
	(void)closedir(dir);
	if (rmdir(folder) < 0)
		fail_msg("%s cannot be removed: %s", folder, strerror(errno));
}

void broker_fixture_deinit(struct broker_fixture *fixture)
{
	struct leak_guard *guard = fixture->guard;

	if (fixture->pid)
		broker_fixture_stop(fixture);
	remove_folder(fixture->folder);
	fixture->guard = NULL;
	leak_guard_check(guard);
}

size_t broker_fixture_fds(const struct broker_fixture *fixture)
{
	return leak_count_fds(fixture->pid);
}

char *broker_fixture_log(const struct broker_fixture *fixture)
{
	AUTO_FD int fd = open(fixture->log_path, O_RDONLY | O_CLOEXEC);
	char *text = calloc(1, LOG_BYTES + 1);

	assert_non_null(text);
	assert_true(fd >= 0);
	assert_true(read(fd, text, LOG_BYTES) >= 0);
	return text;
}

int broker_setup(void **state)
{
	struct broker_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	broker_fixture_init(fixture);
	broker_fixture_start(fixture, NULL);
	*state = fixture;
	return 0;
}

int broker_teardown(void **state)
{
	struct broker_fixture *fixture = *state;

	broker_fixture_deinit(fixture);
	free(fixture);
	*state = NULL;
	return 0;
}
