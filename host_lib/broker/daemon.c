/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See daemon.h. */
#include "broker/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

static _Noreturn void wait_and_exit(int fd)
{
	unsigned char status = EXIT_FAILURE;

	/* End of file: the child is gone, and has said why on stderr. */
	if (sys_retry(read(fd, &status, sizeof(status))) != (ssize_t)sizeof(status))
		status = EXIT_FAILURE;
	_exit(status);
}

int daemon_start(void)
{
	int ends[2], r;
	pid_t pid;

	/* What the starter left open is not for a daemon to keep. */
	r = sys_result(close_range(STDERR_FILENO + 1, ~0u, 0));
	if (r >= 0)
		r = sys_result(pipe2(ends, O_CLOEXEC));
	if (r < 0)
		return r;
	pid = sys_result(fork());
	if (pid < 0) {
		fd_close(ends[0]);
		fd_close(ends[1]);
		return pid;
	}
	if (pid) {
		fd_close(ends[1]);
		wait_and_exit(ends[0]);
	}
	fd_close(ends[0]);
	(void)setsid();
	return ends[1];
}

void daemon_ready(int fd, unsigned char status)
{
	int null = sys_result(open("/dev/null", O_RDWR | O_CLOEXEC));

	(void)sys_result(chdir("/"));
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		fd_close(null);
	}
	/* If the parent has gone, there is no one to tell. */
	(void)sys_retry(write(fd, &status, sizeof(status)));
	fd_close(fd);
}
