/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptors of a console: opened so that no write blocks, and the mode
 * of a terminal.
 */
#ifndef DEV_CONSOLE_FD_H
#define DEV_CONSOLE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

/* How to write without blocking. */
enum console_out_kind {
	CONSOLE_OUT_NONBLOCK, /* the descriptor is our own and non-blocking */
	CONSOLE_OUT_SOCKET, /* shared with others: send() with a flag */
	CONSOLE_OUT_SHARED, /* shared with others: ask poll(), write little */
};

struct console_out {
	int fd; /* owned; -1: none */
	enum console_out_kind kind;
};

/* Standard output, without a change to the others that hold it. */
int console_out_stdio(struct console_out *ret_out);
/* A file (created, emptied), a FIFO (needs no reader) or a device. */
int console_out_path(const char *path, struct console_out *ret_out);

/* Bytes written, or -EAGAIN (later), or another -errno (never again). */
ssize_t console_out_write(const struct console_out *out, const void *data, size_t bytes);

/* False for regular files and /dev/null, which epoll refuses: they never wait. */
bool console_fd_can_wait(int fd);

struct console_tty {
	bool changed;
	struct termios before;
};

/* Raw mode for standard input, if it is a terminal and this is its foreground. */
void console_tty_raw(struct console_tty *tty);
void console_tty_restore(struct console_tty *tty);

#endif
