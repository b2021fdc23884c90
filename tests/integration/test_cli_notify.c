/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect notify and watch: what they say when they cannot, whom they wake, and a
 * line for each event.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLI "vmsect"

#define refused(box, status, words, ...)                                                           \
	do {                                                                                       \
		assert_int_equal(box_run(box, CLI, __VA_ARGS__), status);                          \
		assert_string_equal((box)->out, "");                                               \
		assert_string_equal((box)->err, "vmsect: " words "\n");                            \
	} while (0)

static void wrong_words(void **state)
{
	struct box *box = *state;

	refused(box, 2, "'notify' needs NAME VALUE [OPTION...]; 'vmsect notify --help' says more",
		"notify", "x");
	refused(box, 2, "'y' is no number of 64 bits; 'vmsect notify --help' says more", "notify",
		"x", "y");
	refused(box, 2, "'0' is no peer; 'vmsect notify --help' says more", "notify", "x", "1",
		"--peer", "0");
	refused(box, 2, "'none' is no number of lines; 'vmsect watch --help' says more", "watch",
		"x", "--count", "none");
	refused(box, 1,
		"cannot open section 'x': there is no section 'x'; 'vmsect ls' lists those that "
		"there are",
		"watch", "x");
}

static void who_is_woken(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section = box_section(client, "x", 4096);
	char peer[16];

	(void)snprintf(peer, sizeof(peer), "%u", vmsect_client_peer_id(client));
	assert_int_equal(box_run(box, CLI, "notify", "x", "0xffffffffffffffff", "--peer", peer), 0);
	assert_string_equal(box->out, "");
	assert_true(box_wait_event_of(client, VMSECT_EVENT_NOTIFIED).value == UINT64_MAX);
	assert_int_equal(box_run(box, CLI, "notify", "x", "5"), 0);
	assert_int_equal(box_wait_event_of(client, VMSECT_EVENT_NOTIFIED).value, 5);
	refused(box, 1,
		"cannot notify peers of section 'x': there is no peer 999 that has the section "
		"open; 'vmsect show' lists those that have",
		"notify", "x", "5", "--peer", "999");
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* A watch in a child, whose lines are to be read from the stream. */
static FILE *start_watch(struct box *box, const char *count, const char *json, pid_t *ret_pid)
{
	char program[256];
	int ends[2];

	fixture_program(CLI, program, sizeof(program));
	assert_int_equal(pipe(ends), 0);
	*ret_pid = fork();
	if (!*ret_pid) {
		(void)setenv("VMSECT_SOCKET", box->broker.socket_path, 1);
		(void)dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(program, program, "watch", "x", "--count", count, json, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	return fdopen(ends[0], "r");
}

static void expect_line(FILE *lines, const char *expected)
{
	char line[256] = "";

	assert_non_null(fgets(line, sizeof(line), lines));
	assert_string_equal(line, expected);
}

/* What a watch hears of one that comes, notifies, extends and goes. */
static void a_line_for_each_event(void **state)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 4096,
		.max_bytes = 65536,
	};
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section = box_create(client, &options);
	uint32_t peer = vmsect_client_peer_id(client);
	char line[256];
	FILE *lines;
	pid_t pid;

	lines = start_watch(box, "4", NULL, &pid);
	assert_non_null(lines);
	assert_int_equal(box_wait_event(client).type, VMSECT_EVENT_PEER_JOINED);
	assert_int_equal(vmsect_section_notify(section, 0, 17, NULL), 0);
	(void)snprintf(line, sizeof(line), "notified peer=%u value=17 count=1\n", peer);
	expect_line(lines, line);
	assert_int_equal(vmsect_section_extend(section, 8192, NULL), 0);
	expect_line(lines, "resized size=8192\n");
	section = vmsect_section_close(section);
	(void)snprintf(line, sizeof(line), "left peer=%u\n", peer);
	expect_line(lines, line);
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), 0);
	(void)snprintf(line, sizeof(line), "joined peer=%u\n", peer);
	expect_line(lines, line);
	assert_int_equal(fixture_wait(pid), 0); /* so many lines */
	(void)fclose(lines);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void json_lines(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section = box_section(client, "x", 4096);
	FILE *lines;
	json_t *object;
	pid_t pid;

	lines = start_watch(box, "1", "-J", &pid);
	assert_non_null(lines);
	assert_int_equal(box_wait_event(client).type, VMSECT_EVENT_PEER_JOINED);
	assert_int_equal(vmsect_section_notify(section, 0, 17, NULL), 0);
	object = json_loadf(lines, 0, NULL);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "event")), "notified");
	assert_int_equal(json_integer_value(json_object_get(object, "value")), 17);
	assert_int_equal(json_integer_value(json_object_get(object, "count")), 1);
	assert_int_equal(json_integer_value(json_object_get(object, "peer")),
			 vmsect_client_peer_id(client));
	json_decref(object);
	assert_int_equal(fixture_wait(pid), 0);
	(void)fclose(lines);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(wrong_words),
		TEST(who_is_woken),
		TEST(a_line_for_each_event),
		TEST(json_lines),
	};

	return cmocka_run_group_tests_name("cli_notify", tests, NULL, NULL);
}
