/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EXPORT of doorbells: the socket, who may connect, and when it goes.  What goes
 * over the stream is unit-broker-doorbell's; here it is enough that an ivshmem
 * client finds the section behind the socket.
 */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/ivshmem_client.h"
#include "lib/wire_export.h"
#include "lib/wire_resume.h"

#define BYTES 65536u
#define ALL_ACCESS (VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_EXECUTE)
#define OTHER_ID 4711u

static const struct wire_export bell = { VMSECT_EXPORT_DOORBELL, 0600, 0, 0, 2 };

struct bed {
	struct broker_fixture broker;
	struct wire_client client;
	struct wire_identity who;
	char path[160]; /* of section "s" */
};

static int bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	broker_fixture_init(&bed->broker);
	broker_fixture_start(&bed->broker, NULL);
	(void)snprintf(bed->path, sizeof(bed->path), "%s/doorbell/s", bed->broker.folder);
	wire_join_noted(&bed->client, bed->broker.socket_path, "owner", &bed->who);
	*state = bed;
	return 0;
}

static int bed_teardown(void **state)
{
	struct bed *bed = *state;

	wire_close(&bed->client);
	broker_fixture_deinit(&bed->broker);
	free(bed);
	return 0;
}

#define REFUSED(call, status, code)                                                                \
	do {                                                                                       \
		assert_int_equal(call, status);                                                    \
		assert_int_equal(bed->client.reply.hdr.detail, VMSECT_DETAIL_##code);              \
	} while (0)

/* A named section of memory; its handle. */
static uint32_t make(struct bed *bed, const char *name, uint64_t bytes, uint32_t flags)
{
	const struct wire_create create = {
		.name = name,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = bytes,
		.access = ALL_ACCESS,
		.flags = flags,
		.mode = 0600,
	};

	assert_int_equal(wire_create(&bed->client, &create), 0);
	return bed->client.reply.handle.handle;
}

static void test_refused(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	struct wire_export wrong = bell;
	uint32_t handle = make(bed, "odd", BYTES + 4096, 0);
	char long_name[VMSECT_NAME_MAX + 1];

	REFUSED(wire_export(client, handle, &bell), -EINVAL, SIZE);
	handle = make(bed, "s", BYTES, 0);
	wrong.vectors = 0;
	assert_int_equal(wire_export(client, handle, &wrong), -EINVAL);
	wrong.vectors = 65;
	assert_int_equal(wire_export(client, handle, &wrong), -EINVAL);
	assert_int_equal(access(bed->path, F_OK), -1);
	memset(long_name, 'n', sizeof(long_name));
	long_name[VMSECT_NAME_MAX] = '\0';
	handle = make(bed, long_name, BYTES, 0);
	REFUSED(wire_export(client, handle, &bell), -ENAMETOOLONG, NAME);
	assert_int_equal(wire_duplicate(client, handle, VMSECT_ACCESS_READ), 0);
	REFUSED(wire_export(client, client->reply.handle.handle, &bell), -EPERM, ACCESS);
	assert_int_equal(wire_unexport(client, handle, VMSECT_EXPORT_DOORBELL), -ENOENT);
}

/* A file that is there is not ours to remove; a socket that nobody serves is. */
static void test_in_the_way(void **state)
{
	struct bed *bed = *state;
	uint32_t handle = make(bed, "other", BYTES, 0);
	int fd;

	assert_int_equal(wire_export(&bed->client, handle, &bell), 0); /* makes the folder */
	handle = make(bed, "s", BYTES, 0);
	fd = open(bed->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	fd_close(fd);
	REFUSED(wire_export(&bed->client, handle, &bell), -EEXIST, NAME);
	assert_int_equal(unlink(bed->path), 0);
	assert_int_equal(wire_export(&bed->client, handle, &bell), 0);
	assert_int_equal(unlink(bed->path), 0);
}

/* Greets, and writes a byte into the memory that came. */
static int connect_and_write(const char *path, char byte)
{
	int socket = ivshmem_connect(path);
	int memory = -1;

	assert_true(socket >= 0);
	assert_true(ivshmem_greet(socket, true, &memory) > 0);
	assert_int_equal(pwrite(memory, &byte, 1, 7), 1);
	fd_close(memory);
	return socket;
}

static void test_a_client_finds_the_section(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	uint32_t handle = make(bed, "s", BYTES, 0);
	AUTO_FD int memory = steal_fd(&client->reply_fd);
	AUTO_FD int socket = -1;
	struct ivshmem_message message;
	struct stat st;
	char byte = 0;
	int own[2];

	assert_int_equal(wire_export(client, handle, &bell), 0);
	assert_string_equal(wire_exported_path(client), bed->path);
	assert_int_equal(lstat(bed->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(wire_listed_export(client, 0)->kind, VMSECT_EXPORT_DOORBELL);
	assert_int_equal(wire_listed_export(client, 0)->vectors, 2);
	socket = connect_and_write(bed->path, 'd');
	assert_int_equal(pread(memory, &byte, 1, 7), 1);
	assert_int_equal(byte, 'd');
	/* Another mode is fine, another number of vectors is not. */
	REFUSED(wire_export(client, handle,
			    &(struct wire_export){ VMSECT_EXPORT_DOORBELL, 0600, 0, 0, 3 }),
		-EBUSY, STATE);
	assert_int_equal(
		wire_export(client, handle,
			    &(struct wire_export){ VMSECT_EXPORT_DOORBELL, 0666, 0, 0, 2 }),
		0);
	assert_int_equal(lstat(bed->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	fd_close(connect_and_write(bed->path, 'e'));
	/* Who is connected stays; nobody new comes. */
	assert_int_equal(wire_unexport(client, handle, VMSECT_EXPORT_DOORBELL), 0);
	assert_int_equal(ivshmem_connect(bed->path), -ENOENT);
	assert_int_equal(ivshmem_wait(socket, &message), IVSHMEM_MESSAGE);
	own[0] = message.fd;
	assert_int_equal(ivshmem_wait(socket, &message), IVSHMEM_MESSAGE);
	own[1] = message.fd;
	assert_true(own[0] >= 0 && own[1] >= 0);
	ivshmem_close_fds(own, 2);
}

/* Path and doorbell are two exports of one section. */
static void test_both_kinds(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	uint32_t handle = make(bed, "s", BYTES, VMSECT_CREATE_EXPORTABLE);
	AUTO_FREE char *path = NULL;

	if (wire_export(client, handle,
			&(struct wire_export){ .kind = VMSECT_EXPORT_PATH, .mode = 0600 }) < 0)
		skip(); /* somebody has that name in /dev/shm */
	path = strdup(wire_exported_path(client));
	assert_int_equal(wire_export(client, handle, &bell), 0);
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(client->reply.list.count, 2);
	assert_true(wire_listed_export(client, 0)->kind == VMSECT_EXPORT_PATH);
	assert_true(wire_listed_export(client, 1)->kind == VMSECT_EXPORT_DOORBELL);
	assert_int_equal(wire_unexport(client, handle, VMSECT_EXPORT_DOORBELL), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(wire_export(client, handle, &bell), 0);
	assert_int_equal(wire_remove(client, "s"), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(bed->path, F_OK), -1);
}

/* The socket's mode lets them in, the section's does not: the connection just ends. */
static void test_who_may_not(void **state)
{
	struct bed *bed = *state;
	struct ivshmem_message message;
	uint32_t handle;
	pid_t pid;

	if (geteuid())
		skip();
	handle = make(bed, "s", BYTES, 0);
	assert_int_equal(
		wire_export(&bed->client, handle,
			    &(struct wire_export){ VMSECT_EXPORT_DOORBELL, 0666, 0, 0, 2 }),
		0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int socket;

		if (setresgid(OTHER_ID, OTHER_ID, OTHER_ID) < 0 ||
		    setresuid(OTHER_ID, OTHER_ID, OTHER_ID) < 0)
			_exit(1);
		socket = ivshmem_connect(bed->path);
		_exit(socket >= 0 && ivshmem_wait(socket, &message) == IVSHMEM_END ? 0 : 2);
	}
	assert_int_equal(fixture_wait(pid), 0);
	/* Others are served afterwards as before. */
	fd_close(connect_and_write(bed->path, 'x'));
}

/* Who is not root gives the path to nobody else. */
static void test_whom_it_may_be_given_to(void **state)
{
	struct bed *bed = *state;
	struct wire_export wish = bell;
	static struct wire_client other;

	if (geteuid())
		skip();
	broker_fixture_open_to_all(&bed->broker);
	wire_join_as(&other, bed->broker.socket_path, "other", VMSECT_PEER_PROCESS, OTHER_ID);
	assert_int_equal(wire_create_shmem(&other, "s", ALL_ACCESS), 0);
	wish.uid = OTHER_ID + 1;
	assert_int_equal(wire_export(&other, 1, &wish), -EPERM);
	assert_int_equal(other.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	wish.uid = OTHER_ID;
	wish.gid = OTHER_ID + 1;
	assert_int_equal(wire_export(&other, 1, &wish), -EPERM);
	wish.gid = OTHER_ID;
	assert_int_equal(wire_export(&other, 1, &wish), 0);
	assert_int_equal(wire_list(&other, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(wire_listed_export(&other, 0)->uid, OTHER_ID);
	assert_int_equal(wire_listed_export(&other, 0)->gid, OTHER_ID);
	wire_close(&other);
}

/* The next broker listens again, at the same place, with the same vectors. */
static void test_killed_and_replaced(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	struct vmsect_wire_export before;
	uint32_t handle = make(bed, "s", BYTES, 0);
	uint64_t section = client->reply.handle.section.id;
	AUTO_FD int memory = steal_fd(&client->reply_fd);
	AUTO_FD int early = -1;
	struct ivshmem_message message;
	char byte = 0;

	assert_int_equal(
		wire_export(client, handle,
			    &(struct wire_export){ VMSECT_EXPORT_DOORBELL, 0640, 0, 0, 2 }),
		0);
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	before = *wire_listed_export(client, 0);
	broker_fixture_kill(&bed->broker);
	assert_int_equal(ivshmem_connect(bed->path), -ECONNREFUSED);
	broker_fixture_start(&bed->broker, NULL);
	/* Before the memory is back there is nothing to give. */
	early = ivshmem_connect(bed->path);
	assert_true(early >= 0);
	assert_int_equal(ivshmem_wait(early, &message), IVSHMEM_END);
	assert_int_equal(wire_resume(client, bed->broker.socket_path, &bed->who), 0);
	assert_int_equal(wire_hand_back(client, section, memory), 0);
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_memory_equal(wire_listed_export(client, 0), &before, sizeof(before));
	fd_close(connect_and_write(bed->path, 'k'));
	assert_int_equal(pread(memory, &byte, 1, 7), 1);
	assert_int_equal(byte, 'k');
	/* On purpose: nobody serves it, and nothing is left of it. */
	broker_fixture_stop(&bed->broker);
	assert_int_equal(ivshmem_connect(bed->path), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refused),
		TEST(in_the_way),
		TEST(a_client_finds_the_section),
		TEST(both_kinds),
		TEST(who_may_not),
		TEST(whom_it_may_be_given_to),
		TEST(killed_and_replaced),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
