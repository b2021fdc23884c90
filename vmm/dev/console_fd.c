/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See console_fd.h. */
#include "dev/console_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

/* A pipe or terminal that poll() calls writable takes this much at once. */
#define SHARED_CHUNK 512u

static int duplicate(int fd)
{
	return sys_result(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

int console_out_stdio(struct console_out *ret_out)
{
	struct console_out out = { .fd = -1, .kind = CONSOLE_OUT_SHARED };
	struct stat status;
	int result = sys_result(fstat(STDOUT_FILENO, &status));

	if (result < 0)
		return result;
	if (S_ISSOCK(status.st_mode))
		out.kind = CONSOLE_OUT_SOCKET;
	/*
	 * O_NONBLOCK belongs to the open file, which a shell shares with us: so
	 * pipes and terminals are opened anew.  A file would lose its position.
	 */
	if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
		out.fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (out.fd >= 0)
		out.kind = CONSOLE_OUT_NONBLOCK;
	else
		out.fd = duplicate(STDOUT_FILENO);
	if (out.fd < 0)
		return out.fd;
	*ret_out = out;
	return 0;
}

int console_out_path(const char *path, struct console_out *ret_out)
{
	int flags = O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd = sys_retry(open(path, O_WRONLY | O_CREAT | O_TRUNC | flags, 0666));

	/* A FIFO that nobody reads yet: with both ends open it buffers. */
	if (fd == -ENXIO)
		fd = sys_retry(open(path, O_RDWR | flags));
	if (fd < 0)
		return fd;
	*ret_out = (struct console_out){ .fd = fd, .kind = CONSOLE_OUT_NONBLOCK };
	return 0;
}

static ssize_t write_shared(int fd, const void *data, size_t bytes)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	int result = sys_retry(poll(&ready, 1, 0));

	if (result < 0)
		return result;
	if (result == 0)
		return -EAGAIN;
	return sys_retry(write(fd, data, bytes < SHARED_CHUNK ? bytes : SHARED_CHUNK));
}

ssize_t console_out_write(const struct console_out *out, const void *data, size_t bytes)
{
	switch (out->kind) {
	case CONSOLE_OUT_NONBLOCK:
		return sys_retry(write(out->fd, data, bytes));
	case CONSOLE_OUT_SOCKET:
		return sys_retry(send(out->fd, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL));
	case CONSOLE_OUT_SHARED:
		return write_shared(out->fd, data, bytes);
	}
	return -EINVAL;
}

bool console_fd_can_wait(int fd)
{
	AUTO_FD int probe = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };

	return probe >= 0 && epoll_ctl(probe, EPOLL_CTL_ADD, fd, &event) == 0;
}

void console_tty_raw(struct console_tty *tty)
{
	struct termios raw;

	tty->changed = false;
	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	if (tcgetattr(STDIN_FILENO, &tty->before) < 0)
		return;
	raw = tty->before;
	cfmakeraw(&raw);
	/* Output is still that of a person's terminal: a newline also returns. */
	raw.c_oflag = tty->before.c_oflag;
	tty->changed = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void console_tty_restore(struct console_tty *tty)
{
	if (tty->changed)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &tty->before);
	tty->changed = false;
}
