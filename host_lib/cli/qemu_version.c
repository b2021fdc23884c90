/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See qemu_version.h: the first line of `qemu-system-x86_64 --version`. */
#include "cli/qemu_version.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "cli/export.h"

#define PROGRAM "qemu-system-x86_64"
#define WAIT_MS 5000

/* Starts it with its output in the pipe. */
static int spawn(int output, pid_t *ret_pid)
{
	char program[] = PROGRAM, option[] = "--version";
	char *const argv[] = { program, option, NULL };
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!r)
		r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY,
						     0);
	if (!r)
		r = posix_spawnp(ret_pid, PROGRAM, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* What it prints first; one that prints nothing for long is ended. */
static void read_line(int input, pid_t pid, char *text, size_t room)
{
	struct pollfd ready = { .fd = input, .events = POLLIN };
	ssize_t size = 0;

	if (sys_retry(poll(&ready, 1, WAIT_MS)) > 0)
		size = sys_retry(read(input, text, room - 1));
	else
		(void)kill(pid, SIGKILL);
	text[size > 0 ? size : 0] = '\0';
}

unsigned int qemu_version_installed(void)
{
	static const char before[] = "version ";
	int ends[2], r;
	char text[128];
	char *at;
	pid_t pid = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return 0;
	r = spawn(ends[1], &pid);
	fd_close(ends[1]);
	if (!r) {
		read_line(ends[0], pid, text, sizeof(text));
		(void)sys_retry(waitpid(pid, NULL, 0));
	}
	fd_close(ends[0]);
	if (r)
		return 0;
	at = strstr(text, before);
	return at ? export_parse_version(at + strlen(before)) : 0;
}
