/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A handle's descriptor can do no more than the handle, and other users can do
 * no more than the mode.  The latter is tried by children of another uid, which
 * needs root.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define OTHER_UID 65534

static void need_root(void)
{
	if (geteuid()) {
		print_message("needs root, to become another user\n");
		skip();
	}
}

/* A child of another uid; its failure is the test's.  The child does not return. */
static void as_other(void (*story)(const struct broker_fixture *f), const struct broker_fixture *f)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (setgroups(0, NULL) || setresgid(OTHER_UID, OTHER_UID, OTHER_UID) ||
		    setresuid(OTHER_UID, OTHER_UID, OTHER_UID))
			_exit(2);
		story(f);
		_exit(0);
	}
	status = fixture_wait(pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("the other user's story ended with 0x%x", (unsigned int)status);
}

/* For children: cmocka's assertions would run the parent's teardown there. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			print_error("%s:%d: %s\n", __FILE__, __LINE__, #condition);                \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void *try_map(int fd, int protection, int flags)
{
	return mmap(NULL, 4096, protection, flags, fd, 0);
}

/* All that a read-only descriptor must refuse. */
static void expect_read_only(int fd)
{
	char byte;
	void *view;

	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(sys_result(pwrite(fd, "x", 1, 0)), -EBADF);
	assert_int_equal(sys_result(ftruncate(fd, 1u << 20)), -EINVAL);
	assert_int_equal(
		sys_result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096)),
		-EBADF);
	assert_int_equal(sys_result(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)), -EPERM);
	assert_ptr_equal(try_map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), MAP_FAILED);
	assert_int_equal(errno, EACCES);
	view = try_map(fd, PROT_READ, MAP_SHARED);
	assert_ptr_not_equal(view, MAP_FAILED);
	assert_int_equal(sys_result(mprotect(view, 4096, PROT_READ | PROT_WRITE)), -EACCES);
	assert_int_equal(sys_result(madvise(view, 4096, MADV_REMOVE)), -EACCES);
	assert_int_equal(munmap(view, 4096), 0);
	/* Copy-on-write only reads. */
	view = try_map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	assert_ptr_not_equal(view, MAP_FAILED);
	memcpy(view, "private", 7);
	assert_int_equal(munmap(view, 4096), 0);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 's');
}

static void test_descriptors_of_handles(void **state)
{
	static const uint32_t silent[] = { VMSECT_ACCESS_QUERY, VMSECT_ACCESS_EXTEND,
					   VMSECT_ACCESS_NOTIFY, VMSECT_ACCESS_GRANT };
	struct broker_fixture *f = *state;
	struct wire_client client;
	size_t i;

	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&client, "s", VMSECT_ACCESS_WRITE), 0);
	assert_int_equal(fcntl(client.reply_fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(pwrite(client.reply_fd, "shared", 6, 0), 6);
	assert_int_equal(sys_result(ftruncate(client.reply_fd, 0)), -EPERM); /* sealed */
	/* The handle lacks EXTEND, and nobody charges for what it would grow by. */
	assert_int_equal(sys_result(ftruncate(client.reply_fd, 1 << 20)), -EPERM);
	assert_int_equal(sys_result(fcntl(client.reply_fd, F_ADD_SEALS, F_SEAL_WRITE)), -EPERM);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), 0);
	expect_read_only(client.reply_fd);
	assert_int_equal(wire_open(&client, "s",
				   VMSECT_ACCESS_READ | VMSECT_ACCESS_QUERY | VMSECT_ACCESS_GRANT),
			 0);
	expect_read_only(client.reply_fd);
	for (i = 0; i < ARRAY_SIZE(silent); i++) {
		assert_int_equal(wire_open(&client, "s", silent[i]), 0);
		assert_int_equal(client.reply_fd, -1);
	}
	wire_close(&client);
}

static void test_descriptors_of_files(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = {
		.name = "s",
		.backing = VMSECT_BACKING_FILE,
		.protection = VMSECT_PROT_READONLY,
		.access = VMSECT_ACCESS_READ,
		.mode = 0600,
	};
	struct wire_client client;
	char path[100];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/data", f->folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "some data", 9), 9);
	fd_close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	create.fds = &fd;
	create.nfds = 1;
	wire_join(&client, f->socket_path, "client", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(fcntl(client.reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(sys_result(pwrite(client.reply_fd, "x", 1, 0)), -EBADF);
	assert_ptr_equal(try_map(client.reply_fd, PROT_READ | PROT_WRITE, MAP_SHARED), MAP_FAILED);
	/* The right to write is worth nothing here, and neither is the descriptor. */
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE), 0);
	assert_int_equal(fcntl(client.reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	wire_close(&client);
	fd_close(fd);
}

/* Sections of root with these modes, and what another user gets. */
static void open_by_mode(const struct broker_fixture *f)
{
	struct wire_client client;

	wire_join(&client, f->socket_path, "other", VMSECT_PEER_PROCESS);
	CHECK(wire_open(&client, "private", VMSECT_ACCESS_READ) == -EACCES);
	CHECK(client.reply.hdr.detail == VMSECT_DETAIL_ACCESS);
	CHECK(wire_open(&client, "readable", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE) == -EACCES);
	CHECK(wire_open(&client, "readable", VMSECT_ACCESS_GRANT) == -EACCES);
	CHECK(wire_open(&client, "readable", VMSECT_ACCESS_NOTIFY) == -EACCES);
	CHECK(wire_open(&client, "readable", VMSECT_ACCESS_READ | VMSECT_ACCESS_QUERY) == 0);
	CHECK(wire_open(&client, "writable",
			VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXTEND) == 0);
	CHECK(wire_remove(&client, "writable") == -EACCES);
	/* What it cannot open it does not see. */
	CHECK(wire_list(&client, VMSECT_OP_LIST_SECTIONS, 0, 0) == 0);
	CHECK(client.reply.list.count == 2);
	CHECK(wire_list(&client, VMSECT_OP_LIST_VIEWS, 0, 0) == 0);
	CHECK(client.reply.list.count == 1);
	CHECK(strcmp(wire_listed_view(&client, 0)->section_name, "readable") == 0);
	CHECK(wire_listed_view(&client, 0)->place == 0); /* root's address is not told */
	CHECK(wire_list(&client, VMSECT_OP_LIST_PEERS, 0, 1) == 0);
	CHECK(client.reply.list.count == 0); /* of the private section */
	/* OPEN_IF is no way around. */
	CHECK(wire_create(&client, &(struct wire_create){ .name = "private",
							  .backing = VMSECT_BACKING_SHMEM,
							  .protection = VMSECT_PROT_READWRITE,
							  .size_bytes = 4096,
							  .access = VMSECT_ACCESS_READ,
							  .flags = VMSECT_CREATE_OPEN_IF }) ==
	      -EACCES);
	CHECK(wire_create_shmem(&client, "mine", VMSECT_ACCESS_READ) == 0);
	CHECK(client.reply.handle.section.uid == OTHER_UID);
	CHECK(wire_remove(&client, "mine") == 0);
	wire_close(&client);
}

static void test_modes_for_other_users(void **state)
{
	static const struct {
		const char *name;
		uint32_t mode;
	} sections[] = { { "private", 0600 }, { "readable", 0644 }, { "writable", 0666 } };
	struct broker_fixture *f = *state;
	struct wire_client client;
	uint32_t i;

	need_root();
	broker_fixture_open_to_all(f);
	wire_join(&client, f->socket_path, "root", VMSECT_PEER_PROCESS);
	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		const struct wire_create create = {
			.name = sections[i].name,
			.backing = VMSECT_BACKING_SHMEM,
			.protection = VMSECT_PROT_READWRITE,
			.size_bytes = 4096,
			.access = VMSECT_ACCESS_READ,
			.mode = sections[i].mode,
		};

		assert_int_equal(wire_create(&client, &create), 0);
		if (i < 2)
			assert_int_equal(wire_map(&client, i + 1, VMSECT_PROT_READONLY, 0, 0), 0);
	}
	as_other(open_by_mode, f);
	wire_close(&client);
}

/* Another user's read-only descriptor cannot be opened again for writing. */
static void reopen_for_writing(const struct broker_fixture *f)
{
	struct wire_client client;
	char path[64];

	wire_join(&client, f->socket_path, "other", VMSECT_PEER_PROCESS);
	CHECK(wire_open(&client, "readable", VMSECT_ACCESS_READ) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", client.reply_fd);
	CHECK(sys_result(open(path, O_RDWR | O_CLOEXEC)) == -EACCES);
	CHECK(sys_result(open(path, O_WRONLY | O_CLOEXEC)) == -EACCES);
	CHECK(sys_result(fchmod(client.reply_fd, 0666)) == -EPERM);
	CHECK(try_map(client.reply_fd, PROT_READ, MAP_SHARED) != MAP_FAILED);
	wire_close(&client);
}

static void test_reopening(void **state)
{
	struct broker_fixture *f = *state;
	const struct wire_create create = {
		.name = "readable",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 4096,
		.access = VMSECT_ACCESS_READ,
		.mode = 0644,
	};
	struct wire_client client;

	need_root();
	broker_fixture_open_to_all(f);
	wire_join(&client, f->socket_path, "root", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create(&client, &create), 0);
	as_other(reopen_for_writing, f);
	wire_close(&client);
}

/* The owner's sections: another user's, with root removing them. */
static void create_and_stay(const struct broker_fixture *f)
{
	struct wire_client client;

	wire_join(&client, f->socket_path, "other", VMSECT_PEER_PROCESS);
	CHECK(wire_create(&client, &(struct wire_create){ .name = "theirs",
							  .backing = VMSECT_BACKING_SHMEM,
							  .protection = VMSECT_PROT_READWRITE,
							  .size_bytes = 4096,
							  .access = VMSECT_ACCESS_READ,
							  .flags = VMSECT_CREATE_PERMANENT,
							  .mode = 0 }) == 0);
	/* Its own mode binds the owner as well, but for granting. */
	CHECK(wire_open(&client, "theirs", VMSECT_ACCESS_READ) == -EACCES);
	CHECK(wire_open(&client, "theirs", VMSECT_ACCESS_GRANT) == 0);
	wire_close(&client);
}

static void test_root_may_all(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	need_root();
	broker_fixture_open_to_all(f);
	as_other(create_and_stay, f);
	wire_join(&client, f->socket_path, "root", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_open(&client, "theirs",
				   VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_GRANT),
			 0);
	assert_int_equal(client.reply.handle.section.uid, OTHER_UID);
	assert_int_equal(wire_remove(&client, "theirs"), 0);
	wire_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_descriptors_of_handles), TEST(test_descriptors_of_files),
		TEST(test_modes_for_other_users),  TEST(test_reopening),
		TEST(test_root_may_all),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
