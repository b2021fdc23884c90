/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How sections grow. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/huge_pages.h"
#include "lib/wire_disk.h"

#define PAGE 4096u
#define ACCESS                                                                                     \
	(VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXTEND)
#define EVENT_MS 5000

static struct huge_pages huge = HUGE_PAGES_NONE;

static const struct wire_create shmem = {
	.name = "s",
	.backing = VMSECT_BACKING_SHMEM,
	.protection = VMSECT_PROT_READWRITE,
	.size_bytes = 4 * PAGE,
	.access = ACCESS,
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

static void file_path(const struct broker_fixture *f, char *path, size_t room)
{
	(void)snprintf(path, room, "%s/file", f->folder);
}

static void make_file(const struct broker_fixture *f, off_t size, mode_t mode, char *path,
		      size_t room)
{
	int fd;

	file_path(f, path, room);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(ftruncate(fd, size), 0);
	(void)close(fd);
}

static off_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* The next event of that type; others are passed over. */
static struct vmsect_msg_event next(struct wire_client *client, uint32_t type)
{
	struct vmsect_msg_event event;

	do
		assert_true(wire_next_event(client, &event, EVENT_MS));
	while (event.type != type);
	return event;
}

static void test_memory_grows(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	uint32_t handle;

	join(f, &client);
	create.max_bytes = 10 * PAGE;
	assert_int_equal(wire_create(&client, &create), 0);
	handle = client.reply.handle.handle;
	assert_int_equal(client.reply.handle.section.max_bytes, 10 * PAGE);
	assert_int_equal(client.reply.handle.section.committed_bytes, 4 * PAGE);
	assert_int_equal(wire_extend(&client, handle, PAGE), 0); /* smaller: nothing */
	assert_int_equal(client.reply.extend.size_bytes, 4 * PAGE);
	assert_int_equal(wire_extend(&client, handle, 5 * PAGE + 1), 0);
	assert_int_equal(client.reply.extend.size_bytes, 6 * PAGE);
	assert_int_equal(wire_query(&client, handle), 0);
	assert_int_equal(client.reply.section.section.size_bytes, 6 * PAGE);
	assert_int_equal(client.reply.section.section.committed_bytes, 6 * PAGE);
	assert_int_equal(client.reply.section.section.generation, 2);
	expect(&client, wire_extend(&client, handle, 11 * PAGE), -EFBIG, VMSECT_DETAIL_SIZE);
	assert_int_equal(wire_extend(&client, handle, 10 * PAGE), 0);
	expect(&client, wire_extend(&client, handle, 11 * PAGE), -EOPNOTSUPP, VMSECT_DETAIL_EXTEND);
	wire_close(&client);
}

static void test_refused_growth(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	char path[100];

	join(f, &client);
	assert_int_equal(wire_create(&client, &shmem), 0);
	expect(&client, wire_extend(&client, 1, 5 * PAGE), -EOPNOTSUPP, VMSECT_DETAIL_EXTEND);
	expect(&client, wire_extend(&client, 77, 5 * PAGE), -EBADF, VMSECT_DETAIL_HANDLE);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_WRITE), 0);
	expect(&client, wire_extend(&client, client.reply.handle.handle, 5 * PAGE), -EPERM,
	       VMSECT_DETAIL_ACCESS);
	make_file(f, PAGE, 0600, path, sizeof(path));
	create.name = "file";
	create.protection = VMSECT_PROT_READONLY;
	create.access = VMSECT_ACCESS_READ | VMSECT_ACCESS_EXTEND;
	create.size_bytes = 0;
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	expect(&client, wire_extend(&client, client.reply.handle.handle, 2 * PAGE), -EACCES,
	       VMSECT_DETAIL_PROTECTION);
	assert_int_equal(size_of(path), PAGE);
	wire_close(&client);
	assert_int_equal(unlink(path), 0);
}

/* To the byte, with blocks; the shrinking of a section never shortens its file. */
static void test_file_grows(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	char path[100];
	uint32_t handle;

	join(f, &client);
	make_file(f, PAGE, 0600, path, sizeof(path));
	create.size_bytes = PAGE + 5; /* grows at once, by a job */
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	handle = client.reply.handle.handle;
	assert_int_equal(client.reply.handle.section.size_bytes, PAGE + 5);
	assert_int_equal(size_of(path), PAGE + 5);
	assert_int_equal(wire_extend(&client, handle, 3 * PAGE + 1), 0);
	assert_int_equal(client.reply.extend.size_bytes, 3 * PAGE + 1);
	assert_int_equal(size_of(path), 3 * PAGE + 1);
	assert_int_equal(truncate(path, 10 * PAGE), 0); /* larger behind our back */
	assert_int_equal(wire_extend(&client, handle, 4 * PAGE), 0);
	assert_int_equal(client.reply.extend.size_bytes, 4 * PAGE);
	assert_int_equal(size_of(path), 10 * PAGE);
	expect(&client, wire_extend(&client, handle, (UINT64_C(1) << 46) + 1), -EFBIG,
	       VMSECT_DETAIL_SIZE);
	expect(&client, wire_extend(&client, handle, UINT64_C(1) << 43), -ENOSPC,
	       VMSECT_DETAIL_SIZE);
	assert_int_equal(size_of(path), 10 * PAGE);
	assert_int_equal(wire_query(&client, handle), 0);
	assert_int_equal(client.reply.section.section.size_bytes, 4 * PAGE);
	wire_close(&client);
	assert_int_equal(unlink(path), 0);
}

/* Everybody with a handle or a view hears of it once; growable views have grown. */
static void test_who_is_told(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client owner, viewer, other;
	struct vmsect_req_map map = {
		.protection = VMSECT_PROT_READWRITE,
		.flags = VMSECT_VIEW_GROWABLE,
		.room = 6 * PAGE,
	};
	struct vmsect_msg_event event;

	join(f, &owner);
	join(f, &viewer);
	join(f, &other);
	create.max_bytes = 10 * PAGE;
	assert_int_equal(wire_create(&owner, &create), 0);
	assert_int_equal(wire_open(&viewer, "s", VMSECT_ACCESS_WRITE), 0);
	map.handle = viewer.reply.handle.handle;
	assert_int_equal(wire_map_as(&viewer, &map), 0);
	assert_int_equal(viewer.reply.map.length, 4 * PAGE);
	map.flags = 0;
	map.room = 0;
	assert_int_equal(wire_map_as(&viewer, &map), 0);
	assert_int_equal(wire_close_handle(&viewer, map.handle), 0);
	assert_int_equal(wire_extend(&owner, 1, 5 * PAGE), 0);
	event = next(&owner, VMSECT_WIRE_EVENT_RESIZED);
	assert_int_equal(event.value, 5 * PAGE);
	event = next(&viewer, VMSECT_WIRE_EVENT_RESIZED);
	assert_int_equal(event.value, 5 * PAGE);
	assert_int_equal(event.section, 1);
	assert_int_equal(wire_extend(&owner, 1, 9 * PAGE), 0);
	event = next(&viewer, VMSECT_WIRE_EVENT_RESIZED);
	assert_int_equal(event.value, 9 * PAGE);
	assert_int_equal(wire_list(&viewer, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(wire_listed_view(&viewer, 0)->length, 6 * PAGE); /* its room */
	assert_int_equal(wire_listed_view(&viewer, 1)->length, 4 * PAGE);
	assert_int_equal(viewer.event_count, 0);
	assert_false(wire_next_event(&other, &event, 0));
	wire_close(&owner);
	wire_close(&viewer);
	wire_close(&other);
}

/* Many at once: the replies come in any order, the largest size wins. */
static void test_pipelined_growth(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	struct vmsect_req_extend request;
	char path[100];
	unsigned int i;

	join(f, &client);
	make_file(f, PAGE, 0600, path, sizeof(path));
	create.size_bytes = 0;
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	for (i = 1; i <= 50; i++) {
		request = (struct vmsect_req_extend){
			.hdr = { .size = sizeof(request),
				 .op = VMSECT_OP_EXTEND,
				 .cookie = ++client.cookie },
			.handle = client.reply.handle.handle,
			.size_bytes = (1 + i * 7 % 50) * PAGE,
		};
		wire_send(&client, &request, sizeof(request), NULL, 0);
	}
	for (i = 1; i <= 50; i++)
		assert_int_equal(wire_receive(&client), 0);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.size_bytes, 50 * PAGE);
	assert_int_equal(size_of(path), 50 * PAGE);
	wire_close(&client);
	assert_int_equal(unlink(path), 0);
}

static int stop_with_huge_pages(void **state)
{
	broker_fixture_stop(*state);
	huge_pages_give_back(&huge);
	return broker_teardown(state);
}

/* Huge pages are reserved for the section's size, and for more when it grows. */
static void test_huge_pages_grow(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	long before;

	if (!huge_pages_take(&huge, 3))
		skip();
	before = huge_pages_free();
	join(f, &client);
	create.backing = VMSECT_BACKING_HUGETLB;
	create.size_bytes = 1;
	create.max_bytes = UINT64_C(1) << 40;
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(client.reply.handle.section.page_shift, 21);
	assert_int_equal(huge_pages_free(), before - 1);
	assert_int_equal(wire_extend(&client, 1, 3u << 20), 0);
	assert_int_equal(client.reply.extend.size_bytes, 4u << 20);
	assert_int_equal(huge_pages_free(), before - 2);
	expect(&client, wire_extend(&client, 1, (uint64_t)(before + 1) << 21), -ENOMEM,
	       VMSECT_DETAIL_HUGEPAGES);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.committed_bytes, 4u << 20);
	wire_close(&client);
}

/* RESERVE takes a huge page when it is committed. */
static void test_huge_pages_are_committed(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	long before;

	if (!huge_pages_take(&huge, 1))
		skip();
	before = huge_pages_free();
	join(f, &client);
	create.backing = VMSECT_BACKING_HUGETLB;
	create.flags = VMSECT_CREATE_RESERVE;
	create.size_bytes = UINT64_C(1) << 40;
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(huge_pages_free(), before);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READWRITE, 2u << 20, 0), 0);
	assert_int_equal(wire_commit(&client, client.reply.map.view, 5u << 20, 1), 0);
	assert_int_equal(huge_pages_free(), before - 1);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.committed_bytes, 2u << 20);
	wire_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)
#define TEST_HUGE(name) cmocka_unit_test_setup_teardown(name, broker_setup, stop_with_huge_pages)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memory_grows),
		TEST(test_refused_growth),
		TEST(test_file_grows),
		TEST(test_who_is_told),
		TEST(test_pipelined_growth),
		TEST_HUGE(test_huge_pages_grow),
		TEST_HUGE(test_huge_pages_are_committed),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
