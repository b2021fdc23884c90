/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of RESERVE sections: committed once, for all. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_disk.h"

#define PAGE 4096u
#define PAGES 64u
#define ACCESS (VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE)
#define EVENT_MS 5000

static const struct wire_create reserve = {
	.name = "s",
	.backing = VMSECT_BACKING_SHMEM,
	.protection = VMSECT_PROT_READWRITE,
	.size_bytes = PAGES * PAGE,
	.access = ACCESS,
	.flags = VMSECT_CREATE_RESERVE,
	.mode = 0600,
};

static void join(struct broker_fixture *f, struct wire_client *client)
{
	wire_join(client, f->socket_path, "client", VMSECT_PEER_PROCESS);
}

static void expect(struct wire_client *client, int r, int status, uint32_t detail)
{
	assert_int_equal(r, status);
	assert_int_equal(client->reply.hdr.detail, detail);
}

static const struct vmsect_wire_section *query(struct wire_client *client)
{
	assert_int_equal(wire_query(client, 1), 0);
	return &client->reply.section.section;
}

/* A view of pages [4, 36) through handle 1. */
static uint64_t map(struct wire_client *client)
{
	assert_int_equal(wire_map(client, 1, VMSECT_PROT_READWRITE, 4 * PAGE, 32 * PAGE), 0);
	return client->reply.map.view;
}

static void test_pages(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	uint64_t view;

	join(f, &client);
	assert_int_equal(wire_create(&client, &reserve), 0);
	view = map(&client);
	assert_int_equal(wire_commit(&client, view, PAGE + 1, 1), 0); /* a page */
	assert_int_equal(query(&client)->committed_bytes, PAGE);
	assert_int_equal(query(&client)->allocated_bytes, PAGE);
	assert_int_equal(wire_commit(&client, view, PAGE - 1, 2), 0); /* touches two */
	assert_int_equal(query(&client)->committed_bytes, 2 * PAGE);
	assert_int_equal(wire_commit(&client, view, 0, 2 * PAGE), 0); /* again is fine */
	assert_int_equal(query(&client)->committed_bytes, 2 * PAGE);
	assert_int_equal(wire_commit(&client, view, 31 * PAGE, PAGE), 0); /* the last one */
	assert_int_equal(query(&client)->committed_bytes, 3 * PAGE);
	assert_int_equal(query(&client)->allocated_bytes, 3 * PAGE);
	assert_int_equal(query(&client)->flags, VMSECT_SECTION_RESERVE);
	wire_close(&client);
}

static void test_refusals(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client, other;
	uint64_t view;

	join(f, &client);
	join(f, &other);
	assert_int_equal(wire_create(&client, &reserve), 0);
	view = map(&client);
	expect(&client, wire_commit(&client, view, 0, 0), -EINVAL, VMSECT_DETAIL_RANGE);
	expect(&client, wire_commit(&client, view, 32 * PAGE, 1), -EEXIST, VMSECT_DETAIL_RANGE);
	expect(&client, wire_commit(&client, view, 31 * PAGE, PAGE + 1), -EEXIST,
	       VMSECT_DETAIL_RANGE);
	expect(&client, wire_commit(&client, view, PAGE, UINT64_MAX), -EEXIST, VMSECT_DETAIL_RANGE);
	expect(&client, wire_commit(&client, view, UINT64_MAX, 1), -EEXIST, VMSECT_DETAIL_RANGE);
	assert_int_equal(wire_commit(&client, view + 1, 0, 1), -ENXIO);
	assert_int_equal(wire_commit(&other, view, 0, 1), -ENXIO);
	assert_int_equal(query(&client)->committed_bytes, 0);
	wire_close(&client);
	wire_close(&other);
}

/* Where all pages are committed from the start there is nothing to do; files have no commit. */
static void test_other_sections(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = reserve;
	struct wire_client client;
	char path[100];
	int fd;

	join(f, &client);
	create.flags = 0;
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(wire_commit(&client, map(&client), 0, PAGE), 0);
	assert_int_equal(query(&client)->committed_bytes, PAGES * PAGE);
	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 8 * PAGE), 0);
	(void)close(fd);
	create.name = "file";
	create.size_bytes = 0;
	create.flags = VMSECT_CREATE_RESERVE;
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	assert_int_equal(wire_map(&client, client.reply.handle.handle, VMSECT_PROT_READWRITE, 0, 0),
			 0);
	expect(&client, wire_commit(&client, client.reply.map.view, 0, PAGE), -EPERM,
	       VMSECT_DETAIL_COMMIT);
	wire_close(&client);
}

static bool next_committed(struct wire_client *client, struct vmsect_msg_event *event)
{
	do {
		if (!wire_next_event(client, event, EVENT_MS))
			return false;
	} while (event->type != VMSECT_WIRE_EVENT_COMMITTED);
	return true;
}

/* Those who have a view hear of it; the range is one of the section. */
static void test_who_is_told(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client writer, viewer, owner;
	struct vmsect_msg_event event;
	uint64_t view;

	join(f, &writer);
	join(f, &viewer);
	join(f, &owner);
	assert_int_equal(wire_create(&writer, &reserve), 0);
	assert_int_equal(wire_open(&viewer, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_open(&owner, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_map(&viewer, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	view = map(&writer);
	assert_int_equal(wire_commit(&writer, view, PAGE, 2 * PAGE), 0);
	assert_true(next_committed(&viewer, &event));
	assert_int_equal(event.section, 1);
	assert_int_equal(event.offset, 5 * PAGE);
	assert_int_equal(event.length, 2 * PAGE);
	assert_true(next_committed(&writer, &event));
	assert_int_equal(wire_commit(&writer, view, PAGE, PAGE), 0); /* nothing new */
	assert_int_equal(wire_list(&viewer, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(viewer.event_count, 0);
	assert_int_equal(wire_list(&owner, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	while (owner.event_count) {
		assert_true(wire_next_event(&owner, &event, 0));
		assert_int_not_equal(event.type, VMSECT_WIRE_EVENT_COMMITTED);
	}
	wire_close(&writer);
	wire_close(&viewer);
	wire_close(&owner);
}

/* Forgets the events that wait: each commit makes one. */
static void drop_events(struct wire_client *client)
{
	struct vmsect_msg_event event;

	while (wire_next_event(client, &event, 0))
		continue;
}

static void test_limits(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = reserve;
	struct wire_client client;
	uint64_t view, i;

	join(f, &client);
	create.size_bytes = UINT64_C(1) << 45;
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READWRITE, 0, 0), 0);
	view = client.reply.map.view;
	expect(&client, wire_commit(&client, view, 0, create.size_bytes), -EDQUOT,
	       VMSECT_DETAIL_LIMIT);
	for (i = 0; i < 4096; i++) {
		assert_int_equal(wire_commit(&client, view, 2 * i * PAGE, 1), 0);
		drop_events(&client);
	}
	expect(&client, wire_commit(&client, view, 2 * i * PAGE, 1), -EDQUOT, VMSECT_DETAIL_LIMIT);
	assert_int_equal(wire_commit(&client, view, PAGE, 1), 0); /* fills a gap */
	assert_int_equal(query(&client)->committed_bytes, 4097 * PAGE);
	wire_close(&client);
}

/* MAP answers when the first pages are committed. */
static void test_map_that_commits(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct vmsect_req_map request = {
		.handle = 1,
		.protection = VMSECT_PROT_READWRITE,
		.offset = 8 * PAGE,
		.length = 4 * PAGE,
		.commit = 3 * PAGE - 1,
	};

	join(f, &client);
	assert_int_equal(wire_create(&client, &reserve), 0);
	assert_int_equal(wire_map_as(&client, &request), 0);
	assert_int_equal(client.reply.map.length, 4 * PAGE);
	assert_int_equal(query(&client)->committed_bytes, 3 * PAGE);
	assert_int_equal(query(&client)->views, 1);
	assert_int_equal(wire_map_as(&client, &request), 0); /* is there already */
	request.commit = 4 * PAGE + 1;
	expect(&client, wire_map_as(&client, &request), -EINVAL, VMSECT_DETAIL_COMMIT);
	assert_int_equal(query(&client)->views, 2);
	wire_close(&client);
}

/* Two clients commit the same pages again and again: each is charged once. */
static void test_at_once(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client clients[2];
	struct vmsect_req_commit request = {
		.hdr = { .size = sizeof(request), .op = VMSECT_OP_COMMIT },
		.length = PAGE,
	};
	uint64_t views[2];
	unsigned int i;

	join(f, &clients[0]);
	join(f, &clients[1]);
	assert_int_equal(wire_create(&clients[0], &reserve), 0);
	assert_int_equal(wire_open(&clients[1], "s", ACCESS), 0);
	views[0] = map(&clients[0]);
	views[1] = map(&clients[1]);
	for (i = 0; i < 64; i++) {
		request.hdr.cookie = ++clients[i % 2].cookie;
		request.view = views[i % 2];
		request.offset = i / 2 * PAGE;
		wire_send(&clients[i % 2], &request, sizeof(request), NULL, 0);
	}
	for (i = 0; i < 64; i++)
		assert_int_equal(wire_receive(&clients[i % 2]), 0);
	assert_int_equal(query(&clients[0])->committed_bytes, 32 * PAGE);
	assert_int_equal(query(&clients[0])->allocated_bytes, 32 * PAGE);
	wire_close(&clients[0]);
	wire_close(&clients[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pages),	TEST(test_refusals), TEST(test_other_sections),
		TEST(test_who_is_told), TEST(test_limits),   TEST(test_map_that_commits),
		TEST(test_at_once),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
