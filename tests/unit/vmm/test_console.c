/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's side of the serial port: files, FIFOs, slow and missing readers. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/event.h"
#include "dev/console.h"
#include "lib/leak.h"

#define FLOOD_BYTES (2u << 20)

static char folder[] = "/tmp/vmsect-console-XXXXXX";
static char path[64];

static int setup_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/out", folder);
	return 0;
}

static int teardown_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

/* A guest whose serial port takes `room` bytes. */
struct guest {
	char taken[64];
	size_t used, room;
};

static size_t on_input(void *owner, const uint8_t *data, size_t bytes)
{
	struct guest *guest = owner;
	size_t count = bytes < guest->room ? bytes : guest->room;

	memcpy(guest->taken + guest->used, data, count);
	guest->used += count;
	guest->room -= count;
	return count;
}

static void on_quit(void *owner)
{
	(void)owner;
	fail_msg("nobody typed Ctrl-A x");
}

static struct console *console_on(struct event_base *events, const char *target,
				  struct guest *guest)
{
	const struct console_guest ops = { .owner = guest, .input = on_input, .quit = on_quit };
	struct console *console = NULL;

	assert_int_equal(console_new(events, target, &ops, &console), 0);
	return console;
}

static void print_to(struct console *console, const char *text)
{
	while (*text)
		console_output(console, (uint8_t)*text++);
}

static void check_content(const char *wanted)
{
	char content[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, content, sizeof(content) - 1), (ssize_t)strlen(wanted));
	assert_string_equal(content, wanted);
	assert_int_equal(close(fd), 0);
}

static void test_no_such_folder(void **state)
{
	const struct console_guest ops = { .input = on_input, .quit = on_quit };
	struct event_base *events = loop_new();
	struct console *console = (struct console *)&events;

	(void)state;
	assert_int_equal(console_new(events, "/nonexistent/out", &ops, &console), -ENOENT);
	assert_ptr_equal(console, &events);
	event_base_free(events);
}

static void test_file_and_tail(void **state)
{
	struct event_base *events = loop_new();
	struct console *console = console_on(events, path, NULL);

	(void)state;
	print_to(console, "first\n");
	assert_true(event_base_loop(events, EVLOOP_ONCE) >= 0); /* woken */
	assert_true(event_base_loop(events, EVLOOP_ONCE) >= 0); /* timer */
	check_content("first\n");
	print_to(console, "the tail");
	(void)console_free(console);
	check_content("first\nthe tail");
	console = console_on(events, path, NULL);
	(void)console_free(console);
	check_content(""); /* created anew */
	event_base_free(events);
}

static void test_none(void **state)
{
	struct event_base *events = loop_new();
	struct console *console = console_on(events, "none", NULL);

	(void)state;
	print_to(console, "nowhere");
	assert_true(event_base_loop(events, EVLOOP_NONBLOCK) >= 0);
	(void)console_free(console);
	event_base_free(events);
}

/* A FIFO that is never read takes what fits; the rest is dropped, nothing waits. */
static void test_reader_that_never_reads(void **state)
{
	struct event_base *events = loop_new();
	struct console *console;

	(void)state;
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	console = console_on(events, path, NULL);
	for (uint32_t i = 0; i < FLOOD_BYTES; i++)
		console_output(console, 'x');
	assert_true(event_base_loop(events, EVLOOP_ONCE) >= 0);
	assert_true(event_base_loop(events, EVLOOP_ONCE) >= 0);
	(void)console_free(console);
	event_base_free(events);
	assert_int_equal(unlink(path), 0);
}

/* Runs the loop until a condition of the guest holds; the alarm is the limit. */
static void run_until(struct event_base *events, const struct guest *guest, size_t used)
{
	while (guest->used < used)
		assert_true(event_base_loop(events, EVLOOP_ONCE) >= 0);
}

static void test_stdio(void **state)
{
	struct guest guest = { .room = 3 };
	int in[2], out[2], keep_in = dup(STDIN_FILENO), keep_out = dup(STDOUT_FILENO);
	struct event_base *events = loop_new();
	struct console *console;
	char content[8] = "";

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	(void)fflush(stdout);
	assert_true(dup2(in[0], STDIN_FILENO) >= 0 && dup2(out[1], STDOUT_FILENO) >= 0);
	console = console_on(events, "stdio", &guest);
	print_to(console, "hello");
	assert_int_equal(write(in[1], "abcdef", 6), 6);
	run_until(events, &guest, 3);
	guest.room = 10;
	console_room(console);
	run_until(events, &guest, 6);
	assert_int_equal(write(in[1], "gh", 2), 2);
	run_until(events, &guest, 8);
	(void)console_free(console);
	assert_true(dup2(keep_in, STDIN_FILENO) >= 0 && dup2(keep_out, STDOUT_FILENO) >= 0);
	assert_memory_equal(guest.taken, "abcdefgh", 8);
	assert_int_equal(read(out[0], content, sizeof(content)), 5);
	assert_string_equal(content, "hello");
	assert_int_equal(fcntl(out[1], F_GETFL) & O_NONBLOCK, 0); /* others hold it too */
	for (int i = 0; i < 2; i++)
		assert_int_equal(close(in[i]) | close(out[i]), 0);
	assert_int_equal(close(keep_in) | close(keep_out), 0);
	event_base_free(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_such_folder, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_file_and_tail, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_none, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_reader_that_never_reads, leak_setup,
						leak_teardown),
		cmocka_unit_test_setup_teardown(test_stdio, leak_setup, leak_teardown),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, setup_folder, teardown_folder);
}
