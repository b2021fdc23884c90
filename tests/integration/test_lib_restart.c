/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvmsect and a real broker that is killed, and replaced by another. */
#include "lib/client_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES 8192u
#define RESTARTS 10

static const char *const short_grace[] = { "--resume-grace", "1", NULL };

static void restart(struct box *box, const char *const *args)
{
	broker_fixture_kill(&box->broker);
	broker_fixture_start(&box->broker, args);
}

/* The next event of these two, with the status; others are passed over. */
static void expect_event(struct vmsect_client *client, enum vmsect_event_type type, int status)
{
	struct vmsect_event event;

	do {
		event = box_wait_event(client);
	} while (event.type != VMSECT_EVENT_DISCONNECTED && event.type != VMSECT_EVENT_RECONNECTED);
	assert_int_equal(event.type, type);
	assert_int_equal(event.status, status);
}

static struct vmsect_section *open_section(struct vmsect_client *client, uint32_t access)
{
	struct vmsect_section *section = NULL;

	if (vmsect_section_open(client, "x", access, &section) < 0)
		fail_msg("open: %s", vmsect_client_error(client));
	return section;
}

static void handles_and_views_are_kept(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", BYTES);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE);
	uint32_t peer = vmsect_client_peer_id(client);
	struct vmsect_section_info info;
	struct vmsect_view_info *list;
	size_t count;
	int i;

	for (i = 0; i < RESTARTS; i++) {
		*(volatile int *)vmsect_view_address(view) = i;
		restart(*state, NULL);
		assert_int_equal(vmsect_section_query(section, &info), 0);
		assert_int_equal(info.id, vmsect_section_info(section)->id);
		assert_int_equal(info.handles, 1);
		assert_int_equal(info.views, 1);
		assert_int_equal(*(volatile int *)vmsect_view_address(view), i);
		expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
		expect_event(client, VMSECT_EVENT_RECONNECTED, 0);
	}
	assert_int_equal(vmsect_client_peer_id(client), peer);
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(list[0].id, vmsect_view_id(view));
	free(list);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	assert_int_equal(vmsect_list_views(client, 0, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	vmsect_client_free(client);
}

/* Others see the bytes again that only this client still has. */
static void memory_is_handed_back(void **state)
{
	struct vmsect_client *holder = box_connect(*state, "holder");
	struct vmsect_client *other = box_connect(*state, "other");
	struct vmsect_section *section = box_section(holder, "x", BYTES);
	struct vmsect_section *name = open_section(other, VMSECT_ACCESS_QUERY);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *seen;

	memcpy(vmsect_view_address(view), "hello", 6);
	vmsect_section_close(section); /* the view alone has it, now */
	restart(*state, NULL);
	expect_event(holder, VMSECT_EVENT_DISCONNECTED, 0);
	expect_event(holder, VMSECT_EVENT_RECONNECTED, 0);
	section = open_section(other, VMSECT_ACCESS_READ);
	seen = box_map(section, VMSECT_PROT_READONLY);
	assert_string_equal(vmsect_view_address(seen), "hello");
	memcpy(vmsect_view_address(view), "again", 6);
	assert_string_equal(vmsect_view_address(seen), "again");
	vmsect_view_unmap(seen);
	vmsect_section_close(section);
	vmsect_section_close(name);
	vmsect_view_unmap(view);
	vmsect_client_free(other);
	vmsect_client_free(holder);
}

/* What is given back while there is no broker is given back to the next. */
static void what_is_closed_meanwhile(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section = box_section(client, "x", BYTES);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READONLY);
	struct vmsect_section_info *list;
	size_t count;

	broker_fixture_kill(&box->broker);
	expect_event(client, VMSECT_EVENT_DISCONNECTED, 0);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	broker_fixture_start(&box->broker, NULL);
	expect_event(client, VMSECT_EVENT_RECONNECTED, 0);
	assert_int_equal(vmsect_list_sections(client, NULL, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	vmsect_client_free(client);
}

/* A client that did not come back in time has lost what it had, but not its views. */
static void who_comes_too_late(void **state)
{
	struct vmsect_client *late = box_connect(*state, "late");
	struct vmsect_client *other = box_connect(*state, "other");
	struct vmsect_section *section = box_section(late, "x", BYTES);
	struct vmsect_section *theirs = open_section(other, VMSECT_ACCESS_READ);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE);
	uint32_t peer = vmsect_client_peer_id(late);
	struct vmsect_section_info info;

	memcpy(vmsect_view_address(view), "hello", 6);
	restart(*state, short_grace);
	while (box_wait_event(other).type != VMSECT_EVENT_PEER_LEFT)
		;
	assert_int_equal(vmsect_section_query(section, &info), -ESTALE);
	assert_true(strlen(vmsect_client_error(late)) > 0);
	expect_event(late, VMSECT_EVENT_DISCONNECTED, 0);
	expect_event(late, VMSECT_EVENT_RECONNECTED, -ESTALE);
	assert_int_not_equal(vmsect_client_peer_id(late), peer);
	assert_string_equal(vmsect_view_address(view), "hello");
	vmsect_section_close(section);
	vmsect_view_unmap(view);
	section = open_section(late, VMSECT_ACCESS_READ);
	view = box_map(section, VMSECT_PROT_READONLY);
	assert_string_equal(vmsect_view_address(view), "hello");
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_section_close(theirs);
	vmsect_client_free(other);
	vmsect_client_free(late);
}

/* Makes, maps, writes and gives back, again and again; what failed, or 0. */
static int work_once(struct vmsect_client *client, int round)
{
	struct vmsect_create_options create = { .size = sizeof(create),
						.name = "worker",
						.backing = VMSECT_BACKING_SHMEM,
						.protection = VMSECT_PROT_READWRITE,
						.size_bytes = BYTES };
	struct vmsect_map_options map = { .size = sizeof(map),
					  .protection = VMSECT_PROT_READWRITE };
	struct vmsect_section *section = NULL;
	struct vmsect_view *view = NULL;
	struct vmsect_section_info info;

	if (vmsect_section_create(client, &create, &section) != 0)
		return 1;
	if (vmsect_view_map(section, &map, &view) != 0)
		return 2;
	*(volatile int *)vmsect_view_address(view) = round;
	if (vmsect_section_query(section, &info) != 0 || info.handles != 1 || info.views != 1)
		return 3;
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	return 0;
}

/* In a child, until the pipe ends. */
static _Noreturn void work(struct box *box, int ready, int end)
{
	struct vmsect_client *client = box_connect(box, "worker");
	struct pollfd poll_fd = { .fd = end, .events = POLLIN };
	int round = 0, r = 0;

	close(ready);
	while (!r && poll(&poll_fd, 1, 0) == 0)
		r = work_once(client, round++);
	if (r)
		(void)fprintf(stderr, "round %d, step %d: %s\n", round, r,
			      vmsect_client_error(client));
	vmsect_client_free(client);
	_exit(r);
}

/* Brokers die at any moment of a program's work: it notices nothing. */
static void nothing_is_done_twice_or_not_at_all(void **state)
{
	int ready[2], end[2], i, status;
	pid_t child;
	char byte;

	assert_return_code(pipe2(ready, O_CLOEXEC), errno);
	assert_return_code(pipe2(end, O_CLOEXEC), errno);
	child = fork();
	if (!child) {
		close(end[1]);
		close(ready[0]);
		work(*state, ready[1], end[0]);
	}
	close(ready[1]);
	close(end[0]);
	assert_int_equal(read(ready[0], &byte, 1), 0); /* it is connected */
	close(ready[0]);
	for (i = 0; i < 3 * RESTARTS; i++)
		restart(*state, NULL);
	close(end[1]);
	status = fixture_wait(child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(handles_and_views_are_kept),
		TEST(memory_is_handed_back),
		TEST(what_is_closed_meanwhile),
		TEST(who_comes_too_late),
		TEST(nothing_is_done_twice_or_not_at_all),
	};

	return cmocka_run_group_tests_name("lib_restart", tests, NULL, NULL);
}
