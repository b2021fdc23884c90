/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PUBLISH by the wire, and brokers that are killed in the midst of it. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/patch.h"
#include "lib/wire_disk.h"

#define PAGE 4096u
#define PAGES 4096u
#define SIZE (PAGES * PAGE)
#define WAIT_MS 10000

static const struct wire_create section = {
	.name = "s",
	.backing = VMSECT_BACKING_SHMEM,
	.protection = VMSECT_PROT_READWRITE,
	.size_bytes = SIZE,
	.access = VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
	.mode = 0600,
};

static void expect(struct wire_client *client, int r, int status, uint32_t detail)
{
	assert_int_equal(r, status);
	assert_int_equal(client->reply.hdr.detail, detail);
}

static void join(struct broker_fixture *f, struct wire_client *client)
{
	wire_join(client, f->socket_path, "client", VMSECT_PEER_PROCESS);
}

static void test_memory(void **state)
{
	struct broker_fixture *f = *state;
	const struct vmsect_wire_range ranges[] = { { PAGE, PAGE }, { SIZE - PAGE, PAGE } };
	struct wire_client client;
	int patch = patch_new(ranges, 2, 'n');
	char bytes[3];
	int fd;

	join(f, &client);
	assert_int_equal(wire_create(&client, &section), 0);
	fd = fcntl(client.reply_fd, F_DUPFD_CLOEXEC, 0);
	assert_int_equal(wire_publish(&client, 1, 2, patch), 0);
	assert_int_equal(pread(fd, bytes, 3, PAGE - 1), 3);
	assert_memory_equal(bytes, "\0nn", 3);
	assert_int_equal(pread(fd, bytes, 3, SIZE - 1), 1);
	assert_int_equal(bytes[0], 'n');
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.allocated_bytes, 2 * PAGE);
	(void)close(fd);
	(void)close(patch);
	wire_close(&client);
}

static void test_refusals(void **state)
{
	struct broker_fixture *f = *state;
	const struct vmsect_wire_range inside = { 0, PAGE }, outside = { SIZE, PAGE };
	struct wire_create reserve = section;
	struct wire_client client;
	int patch = patch_new(&inside, 1, 'n'), wrong = patch_new(&outside, 1, 'n');

	join(f, &client);
	assert_int_equal(wire_create(&client, &section), 0);
	expect(&client, wire_publish(&client, 1, 1, -1), -EINVAL, VMSECT_DETAIL_FILE);
	expect(&client, wire_publish(&client, 7, 1, patch), -EBADF, VMSECT_DETAIL_HANDLE);
	expect(&client, wire_publish(&client, 1, 0, patch), -EINVAL, VMSECT_DETAIL_RANGE);
	expect(&client, wire_publish(&client, 1, 1, wrong), -EINVAL, VMSECT_DETAIL_RANGE);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), 0);
	expect(&client, wire_publish(&client, client.reply.handle.handle, 1, patch), -EPERM,
	       VMSECT_DETAIL_ACCESS);
	reserve.name = "r";
	reserve.flags = VMSECT_CREATE_RESERVE;
	assert_int_equal(wire_create(&client, &reserve), 0);
	expect(&client, wire_publish(&client, client.reply.handle.handle, 1, patch), -EINVAL,
	       VMSECT_DETAIL_COMMIT);
	assert_int_equal(wire_query(&client, client.reply.handle.handle), -EBADF);
	(void)close(patch);
	(void)close(wrong);
	wire_close(&client);
}

/* Odd pages of a file, so that a patch that is torn shows. */
static struct vmsect_wire_range *odd_pages(void)
{
	struct vmsect_wire_range *ranges = calloc(PAGES / 2, sizeof(*ranges));
	unsigned int i;

	assert_non_null(ranges);
	for (i = 0; i < PAGES / 2; i++)
		ranges[i] = (struct vmsect_wire_range){ (2 * i + 1) * PAGE, PAGE };
	return ranges;
}

static void file_path(const struct broker_fixture *f, char *path, size_t room)
{
	(void)snprintf(path, room, "%s/file", f->folder);
}

static void make_file(const struct broker_fixture *f)
{
	char path[100];
	int fd;

	file_path(f, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(fallocate(fd, 0, 0, SIZE), 0);
	(void)close(fd);
}

/* Pages that are new; no page is half, and even ones are old. */
static unsigned int count_new(const struct broker_fixture *f)
{
	char path[100];
	const char *bytes;
	unsigned int page, i, count = 0;
	int fd;

	file_path(f, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	bytes = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	for (page = 0; page < PAGES; page++) {
		for (i = 1; i < PAGE; i++)
			assert_int_equal(bytes[page * PAGE + i], bytes[page * PAGE]);
		if (page % 2)
			count += bytes[page * PAGE] == 'n';
		else
			assert_int_equal(bytes[page * PAGE], 0);
	}
	assert_int_equal(munmap((void *)(uintptr_t)bytes, SIZE), 0);
	(void)close(fd);
	return count;
}

/* Waits until the folder shows that event of a journal. */
static void wait_for(int watch, uint32_t mask, const char *end)
{
	char buffer[4096] __attribute__((aligned(8)));
	struct pollfd fds = { .fd = watch, .events = POLLIN };
	const struct inotify_event *event;
	ssize_t size, at;

	for (;;) {
		assert_int_equal(poll(&fds, 1, WAIT_MS), 1);
		size = read(watch, buffer, sizeof(buffer));
		assert_true(size > 0);
		for (at = 0; at < size; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(buffer + at);
			if (event->mask & mask && strstr(event->name, end))
				return;
		}
	}
}

/* Publishes and kills the broker when that is seen; the next one ends the work. */
static unsigned int kill_at(struct broker_fixture *f, uint32_t mask, const char *end)
{
	struct vmsect_req_publish request = {
		.hdr = { .size = sizeof(request),
			 .op = VMSECT_OP_PUBLISH,
			 .cookie = 100,
			 .fds = 1 },
		.handle = 1,
		.count = PAGES / 2,
	};
	struct vmsect_wire_range *ranges = odd_pages();
	int patch = patch_new(ranges, PAGES / 2, 'n');
	struct wire_create create = section;
	struct wire_client client;
	char path[100];
	int watch = inotify_init1(IN_CLOEXEC);

	make_file(f);
	file_path(f, path, sizeof(path));
	join(f, &client);
	create.name = NULL; /* that of the round before may live a little */
	create.size_bytes = 0;
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	assert_true(inotify_add_watch(watch, f->folder, mask) >= 0);
	wire_send(&client, &request, sizeof(request), &patch, 1);
	wait_for(watch, mask, end);
	broker_fixture_kill(f);
	wire_close(&client);
	(void)close(watch);
	(void)close(patch);
	free(ranges);
	broker_fixture_start(f, NULL);
	return count_new(f);
}

static void test_killed_brokers(void **state)
{
	struct broker_fixture *f = *state;
	unsigned int round, count;

	for (round = 0; round < 2; round++) {
		count = kill_at(f, IN_CREATE, ".work");
		assert_true(!count || count == PAGES / 2);
		assert_int_equal(kill_at(f, IN_MOVED_TO, ".committed"), PAGES / 2);
	}
	assert_int_equal(kill_at(f, IN_DELETE, ".committed"), PAGES / 2);
}

/* Two patches of one section, sent at once, do not mix: the second is there. */
static void test_in_order(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_publish request = {
		.hdr = { .size = sizeof(request), .op = VMSECT_OP_PUBLISH, .fds = 1 },
		.handle = 1,
		.count = PAGES / 2,
	};
	struct vmsect_wire_range *ranges = odd_pages();
	int first = patch_new(ranges, PAGES / 2, 'x'), second = patch_new(ranges, PAGES / 2, 'n');
	struct wire_create create = section;
	struct wire_client client;
	char path[100];

	make_file(f);
	file_path(f, path, sizeof(path));
	join(f, &client);
	create.size_bytes = 0;
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	request.hdr.cookie = ++client.cookie;
	wire_send(&client, &request, sizeof(request), &first, 1);
	request.hdr.cookie = ++client.cookie;
	wire_send(&client, &request, sizeof(request), &second, 1);
	assert_int_equal(wire_receive(&client), 0);
	assert_int_equal(wire_receive(&client), 0);
	assert_int_equal(client.reply.hdr.cookie, client.cookie);
	assert_int_equal(count_new(f), PAGES / 2);
	(void)close(first);
	(void)close(second);
	free(ranges);
	wire_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memory),
		TEST(test_refusals),
		TEST(test_in_order),
		TEST(test_killed_brokers),
	};

	(void)alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
