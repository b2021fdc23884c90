/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's side of the serial port: standard input and output, a file, a
 * FIFO or nothing.
 *
 * Output goes into a bounded buffer, which the main thread writes out a moment
 * later, many bytes at once; a reader that is slow fills it, and then bytes
 * are dropped and counted, so no vCPU ever waits.  What is buffered at the end
 * is written before console_free() returns, unless nobody reads for a second.
 *
 * A terminal is put into raw mode: Ctrl-A x ends the VM, Ctrl-A Ctrl-A sends
 * one Ctrl-A.
 *
 * Owner: struct machine.  console_output() and console_room() may be called by
 * any thread, all else by the main thread.  `lock` (a leaf) protects the
 * output buffer.
 */
#ifndef DEV_CONSOLE_H
#define DEV_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

struct console;
struct event_base;

/* Called on the main thread. */
struct console_guest {
	void *owner;
	/* Takes input; how many bytes it took, the rest waits for console_room(). */
	size_t (*input)(void *owner, const uint8_t *data, size_t bytes);
	/* The person at the terminal asks for the end. */
	void (*quit)(void *owner);
};

/*
 * target: "stdio", "none" or a path.  guest is copied.  0, or -errno after one
 * logged line.
 */
int console_new(struct event_base *events, const char *target, const struct console_guest *guest,
		struct console **ret_console);
struct console *console_free(struct console *console);

void console_output(struct console *console, uint8_t byte);
void console_room(struct console *console);

#endif
