/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `vmsectd --socket PATH --idle-exit 60` goes to the background by itself: the
 * process that is started here ends with 0 once the broker listens.  Only this
 * one process is waited for, by its pidfd, so that a program that ignores
 * SIGCHLD or reaps all its children is no hindrance.
 *
 * The child inherits nothing of the host program, no descriptor, no signal
 * mask, no session, but stderr, on which it says why it cannot start; once it
 * listens it lets go of that, too.
 */
#include "lib/start.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

#ifndef VMSECT_SBINDIR
#define VMSECT_SBINDIR "/usr/local/sbin"
#endif

#define BROKER_NAME "vmsectd"

extern char **environ;

/* One attempt to start the program at `path`; a negative result is posix_spawn's. */
struct spawn {
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	const char *socket_path;
	pid_t pid;
};

static int spawn_set_actions(posix_spawn_file_actions_t *actions)
{
	int r, fd;

	for (fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) {
		r = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
		if (r)
			return -r;
	}
	return -posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static int spawn_set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setsigmask(attributes, &none);
	if (!r)
		r = posix_spawnattr_setsigdefault(attributes, &all);
	if (!r)
		r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
								 POSIX_SPAWN_SETSIGDEF |
								 POSIX_SPAWN_SETSID);
	return -r;
}

static int spawn_init(struct spawn *spawn, const char *socket_path)
{
	int r;

	r = -posix_spawn_file_actions_init(&spawn->actions);
	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&spawn->attributes);
	if (r < 0) {
		posix_spawn_file_actions_destroy(&spawn->actions);
		return r;
	}
	spawn->socket_path = socket_path;
	return 0;
}

static void spawn_deinit(struct spawn *spawn)
{
	posix_spawnattr_destroy(&spawn->attributes);
	posix_spawn_file_actions_destroy(&spawn->actions);
}

/* With search, `path` is a bare name that is looked for in $PATH. */
static int spawn_try(struct spawn *spawn, const char *path, bool search)
{
	const char *argv[] = { BROKER_NAME,   "--socket", spawn->socket_path,
			       "--idle-exit", "60",	  NULL };
	union {
		const char **in;
		char **out;
	} arguments = { .in = argv };
	int r;

	if (search)
		r = posix_spawnp(&spawn->pid, path, &spawn->actions, &spawn->attributes,
				 arguments.out, environ);
	else
		r = posix_spawn(&spawn->pid, path, &spawn->actions, &spawn->attributes,
				arguments.out, environ);
	return -r;
}

/* vmsectd in the folder of the running program. */
static int path_beside_program(char *path, size_t size)
{
	ssize_t length;
	char *slash;

	length = sys_result(readlink("/proc/self/exe", path, size - 1));
	if (length < 0)
		return (int)length;
	path[length] = 0;
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + sizeof(BROKER_NAME) > size)
		return -ENOENT;
	memcpy(slash + 1, BROKER_NAME, sizeof(BROKER_NAME));
	return 0;
}

/*
 * A program that runs with more rights than its caller takes neither variables
 * nor its own folder (which a link can choose) for an answer.
 */
static int spawn_find_and_start(struct spawn *spawn)
{
	const char *from_environment = secure_getenv("VMSECT_BROKER");
	bool trusted = !getauxval(AT_SECURE);
	char path[PATH_MAX];
	int r;

	if (from_environment && *from_environment)
		return spawn_try(spawn, from_environment, false);
	if (trusted && !path_beside_program(path, sizeof(path))) {
		r = spawn_try(spawn, path, false);
		if (r != -ENOENT)
			return r;
	}
	r = spawn_try(spawn, VMSECT_SBINDIR "/" BROKER_NAME, false);
	if (r != -ENOENT || !trusted)
		return r;
	return spawn_try(spawn, BROKER_NAME, true);
}

static int poll_pidfd(int pidfd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int r;

	r = sys_retry(poll(&poll_fd, 1, timeout_ms));
	return r ? r : -ETIMEDOUT;
}

/* It has ended, or is about to. */
static int starter_reap(struct starter *starter)
{
	int status = 0;

	/* Someone else may have reaped it: connecting will tell. */
	if (sys_retry(waitpid(starter->pid, &status, 0)) < 0)
		status = 0;
	starter->pidfd = fd_close(starter->pidfd);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECONNREFUSED;
}

int starter_wait(struct starter *starter, int timeout_ms)
{
	int r;

	if (starter->pidfd < 0)
		return 0;
	r = poll_pidfd(starter->pidfd, timeout_ms);
	return r < 0 ? r : starter_reap(starter);
}

void starter_kill(struct starter *starter)
{
	if (starter->pidfd < 0)
		return;
	(void)pidfd_send_signal(starter->pidfd, SIGKILL, NULL, 0);
	(void)starter_reap(starter);
}

/* The process by its pidfd; one that is gone and reaped by someone else has none. */
static int starter_open(struct starter *starter, pid_t pid)
{
	int pidfd = sys_result(pidfd_open(pid, 0));

	if (pidfd < 0 && pidfd != -ESRCH) {
		(void)kill(pid, SIGKILL);
		(void)sys_retry(waitpid(pid, NULL, 0));
		return pidfd;
	}
	starter->pid = pid;
	starter->pidfd = pidfd < 0 ? -1 : pidfd;
	return 0;
}

int starter_begin(struct starter *starter, const char *socket_path)
{
	struct spawn spawn;
	int r;

	r = spawn_init(&spawn, socket_path);
	if (r < 0)
		return r;
	r = spawn_set_actions(&spawn.actions);
	if (!r)
		r = spawn_set_attributes(&spawn.attributes);
	if (!r)
		r = spawn_find_and_start(&spawn);
	spawn_deinit(&spawn);
	return r < 0 ? r : starter_open(starter, spawn.pid);
}

int broker_start(const char *socket_path)
{
	struct starter starter = { .pidfd = -1 };
	int r;

	r = starter_begin(&starter, socket_path);
	if (r < 0)
		return r;
	r = starter_wait(&starter, START_TIMEOUT_MS);
	starter_kill(&starter);
	return r;
}
