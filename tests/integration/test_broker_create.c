/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a new section is made of. */
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
#include "lib/wire_disk.h"

#define PAGE 4096u
#define ACCESS                                                                                     \
	(VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXTEND)

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

static void test_flags_by_kind(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	char path[100];

	join(f, &client);
	make_file(f, PAGE, 0600, path, sizeof(path));
	create.size_bytes = 0;
	create.flags = VMSECT_CREATE_ALLOCATE;
	expect(&client, wire_create_file(&client, &create, path), -EINVAL, VMSECT_DETAIL_ATTR);
	create.flags = VMSECT_CREATE_SEALABLE;
	expect(&client, wire_create_file(&client, &create, path), -EINVAL, VMSECT_DETAIL_ATTR);
	create.flags = 0;
	create.max_bytes = PAGE;
	expect(&client, wire_create_file(&client, &create, path), -EINVAL, VMSECT_DETAIL_ATTR);
	create.max_bytes = 0;
	create.flags = VMSECT_CREATE_RESERVE; /* changes nothing for a file */
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	assert_int_equal(client.reply.handle.section.flags, 0);
	assert_int_equal(client.reply.handle.section.max_bytes, 0);
	assert_int_equal(client.reply.handle.section.committed_bytes, PAGE);
	wire_close(&client);
	assert_int_equal(unlink(path), 0);
}

/* Nothing is charged but what is committed; the memory has its full size. */
static void test_reserve(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	struct stat st;

	join(f, &client);
	create.flags = VMSECT_CREATE_RESERVE;
	create.size_bytes = UINT64_C(1) << 44; /* far above the limit of bytes */
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(client.reply.handle.section.flags, VMSECT_SECTION_RESERVE);
	assert_int_equal(client.reply.handle.section.committed_bytes, 0);
	assert_int_equal(fstat(client.reply_fd, &st), 0);
	assert_int_equal(st.st_size, UINT64_C(1) << 44);
	wire_close(&client);
}

static void test_allocate(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;

	join(f, &client);
	create.flags = VMSECT_CREATE_ALLOCATE;
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(client.reply.handle.section.allocated_bytes, 4 * PAGE);
	expect(&client, wire_create(&client, &create), -EEXIST, VMSECT_DETAIL_NAME);
	wire_close(&client);
}

static void test_sealable(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;

	join(f, &client);
	create.flags = VMSECT_CREATE_SEALABLE;
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(client.reply.handle.section.flags, VMSECT_SECTION_SEALABLE);
	assert_int_equal(fcntl(client.reply_fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
	wire_close(&client);
}

static int start_with_directory(void **state)
{
	struct broker_fixture *f = calloc(1, sizeof(*f));
	const char *args[] = { "--page-file-dir", NULL, NULL };

	assert_non_null(f);
	broker_fixture_init(f);
	args[1] = f->folder;
	broker_fixture_start(f, args);
	*state = f;
	return 0;
}

/* The page file in a folder: no name, all blocks from the start, and it grows. */
static void test_directory(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	struct stat st;
	uint32_t handle;

	join(f, &client);
	create.backing = VMSECT_BACKING_DIRECTORY;
	create.max_bytes = 8 * PAGE;
	create.flags = VMSECT_CREATE_RESERVE;
	expect(&client, wire_create(&client, &create), -EOPNOTSUPP, VMSECT_DETAIL_ATTR);
	create.flags = 0;
	assert_int_equal(wire_create(&client, &create), 0);
	handle = client.reply.handle.handle;
	assert_int_equal(client.reply.handle.section.committed_bytes, 4 * PAGE);
	assert_int_equal(fstat(client.reply_fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 4 * PAGE);
	assert_true(st.st_blocks * 512 >= 4 * PAGE);
	assert_int_equal(wire_extend(&client, handle, 8 * PAGE - 1), 0);
	assert_int_equal(client.reply.extend.size_bytes, 8 * PAGE);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(fcntl(client.reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(client.reply.handle.section.committed_bytes, 8 * PAGE);
	assert_int_equal(fstat(client.reply_fd, &st), 0);
	assert_int_equal(st.st_size, 8 * PAGE);
	wire_close(&client);
}

/* A limit that is met only when the file grows; what did not work is not charged. */
static void test_directory_is_charged(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;

	join(f, &client);
	create.backing = VMSECT_BACKING_DIRECTORY;
	create.max_bytes = UINT64_C(1) << 46;
	assert_int_equal(wire_create(&client, &create), 0);
	expect(&client, wire_extend(&client, client.reply.handle.handle, UINT64_C(1) << 45),
	       -EDQUOT, VMSECT_DETAIL_LIMIT);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.committed_bytes, 4 * PAGE);
	wire_close(&client);
}

static void test_executable_file(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = shmem;
	struct wire_client client;
	char path[100];

	join(f, &client);
	create.protection = VMSECT_PROT_EXECUTE_READ;
	create.access = VMSECT_ACCESS_READ | VMSECT_ACCESS_EXECUTE;
	create.size_bytes = 0;
	make_file(f, PAGE, 0600, path, sizeof(path));
	expect(&client, wire_create_file(&client, &create, path), -EPERM, VMSECT_DETAIL_FILE);
	make_file(f, PAGE, 0700, path, sizeof(path));
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	assert_int_equal(client.reply.handle.section.protection, VMSECT_PROT_EXECUTE_READ);
	wire_close(&client);
	assert_int_equal(unlink(path), 0);
}

static void test_locked_file(void **state)
{
	struct broker_fixture *f = *state;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	struct wire_create create = shmem;
	struct wire_client client;
	char path[100];
	int fd;

	join(f, &client);
	create.size_bytes = 0;
	make_file(f, PAGE, 0600, path, sizeof(path));
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	expect(&client, wire_create_file(&client, &create, path), -EAGAIN, VMSECT_DETAIL_FILE);
	lock.l_type = F_RDLCK; /* one that others may have as well */
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(wire_create_file(&client, &create, path), 0);
	(void)close(fd);
	wire_close(&client);
	assert_int_equal(unlink(path), 0);
}

/* A client that goes while its request waits: nothing is left behind. */
static void test_client_that_goes(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_create request = {
		.hdr = { .size = sizeof(request), .op = VMSECT_OP_CREATE, .cookie = 1 },
		.size_bytes = 64u << 20,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.flags = VMSECT_CREATE_COMMIT | VMSECT_CREATE_ALLOCATE,
		.access = ACCESS,
		.mode = 0600,
		.name = "gone",
	};
	struct wire_client client;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		join(f, &client);
		wire_send(&client, &request, sizeof(request), NULL, 0);
		wire_close(&client);
	}
	join(f, &client);
	/* Its job is behind those of the others. */
	assert_int_equal(wire_create(&client,
				     &(struct wire_create){
					     .name = "last",
					     .backing = VMSECT_BACKING_SHMEM,
					     .protection = VMSECT_PROT_READWRITE,
					     .size_bytes = 64u << 20,
					     .access = ACCESS,
					     .flags = VMSECT_CREATE_ALLOCATE,
					     .mode = 0600,
				     }),
			 0);
	assert_int_equal(wire_open(&client, "gone", VMSECT_ACCESS_READ), -ENOENT);
	wire_close(&client);
}

/* One name, asked for twice before either has its memory: one makes it. */
static void create_twice(struct wire_client *client, uint32_t flags, int second, int first)
{
	struct vmsect_req_create request = {
		.hdr = { .size = sizeof(request), .op = VMSECT_OP_CREATE },
		.size_bytes = 4u << 20,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.flags = VMSECT_CREATE_COMMIT | VMSECT_CREATE_ALLOCATE | flags,
		.access = ACCESS,
		.mode = 0600,
		.name = "one",
	};
	int results[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		request.hdr.cookie = ++client->cookie;
		wire_send(client, &request, sizeof(request), NULL, 0);
	}
	for (i = 0; i < 2; i++) {
		results[i] = wire_receive(client);
		if (!results[i] && client->reply.handle.existed)
			results[i] = 1;
	}
	assert_true((results[0] == first && results[1] == second) ||
		    (results[0] == second && results[1] == first));
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	assert_int_equal(client->reply.list.count, 1);
}

static void test_one_name_at_once(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	join(f, &client);
	create_twice(&client, 0, -EEXIST, 0);
	wire_close(&client);
	join(f, &client);
	create_twice(&client, VMSECT_CREATE_OPEN_IF, 1, 0);
	wire_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)
#define TEST_DIRECTORY(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, start_with_directory, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_flags_by_kind),
		TEST(test_reserve),
		TEST(test_allocate),
		TEST(test_sealable),
		TEST_DIRECTORY(test_directory),
		TEST_DIRECTORY(test_directory_is_charged),
		TEST(test_executable_file),
		TEST(test_locked_file),
		TEST(test_client_that_goes),
		TEST(test_one_name_at_once),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
