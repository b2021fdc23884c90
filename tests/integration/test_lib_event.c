/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events, and what happens when a party goes: a peer by kill -9, the broker,
 * a client that does not fetch its events.
 */
#include "lib/fake_broker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void peers_hear_of_each_other(void **state)
{
	struct vmsect_client *first = box_connect(*state, "first");
	struct vmsect_client *second = box_connect(*state, "second");
	struct vmsect_section *mine = box_section(first, "x", 4096);
	struct vmsect_event event = { .peer_id = 77 };
	struct vmsect_section *theirs;

	assert_int_equal(vmsect_client_next_event(first, &event), 0);
	assert_int_equal(event.peer_id, 77);
	assert_int_equal(vmsect_section_open(second, "x", VMSECT_ACCESS_READ, &theirs), 0);
	event = box_wait_event(first);
	assert_int_equal(event.type, VMSECT_EVENT_PEER_JOINED);
	assert_int_equal(event.peer_id, vmsect_client_peer_id(second));
	assert_int_equal(event.section_id, vmsect_section_info(mine)->id);
	vmsect_section_close(theirs);
	event = box_wait_event(first);
	assert_int_equal(event.type, VMSECT_EVENT_PEER_LEFT);
	assert_int_equal(event.peer_id, vmsect_client_peer_id(second));
	vmsect_section_close(mine);
	vmsect_client_free(second);
	vmsect_client_free(first);
}

/* In the child: holds a view of "x" until it is killed. */
static _Noreturn void hold_a_view(struct box *box, int ready)
{
	struct vmsect_client *client = box_connect(box, "victim");
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READONLY };
	struct vmsect_section *section;
	struct vmsect_view *view;

	if (vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section) ||
	    vmsect_view_map(section, &options, &view) || write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void a_killed_peer_leaves_nothing(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4096);
	struct vmsect_section_info info;
	struct vmsect_event event;
	int ready[2];
	char byte;
	pid_t child;

	assert_return_code(pipe(ready), errno);
	child = fork();
	if (!child)
		hold_a_view(*state, ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(vmsect_section_query(section, &info), 0);
	assert_int_equal(info.views, 1);
	assert_int_equal(info.handles, 2);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_PEER_JOINED);
	assert_return_code(kill(child, SIGKILL), errno);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_PEER_LEFT);
	assert_int_equal(vmsect_section_query(section, &info), 0);
	assert_int_equal(info.views, 0);
	assert_int_equal(info.handles, 1);
	assert_int_equal(waitpid(child, NULL, 0), child);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void the_broker_goes(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = fake_connect(box, -1);
	struct vmsect_section *section = box_section(client, "x", 4096);
	struct vmsect_section_info info;
	struct vmsect_event event;

	broker_fixture_kill(&box->broker);
	event = box_wait_event(client);
	assert_int_equal(event.type, VMSECT_EVENT_DISCONNECTED);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	assert_int_equal(vmsect_section_query(section, &info), -EPIPE);
	assert_true(strlen(vmsect_client_error(client)) > 0);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void the_broker_goes_during_a_call(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = fake_connect(box, -1);
	struct vmsect_section *section = (void *)box;
	struct vmsect_event event;

	broker_fixture_kill(&box->broker);
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), -EPIPE);
	assert_ptr_equal(section, box);
	assert_int_equal(vmsect_client_next_event(client, &event), 1);
	assert_int_equal(event.type, VMSECT_EVENT_DISCONNECTED);
	assert_int_equal(vmsect_client_next_event(client, &event), 0);
	vmsect_client_free(client);
}

/* Events that come before a reply wait; too many cost the oldest, and that is told. */
static void unfetched_events_are_bounded(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_client *other = box_connect(*state, "other");
	struct vmsect_section *keep = box_section(client, "x", 4096);
	struct vmsect_section *section;
	struct vmsect_section_info info;
	struct vmsect_event event;
	unsigned int i, events = 0;

	for (i = 0; i < 200; i++) { /* two events each, taken in by the query */
		assert_int_equal(vmsect_section_open(other, "x", VMSECT_ACCESS_READ, &section), 0);
		vmsect_section_close(section);
		assert_int_equal(vmsect_section_query(keep, &info), 0);
	}
	assert_int_equal(vmsect_client_next_event(client, &event), 1);
	assert_int_equal(event.type, VMSECT_EVENT_LOST);
	assert_int_equal(event.value, 400 - 256);
	while (vmsect_client_next_event(client, &event)) {
		assert_int_equal(event.type,
				 events % 2 ? VMSECT_EVENT_PEER_LEFT : VMSECT_EVENT_PEER_JOINED);
		events++;
	}
	assert_int_equal(events, 256);
	vmsect_section_close(keep);
	vmsect_client_free(other);
	vmsect_client_free(client);
}

/* Of the caller's own size: an older header knows fewer counters. */
static void counters_are_reported(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = ((struct box *)*state)->broker.socket_path,
		.name = "guest1",
		.is_vm = 1,
	};
	struct {
		struct vmsect_vm_counters now;
		uint64_t later;
	} counters = { { sizeof(counters.now), 1, 2, 3, 4 }, 0 };
	struct vmsect_peer_info *list = NULL;
	struct vmsect_client *vm;
	size_t count = 0;

	assert_int_equal(vmsect_connect(&options, &vm), 0);
	assert_int_equal(vmsect_client_report(client, &counters.now), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_STATE);
	counters.now.size = 0;
	assert_int_equal(vmsect_client_report(vm, &counters.now), -EINVAL);
	assert_int_equal(vmsect_client_detail(vm), VMSECT_DETAIL_FORMAT);
	counters.now.size = sizeof(counters);
	counters.later = 1;
	assert_int_equal(vmsect_client_report(vm, &counters.now), -EINVAL);
	assert_int_equal(vmsect_list_peers(client, &list, &count), 0);
	assert_int_equal(list[1].denied_writes, 0);
	free(list);
	counters.later = 0;
	assert_int_equal(vmsect_client_report(vm, &counters.now), 0);
	counters.now.denied_writes = 5;
	counters.now.size = offsetof(struct vmsect_vm_counters, lost_pages);
	assert_int_equal(vmsect_client_report(vm, &counters.now), 0);
	assert_int_equal(vmsect_list_peers(client, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(list[1].denied_writes, 5);
	assert_int_equal(list[1].hole_accesses, 2);
	assert_int_equal(list[1].undecodable_stores, 3);
	assert_int_equal(list[1].lost_pages, 0);
	free(list);
	vmsect_client_free(vm);
	vmsect_client_free(client);
}

static void peers_are_listed(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = ((struct box *)*state)->broker.socket_path,
		.name = "guest1",
		.is_vm = 1,
		.cpus = 4,
		.memory_bytes = UINT64_C(1) << 30,
	};
	struct vmsect_section *section = box_section(client, "x", 4096);
	struct vmsect_peer_info *list = NULL;
	struct vmsect_client *vm;
	size_t count = 0;

	assert_int_equal(vmsect_connect(&options, &vm), 0);
	assert_int_equal(vmsect_list_peers(client, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(list[1].name, "guest1");
	assert_true(list[1].is_vm);
	assert_int_equal(list[1].cpus, 4);
	assert_int_equal(list[1].memory_bytes, UINT64_C(1) << 30);
	assert_int_equal(list[1].pid, getpid());
	assert_int_equal(list[1].id, vmsect_client_peer_id(vm));
	free(list);
	assert_int_equal(
		vmsect_list_section_peers(client, vmsect_section_info(section)->id, &list, &count),
		0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, "test");
	free(list);
	vmsect_client_free(vm);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(peers_hear_of_each_other),
		TEST(a_killed_peer_leaves_nothing),
		TEST(the_broker_goes),
		TEST(the_broker_goes_during_a_call),
		TEST(unfetched_events_are_bounded),
		TEST(peers_are_listed),
		TEST(counters_are_reported),
	};

	return cmocka_run_group_tests_name("lib_event", tests, NULL, NULL);
}
